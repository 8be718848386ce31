"""The ask screen: one key asks, words come as they are written, what was asked is kept, and readers stay blind."""

from __future__ import annotations

import pytest

from radtui.imaging.ansi import ColourDepth
from radtui.records import JobKind, JobState
from radtui.settings import TrainSettings
from radtui.store import asks, jobs, ratings
from radtui.store.database import connect
from radtui.tui import terminal
from radtui.tui.ask.question_line import QuestionLine
from radtui.tui.ask.screen import AskScreen
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.text_box import TextBox
from tests.tui import reviewing
from tests.tui.driving import MIDDLE, NARROW, WIDE, opened, text_of, until
from tests.unit.test_store import study_of


@pytest.fixture(autouse=True)
def true_colour(monkeypatch):
    monkeypatch.setattr(terminal, "current", lambda: Terminal(ColourDepth.TRUE))


@pytest.fixture
def trained(data, db, add_images):
    """Two images, and a finished training job that has left something that looks like an adapter."""
    add_images(2)
    settings = TrainSettings(model="org/name", dataset="drawn", instruction="Look.")
    job = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", settings.to_dict())
    data.adapter(job.id).mkdir(parents=True)
    (data.adapter(job.id) / "adapter_config.json").write_text("{}")
    jobs.end(db, job.id, JobState.DONE)
    return job


def whole(arm: str, text: str) -> asks.Answer:
    return asks.Answer(arm, text, 4, 2.0, True, False, "", "the prompt", "greedy")


def box(app, arm: str) -> TextBox:
    return app.screen.query_one(f"#{arm}", TextBox)


async def ask(app, pilot) -> None:
    await until(pilot, lambda: app.screen.list.case is not None)
    await pilot.press("Q")
    await until(pilot, lambda: isinstance(app.screen, AskScreen))


async def handed(app, pilot, launched, number: int = 1) -> int:
    """The number of the job that has the question."""
    await until(pilot, lambda: launched and app.screen._shown and app.screen._shown.number == number)
    return launched[0]


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
async def test_one_key_asks_and_words_come_as_they_are_written(data, db, trained, launched, size):
    async with opened(data, "data", size) as (app, pilot):
        await ask(app, pilot)
        job_id = await handed(app, pilot, launched)
        assert (
            box(app, "base").text == "Starting the worker …" and box(app, "tuned").text == "Comes after it."
        )
        jobs.begin(db, job_id, 1)
        asks.say(db, job_id, "Loading name")
        await until(pilot, lambda: box(app, "base").text == "Loading name …")
        asks.add_piece(db, job_id, 1, "base", 0, "A bright", 2, 0.5)
        await until(pilot, lambda: box(app, "base").text == "A bright")
        asks.add_piece(db, job_id, 1, "base", 8, " nodule", 4, 1.0)
        await until(pilot, lambda: box(app, "base").text == "A bright nodule")
        assert "base · 4.0 tokens/s" in text_of(app)
        asks.answer(db, job_id, 1, whole("base", "A bright nodule."))
        asks.answer(db, job_id, 1, whole("tuned", "A nodule on the left."))
        asks.finish(db, job_id, 1)
        await until(pilot, lambda: box(app, "tuned").text == "A nodule on the left.")
        screen = text_of(app)
        assert f"tuned, job {trained.id} · 2.0 tokens/s" in screen and "esc goes back" in screen.replace(
            "\n", " "
        )
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, AskScreen))


async def test_what_was_asked_is_shown_and_not_asked_again_unless_wanted(data, db, trained, launched):
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await ask(app, pilot)
        job_id = await handed(app, pilot, launched)
        asks.add_piece(db, job_id, 1, "base", 0, "A bri", 2, 0.5)
    # The app is gone in the middle of the answer; the worker writes on.
    asks.answer(db, job_id, 1, whole("base", "A bright nodule."))
    asks.answer(db, job_id, 1, whole("tuned", "A nodule."))
    asks.finish(db, job_id, 1)
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await ask(app, pilot)
        await until(pilot, lambda: box(app, "tuned").text == "A nodule.")
        assert jobs.must_get(db, job_id).total_steps == 1
        await pilot.press("A")
        await until(pilot, lambda: jobs.must_get(db, job_id).total_steps == 2)
        await until(pilot, lambda: app.screen._shown.number == 2)
        await pilot.press("down")
        await until(pilot, lambda: app.screen._shown.number == 1 and box(app, "tuned").text == "A nodule.")


async def test_another_question_is_typed_or_given_up(data, db, trained, launched):
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await ask(app, pilot)
        job_id = await handed(app, pilot, launched)
        line = app.screen.query_one(QuestionLine)
        assert line.value == "Look."
        await pilot.press("enter", "q", "Q", "escape")
        assert line.value == "Look." and isinstance(app.screen, AskScreen)
        await pilot.press("enter", *"Side", "enter")
        await handed(app, pilot, launched, 2)
        assert asks.get(db, job_id, 2).question == "Side"
        assert asks.next_open(db, job_id)[0] == 1  # the second waits for its turn


async def test_a_worker_that_fails_says_so_in_one_sentence(data, db, trained, launched):
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await ask(app, pilot)
        job_id = await handed(app, pilot, launched)
        jobs.end(db, job_id, JobState.FAILED, error="The model org/name was not found or is incomplete.")
        await until(
            pilot, lambda: "Not answered to the end: The model org/name was not found" in text_of(app)
        )


async def test_without_a_training_job_the_next_step_is_named(data, db, add_images, launched):
    add_images(1)
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await ask(app, pilot)
        await until(pilot, lambda: "No training job has left an adapter here yet" in text_of(app))
        await pilot.press("A", "enter")
        await pilot.pause(0.1)
        assert launched == [] and app.screen.focused is None


async def test_jobs_shows_it_and_enter_opens_its_question(data, db, trained, launched):
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await ask(app, pilot)
        job_id = await handed(app, pilot, launched)
        for arm in ("base", "tuned"):
            asks.answer(db, job_id, 1, whole(arm, f"What {arm} says."))
        asks.finish(db, job_id, 1)
        jobs.begin(db, job_id, 1)
        asks.say(db, job_id, "Waits for a question")
        await pilot.press("escape", "J")
        await until(pilot, lambda: "Waits for a question" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        await until(pilot, lambda: box(app, "tuned").text == "What tuned says.")


async def test_a_reader_cannot_ask_about_a_pair_that_is_not_rated(data, reviewed_job):
    async with reviewing.opened(data) as pilot:
        await pilot.press("Q")
        await reviewing.settled(pilot)
        assert not isinstance(pilot.app.screen, AskScreen)
        assert "Rate this pair first" in reviewing.panel(pilot)
        first = reviewing.shown(pilot).case.id
        await pilot.press("1")
        await reviewing.settled(pilot)
        await pilot.press("left", "Q")
        await reviewing.settled(pilot)
        assert isinstance(pilot.app.screen, AskScreen) and pilot.app.screen._case.id == first
    db = connect(data)
    study = study_of(db, reviewed_job)
    assert list(ratings.revealed(db, study.id, "ana")) == [first]  # what is answered from now on is not blind
    assert [row.blinded for row in ratings.history(db, study.id, "ana") if row.case_id == first] == [True]


async def test_the_image_of_a_blind_pair_cannot_be_asked_about_from_the_whole_screen(data, reviewed_job):
    async with reviewing.opened(data) as pilot:
        await pilot.press("z")
        await reviewing.settled(pilot)
        await pilot.press("Q")
        await reviewing.settled(pilot)
        assert not isinstance(pilot.app.screen, AskScreen)
