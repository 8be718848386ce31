"""A round of corrections by keyboard alone: ten texts corrected, learnt, described, and the next round opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.store import cases, jobs, ratings, studies
from radtui.store.database import connect
from radtui.tui.app import RadtuiApp
from radtui.tui.jobs.describe import DescribeScreen
from radtui.tui.review.correct_sheet import CorrectSheet
from radtui.tui.review.dialogs import PickSheet
from radtui.tui.review.reading_screen import ReadingScreen
from radtui.tui.review.summary import SummaryScreen
from radtui.tui.train.form import TrainForm
from tests.tui.driving import MIDDLE, opened, text_of, until
from tests.unit.corrected_texts import described

from .conftest import fill, new_job, train_settings
from .test_train import run
from .test_whole_job_in_app import LONG_S, ended

TEXTS = 10


@pytest.fixture
def folder(data: DataDir, mllama: Path) -> DataDir:
    """A finished training, and ten texts of its adapter to be read."""
    fill(data)
    job = new_job(data, train_settings(mllama, max_steps=2, watch_images=0, eval_every=0))
    run(data, job)
    db = connect(data)
    jobs.end(db, job.id, JobState.DONE)
    described(db, jobs.must_get(db, job.id), cases.usable(db, "shapes", "train", TEXTS))
    return data


async def read_one_arm(app: RadtuiApp, pilot: Pilot[None], arm: str) -> None:
    """From the comparisons to the texts of the newest arm, which is the one that is offered first."""
    await pilot.press("U")
    await until(pilot, lambda: isinstance(app.screen, PickSheet))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ReadingScreen) and f"{arm}, not blind" in text_of(app))


def learns_corrections(app: RadtuiApp) -> bool:
    """Whether the form of a new training is on show, filled in for learning corrected texts."""
    return any(form.settings.learns_corrections for form in app.screen.query(TrainForm))


async def describe(app: RadtuiApp, pilot: Pilot[None], *keys: str) -> None:
    """Describe with the job on show; `keys` change the form before it starts."""
    db = connect(app.data)
    before = jobs.newest(db, JobKind.GENERATE)
    await pilot.press("D")
    await until(pilot, lambda: isinstance(app.screen, DescribeScreen))
    await pilot.press(*keys, "S")
    await until(pilot, lambda: jobs.newest(db, JobKind.GENERATE) != before, LONG_S)
    await until(pilot, lambda: ended(db, JobKind.GENERATE), LONG_S)


@pytest.mark.slow
async def test_a_round_by_keyboard(folder: DataDir) -> None:
    db = connect(folder)
    async with opened(folder, "review", MIDDLE, reconcile=True) as (app, pilot):
        await until(pilot, lambda: f"0/{TEXTS} answered" in text_of(app), LONG_S)
        await read_one_arm(app, pilot, "tuned")
        for count in range(1, TEXTS + 1):
            await pilot.press("ctrl+e")
            await until(pilot, lambda: isinstance(app.screen, CorrectSheet))
            await pilot.press(*" seen", "ctrl+s")
            await until(pilot, lambda n=count: len(ratings.current(db, 1, "reader")) == n)
        await until(pilot, lambda: "H learns from them" in text_of(app))

        await pilot.press("H")
        await until(pilot, lambda: learns_corrections(app), LONG_S)
        assert "10 corrected and 0 accepted" in text_of(app)
        assert app.screen.query_one(TrainForm).settings.from_job == 1
        await pilot.press("S")
        await until(pilot, lambda: len(jobs.all_jobs(db)) == 3 and ended(db, JobKind.TRAIN), LONG_S)
        await until(pilot, lambda: "split test says whether it got better" in text_of(app), LONG_S)

        await describe(app, pilot)
        await pilot.press("r")
        await until(pilot, lambda: "answered" in text_of(app), LONG_S)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickSheet))
        await pilot.press("home", "enter")
        newest = studies.of_job(db, jobs.newest(db, JobKind.GENERATE).id)
        await until(pilot, lambda: f"#{newest.job_id}" in text_of(app), LONG_S)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        await until(pilot, lambda: "Did it get better? corrected against tuned" in text_of(app), LONG_S)
        await pilot.press("escape")

        # The next round: texts of cases that may be learnt from, by the adapter that has learnt.
        await pilot.press("t")
        await until(pilot, lambda: "split train is the next round" in text_of(app), LONG_S)
        await describe(app, pilot, "down", "right")
        assert jobs.newest(db, JobKind.GENERATE).settings["split"] == "train"
        await pilot.press("r")
        await until(pilot, lambda: "answered" in text_of(app), LONG_S)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, PickSheet))
        await pilot.press("home", "enter")
        await until(pilot, lambda: "shapes/train" in text_of(app), LONG_S)
        await read_one_arm(app, pilot, "corrected")
        await pilot.press("O")
        study = studies.of_job(db, jobs.newest(db, JobKind.GENERATE).id)
        await until(pilot, lambda: len(ratings.current(db, study.id, "reader")) == 1)
