"""The review screen in a test: opening it, and reading what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import ratings
from radtui.store.database import connect
from radtui.study.shown import Shown
from radtui.tui.app import RadtuiApp
from radtui.tui.poll import Poller
from radtui.tui.review.answer_panel import AnswerPanel
from radtui.tui.review.review_line import ReviewLine
from radtui.tui.review.screen import ReviewScreen
from radtui.tui.widgets.text_box import TextBox
from tests.unit.test_store import study_of


@asynccontextmanager
async def opened(
    data: DataDir, size: tuple[int, int] = (120, 40), rater: str = "ana", mode: str = "review"
) -> AsyncIterator[Pilot[None]]:
    app = RadtuiApp(data, rater, screen=mode, live=False)
    app.poller = Poller(data, app._post_snapshot)  # without reconcile, which would miss the jobs' processes
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


async def settled(pilot: Pilot[None]) -> None:
    """Wait for threads, what they post, and what is done with it in a turn of its own."""
    for _ in range(3):
        await pilot.pause(0.05)
        await pilot.app.workers.wait_for_complete()
    await pilot.pause(0.05)


def screen(pilot: Pilot[None]) -> ReviewScreen:
    """The review screen."""
    found = pilot.app._screen_stacks["review"][0]
    assert isinstance(found, ReviewScreen)
    return found


def shown(pilot: Pilot[None]) -> Shown:
    """What the rater sees."""
    session = screen(pilot).session
    found = session.shown() if session is not None else None
    assert found is not None
    return found


def panel(pilot: Pilot[None]) -> str:
    """The question and its keys."""
    return str(screen(pilot).query_one(AnswerPanel).render())


def line(pilot: Pilot[None]) -> str:
    """The line above the pair."""
    return str(screen(pilot).query_one(ReviewLine).render())


def box(pilot: Pilot[None], box_id: str) -> str:
    """The text in a frame."""
    return screen(pilot).query_one(f"#{box_id}", TextBox).text


def history(data: DataDir, job: Job, rater: str = "ana") -> list[tuple[int | None, bool]]:
    """Every snapshot's preference, and whether both were bad."""
    db = connect(data)
    rows = ratings.history(db, study_of(db, job).id, rater)
    db.close()
    return [(row.preference, row.both_bad) for row in rows]
