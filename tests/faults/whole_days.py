"""Two apps of one reader and one of another on one folder: its disk fills up, the clock jumps, one is killed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path

from radtui.paths import DataDir
from radtui.store import ratings
from radtui.store.database import connect
from radtui.study.unsaved import Unsaved
from tests.bench.pseudo_terminal import Terminal
from tests.faults.clocks import JUMPING
from tests.faults.copies import fill
from tests.faults.folder import build
from tests.faults.harness import REPOSITORY, Facts, app, rows, small_disk

READERS = ("ana", "ana", "ben")
KEYS = ("1", "2", "4", "5", "1", "2", "u", "w")
KEYS_EACH = 12
DAY_S = 86_400
PATIENCE_S = 20.0


def whole_days(scratch: Path, rounds: int) -> Facts:
    """Three apps rate, take back and note on one folder with a full disk and a jumping clock: nothing is lost."""
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    chance, called_saved, called_kept, stored = random.Random(36), 0, 0, 0
    file = scratch / "wrong by"
    more = {"PYTHONPATH": f"{JUMPING}:{REPOSITORY}", "CLOCK_FILE": str(file)}
    for number in range(rounds):
        file.write_text("0")
        with small_disk(scratch / str(number), "8m") as place, contextlib.ExitStack() as stack:
            data = build(place / "data", pairs=60)
            terminals = [stack.enter_context(_reviewing(data, reader, more)) for reader in READERS]
            saved, kept = dict.fromkeys(READERS, 0), dict.fromkeys(READERS, 0)
            for key in range(KEYS_EACH * len(terminals)):
                if key % 9 == 4:
                    file.write_text(str(chance.choice((-DAY_S, 0, DAY_S))))
                if key == KEYS_EACH:
                    fill(place / "filler")
                if key == 2 * KEYS_EACH:
                    (place / "filler").unlink()
                at = chance.randrange(len(terminals))
                answer = _pressed(terminals[at], chance.choice(KEYS))
                saved[READERS[at]] += b"Saved: " in answer
                kept[READERS[at]] += b"kept in" in answer
            os.kill(terminals[0].pid, signal.SIGKILL)
            for terminal in terminals[1:]:
                terminal.press("q", quiet_s=0.3)
            file.write_text("0")
            for reader in sorted(set(READERS)):
                with _reviewing(data, reader, more) as terminal:  # as the next day: what waits is put in
                    _until_nothing_waits(terminal, data, reader)
            for reader in saved:
                own = _history(data, reader)
                assert own >= saved[reader], f"{reader}: {saved[reader]} were called saved, {own} are there"
            called_saved, called_kept = called_saved + sum(saved.values()), called_kept + sum(kept.values())
            stored += len(rows(data))
    assert called_saved
    return {
        "times": rounds,
        "keys called saved": called_saved,
        "seen as kept": called_kept,
        "rows": stored,
        "lost": 0,
    }


@contextlib.contextmanager
def _reviewing(data: DataDir, reader: str, more: dict[str, str]):
    with app(data, reader, more) as terminal:
        terminal.settle(quiet_s=0.4, first_s=30)
        terminal.press("r", quiet_s=0.5)
        yield terminal


def _pressed(terminal: Terminal, key: str) -> bytes:
    """What comes of a key; of the one for notes, with a note."""
    shown = terminal.press(key, patience_s=1.0, quiet_s=0.1).text
    if key != "w":
        return shown
    for letter in "seen":
        shown += terminal.press(letter, patience_s=0.5, quiet_s=0.05).text
    return shown + terminal.press("\x1b", patience_s=1.0, quiet_s=0.2).text


def _until_nothing_waits(terminal: Terminal, data: DataDir, reader: str) -> None:
    kept, end = Unsaved(data, reader).path, time.monotonic() + PATIENCE_S
    assert kept is not None
    while kept.exists():
        assert time.monotonic() < end, f"answers of {reader} wait on in {kept}"
        terminal.settle(quiet_s=0.3, limit_s=1.0)


def _history(data: DataDir, reader: str) -> int:
    """A reader's rows, each linked to the one before; more of them than one session wrote."""
    with contextlib.closing(connect(data)) as db:
        history, before = ratings.history(db, 1, reader), ""
    for row in history:
        assert ratings.link(before, row) == row.chain, f"row {row.id} is not linked to the one before it"
        before = row.chain
    return len(history)
