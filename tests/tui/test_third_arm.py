"""Three arms on the screens: rated by keys, two at a time, and summed up on one scale."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import combinations

from textual.widgets import Static

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import ratings, studies
from radtui.tui.app import RadtuiApp
from radtui.tui.widgets.text_box import TextBox
from tests.tui.driving import text_of, until
from tests.unit.test_store import study_of

KEYS = {True: "5", False: "1"}  # is the right text better


async def test_keys_rate_two_of_three_and_the_summary_tells_of_all(
    data: DataDir, db: sqlite3.Connection, third_job: Job
) -> None:
    app = RadtuiApp(data, "ana", screen="review", live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "session", None) is not None)
        session = app.screen.session
        order = ["base", "tuned", "dpo"]
        for number in range(30):
            now = session.shown()
            pair = studies.comparison(db, study_of(db, third_job), now.pair.case_id)
            later_right = order.index(now.sides[1]) > order.index(now.sides[0])
            texts = [app.screen.query_one(f"#{side}", TextBox) for side in "ab"]
            for box, side in zip(texts, now.sides, strict=True):
                assert pair.by(side).text in str(box.text)
            await pilot.press(KEYS[later_right if number % 4 else not later_right])
        rows = ratings.current(db, study_of(db, third_job).id, "ana")
        judged = [row for row in rows if row.occasion == 0]
        assert len(rows) == 30 and len(judged) >= 27
        shown = Counter(row.shown for row in judged)
        assert set(shown) == set(combinations(order, 2)) and min(shown.values()) >= 5
        assert sum((row.preference or 0) > 0 for row in rows) == 22
        await pilot.press("T")
        await until(pilot, lambda: "All arms" in text_of(app))
        told = str(app.screen.query_one("#ratings", Static).content)
        assert "log odds against base" in told and "the baseline" in told
        assert "dpo beats tuned" in told and "of base and tuned" in told


async def test_asking_whose_text_it_is_names_the_third(
    data: DataDir, db: sqlite3.Connection, third_job: Job
) -> None:
    app = RadtuiApp(data, "ana", screen="review", live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "session", None) is not None)
        session = app.screen.session
        while "dpo" not in session.shown().sides:
            await pilot.press("right")
        assert "dpo model" not in text_of(app)
        await pilot.press("exclamation_mark", "exclamation_mark")
        await until(pilot, lambda: "dpo model" in text_of(app))
