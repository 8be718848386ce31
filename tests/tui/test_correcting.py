"""Texts corrected by keys: in a comparison, and one arm's one after the other."""

from __future__ import annotations

import sqlite3

from textual.widgets import Static, TextArea

from radtui.paths import DataDir
from radtui.records import Job, Rating
from radtui.store import jobs, ratings
from radtui.tui.app import RadtuiApp
from radtui.tui.opening import Opens
from radtui.tui.poll import Poller
from radtui.tui.review.correct_sheet import CorrectSheet
from radtui.tui.review.reading_screen import ReadingScreen
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.train.form import TrainForm
from radtui.tui.widgets.text_box import TextBox
from tests.tui.driving import until
from tests.tui.reviewing import opened, panel, screen, settled, shown
from tests.unit.test_store import study_of


def rows(db: sqlite3.Connection, job: Job) -> list[Rating]:
    return ratings.history(db, study_of(db, job).id, "ana")


async def test_the_better_text_is_corrected_in_place_and_taken_back(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        before = shown(pilot)
        await pilot.press("5", "left", "ctrl+e")
        sheet = pilot.app.screen
        assert isinstance(sheet, CorrectSheet)
        assert sheet.query_one(TextArea).text == before.texts[1]
        await pilot.press(*"x now", "ctrl+s")
        newest = rows(db, reviewed_job)[-1]
        assert newest.corrections == {before.arm(1): before.texts[1] + "x now"}
        assert newest.blinded and newest.preference is not None  # it was preferred before
        assert "text B corrected, 2 words" in str(screen(pilot).query_one("#last", Static).content)
        await pilot.press("u")
        assert rows(db, reviewed_job)[-1].corrections == {}


async def test_before_a_preference_one_is_asked_which_text_and_told_that_it_unblinds(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        first = shown(pilot)
        await pilot.press("ctrl+e", "down", "enter")
        sheet = pilot.app.screen
        assert isinstance(sheet, CorrectSheet)
        assert "does not count as blind" in str(sheet.query_one("#note", Static).content)
        await pilot.press("escape")  # nothing was typed: nothing is asked, nothing kept
        assert pilot.app.screen is screen(pilot) and rows(db, reviewed_job) == []
        await pilot.press("ctrl+e", "enter", "x", "escape")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await pilot.press("escape", "ctrl+s")
        newest = rows(db, reviewed_job)[-1]
        assert newest.corrections == {first.arm(0): first.texts[0] + "x"} and not newest.blinded
        assert shown(pilot).identity_known
        await pilot.press("1")
        assert not rows(db, reviewed_job)[-1].blinded


async def test_a_text_is_accepted_by_one_key_and_the_comparison_stays_blind(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        before = shown(pilot)
        await pilot.press("1", "left", "O")
        newest = rows(db, reviewed_job)[-1]
        assert newest.answers == {f"accepted.{before.arm(0)}": 1} and newest.blinded


async def test_ten_keys_read_correct_and_go_on_through_one_arm(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        await pilot.press("U", "enter")
        reading = pilot.app.screen
        assert isinstance(reading, ReadingScreen)
        await settled(pilot)
        assert "tuned, not blind" in str(reading.query_one("#line", Static).content)
        await pilot.press("O", "ctrl+e", "end", *" Also", "ctrl+s", "O", "space", "O", "O")
        alone = rows(db, reviewed_job)
        assert [row.earlier_arm for row in alone] == [""] * 6 and {row.later_arm for row in alone} == {
            "tuned"
        }
        assert [bool(row.corrections) for row in alone] == [False, True, False, False, False, False]
        said = reading.desk.message
        assert (
            said.startswith("All texts of tuned are read. 5 texts, unchanged 80.0 %")
            and "words changed in a corrected one 1" in said
            and said.endswith("H learns from them.")
        )
        await pilot.press("u", "escape")
        assert pilot.app.screen is screen(pilot)
        assert shown(pilot).identity_known  # this case was read with its arm's name
        assert "Which text" in panel(pilot)


async def test_the_last_text_says_what_became_of_it(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        await pilot.press("U", "enter")
        await settled(pilot)
        reading = pilot.app.screen
        assert isinstance(reading, ReadingScreen)
        for _ in range(6):
            await pilot.press("O")
            await settled(pilot)
        assert reading.query_one("#text", TextBox).border_subtitle == "accepted"
        assert "6/6 read" in str(reading.query_one("#line", Static).content)


async def test_the_app_opens_at_an_arm(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> None:
    opens = Opens(study_of(db, reviewed_job).id, "base")
    app = RadtuiApp(data, "ana", "review", live=False, opens=opens)
    app.poller = Poller(data, app._post_snapshot)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ReadingScreen))
        await pilot.press("O")
        (row,) = rows(db, reviewed_job)
        assert (row.later_arm, row.answers) == ("base", {"accepted.base": 1})
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen(pilot)


async def test_h_goes_from_the_texts_to_the_form_and_says_what_is_missing(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    train = jobs.must_get(db, reviewed_job.parent_job_id or 0)
    with db:
        db.execute("UPDATE arms SET adapter = ? WHERE name = 'tuned'", (f"job {train.id:04}, 0123456789ab",))
    async with opened(data) as pilot:
        await pilot.press("U", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReadingScreen)
        await pilot.press("O", "H")
        await settled(pilot)
        form = pilot.app.screen.query_one(TrainForm)
        told = str(form.query_one(".field-help", Static).content)
        assert f"0 texts of job {train.id} are corrected or accepted and at least 10 are needed" in told
        assert "1 in a held-out split" in told
        assert not form.settings.learns_corrections
        await pilot.press("r")
        await settled(pilot)
        assert pilot.app.screen is screen(pilot)  # the comparisons: the texts are left
