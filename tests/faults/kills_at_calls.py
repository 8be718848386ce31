"""SIGKILL at one write, sync, rename, truncation, removal or link of a command: chosen moments, not chance ones."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from radtui.durable import digest
from radtui.export.pack_home import opened_pack
from radtui.paths import DataDir
from radtui.store import ratings, studies
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.unsaved import Unsaved
from tests.faults.copies import rows_of
from tests.faults.failing import Failing
from tests.faults.folder import build
from tests.faults.forking import Forking, forking
from tests.faults.harness import RATER, Facts, forked, judged, rows

READER = "ben"  # of packs
AWAY = "dee"  # who answered while the folder was not there


@dataclass(frozen=True, slots=True)
class _Command:
    """A command that is killed.

    Attributes:
        words: With {} for the folder that all of it is in.
        between: What must hold after the kill, before it is called again.
        after: What must hold once it was.
    """

    words: tuple[str, ...]
    between: Callable[[Path], None]
    after: Callable[[Path], None]


def kills_at_calls(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at calls of exports, backups, restores, packs and merges: each does all of it when it is called again."""

    def killed(shim: Failing, place: Path, kind: str, call: int, _: int) -> dict[str, str]:
        return shim.killing(place, kind, call)

    def was_killed(code: int, printed: bytes, what: str) -> bool:
        assert code in (0, -signal.SIGKILL), f"{what}: {printed.decode()[-300:]}"
        return code != 0

    return _at_calls(scratch, rounds, 31, killed, was_killed) | {"lost": 0, "doubled": 0, "half files": 0}


def disk_full_at_calls(scratch: Path, rounds: int) -> Facts:
    """Calls of these fail instead, once or from then on: a sentence, nothing half done, all of it when called again."""

    def failing(shim: Failing, place: Path, kind: str, call: int, number: int) -> dict[str, str]:
        return shim.environment(place, kind, call, once=bool(number % 2))

    def was_refused(code: int, printed: bytes, what: str) -> bool:
        lines = [line for line in printed.splitlines() if b" were kept while " not in line]  # is said beside
        return not judged(code, b"\n".join(lines), what)

    return _at_calls(scratch, rounds, 35, failing, was_refused) | {"lost": 0, "doubled": 0, "half files": 0}


def _at_calls(
    scratch: Path,
    rounds: int,
    seed: int,
    harm: Callable[[Failing, Path, str, int, int], dict[str, str]],
    was_harmed: Callable[[int, bytes, str], bool],
) -> Facts:
    """Run each command over and over, with harm at another call of it each time, and then once more without.

    Args:
        scratch: A folder.
        rounds: How often, all commands together.
        seed: Which calls.
        harm: Variables for a shim, of the folder, a kind of call, which of them, and the number of the try.
        was_harmed: Judges how a command ended: its exit code, what it printed, and what was done.
    """
    shim, chance, harmed = Failing(scratch), random.Random(seed), 0
    template = scratch / "template"
    _make(template)
    with forking(shim.library, scratch / "tmp") as commands:
        trials = _commands()
        trials = chance.sample(trials, min(rounds, len(trials)))
        each = max(1, rounds // len(trials))
        for number, command in enumerate(trials):
            place = _copied(template, scratch / f"whole{number}")
            code, printed = _run(commands, place, command, shim.counting(place))
            assert code == 0, printed
            command.after(place)
            for at, (kind, call) in enumerate(shim.points(each, chance)):
                again, what = (
                    _copied(template, scratch / f"{number}-{at}"),
                    f"{' '.join(command.words[:2])}, {kind} {call}",
                )
                code, printed = _run(commands, again, command, harm(shim, again, kind, call, at))
                harmed += was_harmed(code, printed, what)
                _is_as_it_was(again, what, command.between)
                code, printed = _run(commands, again, command, {})
                assert judged(code, printed, what), f"{what}; then: {printed.decode()[-300:]}"
                _is_as_it_was(again, what, command.after)
                left = [path.name for path in (*again.rglob(".*"), *(scratch / "tmp").iterdir())]
                left = [name for name in left if not name.startswith("radtui-cache-")]  # of the tests
                assert not left, f"{what}: {left}"
                shutil.rmtree(again)
            shutil.rmtree(place)
    assert harmed
    return {"commands": len(trials), "killed or refused": harmed}


def _copied(template: Path, place: Path) -> Path:
    return Path(shutil.copytree(template, place))


def _run(commands: Forking, place: Path, command: _Command, more: dict[str, str]) -> tuple[int, bytes]:
    words = [word.format(place) for word in command.words]
    state = {"XDG_STATE_HOME": str(place / "state")}
    return commands.run(DataDir(place / "data"), *words, more=state | more)


def _is_as_it_was(place: Path, what: str, holds: Callable[[Path], None]) -> None:
    try:
        holds(place)
    except (AssertionError, sqlite3.Error, OSError, ValueError) as error:
        raise AssertionError(f"{what}: {type(error).__name__} {error}") from error


def _make(place: Path) -> None:
    """A data folder with answers, an earlier export of each kind, a backup, and a pack that was rated."""
    data = build(place / "data")
    _rate(data, RATER, 4)
    for words in (
        ["export", "--out", place / "c.csv"], ["export", "--format", "jsonl", "--out", place / "r.jsonl"],
        ["export", "--format", "parquet", "--out", place / "c.parquet"], ["report", "1", "--out", place / "r.html"],
        ["backup", place / "copy"], ["backup", place / "other"],
        ["study", "pack", "1", "--reader", READER, "--out", place / "sent.radtui"],
    ):  # fmt: skip
        code, printed = forked(data, *words)
        assert code == 0, printed
    _rate(data, RATER, 8)
    with opened_pack(place / "sent.radtui") as (inside, _):
        _rate(inside, READER, 5)
    other = DataDir(place / "other")
    _rate(other, RATER, 2)
    _rate(data, AWAY, 3, is_away=True)


def _rate(data: DataDir, rater: str, pairs: int, is_away: bool = False) -> None:
    """Answer so many pairs; `is_away` while the folder is not there, so that they are kept beside it."""
    state = {"XDG_STATE_HOME": str(data.root.with_name("state"))}
    with contextlib.closing(connect(data)) as db, patch.dict(os.environ, state):
        study, *_ = studies.all_studies(db)
        sitting = read_sitting(db, study.id, rater, default_scheme())
        session = ReviewSession(db, sitting, unsaved=Unsaved(data, rater) if is_away else None)
        session.start()
        if is_away:
            data.root.rename(data.root.with_name("away"))
        for number in range(pairs):
            session.answer(lambda row, level=number % 5: edits.preferred(row, session.scheme, level))
            session.next_unrated()
        if is_away:
            data.root.with_name("away").rename(data.root)


def _commands() -> list[_Command]:
    exports = (
        _export("c.csv"), _export("r.jsonl", "--format", "jsonl"), _export("c.parquet", "--format", "parquet"),
        _Command(("report", "1", "--out", "{}/r.html"), _report_whole, _report_whole),
    )  # fmt: skip
    return [
        *exports,
        _Command(("backup", "{}/copy"), _backup_between, _backed_up),
        _Command(("backup", "{}/first"), _no_half_backup, lambda place: _is_backup(place, "first")),
        _Command(("restore", "--force", "{}/other"), _old_or_other, _restored),
        _Command(("restore", "--force", "{}/other/radtui.db"), _old_or_other, _restored_file),
        _Command(("study", "pack", "1", "--reader", "cem", "--force", "--out", "{}/new.radtui"), _pack_whole, _packed),
        _Command(("study", "merge", "{}/sent.radtui"), _all_or_none_merged, _merged),
        _Command(("kept", "--put-in"), _all_or_none_put_in, _put_in),
    ]  # fmt: skip


def _export(name: str, *form: str) -> _Command:
    def whole(place: Path) -> None:
        """The file is of one of two moments, and what its manifest says of it is so, or no manifest says anything."""
        rows(DataDir(place / "data"))
        code, printed = forked(DataDir(place / "data"), "export", *form, "--out", place / "again")
        assert code == 0, printed
        content = (place / name).read_bytes()
        before = (place.parent / "template" / name).read_bytes()
        assert content in (before, (place / "again").read_bytes()), (
            "it is neither the one before nor the new one"
        )
        for file in place.glob("again*"):
            file.unlink()

    def after(place: Path) -> None:
        whole(place)
        assert (place / name).read_bytes() != (place.parent / "template" / name).read_bytes()
        (file,) = json.loads((place / f"{name}.manifest.json").read_text(encoding="utf-8"))["files"]
        assert file["sha256"] == digest(place / name)

    return _Command(("export", *form, "--out", f"{{}}/{name}"), whole, after)


def _report_whole(place: Path) -> None:
    assert (place / "r.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def _no_half_backup(place: Path) -> None:
    if (place / "first" / "radtui.db").exists():
        _is_backup(place, "first")


def _backup_between(place: Path) -> None:
    old = rows(DataDir(place.parent / "template" / "copy"))
    assert rows(DataDir(place / "copy")) in (old, rows(DataDir(place / "data")))
    code, printed = forked(DataDir(place / "copy"), "check")
    assert code == 0, printed


def _backed_up(place: Path) -> None:
    _is_backup(place, "copy")


def _is_backup(place: Path, name: str) -> None:
    assert rows(DataDir(place / name)) == rows(DataDir(place / "data"))
    code, printed = forked(DataDir(place / name), "check")
    assert code == 0, printed


def _versions(place: Path) -> tuple[list[float], list[float]]:
    template = place.parent / "template"
    return rows_of(template / "data" / "radtui.db"), rows_of(template / "other" / "radtui.db")


def _old_or_other(place: Path) -> None:
    if (place / "data" / "radtui.db").exists():
        assert rows(DataDir(place / "data")) in _versions(place)
    else:  # between the two renames: no command takes what is left for an empty folder
        code, printed = forked(DataDir(place / "data"), "stats")
        assert code == 1 and not judged(code, printed, "stats")


def _restored(place: Path) -> None:
    old, other = _versions(place)
    assert rows(DataDir(place / "data")) == other and forked(DataDir(place / "data"), "check")[0] == 0
    assert old in [rows(DataDir(aside)) for aside in place.glob("data.before-restore*")]


def _restored_file(place: Path) -> None:
    old, other = _versions(place)
    data = DataDir(place / "data")
    assert rows(data) == other
    asides = data.root.glob("radtui.db.before-restore*")
    assert old in [rows_of(file) for file in asides if not file.name.endswith(("-wal", "-shm"))]


def _pack_whole(place: Path) -> None:
    rows(DataDir(place / "data"))
    if (place / "new.radtui").exists():
        _packed(place)


def _packed(place: Path) -> None:
    code, printed = forked(DataDir(place / "data"), "study", "merge", place / "new.radtui")
    assert code == 0 and b"0 answers of cem" in printed, printed


def _answers(place: Path, rater: str = READER) -> list[float]:
    with contextlib.closing(connect(DataDir(place / "data"))) as db:
        return [row.rated_at for row in ratings.history(db, 1, rater)]


def _all_or_none_put_in(place: Path) -> None:
    came = _answers(place, AWAY)
    assert len(came) in (0, 3) and len(set(came)) == len(came)
    assert came or [*(place / "state" / "radtui").rglob("*.jsonl")], "they are nowhere"


def _put_in(place: Path) -> None:
    _all_or_none_put_in(place)
    assert _answers(place, AWAY) and not [*(place / "state" / "radtui").rglob("*.jsonl")]


def _all_or_none_merged(place: Path) -> None:
    rows(DataDir(place / "data"))
    assert _answers(place) in ([], rows_of(place / "sent.radtui"))


def _merged(place: Path) -> None:
    assert _answers(place) == rows_of(place / "sent.radtui") and _answers(place)
