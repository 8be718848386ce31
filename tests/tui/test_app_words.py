"""What the screens say, from values alone: plans, states, speeds, watched texts."""

from dataclasses import replace

import pytest

from radtui.durations import speed_text
from radtui.jobs.progress import JobProgress
from radtui.presets import PRESETS
from radtui.records import Description, Event, Job, JobKind, JobState, StopRequest
from radtui.store.cases import DatasetSummary
from radtui.tui import words
from radtui.tui.jobs.job_words import describing, saying
from radtui.tui.train.plan import plan, steps_of
from radtui.tui.train.watched import Watched

MINI = DatasetSummary("mini", "hub", 0.0, {"train": 1978, "test": 327})
JOB = Job(
    7, JobKind.TRAIN, JobState.RUNNING, "tiny on mini", "mini", {}, None, None, 30, 120, StopRequest.NONE, "", "", {},
    99, 100.0, 110.0, 150.0, None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("batch", "accumulation", "epochs", "max_steps", "expected"),
    [(8, 1, 1.0, 0, 248), (2, 4, 1.0, 0, 248), (8, 1, 3.0, 0, 744), (8, 1, 0.5, 0, 124), (8, 1, 9.0, 30, 30)],
)
def test_steps_are_counted_as_the_trainer_does(batch, accumulation, epochs, max_steps, expected):
    settings = replace(
        PRESETS["default"],
        batch_size=batch,
        gradient_accumulation=accumulation,
        epochs=epochs,
        max_steps=max_steps,
    )
    assert steps_of(settings, 1978) == expected


def test_a_plan_doubts_what_would_spoil_the_run():
    spoilt = DatasetSummary("mini", "hub", 0.0, {"train": 10}, unreadable=2, leaked=3)
    said = " ".join(plan(PRESETS["default"], [spoilt]).doubts)
    assert (
        "no split 'test'" in said
        and "3 images are in more than one split" in said
        and "2 images cannot" in said
    )
    assert plan(PRESETS["default"], [MINI]).doubts == ()
    same = replace(PRESETS["default"], eval_split="train")
    assert any("says nothing about new ones" in doubt for doubt in plan(same, [MINI]).doubts)
    assert "Import images first" in plan(PRESETS["default"], []).doubts[0]


def test_speed_is_said_the_way_round_that_reads_well():
    assert speed_text(0.31, "step") == "3.2 s/step"
    assert speed_text(12.3, "image") == "12.3 images/s" and speed_text(1.0, "image") == "1 image/s"
    assert speed_text(1234.0, "image") == "1,234 images/s"


def test_a_running_job_says_step_speed_and_time_left():
    said = saying(JOB, JobProgress(JOB, 0.5, 180.0), 150.0)
    assert said.text == "step 30/120 · 2 s/step · 3 min left" and "checkpoint" in said.next
    texts_job = replace(JOB, kind=JobKind.GENERATE, message="Describing")
    words_of_texts = saying(texts_job, JobProgress(texts_job, 3.2, 28.0), 150.0).text
    assert words_of_texts == "text 30/120 · 3.2 texts/s · 28 s left"


def test_a_job_without_a_total_says_what_it_is_doing_before_for_how_long():
    fresh = replace(JOB, step=0, total_steps=0)
    assert saying(fresh, None, 111.0).text == "Starting · 1 s"
    assert saying(replace(fresh, message="Reading the data"), None, 112.0).text == "Reading the data · 2 s"


def test_a_request_to_stop_is_said_in_place_of_the_state():
    asked = replace(JOB, stop_requested=StopRequest.CHECKPOINT)
    assert saying(asked, None, 150.0).state == "stopping" and "ctrl+k" in saying(asked, None, 150.0).next
    assert saying(replace(JOB, stop_requested=StopRequest.NOW), None, 150.0).next == ""


def test_a_job_that_is_to_stop_has_no_time_left_until_its_end():
    assert JobProgress(JOB, 0.5, 180.0).left == "3 min left"
    asked = replace(JOB, stop_requested=StopRequest.CHECKPOINT)
    assert JobProgress(asked, 0.5, 180.0).left == ""


@pytest.mark.parametrize("state", [JobState.STOPPED, JobState.FAILED, JobState.LOST])
def test_the_keys_of_a_training_that_ended_early_fit_a_line_of_a_small_terminal(state):
    assert len(saying(replace(JOB, state=state), None, 150.0).next) <= 80 - 4


@pytest.mark.parametrize(
    ("state", "next_key"),
    [
        (JobState.RUNNING, "r rates what #8 writes already"),
        (JobState.DONE, "r rates what #8 wrote"),
        (JobState.FAILED, "D lets the models describe test images"),
    ],
)
def test_a_training_whose_models_describe_already_names_the_rating_next(state, next_key):
    done = replace(JOB, state=JobState.DONE)
    other = replace(JOB, id=9, kind=JobKind.GENERATE, parent_job_id=99)
    written = replace(JOB, id=8, kind=JobKind.GENERATE, parent_job_id=JOB.id, state=state)
    status = saying(done, None, 150.0, describing(done, [other, written, done]))
    assert next_key in status.next and len(status.next) <= 80 - 4


def test_an_import_that_is_done_says_how_many_images_could_not_be_read():
    job = replace(JOB, kind=JobKind.IMPORT, state=JobState.DONE, result={"unreadable": 3})
    assert words.after(job) == "3 could not be read. Press d to look at the images."
    assert words.after(replace(job, result={"unreadable": 0})) == "Press d to look at the images."


@pytest.mark.parametrize("kind", list(JobKind))
def test_a_failed_job_names_only_keys_that_work_for_it(kind):
    failed = saying(replace(JOB, kind=kind, state=JobState.FAILED, error="No."), None, 150.0)
    assert ("A edits" in failed.next) == (kind is JobKind.TRAIN)
    assert ("Q on an image asks anew" if kind is JobKind.ASK else "C tries once more") in failed.next


def text(case_id: int, step: int) -> Description:
    number = case_id * 1000 + step
    return Description(
        number, number, 7, case_id, "tuned", step, f"{case_id}@{step}", "", "", 1, 0.1, False
    )  # fmt: skip


def test_watched_texts_follow_the_newest_step_until_one_goes_back():
    watched = Watched()
    assert watched.shown is None
    watched.add([text(1, 0), text(2, 0), text(1, 50), text(2, 50)])
    assert watched.shown.text == "1@50"
    watched.add([text(1, 100), text(2, 100)])
    assert watched.shown.text == "1@100"
    watched.go(-1)
    watched.next_image()
    assert watched.shown.text == "2@50"
    watched.go(-9)
    assert watched.shown.text == "2@0"
    watched.go(9)
    watched.add([text(2, 150)])
    assert watched.shown.text == "2@150"


def test_watched_texts_past_a_resumed_step_are_forgotten():
    watched = Watched()
    watched.add([text(1, 0), text(1, 50), text(1, 100)])
    watched.rewind([Event(1, 60, 0.0, "resume", "")])
    assert watched.steps == [0, 50]
