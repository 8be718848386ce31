"""Every text of the database would steer a terminal, a page or a layout."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.settings import TrainSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect
from tests.faults.folder import PLANTED, RAW, build, plant
from tests.faults.harness import Facts, app, forked, radtui, rating, told_until

COLUMNS, ROWS = 120, 40
SHORT = 7  # of tour and commands, in the quick tests
# A key that meets an escape in one read is another key: each is answered first. Quiet is shorter than the half second
# of a cursor's blinking, which never ends.
PATIENCE_S, QUIET_S = 4.0, 0.35
DRAWN_S = 20.0  # in which lines of a megabyte must be drawn on a busy machine
TOUR = (
    "d", "b", "\x1b", "\r", "\x1b", "/x\r", "\x1b", "t", "M", "\x1b", "r", "e", "\x1b", "a", "\x1b", "v", "v", "w\x1b",
    "c", "\x1b", "T", "\x1b", "o", "\x1b", "J", "\r", "\x1b", "l", "L", "\x1b", "?", "\x1b", "\x10", "\x1b", "I",
    "\x1b",
)  # fmt: skip
"""Keys that open each screen, sheet and list, and change nothing that counts."""

COMMANDS = (
    ["jobs", "list"], ["jobs", "list", "--json"], ["jobs", "show", "1"], ["jobs", "show", "1", "--json"],
    ["jobs", "show", "2"], ["jobs", "log", "1"], ["jobs", "stop", "1"], ["stats"], ["stats", "--json"], ["score"],
    ["show", "1", "--width", "20"], ["show", "--problems"], ["cases"], ["cases", "--jsonl"], ["study", "list"],
    ["study", "show", "1"], ["check"], ["import", f"nothing{PLANTED}/x"], ["generate", "--dataset", PLANTED],
    ["train", "--dataset", PLANTED, "--dry-run"], ["model", "check", PLANTED], ["doctor"],
)  # fmt: skip
LONG = "x" * 1_000_000 + PLANTED


def planted_strings(scratch: Path, rounds: int) -> Facts:
    """Every text of the database would steer the terminal: nothing reaches it, no layout breaks, no page runs it."""
    data = build(scratch / "data")
    told_until(rating(data), 0.3)
    _train_job(data)
    tour, commands = (TOUR, COMMANDS) if rounds > 1 else (TOUR[:SHORT], COMMANDS[:SHORT])
    clean = _frames(data, "ana", tour, [])[1]
    columns = plant(data) + _plant_json(data)
    _lengthen(data)
    data.job(1).mkdir(parents=True, exist_ok=True)
    data.log(1).write_text(f"{PLANTED}\n{LONG}\n")
    seen, frames = _frames(data, f"ana{PLANTED}".replace("\0", ""), tour, clean)
    for command in commands:
        code, told = forked(data, *command)
        assert code in (0, 1, 2) and b"Traceback" not in told, (command, told[-600:])
        seen += told
    assert (found := RAW.search(seen)) is None, seen[max(0, found.start() - 80) : found.end() + 40]
    pages = _pages(data, scratch)
    return {
        "count": 1, "columns": columns, "screens": len(frames), "drawn through pyte": bool(clean[0]),
        "commands": len(commands),
        "bytes drawn and printed": len(seen), "files": pages, "raw": 0, "layouts broken": 0,
    }  # fmt: skip


def _train_job(data: DataDir) -> None:
    """A finished training job with losses and an adapter, for its chart, its card and its row."""
    with closing(connect(data)) as db:
        settings = TrainSettings(dataset="many", model="tiny").to_dict()
        job = jobs.create(db, JobKind.TRAIN, "a run", "many", settings)
        for step in range(1, 6):
            metrics.log_step(db, job.id, step, 5, 1.0, float(step), {"loss": 1 / step})
        jobs.end(db, job.id, JobState.DONE)
    folder = data.adapter(job.id)
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    weights = len(header).to_bytes(8, "little") + header + b"\0" * 4
    (folder / "adapter_model.safetensors").write_bytes(weights)


def _plant_json(data: DataDir) -> int:
    """The same in texts inside of JSON columns, where nobody chose the words."""
    planted = 0
    with closing(sqlite3.connect(data.database, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        for table, column, keys in (
            ("jobs", "settings", ("instruction", "model", "adapter")), ("cases", "facts", ("modality", "view")),
            ("jobs", "result", ("backend", "weights")), ("studies", "protocol", ("note",)),
        ):  # fmt: skip
            for row_id, text in db.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
                values = json.loads(text) | {key: f"{key}{PLANTED}" for key in keys}
                db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (json.dumps(values), row_id))
            planted += 1
    return planted


def _lengthen(data: DataDir) -> None:
    """Lines of a megabyte, where people or models write."""
    with closing(sqlite3.connect(data.database, isolation_level=None)) as db:
        db.execute("UPDATE jobs SET error = error || ? WHERE id = 1", (LONG,))
        db.execute("UPDATE cases SET reference = reference || ? WHERE id = 1", (LONG,))
        db.execute("UPDATE texts SET text = text || ? WHERE id IN (1, 2)", (LONG,))
        db.execute("UPDATE ratings SET note = note || ? WHERE id = 1", (LONG,))


def _frames(
    data: DataDir, rater: str, tour: tuple[str, ...], clean: list[list[str]]
) -> tuple[bytes, list[list[str]]]:
    """Everything that the app wrote on the tour, and what stood on the screen after each key.

    Where the same tour with harmless texts is known, each screen must stand as it stood there, in the end.
    """
    screen, stream = _emulator()
    seen, frames = b"", []
    with app(data, rater, rows=ROWS) as terminal:

        def show(part: bytes) -> None:
            nonlocal seen
            seen += part
            if stream is not None:
                stream.feed(part.decode(errors="replace"))

        show(terminal.settle(first_s=20))
        for number, keys in enumerate(("", *tour)):
            for key in keys:
                show(terminal.press(key, patience_s=PATIENCE_S, quiet_s=QUIET_S).text)
            end = time.monotonic() + DRAWN_S
            while clean and screen is not None and _trouble(clean[number], screen.display):
                assert time.monotonic() < end, f"after {keys!r} {_trouble(clean[number], screen.display)}"
                show(terminal.read(0.1))
            frames.append(list(screen.display) if screen is not None else [])
        assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), "the app is not there any more"
        assert terminal.press("?", patience_s=DRAWN_S).text, "the app draws nothing any more"
    return seen, frames


def _emulator():
    """A terminal in memory, where one is installed; (None, None) elsewhere."""
    try:
        import pyte
    except ImportError:
        return None, None
    screen = pyte.Screen(COLUMNS, ROWS)
    # It knows no synchronised frames and no keyboard protocol; what it does not know it must not print.
    return screen, _Quiet(pyte.Stream(screen))


class _Quiet:
    """A stream that leaves out what the emulator does not know."""

    def __init__(self, stream) -> None:
        self._stream = stream

    def feed(self, text: str) -> None:
        """Take what a program wrote."""
        self._stream.feed(re.sub(r"\x1b\[[?><=][0-9;]*[a-zA-Z$]+|\x1b_G.*?\x1b\\|\x1bP.*?\x1b\\", "", text))


def _trouble(clean: list[str], planted: list[str]) -> str:
    """What of the bars at top and bottom does not stand where it stood with harmless texts; "" when all does."""
    for row, words in ((0, 2), (-1, 2)):
        if planted[row].split()[:words] != clean[row].split()[:words]:
            return f"row {row} is {planted[row]!r}, not {clean[row]!r}"
    return ""


def _pages(data: DataDir, scratch: Path) -> int:
    """Files that other programs open: none runs or shows what was planted."""
    made = [
        scratch / "report.html",
        scratch / "report.md",
        scratch / "loss.svg",
        scratch / "adapter" / "README.md",
    ]
    for words in (
        ["report", "1", "--out", made[0]], ["report", "1", "--out", made[1]], ["plot", "2", "--out", made[2]],
        ["adapter", "export", "2", "--out", made[3].parent],
    ):  # fmt: skip
        code, told = radtui(data, *words)
        assert code == 0, told[-400:]
    for file in made:
        text = file.read_bytes()
        assert RAW.search(text) is None, file
        assert file.name == "README.md" or b"<script>planted" not in text, file
    return len(made)
