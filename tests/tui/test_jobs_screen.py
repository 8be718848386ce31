"""Jobs: every job in a line, what is said of it, and what its keys do."""

import re

import pytest

from radtui.jobs import resume
from radtui.records import JobKind, JobState, StopRequest, UserError
from radtui.store import jobs
from radtui.tui.jobs.log import LogScreen
from radtui.tui.jobs.screen import fact, shortened
from radtui.tui.train.form import TrainForm
from radtui.tui.widgets.virtual_table import VirtualTable
from tests.tui.driving import MIDDLE, NARROW, WIDE, opened, text_of, until
from tests.tui.seeding import add_images, add_train


@pytest.fixture
def three(data, db):
    """An import that is done, a training that runs, a generation that waits for it; in this order."""
    add_images(data, db)
    done = jobs.create(db, JobKind.IMPORT, "chests", "chests", {"source": "drawn"})
    jobs.begin(db, done.id, 1)
    jobs.progress(db, done.id, 16, 16)
    jobs.end(db, done.id, JobState.DONE, message="16 images")
    train = add_train(db, steps=30)
    waits = jobs.create(db, JobKind.GENERATE, "job 2 on chests/test", "chests", {}, after_job_id=train.id)
    return done, train, waits


def row(app, job):
    return next(line for line in text_of(app).splitlines() if re.match(rf"[▌ ] *{job.id} +{job.kind}", line))


async def test_no_jobs_is_a_sentence_with_keys_that_work(data, db):
    async with opened(data, "jobs") as (app, pilot):
        assert "No jobs yet: d imports images" in text_of(app)
        assert "enter Open" not in text_of(app)
        add_train(db, steps=2)
        await until(pilot, lambda: "enter Open" in text_of(app))


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
async def test_every_job_has_a_line(data, three, size):
    done, train, waits = three
    async with opened(data, "jobs", size) as (app, pilot):
        await until(pilot, lambda: app.screen.query_one(VirtualTable).cursor is not None)
        assert "✓ done" in row(app, done) and "16 images" in row(app, done)
        assert "● running" in row(app, train) and "10 %" in row(app, train)
        assert "· queued" in row(app, waits)
        assert f"Waits for #{train.id} to be done." in text_of(app)  # the newest is the chosen one


async def test_lines_change_as_jobs_do_and_the_cursor_stays_on_its_job(data, db, three):
    _, train, _ = three
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("down")
        assert app.screen.chosen.id == train.id
        jobs.progress(db, train.id, 150, 300)
        await until(pilot, lambda: "50 %" in row(app, train))
        newer = jobs.create(db, JobKind.IMPORT, "another", "another", {})
        await until(pilot, lambda: f"{newer.id}  import" in text_of(app))
        assert app.screen.chosen.id == train.id


async def test_keys_do_what_the_state_allows(data, db, three, launched):
    done, train, waits = three
    async with opened(data, "jobs") as (app, pilot):
        assert app.screen.check_action("stop", ()) and not app.screen.check_action("resume", ())
        await pilot.press("K")  # the queued one leaves the queue
        await until(pilot, lambda: jobs.must_get(db, waits.id).state is JobState.STOPPED)
        await until(pilot, lambda: app.screen.check_action("resume", ()))
        await pilot.press("down", "K")
        await until(pilot, lambda: jobs.must_get(db, train.id).stop_requested is StopRequest.CHECKPOINT)
        assert jobs.must_get(db, done.id).stop_requested is StopRequest.NONE
        jobs.end(db, train.id, JobState.STOPPED)
        await until(pilot, lambda: app.screen.chosen.state is JobState.STOPPED)
        await pilot.press("C")
        await until(pilot, lambda: launched == [train.id])


async def test_what_is_done_is_not_resumed(data, db, three, launched):
    done, train, waits = three
    jobs.end(db, train.id, JobState.DONE)
    jobs.claim(db, waits.id)
    jobs.begin(db, waits.id, 1)
    jobs.progress(db, waits.id, 8, 8)
    jobs.end(db, waits.id, JobState.DONE)
    async with opened(data, "jobs") as (app, pilot):
        for job in (waits, train, done):
            assert app.screen.chosen.id == job.id and not app.screen.check_action("resume", ())
            with pytest.raises(UserError, match=r"has (finished|imported|described)"):
                resume(data, db, job.id)
            await pilot.press("down")
        jobs.progress(db, waits.id, 7, 8)  # one description is missing
        await pilot.press("home")
        await until(pilot, lambda: app.screen.check_action("resume", ()))
    assert launched == []


async def test_what_cannot_be_done_is_said(data, db, three):
    async with opened(data, "jobs") as (app, pilot):
        await pilot.press("down")
        db.execute("UPDATE jobs SET state = 'done' WHERE id = 2")  # it ends between the look and the key
        await pilot.press("K")
        await until(pilot, lambda: any("has ended already" in note.message for note in app._notifications))


async def test_a_failed_job_shows_its_sentence_its_settings_and_its_log(data, db):
    job = add_train(db, steps=0, state=JobState.FAILED, error="There is no model of that name; check it.")
    data.job(job.id).mkdir(parents=True)
    data.log(job.id).write_text("Traceback\nOSError: nothing\n")
    async with opened(data, "jobs", WIDE) as (app, pilot):
        await until(pilot, lambda: "learning rate" in text_of(app))
        assert "There is no model of that name; check it." in text_of(app) and "0.003" in text_of(app)
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LogScreen) and "OSError: nothing" in text_of(app))
        data.log(job.id).write_text("Traceback\nOSError: nothing\nand more\n")
        await until(pilot, lambda: "and more" in text_of(app))
        await pilot.press("escape")
        assert app.current_mode == "jobs"


async def test_open_goes_where_the_job_is_seen(data, db, three):
    _, train, _ = three
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "review")
        await pilot.press("J", "down", "enter")
        await until(pilot, lambda: app.current_mode == "train" and app.screen.chosen.id == train.id)
        await pilot.press("J", "down", "enter")
        await until(pilot, lambda: app.current_mode == "data")


async def test_new_takes_a_job_s_settings_to_the_form(data, db, three):
    _, train, _ = three
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("down", "A")
        await until(pilot, lambda: "New training job" in text_of(app))
        assert app.screen.query_one(TrainForm).settings.to_dict() == train.settings


def test_a_result_for_programs_is_named_with_where_it_is_whole():
    assert shortened("39 steps", 7) == "39 steps"
    assert shortened("{% for m in messages %}" * 20, 7) == "460 characters, whole in radtui jobs show 7"


def test_a_fact_keeps_its_column_and_stands_below_its_name_where_that_is_narrow():
    wide = fact("max_side_px", "one two three four five six", 14, 38).plain.splitlines()
    assert wide == ["max side px   one two three four five", "              six"]
    narrow = fact("max_side_px", "one two three four five six", 14, 30).plain.splitlines()
    assert narrow == ["max side px", "  one two three four five six"]
    assert fact("max_side_px", "as they are", 14, 30).plain == "max side px   as they are"
