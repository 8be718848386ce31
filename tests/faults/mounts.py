"""The disk that the data folder lies on is unmounted under an open app, and comes back."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from radtui.paths import DataDir
from tests.bench.pseudo_terminal import Terminal
from tests.faults.folder import build
from tests.faults.harness import Facts, NotHere, app, radtui, rows, small_disk


def remounted_folder(scratch: Path, rounds: int) -> Facts:
    """The disk is unmounted under an open app and mounted again, or a copy of it: every answer is on it, once.

    An old copy of the data folder that lies beneath the disk gets nothing, from the app and from the next start.
    """
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    kept = 0
    for number in range(rounds):
        place = scratch / f"place{number}"
        place.mkdir()
        with (
            small_disk(scratch / f"disk{number}", "32m") as disk,
            small_disk(scratch / f"copy{number}", "32m") as copy,
        ):
            build(disk / "data")
            data = DataDir(place / "data")
            if number % 2 == 0:
                shutil.copytree(disk / "data", place / "data")
            beneath = _contents(place)
            with _unmounted_at_the_end(place):
                _mount(disk, place)
                with app(data) as terminal:
                    terminal.settle(quiet_s=0.5, first_s=30)
                    terminal.press("r", quiet_s=0.5)
                    assert b"Saved: " in terminal.press("1", patience_s=5, quiet_s=0.3).text
                    subprocess.run(["umount", "-l", str(place)], check=True)
                    seen = b"".join(terminal.press(key, patience_s=5, quiet_s=0.5).text for key in "245")
                    assert b"is gone" in seen or b"kept in" in seen, "the screen does not say what happened"
                    assert b"Saved: " not in seen, "an answer is called saved that no folder has"
                    for words in (["stats"], ["import", "phantoms:1"], ["kept", "--put-in"], ["check"]):
                        code, printed = radtui(data, *words)
                        assert code == 1 and b"is not mounted: mount it again" in printed, (words, printed)
                    assert _contents(place) == beneath, "something was made where the disk was mounted"
                    if number % 2:
                        shutil.copytree(disk / "data", copy / "data")
                    _mount(copy if number % 2 else disk, place)
                    _until_saved(terminal, data, 4)
                    terminal.press("1", patience_s=5, quiet_s=0.5)
                    _until_saved(terminal, data, 5)
                stored = rows(data)
                assert len(stored) == len(set(stored)) == 5, f"{len(stored)} of 5 answers are there"
                kept += 3
    return {"times": rounds, "kept and put in": kept, "lost": 0, "doubled": 0}


def _contents(place: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def _mount(disk: Path, place: Path) -> None:
    if subprocess.run(
        ["mount", "--bind", str(disk), str(place)], capture_output=True, check=False
    ).returncode:
        raise NotHere("no file system can be mounted in two places")


@contextlib.contextmanager
def _unmounted_at_the_end(place: Path) -> Iterator[None]:
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def _until_saved(terminal: Terminal, data: DataDir, count: int) -> None:
    """The poller looks, and puts in what was kept."""
    for _ in range(60):
        terminal.settle(quiet_s=0.5, limit_s=2)
        if data.database.exists() and len(rows(data)) >= count:
            return
    raise AssertionError(f"{len(rows(data))} of {count} answers are there")
