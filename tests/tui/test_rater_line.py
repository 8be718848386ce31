"""Who rates is named on Review, where the name comes from, and who else has it."""

from __future__ import annotations

import os
import signal
import sys

from radtui.paths import DataDir
from radtui.records import Job
from radtui.tui.app import RadtuiApp
from radtui.tui.poll import Poller
from radtui.tui.review.rater_line import RaterLine
from radtui.tui.review.rater_lock import RaterLock
from tests.bench.pseudo_terminal import Terminal
from tests.tui.driving import text_of
from tests.tui.reviewing import line, opened, screen, settled


async def test_the_rater_is_named_beside_blind(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data, (80, 24), rater="anna") as pilot:
        assert line(pilot).rstrip().endswith("anna  blind")
        assert not screen(pilot).query_one(RaterLine).display  # the name was chosen, and nobody else has it


async def test_a_name_that_nobody_chose_is_explained_until_the_first_key(
    data: DataDir, reviewed_job: Job
) -> None:
    app = RadtuiApp(data, "anna", screen="review", from_login=True, live=False)
    app.poller = Poller(data, app._post_snapshot)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "You rate as anna, the login's name; radtui --rater NAME" in text_of(app)
        await pilot.press("1")
        await pilot.pause()
        assert "the login's name" not in text_of(app)


async def test_another_session_of_the_same_name_is_told_while_it_is_there(
    data: DataDir, reviewed_job: Job
) -> None:
    other = RaterLock(data, "anna")
    async with opened(data, (80, 24), rater="anna") as pilot:
        mine = screen(pilot).query_one(RaterLine)
        assert not mine.display
        assert other.is_shared()  # and it knows of this one
        mine._look()
        await pilot.pause()
        assert "Another session rates as anna" in text_of(pilot.app) and "--rater NAME" in text_of(pilot.app)
        await pilot.press("1")
        assert "Another session rates as anna" in text_of(pilot.app)
        other.release()
        mine._look()
        await pilot.pause()
        assert not mine.display
    assert not other.is_shared()  # left with the screen


def test_other_names_and_names_that_no_file_could_have_are_apart(data: DataDir) -> None:
    names = ["anna", "a/../b", "x" * 500]
    locks = [RaterLock(data, name) for name in names]
    assert not any(lock.is_shared() for lock in locks)
    twins = [RaterLock(data, name) for name in names]
    assert all(lock.is_shared() for lock in twins)
    for lock in [*locks, *twins]:
        lock.release()


def test_a_session_that_is_killed_leaves_its_name(data: DataDir, reviewed_job: Job) -> None:
    mine = RaterLock(data, "ana")
    assert not mine.is_shared()
    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", "ana"]
    with Terminal(command, 120, 40) as terminal:
        terminal.until(lambda frame: b"radtui" in frame)
        terminal.write("r")
        terminal.until(lambda frame: b"Another session rates as ana" in frame)
        assert mine.is_shared()
        os.kill(terminal.pid, signal.SIGKILL)
    assert not mine.is_shared()
    mine.release()
