"""The app whose terminal is gone leaves, also where no signal says so, and what was rated is there."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.store import ratings
from radtui.tui.hangup import hung_up
from tests.bench.pseudo_terminal import Terminal
from tests.tui.test_review_terminal import next_pair
from tests.unit.review_sessions import described
from tests.unit.test_store import study_of

LIMIT_S = 30.0


def apps_over(data: DataDir) -> list[int]:
    """Processes of the app over a data folder."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(") ")[2][:1]
        except OSError:  # it has ended since
            continue
        if words[0].endswith(b"python") and str(data.root).encode() in words and state != "Z":
            pids.append(int(folder.name))
    return pids


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("start", [[], ["setsid", "--wait"]], ids=["its own terminal", "nobody's terminal"])
def test_an_app_without_its_terminal_leaves_with_what_was_rated(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]], start: list[str]
) -> None:
    job = described(db, add_images(4))
    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", "ana"]
    with Terminal([*start, *command], 120, 40) as terminal:
        terminal.until(lambda frame: b"radtui" in frame)
        terminal.write("r")
        sides = next_pair(terminal, [])
        terminal.write("5")
        next_pair(terminal, sides)
        assert len(apps_over(data)) == 1
        os.close(terminal.fd)
        terminal.fd = os.open(os.devnull, os.O_RDWR)  # what closing the terminal closes in the end
        end = time.monotonic() + LIMIT_S
        while apps_over(data) and time.monotonic() < end:
            time.sleep(0.1)
        assert not apps_over(data)
    assert len(ratings.history(db, study_of(db, job).id, "ana")) == 1


def test_a_terminal_hangs_up_when_its_other_end_is_closed() -> None:
    ours, theirs = os.openpty()
    assert not hung_up(theirs)
    os.close(ours)
    assert hung_up(theirs)
    os.close(theirs)
    assert hung_up(theirs)  # a number that is no open file
