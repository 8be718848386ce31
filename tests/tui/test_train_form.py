"""The form of a training job: its fields, presets and plan, what it refuses, and what submitting it writes."""

import sqlite3

import pytest
from textual import events
from textual.widgets import Input

from radtui.presets import PRESETS
from radtui.records import JobKind, JobState
from radtui.store import cases, jobs, metrics, ratings, texts
from radtui.tui.train import form as train_form
from radtui.tui.train.form import HIDDEN, HIDDEN_FROM_RATINGS
from tests.conftest import give_arms, new_text
from tests.tui.driving import MIDDLE, NARROW, WIDE, opened, text_of, until
from tests.tui.seeding import add_images, add_train
from tests.tui.training import form, pane
from tests.unit.corrected_texts import EDITED, described, judge
from tests.unit.test_store import rating, study_of


async def test_without_data_the_form_says_what_to_do(data):
    async with opened(data, "train") as (app, pilot):
        await until(pilot, lambda: "Import images first: press d" in text_of(app))
        await pilot.press("S")
        await until(pilot, lambda: "No images are imported yet" in text_of(app))
        assert not jobs.all_jobs(app.db)


async def test_what_is_refused_is_said_at_its_field_until_that_is_changed(data, db):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        fields = form(app).form
        fields.list.change("eval_split", "nowhere")
        await pilot.press("S")
        await until(pilot, lambda: fields.list.name_at_cursor == "eval_split")
        await until(pilot, lambda: "✗ chests has no split 'nowhere'" in text_of(app))
        fields.point_out("Nothing goes on without a connection.")  # of no field: the place stays
        assert fields.list.name_at_cursor == "eval_split"
        await until(pilot, lambda: "✗ Nothing goes on without a connection." in text_of(app))
        fields.list.change("eval_split", "test")
        await until(pilot, lambda: "✗" not in text_of(app))


async def test_only_keys_that_do_something_for_a_field_are_offered(data, db):
    add_images(data, db)
    async with opened(data, "train", MIDDLE) as (app, pilot):
        fields = form(app).form.list
        for name, keys in (("scheduler", "→ Next choice"), ("warmup_steps", "enter Edit")):
            fields.go_to(name)
            await until(pilot, lambda keys=keys: keys in text_of(app))
            assert ("→ Next choice" in text_of(app)) == (name == "scheduler") and "bksp Reset" not in text_of(
                app
            )
        await pilot.press("7", "enter")
        await until(pilot, lambda: "bksp Reset" in text_of(app))
        await pilot.press("backspace")
        await until(pilot, lambda: "bksp Reset" not in text_of(app))


async def test_data_sets_that_cannot_be_read_are_said_and_read_again(data, db, monkeypatch):
    add_images(data, db)

    def broken(db):
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(train_form, "read_names", broken)
        async with opened(data, "train", WIDE) as (app, pilot):
            await until(pilot, lambda: any("disk I/O error" in one.message for one in app._notifications))
            patched.undo()
            form(app).read_names()
            await until(pilot, lambda: "12 images of chests/train" in text_of(app))


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
        await until(pilot, lambda: form(app).form.list.has_focus)
        form(app).form.list.go_to("batch_size")
        await pilot.press("4", "enter")
        await until(pilot, lambda: "3 of 4 images" in text_of(app))


def rate(data, db, count):
    """A finished training job whose descriptions of training images were rated."""
    trained = add_train(db, 3, 3, JobState.DONE)
    data.adapter(trained.id).mkdir(parents=True)
    (data.adapter(trained.id) / "adapter_config.json").write_text("{}")
    job = jobs.create(db, JobKind.GENERATE, "x", "chests", {}, parent_job_id=trained.id)
    arms = give_arms(db, job, "base", "tuned")
    for case_id in cases.usable(db, "chests", "train", count):
        texts.add(db, job.id, [new_text(case_id, arm, f"By {name}.", 3) for name, arm in arms.items()])
        ratings.add(db, rating(study_of(db, job).id, case_id, 2))
    return trained


async def test_learning_from_ratings_is_offered_where_pairs_are_rated(data, db, launched):
    add_images(data, db)
    trained = rate(data, db, 12)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await pilot.press("A")
        await until(pilot, lambda: form(app).check_action("ratings", ()))
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
        hidden = HIDDEN_FROM_RATINGS | {"correction_weight"}
        assert shown == [name for name in settings.about() if name not in hidden]
        await pilot.press("0", ".", "3", "enter", "S")
        await until(pilot, lambda: launched)
        job = jobs.must_get(app.db, launched[0])
        assert job.settings["beta"] == 0.3 and job.parent_job_id == trained.id
        assert job.name == f"demo-base on chests, preferences of #{trained.id}"
        await until(pilot, lambda: job.name in text_of(app))
        metrics.log_step(
            app.db, job.id, 1, 9, 0.3, 1.0, {"loss": 0.69, "reward_margin": 0.02, "reward_accuracy": 0.75}
        )
        await until(pilot, lambda: "Pairs right" in text_of(app) and "0.75" in text_of(app))
        assert "DPO loss" in text_of(app)


async def test_corrected_texts_are_learnt_by_one_key(data, db, launched):
    add_images(data, db, train=24)
    trained = add_train(db, 3, 3, JobState.DONE)
    data.adapter(trained.id).mkdir(parents=True)
    (data.adapter(trained.id) / "adapter_config.json").write_text("{}")
    listed = cases.usable(db, "chests", "train", 24)
    study = described(db, trained, listed)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await pilot.press("A")
        await pilot.pause(0.2)
        assert not form(app).check_action("corrections", ()) and " corrections " not in text_of(app)
        for place, case_id in enumerate(listed):
            judge(db, study, case_id, **({"accepted": 1} if place % 4 else {"corrected": EDITED}))
        form(app).read_offer()
        await until(pilot, lambda: form(app).check_action("corrections", ()))
        await pilot.press("H")
        text = text_of(app)
        assert "6 corrected and 18 accepted" in text
        assert "a corrected text 4" in text and "one case of 10" in text
        await pilot.press("S")
        await until(pilot, lambda: launched)
        job = jobs.must_get(app.db, launched[0])
        assert job.settings["objective"] == "corrections" and job.parent_job_id == trained.id
        assert job.name == f"demo-base on chests, corrections of #{trained.id}"


async def test_preferences_on_two_gpus_are_refused_on_the_form(data, db, launched):
    add_images(data, db)
    rate(data, db, 12)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await pilot.press("A")
        await until(pilot, lambda: form(app).check_action("ratings", ()))
        await pilot.press("R")
        form(app).form.list.change("gpus", "2")
        await pilot.press("S")
        await until(pilot, lambda: "✗ gpus must be 1 where preferences are learnt, not 2." in text_of(app))
        assert form(app).form.list.name_at_cursor == "gpus" and not launched


async def test_too_few_rated_pairs_are_said_with_their_number(data, db):
    add_images(data, db)
    rate(data, db, 4)
    async with opened(data, "train", WIDE) as (app, pilot):
        await pane(app, pilot)
        await pilot.press("A")
        await until(pilot, lambda: form(app).check_action("ratings", ()))
        assert " preferences " not in text_of(app)
        before = form(app).settings
        await pilot.press("R")
        await until(pilot, lambda: "4 rated pairs of job 1 can be learnt from" in text_of(app))
        assert form(app).settings == before


async def test_without_ratings_nothing_of_them_is_offered(data, db):
    add_images(data, db)
    async with opened(data, "train", WIDE) as (app, pilot):
        await until(pilot, lambda: "12 images of chests/train" in text_of(app))
        assert not form(app).check_action("ratings", ()) and " preferences " not in text_of(app)


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


async def test_keys_that_come_before_the_input_has_the_focus_are_typed_in_it(data):
    async with opened(data, "train", NARROW) as (app, pilot):
        fields = form(app).form.list
        fields.go_to("instruction")
        for key, character in (("enter", "\r"), ("j", "j"), ("p", "p"), ("S", "S"), ("q", "q")):
            app.post_message(events.Key(key, character))
        await until(pilot, lambda: app.screen.query_one(Input).has_focus)
        await pilot.press("x", "enter")
        await pilot.pause()
        assert fields.settings.instruction == "jpSqx" and fields.name_at_cursor == "instruction"
        await pilot.press("j")
        assert fields.name_at_cursor != "instruction"


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
        await pilot.press("7", "enter", "home", "S")
        await pilot.pause()
        assert form(app).form.list.name_at_cursor == "learning_rate"
        assert "learning_rate must be 0 to 1, not 7" in text_of(app)
        form(app).form.list.go_to("epochs")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("M", "enter")
        await until(pilot, lambda: "epochs must be a number" in text_of(app))
        assert isinstance(app.focused, Input)
    assert not jobs.all_jobs(db) and not launched


async def test_start_writes_the_job_and_shows_it(data, db, launched):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.go_to("max_steps")
        await pilot.press("7", "enter", "S")
        await until(pilot, lambda: jobs.all_jobs(db))
        (job,) = jobs.all_jobs(db)
        assert job.settings["max_steps"] == 7 and job.dataset == "chests" and launched == [job.id]
        await until(pilot, lambda: "starting" in text_of(app))
        assert app.screen.chosen.id == job.id


async def test_what_submitting_refuses_is_said_at_the_field_it_names(data, db, launched):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        form(app).form.list.change("train_split", "nowhere")
        await pilot.press("S")
        await until(pilot, lambda: "has no split 'nowhere'" in text_of(app))
        assert form(app).form.list.name_at_cursor == "train_split"
        assert not jobs.all_jobs(db)


async def test_a_model_that_people_tune_is_chosen_with_its_memory_and_terms(data, db):
    add_images(data, db)
    async with opened(data, "train") as (app, pilot):
        fields = form(app).form.list
        fields.go_to("model")
        fields.change("model", "google/medgemma-4b-it")
        await until(pilot, lambda: "GiB of a GPU in 4 bits" in text_of(app) and "licence" in text_of(app))
        fields.change("model", "no/such-model")
        await until(pilot, lambda: "GiB of a GPU in 4 bits" not in text_of(app))
