"""Train: the job on show, live or over, and what its keys write."""

import signal
import subprocess

import pytest

from radtui.jobs import launch
from radtui.presets import PRESETS
from radtui.records import JobKind, JobState, StopRequest
from radtui.store import cases, jobs, metrics
from radtui.tui.jobs.log import LogScreen
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.train.job_pane import arithmetic_words
from radtui.tui.widgets.image_view import ImageView, State
from tests.tui.driving import MIDDLE, NARROW, WIDE, longest_stall, opened, text_of, until
from tests.tui.seeding import add_images, add_train, add_watched
from tests.tui.training import form, pane


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
async def test_a_running_job_is_drawn_and_goes_on(data, db, size):
    add_images(data, db)
    job = add_train(db, steps=120)
    async with opened(data, "train", size) as (app, pilot):
        shown = await pane(app, pilot)
        await until(pilot, lambda: "step 120/300" in text_of(app))
        text = text_of(app)
        assert "Loss · answer-only " in text and "running" in text and "steps/s" in text and "left" in text
        assert "Learning rate" in text and "Gradient norm" in text
        metrics.log_step(db, job.id, 121, 300, 1.21, 48.4, {"loss": 0.125})
        await until(pilot, lambda: "0.125" in text_of(app))
        assert "step 121/300" in text_of(app)
        assert len(shown.chart.model.curves[0].series) == 121


async def test_attaching_to_a_hundred_thousand_rows_blocks_no_key(data, db):
    job = add_train(db, steps=3)
    series = ("loss", "grad_norm", "learning_rate", "tokens_per_s")
    rows = [
        (job.id, 4 + n, n / 1e4, n / 10.0, name, 2.0 + (n % 97) / 97)
        for n in range(25_000)
        for name in series
    ]
    with_rows = "INSERT INTO metrics (job_id, step, epoch, elapsed_s, name, value) VALUES (?, ?, ?, ?, ?, ?)"
    db.executemany(with_rows, rows)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("t")
        shown = await pane(app, pilot)  # its libraries are imported by now
        app.poller.unfollow("train")
        app.poller.follow("train", job.id, metrics=True)
        curve = shown.chart.model.curves
        worst = await longest_stall(lambda: curve and len(shown.chart.model.curves[0].series) == 25_003, 30)
        assert worst < 0.15


@pytest.fixture
def process(data):
    """A process that stands for the worker of the first job: it has its lock open, so stopping now ends it."""
    data.job(1).mkdir(parents=True)
    with data.lock(1).open("ab") as lock:
        started = subprocess.Popen(["sleep", "600"], pass_fds=[lock.fileno()])
    yield started
    started.kill()
    started.wait()


async def test_a_stop_is_asked_for_in_the_row(data, db, launched, process):
    job = add_train(db, steps=5)
    jobs.begin(db, job.id, process.pid)
    launch.launch(data, db, job.id)  # its lock is held, as by a worker: else it would be known as lost
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        await until(pilot, lambda: app.screen.check_action("stop", ()))
        await pilot.press("K")  # asks nothing: it can go on
        await until(pilot, lambda: jobs.must_get(db, job.id).stop_requested is StopRequest.CHECKPOINT)
        assert not isinstance(app.screen, ConfirmScreen)
        await until(pilot, lambda: "saves a checkpoint and ends" in text_of(app))
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("escape")
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert jobs.must_get(db, job.id).stop_requested is StopRequest.CHECKPOINT
        await pilot.press("enter")
        await until(pilot, lambda: jobs.must_get(db, job.id).stop_requested is StopRequest.NOW)
        await until(pilot, lambda: process.poll() == -signal.SIGTERM)


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        (JobState.FAILED, "The batch does not fit into memory: lower batch_size.", "A edits the settings"),
        (
            JobState.LOST,
            "The worker was killed; resume it, or read its log.",
            "C goes on from a checkpoint, if any",
        ),
        (JobState.STOPPED, "", "C goes on from the last checkpoint"),
        (JobState.DONE, "", "D lets the models describe"),
    ],
)
async def test_each_end_is_a_sentence_with_the_next_key(data, db, state, error, said):
    add_train(db, steps=20, state=state, error=error)
    async with opened(data, "train") as (app, pilot):
        await until(pilot, lambda: state in text_of(app))
        await until(pilot, lambda: said in text_of(app))
        assert error in " ".join(text_of(app).split())


async def test_a_queued_job_says_what_it_waits_for(data, db):
    first = jobs.create(db, JobKind.IMPORT, "x", "x", {})
    jobs.create(db, JobKind.TRAIN, "demo on x", "x", PRESETS["demo"].to_dict(), after_job_id=first.id)
    async with opened(data, "train") as (app, pilot):
        await until(pilot, lambda: f"Waits for #{first.id}" in text_of(app))


async def test_resume_starts_the_job_again(data, db, launched):
    job = add_train(db, steps=20, state=JobState.STOPPED)
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        await pilot.press("C")
        await until(pilot, lambda: launched == [job.id])
        await until(pilot, lambda: "starting" in text_of(app))


async def test_resumed_steps_replace_what_lay_beyond(data, db):
    add_images(data, db)
    job = add_train(db, steps=90)
    async with opened(data, "train", WIDE) as (app, pilot):
        shown = await pane(app, pilot)
        await until(pilot, lambda: shown.chart.model.curves and len(shown.chart.model.curves[0].series) == 90)
        metrics.drop_after(db, job.id, 50)
        metrics.add_event(db, job.id, 50, 0.0, "resume", "from step 50")
        metrics.log_step(db, job.id, 51, 300, 0.5, 0.4, {"loss": 2.5})
        await until(pilot, lambda: len(shown.chart.model.curves[0].series) == 51)
        await until(pilot, lambda: " 80 " not in text_of(app).splitlines()[5])
        assert shown.texts._watched.steps == [0, 40]


async def test_new_takes_the_settings_along_and_escape_goes_back(data, db):
    add_images(data, db)
    job = add_train(db, steps=5, state=JobState.DONE)
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        await pilot.press("A")
        await until(pilot, lambda: "New training job" in text_of(app))
        assert form(app).settings.to_dict() == job.settings and form(app).parent_job_id == job.id
        await pilot.press("escape")
        await until(pilot, lambda: "New training job" not in text_of(app))


async def test_the_texts_step_through_time_and_images(data, db):
    add_images(data, db)
    job = add_train(db, steps=80)
    one, two = cases.usable(db, "chests", "test", 2)
    async with opened(data, "train", MIDDLE) as (app, pilot):
        await until(pilot, lambda: f"Text of image {one} at step 80." in text_of(app))
        await until(pilot, lambda: "A round opacity of size 0." in text_of(app))
        await pilot.press("N")
        assert f"Text of image {one} at step 40." in text_of(app)
        await pilot.press("full_stop")
        assert f"Text of image {two} at step 40." in text_of(app)
        await pilot.press("n")
        add_watched(db, job, [120])
        await until(pilot, lambda: f"Text of image {two} at step 120." in text_of(app))


async def test_keys_of_watched_texts_are_offered_where_there_are_others(data, db):
    add_images(data, db)
    job = add_train(db, steps=20)  # described before the first step alone
    async with opened(data, "train", MIDDLE) as (app, pilot):
        shown = await pane(app, pilot)
        await until(pilot, lambda: shown.texts.filled)
        assert not shown.check_action("text_step", (-1,)) and shown.check_action("text_image", (1,))
        assert "N Earlier" not in text_of(app)
        add_watched(db, job, [40])
        await until(pilot, lambda: "N Earlier" in text_of(app))
        assert "n Later" not in text_of(app)  # it is the newest
        await pilot.press("N")
        await until(pilot, lambda: "n Later" in text_of(app) and "N Earlier" not in text_of(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "◇ evaluation, ▲ checkpoint" in text_of(app))


async def test_a_large_screen_has_the_image_above_its_texts(data, db):
    add_images(data, db)
    add_train(db, steps=80)
    async with opened(data, "train", WIDE) as (app, pilot):
        shown = await pane(app, pilot)
        await until(pilot, lambda: shown.texts.filled and shown.texts.query_one(ImageView).size.width > 60)


async def test_a_narrow_screen_shows_the_texts_in_the_chart_s_place(data, db):
    add_images(data, db)
    add_train(db, steps=80)
    async with opened(data, "train", NARROW) as (app, pilot):
        shown = await pane(app, pilot)
        assert "Learning rate" in text_of(app)
        await until(pilot, lambda: shown.texts.filled)
        assert not shown.check_action("text_step", (-1,)) and not shown.check_action("text_image", (1,))
        await pilot.press("x")
        await until(pilot, lambda: "at step 80." in text_of(app))
        assert "Learning rate" not in text_of(app)
        await pilot.press("N")
        assert "at step 40." in text_of(app)
        await pilot.press("A", "escape")
        await pilot.press("n")
        assert "at step 80." in text_of(app)
        await pilot.press("x")
        await until(pilot, lambda: "Learning rate" in text_of(app))
        await pilot.press("X")
        await until(pilot, lambda: "epoch" in text_of(app))


async def test_the_log_is_toggled_and_shown_whole(data, db):
    job = add_train(db, steps=5)
    data.job(job.id).mkdir(parents=True)
    data.log(job.id).write_text("".join(f"line {n} [/not markup]\n" for n in range(300)))
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        assert "line 299" not in text_of(app)
        await pilot.press("l")
        await until(pilot, lambda: "line 299 [/not markup]" in text_of(app))
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        await until(pilot, lambda: "line 290" in text_of(app))


async def test_another_job_is_shown_from_its_first_row(data, db):
    one = add_train(db, steps=10, state=JobState.DONE)
    add_train(db, steps=20, state=JobState.DONE)
    async with opened(data, "train") as (app, pilot):
        shown = await pane(app, pilot)
        await until(pilot, lambda: shown.chart.model.curves and len(shown.chart.model.curves[0].series) == 20)
        await pilot.press("o")
        await until(pilot, lambda: len(shown.chart.model.curves[0].series) == 10)
        assert app.screen.chosen.id == one.id


async def test_describe_submits_a_generation_job(data, db, launched):
    add_images(data, db)
    train = add_train(db, steps=5, state=JobState.DONE)
    data.adapter(train.id).mkdir(parents=True)
    (data.adapter(train.id) / "adapter_config.json").write_text("{}")
    jobs.set_result(db, train.id, adapter=str(data.adapter(train.id)))
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        await pilot.press("D")
        await until(pilot, lambda: "Describe images" in text_of(app))
        await pilot.press("down", "down", "2", "enter")
        await pilot.press("S")
        await until(pilot, lambda: len(jobs.all_jobs(db)) == 2)
        job = jobs.all_jobs(db)[0]
        assert job.settings["limit"] == 2
        assert job.kind is JobKind.GENERATE and job.parent_job_id == train.id and launched == [job.id]


async def test_the_image_beside_the_texts_is_there_only_with_texts_and_comes_back(data, db):
    add_images(data, db)
    silent = add_train(db, state=JobState.STARTING)
    told = add_train(db, steps=80)
    async with opened(data, "train", WIDE) as (app, pilot):
        shown = await pane(app, pilot)
        canvas = shown.texts.query_one(ImageView)
        for job in (told, silent, told):
            await app.screen.attach(job)
            await until(pilot, lambda job=job: shown.texts.filled is (job is told))
            await until(pilot, lambda: canvas.display is shown.texts.filled)
            await until(pilot, lambda: canvas.state is (State.SHOWN if shown.texts.filled else State.EMPTY))


async def test_the_gpu_s_arithmetic_is_shown_where_it_is_known(data, db):
    job = add_train(db, steps=4)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await until(pilot, lambda: "step 4/300" in text_of(app))
        assert "MFU" not in text_of(app)
        metrics.log_step(db, job.id, 5, 300, 1.21, 48.4, {"loss": 0.125, "mfu": 0.21})
        await until(pilot, lambda: "MFU 21 %: 4.8x to the chip's limit" in text_of(app))


@pytest.mark.parametrize(
    ("mfu", "words"), [(None, ""), (0.0, ""), (float("nan"), ""), (0.5, "MFU 50 %: 2.0x to")]
)
def test_an_unknown_chip_has_no_figure(mfu, words):
    assert arithmetic_words(mfu).startswith(words) and bool(arithmetic_words(mfu)) == bool(words)
