"""Train: the form, the live job, its states, and what its keys write."""

import pytest
from textual.widgets import Input

from radtui.jobs import launch
from radtui.records import JobKind, JobState, StopRequest, Variant
from radtui.settings import PRESETS
from radtui.store import descriptions, images, jobs, metrics, ratings
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.screens.log import LogScreen
from radtui.tui.widgets.image_canvas import ImageCanvas, State
from radtui.tui.widgets.job_pane import JobPane
from radtui.tui.widgets.train_form import HIDDEN, HIDDEN_FROM_RATINGS, TrainForm
from tests.tui.driving import MIDDLE, NARROW, WIDE, longest_stall, opened, text_of, until
from tests.tui.seeding import add_images, add_train, add_watched
from tests.unit.test_store import rating


@pytest.fixture
def launched(monkeypatch):
    """Jobs that were launched; no process is started for them."""
    ids = []
    monkeypatch.setattr(launch, "launch", lambda data, db, job_id: ids.append(job_id))
    return ids


def form(app):
    return app.screen.query_one(TrainForm)


async def pane(app, pilot):
    await until(pilot, lambda: app.screen.query(JobPane))
    await until(pilot, lambda: app.screen.query_one(JobPane).is_mounted)
    return app.screen.query_one(JobPane)


async def test_without_data_the_form_says_what_to_do(data):
    async with opened(data, "train") as (app, pilot):
        await until(pilot, lambda: "Import images first: press d" in text_of(app))
        await pilot.press("s")
        await until(pilot, lambda: "No images are imported yet" in text_of(app))
        assert not jobs.all_jobs(app.db)


async def test_every_field_has_a_line_with_its_value_and_help(data, db):
    add_images(data, db)
    async with opened(data, "train", NARROW) as (app, pilot):
        fields = form(app).form.list
        names = []
        wanted = [name for name in PRESETS["default"].about() if name not in HIDDEN]
        for _ in wanted:
            names.append(fields.name_at_cursor)
            about = fields.settings.about()[fields.name_at_cursor]
            text = text_of(app)
            assert fields.name_at_cursor.replace("_", " ") in text and about.help[:40] in text
            await pilot.press("down")
        assert names == wanted


async def test_the_plan_counts_images_and_steps(data, db):
    add_images(data, db)
    async with opened(data, "train", WIDE) as (app, pilot):
        await until(pilot, lambda: "12 images of chests/train" in text_of(app))
        text = text_of(app)
        assert "2 of 8 images" in text and "answer-only loss" in text and "4 held-out images every 50" in text
        form(app).form.list.go_to("batch_size")
        await pilot.press("4", "enter")
        await until(pilot, lambda: "3 of 4 images" in text_of(app))


def rate(data, db, count):
    """A finished training job whose descriptions of training images were rated."""
    trained = add_train(db, 3, 3, JobState.DONE)
    data.adapter(trained.id).mkdir(parents=True)
    (data.adapter(trained.id) / "adapter_config.json").write_text("{}")
    job = jobs.create(db, JobKind.GENERATE, "x", "chests", {}, parent_job_id=trained.id)
    for image_id in images.usable(db, "chests", "train", count):
        descriptions.add(db, job.id, [
            descriptions.NewDescription(image_id, variant, f"By {variant}.", "ask", "greedy", 3, 0.1, False)
            for variant in (Variant.BASE, Variant.TUNED)
        ])  # fmt: skip
        ratings.add(db, rating(job.id, image_id, 2))
    return trained


async def test_learning_from_ratings_is_offered_where_pairs_are_rated(data, db, launched):
    add_images(data, db)
    trained = rate(data, db, 12)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: app.screen.check_action("ratings", ()))
        assert " preferences " in text_of(app) and "beta" not in text_of(app)
        await pilot.press("R")
        text = text_of(app)
        assert f"12 rated pairs of #{trained.id}" in text and "begins with" in text and "9 of 4 pairs" in text
        settings = form(app).settings
        assert settings.objective == "dpo" and settings.from_job == trained.id
        assert settings.learning_rate == pytest.approx(7.5e-5) and settings.model == "demo-base"
        fields = form(app).form.list
        assert fields.name_at_cursor == "beta"
        shown = [name for name, is_field in fields._lines if is_field]
        assert shown == [name for name in settings.about() if name not in HIDDEN_FROM_RATINGS]
        await pilot.press("0", ".", "3", "enter", "s")
        await until(pilot, lambda: launched)
        job = jobs.must_get(app.db, launched[0])
        assert job.settings["beta"] == 0.3 and job.parent_job_id == trained.id
        assert job.name == f"demo-base on chests, preferences of job {trained.id}"
        await until(pilot, lambda: job.name in text_of(app))
        metrics.log_step(
            app.db, job.id, 1, 9, 0.3, 1.0, {"loss": 0.69, "reward_margin": 0.02, "reward_accuracy": 0.75}
        )
        await until(pilot, lambda: "Pairs right" in text_of(app) and "0.75" in text_of(app))
        assert "DPO loss" in text_of(app)


async def test_too_few_rated_pairs_are_said_with_their_number(data, db):
    add_images(data, db)
    rate(data, db, 4)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await pilot.press("n")
        await until(pilot, lambda: app.screen.check_action("ratings", ()))
        assert " preferences " not in text_of(app)
        before = form(app).settings
        await pilot.press("R")
        await until(pilot, lambda: "4 rated pairs of job 1 can be learnt from" in text_of(app))
        assert form(app).settings == before


async def test_without_ratings_nothing_of_them_is_offered(data, db):
    add_images(data, db)
    async with opened(data, "train", WIDE) as (app, pilot):
        await until(pilot, lambda: "12 images of chests/train" in text_of(app))
        assert not app.screen.check_action("ratings", ()) and " preferences " not in text_of(app)


async def test_presets_fill_the_form_and_changes_are_marked(data, db):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        await pilot.press("p")
        assert form(app).settings == PRESETS["seed"]
        form(app).form.list.go_to("scheduler")
        await pilot.press("right")
        assert form(app).settings.scheduler == "cosine"
        assert "changed fields are marked" in text_of(app)
        await pilot.press("backspace")
        assert form(app).settings == PRESETS["seed"]


async def test_a_value_is_typed_in_place_and_escape_leaves_it(data):
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.go_to("instruction")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("end", *" Say it.", "enter")
        assert form(app).settings.instruction.endswith("image. Say it.")
        await until(pilot, lambda: not isinstance(app.focused, Input))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("x", "escape")
        assert form(app).settings.instruction.endswith("image. Say it.")


async def test_a_number_typed_slowly_keeps_every_digit(data, db, launched):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.go_to("max_steps")
        await pilot.press("5")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.pause()
        await pilot.press("7")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: form(app).settings.max_steps == 57)
        await pilot.press("enter")  # an old value is marked whole, and typing replaces it
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.pause()
        await pilot.press("6", "enter")
        await until(pilot, lambda: form(app).settings.max_steps == 6)


async def test_what_is_out_of_range_is_said_at_the_field_and_is_not_started(data, db, launched):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.go_to("learning_rate")
        await pilot.press("7", "enter", "home", "s")
        await pilot.pause()
        assert form(app).form.list.name_at_cursor == "learning_rate"
        assert "learning_rate must be 0 to 1, not 7" in text_of(app)
        form(app).form.list.go_to("epochs")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("m", "enter")
        await until(pilot, lambda: "epochs must be a number" in text_of(app))
        assert isinstance(app.focused, Input)
    assert not jobs.all_jobs(db) and not launched


async def test_start_writes_the_job_and_shows_it(data, db, launched):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.go_to("max_steps")
        await pilot.press("7", "enter", "s")
        await until(pilot, lambda: jobs.all_jobs(db))
        (job,) = jobs.all_jobs(db)
        assert job.settings["max_steps"] == 7 and job.dataset == "chests" and launched == [job.id]
        await until(pilot, lambda: "starting" in text_of(app))
        assert app.screen.chosen.id == job.id


async def test_what_submitting_refuses_is_said_at_the_field_it_names(data, db, launched):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.change("train_split", "nowhere")
        await pilot.press("s")
        await until(pilot, lambda: "has no split 'nowhere'" in text_of(app))
        assert form(app).form.list.name_at_cursor == "train_split"
        assert not jobs.all_jobs(db)


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
async def test_a_running_job_is_drawn_and_goes_on(data, db, size):
    add_images(data, db)
    job = add_train(db, steps=120)
    async with opened(data, "train", size) as (app, pilot):
        shown = await pane(app, pilot)
        await until(pilot, lambda: "step 120/300" in text_of(app))
        text = text_of(app)
        assert "answer-only loss" in text and "running" in text and "steps/s" in text and "left" in text
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


async def test_a_stop_is_asked_for_in_the_row(data, db):
    job = add_train(db, steps=5)
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        await pilot.press("c")
        await until(pilot, lambda: jobs.must_get(db, job.id).stop_requested is StopRequest.CHECKPOINT)
        await until(pilot, lambda: "saves a checkpoint and ends" in text_of(app))
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert jobs.must_get(db, job.id).stop_requested is StopRequest.CHECKPOINT
        await pilot.press("y")
        await until(pilot, lambda: jobs.must_get(db, job.id).stop_requested is StopRequest.NOW)


@pytest.mark.parametrize(
    ("state", "error", "said"),
    [
        (JobState.FAILED, "The batch does not fit into memory: lower batch_size.", "n edits the settings"),
        (
            JobState.LOST,
            "The worker was killed; resume it, or read its log.",
            "u resumes from the last checkpoint",
        ),
        (JobState.STOPPED, "", "u resumes from the last checkpoint"),
        (JobState.DONE, "", "g lets the models describe"),
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
        await until(pilot, lambda: f"Waits for job #{first.id}" in text_of(app))


async def test_resume_starts_the_job_again(data, db, launched):
    job = add_train(db, steps=20, state=JobState.STOPPED)
    async with opened(data, "train") as (app, pilot):
        await pane(app, pilot)
        await pilot.press("u")
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
        await pilot.press("n")
        await until(pilot, lambda: "New training job" in text_of(app))
        assert form(app).settings.to_dict() == job.settings and form(app).parent_job_id == job.id
        await pilot.press("escape")
        await until(pilot, lambda: "New training job" not in text_of(app))


async def test_the_texts_step_through_time_and_images(data, db):
    add_images(data, db)
    job = add_train(db, steps=80)
    one, two = images.usable(db, "chests", "test", 2)
    async with opened(data, "train", MIDDLE) as (app, pilot):
        await until(pilot, lambda: f"Text of image {one} at step 80." in text_of(app))
        await until(pilot, lambda: "A round opacity of size 0." in text_of(app))
        await pilot.press("left_square_bracket")
        assert f"Text of image {one} at step 40." in text_of(app)
        await pilot.press("i")
        assert f"Text of image {two} at step 40." in text_of(app)
        await pilot.press("right_square_bracket")
        add_watched(db, job, [120])
        await until(pilot, lambda: f"Text of image {two} at step 120." in text_of(app))


async def test_a_narrow_screen_shows_the_texts_in_the_chart_s_place(data, db):
    add_images(data, db)
    add_train(db, steps=80)
    async with opened(data, "train", NARROW) as (app, pilot):
        await pane(app, pilot)
        assert "Learning rate" in text_of(app)
        await pilot.press("w")
        await until(pilot, lambda: "at step 80." in text_of(app))
        assert "Learning rate" not in text_of(app)


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
        await pilot.press("g")
        await until(pilot, lambda: "Describe images" in text_of(app))
        await pilot.press("down", "down", "2", "enter")
        await pilot.press("s")
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
        canvas = shown.texts.query_one(ImageCanvas)
        for job in (told, silent, told):
            await app.screen.attach(job)
            await until(pilot, lambda job=job: shown.texts.filled is (job is told))
            await until(pilot, lambda: canvas.display is shown.texts.filled)
            await until(pilot, lambda: canvas.state is (State.SHOWN if shown.texts.filled else State.EMPTY))
