"""What the screens hide of a case whose reference is yet to be rated, and what it costs to see it."""

from __future__ import annotations

import sqlite3

import pytest
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.records import Job, Study
from radtui.store import ratings
from radtui.study import edits
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession
from radtui.tui.app import RadtuiApp
from radtui.tui.screens.confirm import ConfirmScreen
from tests.tui.driving import text_of, until
from tests.unit.review_sessions import begun

SCHEME = default_scheme()
HIDDEN, TOLD = "hidden until you have", "Chest radiograph shows"


@pytest.fixture
def study(db: sqlite3.Connection, third_job: Job) -> Study:
    return make_study(db, parse_arms(["base,tuned,reference"]), "train", name="three").study


async def test_data_hides_references_and_a_look_is_counted(
    data: DataDir, db: sqlite3.Connection, study: Study
) -> None:
    app = RadtuiApp(data, "ana", screen="data", live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: HIDDEN in text_of(app))
        await until(pilot, lambda: app.screen.look._parts is not None)
        assert (
            TOLD not in text_of(app) and "writes about" not in text_of(app) and "nodule" not in text_of(app)
        )
        await pilot.press("slash", *"nodule", "enter")
        await until(pilot, lambda: "0 shown" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: HIDDEN in text_of(app))
        await pilot.press("b")
        await until(pilot, lambda: "train-000.png" in text_of(app))
        assert TOLD not in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: HIDDEN in text_of(app))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "un-blinded" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: TOLD in text_of(app))
    (row,) = ratings.current(db, study.id, "ana")
    assert row.empty and not row.blinded


async def test_the_summary_waits_until_all_is_rated(
    data: DataDir, db: sqlite3.Connection, study: Study
) -> None:
    session = begun(db, study, "ana", SCHEME)
    await summed_up(data, session, 1, "1 pair is left to rate")
    await summed_up(data, session, 0, "All arms")


async def summed_up(data: DataDir, session: ReviewSession, left: int, words: str) -> None:
    """Rate until so many pairs are left; then the summary says these words, and its figures or none."""
    while len([pair for pair in session.queue.pairs if not session.queue.rated(pair)]) > left:
        session.answer(lambda row: edits.preferred(row, SCHEME, 4))
        session.next_unrated()
    app = RadtuiApp(data, "ana", screen="review", live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "session", None) is not None)
        await pilot.press("T")
        await until(pilot, lambda: words in text_of(app))
        shown = str(app.screen.query_one("#ratings", Static).content)
        assert ("strength" in shown) is not bool(left)
        assert app.screen.check_action("export", ()) is not bool(left)
