"""The overlay: marked jobs' curves in one chart, and only the settings in which they differ."""

from __future__ import annotations

import json

import pytest

from radtui.charts.model import ChartModel
from radtui.charts.palette import job_colours
from radtui.records import JobKind, JobState, Metric
from radtui.store import jobs, metrics
from radtui.tui.jobs.job_differences import curve_key, differing_settings, outcomes
from radtui.tui.jobs.overlay import NOT_COMPARABLE, OverlayScreen
from radtui.tui.jobs.screen import JobsScreen
from radtui.tui.widgets.chart import LossChart
from tests.tui.driving import NARROW, WIDE, opened, text_of, until
from tests.tui.seeding import add_images, add_train


def change(db, job, **settings):
    """Give a job other settings."""
    db.execute(
        "UPDATE jobs SET settings = ? WHERE id = ?", (json.dumps({**job.settings, **settings}), job.id)
    )


@pytest.fixture
def three(data, db):
    """Training jobs: done, failed before its first step, running; the import between them cannot be marked."""
    add_images(data, db)
    done = add_train(db, 120, 120, JobState.DONE)
    failed = add_train(db, 0, state=JobState.FAILED, error="Out of memory.")
    jobs.create(db, JobKind.IMPORT, "chests", "chests", {})
    running = add_train(db, 40)
    change(db, done, learning_rate=1e-3)
    change(db, running, lora_r=32)
    return done, failed, running


async def overlay(app, pilot) -> OverlayScreen:
    """Mark every training job and open the overlay."""
    await until(pilot, lambda: app.screen.chosen is not None)
    await pilot.press("m", "m", "down", "m", "m", "c")  # the import cannot be marked
    await until(pilot, lambda: isinstance(app.screen, OverlayScreen) and "train loss" in text_of(app))
    return app.screen


def curve(screen, job, name="loss"):
    return screen.query_one(LossChart).model.curve(curve_key(job.id, name))


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_marked_jobs_are_shown_together(data, three, size):
    done, failed, running = three
    async with opened(data, "jobs", size) as (app, pilot):
        screen = await overlay(app, pilot)
        await until(pilot, lambda: len(curve(screen, done).series) == 120)
        assert len(curve(screen, running).series) == 40 and len(curve(screen, failed).series) == 0
        assert len(curve(screen, done, "eval_loss").series) == 3
        colours = job_colours([done.id, failed.id, running.id])
        for name in ("loss", "eval_loss"):
            assert curve(screen, done, name).colour == colours[done.id]
        text = text_of(app)
        assert "✓ done 120" in text and "✗ failed" in text
        if size == WIDE:
            line = next(line for line in text.splitlines() if "learning rate" in line)
            assert line.split()[-3:] == ["0.001", "0.003", "0.003"]
            assert "lora r" in text and "batch size" not in text


async def test_a_running_job_goes_on_growing_and_nothing_is_followed_afterwards(data, db, three):
    _, _, running = three
    async with opened(data, "jobs", WIDE) as (app, pilot):
        screen = await overlay(app, pilot)
        await until(pilot, lambda: len(curve(screen, running).series) == 40)
        metrics.log_step(db, running.id, 41, 300, 0.41, 16.4, {"loss": 2.0, "eval_loss": 2.5})
        await until(pilot, lambda: len(curve(screen, running).series) == 41)
        await until(pilot, lambda: "2.500 at 41" in text_of(app))
        await pilot.press("right", "escape")  # the crosshair goes first
        assert app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))
        assert not app.poller._follows
        assert text_of(app).count("◆") == 3  # marks stay


async def test_marks_are_for_training_jobs_and_can_be_taken_off(data, db, three):
    async with opened(data, "jobs", WIDE) as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        assert not app.screen.check_action("overlay", ())
        await pilot.press("m")
        assert app.screen.check_action("overlay", ()) and app.screen.chosen.kind is JobKind.IMPORT
        await pilot.press("up", "m")
        assert not app.screen.check_action("overlay", ()) and "◆" not in text_of(app)


async def test_losses_of_different_tokens_are_said_to_be_so(data, db, three):
    change(db, three[0], loss_on="all")
    async with opened(data, "jobs", WIDE) as (app, pilot):
        await overlay(app, pilot)
        assert NOT_COMPARABLE in text_of(app)


async def test_equal_settings_are_said_to_be_equal(data, db):
    add_images(data, db)
    add_train(db, 40, 40, JobState.DONE)
    add_train(db, 40, 40, JobState.DONE)
    async with opened(data, "jobs", WIDE) as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        await pilot.press("m", "m", "c")
        await until(pilot, lambda: "All settings are the same." in text_of(app))


def test_outcomes_are_those_of_the_points(db):
    job = add_train(db, 0, state=JobState.STARTING)
    model = ChartModel()
    model.add(curve_key(job.id, "loss"), "train")
    model.add(curve_key(job.id, "eval_loss"), "eval", points=True)
    rows = [Metric(n, n, n / 10, 100 + 2.0 * n, "loss", 5.0 if n <= 95 else None if n == 98 else 1.0) for n in range(1, 101)]  # fmt: skip # noqa: E501
    model.extend(curve_key(job.id, "loss"), rows)
    evals = [Metric(0, 10, 1, 1, "eval_loss", 3.0), Metric(1, 20, 2, 2, "eval_loss", 2.0),
             Metric(2, 30, 3, 3, "eval_loss", 2.25)]  # fmt: skip
    model.extend(curve_key(job.id, "eval_loss"), evals)
    found = dict(outcomes([job], {one.key: one for one in model.curves}, 0.0))
    assert found["train loss, last 5 %"] == ["1.000"]
    assert found["held-out loss, last"] == ["2.250"] and found["held-out loss, lowest"] == ["2.000 at 20"]
    assert found["speed"] == ["2 s/step"]
    assert "peak memory" not in found and "training loop" not in found
    jobs.set_result(db, job.id, seconds=75.0)
    db.execute("UPDATE jobs SET started_at = 1000, ended_at = 1100 WHERE id = ?", (job.id,))
    found = dict(outcomes([jobs.must_get(db, job.id)], {}, 0.0))
    assert (found["training loop"], found["start to end"]) == (["1 min 15 s"], ["1 min 40 s"])


def test_settings_of_an_older_version_are_compared_by_their_defaults(db):
    one, other = add_train(db, 0, state=JobState.STARTING), add_train(db, 0, state=JobState.STARTING)
    settings = dict(one.settings)
    del settings["seed"]
    db.execute("UPDATE jobs SET settings = ? WHERE id = ?", (json.dumps({**settings, "gone": 1}), one.id))
    assert differing_settings([jobs.must_get(db, one.id), other]) == []


async def test_what_an_overlay_needs_is_said(data, three):
    async with opened(data, "jobs") as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        await pilot.press("m")  # the running training, then the cursor is on the import
        await pilot.press("m", "c")
        await pilot.pause()
        assert isinstance(app.screen, JobsScreen)
        told = [note.message for note in app._notifications]
        assert "Marks are for training jobs" in told[0] and "Mark another training job" in told[1]
