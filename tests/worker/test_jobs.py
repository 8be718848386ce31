"""The life of jobs seen from outside: detached, locked, killed, resumed, chained, stopped."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.jobs import alive, reconcile, resume, stop, submit_generate, submit_import, submit_train, tail_log
from radtui.jobs.launch import launch, starting
from radtui.jobs.progress import Pace
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings
from radtui.store import jobs, metrics, studies
from radtui.store.database import connect
from tests.worker.conftest import LIMIT_S, train_settings


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    """The database of the data folder with the shapes."""
    return connect(data)


def wait_for(data: DataDir, db: sqlite3.Connection, job_id: int, done: Callable[[Job], bool]) -> Job:
    """Look at a job, as an app would, until a condition holds."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        reconcile(data, db)
        job = jobs.must_get(db, job_id)
        if done(job):
            return job
        assert job.state.live, (
            f"job {job_id} is {job.state}: {job.error}\n{data.log(job_id).read_text()[-2000:]}"
        )
        time.sleep(0.05)
    raise AssertionError(f"job {job_id} is still {job.state} at step {job.step}")


def ended(job: Job) -> bool:
    """Whether a job is over."""
    return not job.state.live


@pytest.mark.slow
def test_a_worker_outlives_the_process_that_started_it(
    data: DataDir, db: sqlite3.Connection, mllama: Path
) -> None:
    program = (
        "import sys, time; from radtui.jobs import submit_train; from radtui.settings import TrainSettings\n"
        "from radtui.paths import DataDir; from radtui.store.database import connect; from pathlib import Path\n"
        f"sys.executable = {sys.executable!r}\n"  # whose workers are forked
        f"data = DataDir(Path({str(data.root)!r}))\n"
        f"settings = TrainSettings.from_dict({_long_run(mllama).to_dict()!r})\n"
        "print(submit_train(data, connect(data), settings).id, flush=True); time.sleep(600)"
    )
    app = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert app.stdout is not None
    job_id = int(app.stdout.readline())
    wait_for(data, db, job_id, lambda job: job.step >= 2)
    app.kill()
    app.wait()
    step = jobs.must_get(db, job_id).step
    job = wait_for(data, db, job_id, lambda job: job.step >= step + 3)  # another app looks: it goes on
    assert job.state is JobState.RUNNING and alive(data, job_id)
    with pytest.raises(UserError, match="running already"):
        launch(data, db, job_id)
    stop(data, db, job_id, StopRequest.NOW)
    assert wait_for(data, db, job_id, ended).state is JobState.STOPPED
    end = time.monotonic() + LIMIT_S
    while alive(data, job_id) and time.monotonic() < end:  # its end is written; the process is about to leave
        time.sleep(0.05)
    assert not alive(data, job_id)


@pytest.mark.slow
def test_a_killed_worker_is_lost_and_resumes_from_its_checkpoint(
    data: DataDir, db: sqlite3.Connection, mllama: Path, held: Path
) -> None:
    job = submit_train(data, db, train_settings(mllama, max_steps=12, checkpoint_every=2, eval_every=0))
    running = wait_for(data, db, job.id, lambda job: job.step >= 5)
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    held.unlink()
    lost = wait_for(data, db, job.id, ended)
    assert lost.state is JobState.LOST and "resume" in lost.error
    resume(data, db, job.id)
    done = wait_for(data, db, job.id, ended)
    assert (done.state, done.step) == (JobState.DONE, 12)
    events = metrics.events_since(db, job.id, 0)
    assert [event.step for event in events if event.kind == "resume"] == [4]
    steps = [metric.step for metric in metrics.since(db, job.id, 0) if metric.name == "loss"]
    assert steps == list(range(1, 13))  # every step once: none lost, none twice
    with pytest.raises(UserError, match="finished its 12 steps"):
        resume(data, db, job.id)


@pytest.mark.slow
def test_generation_starts_by_itself_when_training_is_done(
    data: DataDir, db: sqlite3.Connection, mllama: Path
) -> None:
    train = submit_train(data, db, train_settings(mllama, max_steps=2, eval_every=0))
    generate = submit_generate(
        data, db, GenerateSettings(split="test", batch_size=4, max_new_tokens=8), after_job_id=train.id
    )
    assert generate.state is JobState.QUEUED
    done = wait_for(data, db, generate.id, ended)
    assert done.state is JobState.DONE and done.settings["train_job"] == train.id
    assert len(studies.comparison_ids(db, studies.of_job(db, generate.id))) == 8


def test_what_waits_for_a_failed_job_does_not_start(
    data: DataDir, db: sqlite3.Connection, mllama: Path
) -> None:
    first = jobs.create(db, JobKind.TRAIN, "first", "shapes", train_settings(mllama).to_dict())
    second = submit_generate(data, db, GenerateSettings(train_job=first.id), after_job_id=first.id)
    with starting(data):
        reconcile(data, db)
    assert jobs.must_get(db, second.id).state is JobState.QUEUED
    jobs.end(db, first.id, JobState.FAILED, error="it broke")
    reconcile(data, db)
    waited = jobs.must_get(db, second.id)
    assert waited.state is JobState.STOPPED and f"#{first.id}, which" in waited.message
    with pytest.raises(UserError, match=f"resume job {first.id} first"):
        resume(data, db, second.id)
    jobs.restart(db, first.id)  # as resuming the first does
    assert jobs.must_get(db, second.id).state is JobState.QUEUED


def test_a_job_that_cannot_be_started_says_so_on_its_row(
    data: DataDir, db: sqlite3.Connection, mllama: Path
) -> None:
    data.job(1).parent.mkdir(exist_ok=True)
    data.job(1).write_text("a file where the job's folder should be")
    with pytest.raises(UserError, match="Cannot start the worker of job 1: File exists"):
        submit_train(data, db, train_settings(mllama))
    failed = jobs.must_get(db, 1)
    assert failed.state is JobState.FAILED and failed.error.startswith("Cannot start the worker")


def test_a_queued_job_can_be_taken_out(data: DataDir, db: sqlite3.Connection, mllama: Path) -> None:
    first = jobs.create(db, JobKind.TRAIN, "first", "shapes", train_settings(mllama).to_dict())
    second = submit_generate(data, db, GenerateSettings(train_job=first.id), after_job_id=first.id)
    stop(data, db, second.id)
    assert jobs.must_get(db, second.id).state is JobState.STOPPED
    with pytest.raises(UserError, match="ended already"):
        stop(data, db, second.id)


def test_a_job_stopped_while_it_starts_is_stopped_and_one_that_vanished_is_lost(
    data: DataDir, db: sqlite3.Connection
) -> None:
    asked, vanished, over = (jobs.create(db, JobKind.TRAIN, "t", "shapes", {}) for _ in range(3))
    for job in (asked, vanished, over):
        jobs.started(db, job.id, 2**22 + 1)  # more than any process number
    stop(data, db, asked.id, StopRequest.NOW)
    jobs.end(db, over.id, JobState.DONE)
    jobs.settle(db, over.id, JobState.LOST, "too late")
    assert reconcile(data, db) == []
    states = {job.id: jobs.must_get(db, job.id) for job in (asked, vanished, over)}
    assert (states[asked.id].state, states[asked.id].error) == (JobState.STOPPED, "")
    assert states[vanished.id].state is JobState.LOST and "resume it" in states[vanished.id].error
    assert (states[over.id].state, states[over.id].error) == (JobState.DONE, "")


@pytest.mark.parametrize("act", [stop, resume])
def test_a_row_that_began_to_start_tomorrow_is_told_by_locks(
    data: DataDir, db: sqlite3.Connection, launched: list[int], act: Callable[..., object]
) -> None:
    job = jobs.create(db, JobKind.TRAIN, "t", "shapes", {})
    db.execute("UPDATE jobs SET created_at = created_at + 86400, heartbeat_at = created_at + 86400")
    with starting(data):  # by another process, which is about to start the worker
        assert [one.id for one in reconcile(data, db)] == [job.id]
    act(data, db, job.id)
    now = jobs.must_get(db, job.id)
    assert (now.state, launched) == ((JobState.STARTING, [job.id]) if act is resume else (JobState.LOST, []))
    reconcile(data, db)
    assert jobs.must_get(db, job.id).state is now.state


def test_the_end_of_a_log_line_that_is_longer_than_what_is_read_is_shown(data: DataDir) -> None:
    data.job(1).mkdir(parents=True)
    data.log(1).write_text("begins " + 100_000 * "x" + " ends")
    (line,) = tail_log(data, 1)
    assert line.startswith("... x") and line.endswith(" ends")
    data.log(1).write_text(100_000 * "x" + "\nthe last line")
    assert tail_log(data, 1) == ["the last line"]


def test_an_import_runs_detached_and_reports(data: DataDir, db: sqlite3.Connection, tmp_path: Path) -> None:
    from tests.conftest import drawn_png

    folder = tmp_path / "scans"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.png").write_bytes(drawn_png(n))
    (folder / "broken.png").write_bytes(b"")
    job = submit_import(data, db, ImportSettings(source=str(folder)))
    done = wait_for(data, db, job.id, ended)
    assert (done.state, done.dataset) == (JobState.DONE, "scans")
    assert done.result["new"] == 4 and done.result["unreadable"] == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (TrainSettings(dataset="nowhere"), "no data set 'nowhere'"),
        (TrainSettings(dataset="shapes", train_split="dev"), "no split 'dev'"),
        (TrainSettings(dataset="shapes", model="./not/there"), "no model folder"),
        (TrainSettings(dataset="shapes", learning_rate=-1.0), "learning_rate must be"),
    ],
)
def test_bad_settings_are_one_sentence_and_no_job(
    data: DataDir, db: sqlite3.Connection, settings: TrainSettings, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        submit_train(data, db, settings)
    assert jobs.all_jobs(db) == []


def test_generation_needs_something_trained(data: DataDir, db: sqlite3.Connection, mllama: Path) -> None:
    with pytest.raises(UserError, match="train first"):
        submit_generate(data, db, GenerateSettings())
    failed = jobs.create(db, JobKind.TRAIN, "x", "shapes", train_settings(mllama).to_dict())
    jobs.end(db, failed.id, JobState.FAILED)
    with pytest.raises(UserError, match="left no adapter"):
        submit_generate(data, db, GenerateSettings(train_job=failed.id))
    with pytest.raises(UserError, match="no job 99"):
        submit_generate(data, db, GenerateSettings(train_job=99))


def test_pace_is_of_the_last_minute_and_forgets_a_resumed_past() -> None:
    pace = Pace()
    assert pace.look(0, 0, 100) == (None, None)
    pace.look(10, 20, 100)
    assert pace.look(20, 40, 100) == pytest.approx((2.0, 30.0))
    assert pace.look(25, 40, 100) == pytest.approx((2.0, 25.0))  # waiting counts
    assert pace.look(26, 10, 100) == (None, None)


def test_a_clock_that_is_set_back_begins_a_new_pace() -> None:
    pace = Pace()
    for second in range(10):
        pace.look(86_400 + second, second, 100)
    assert pace.look(0, 10, 100)[0] is None
    seen = [pace.look(second, 10 + 2 * second, 100) for second in range(1, 9)]
    assert seen[-1][0] == pytest.approx(2.0)


def test_what_a_job_takes_to_load_is_no_part_of_its_pace() -> None:
    pace = Pace()
    pace.look(0, 200, 300)  # resumed at step 200, then loading for 20 s, then 2 steps a second
    assert pace.look(20, 201, 300) == (None, None)
    seen = [pace.look(20 + half / 2, 201 + half, 300) for half in range(1, 20)]
    assert seen[-1] == pytest.approx((2.0, 40.0))


def test_no_time_left_is_said_before_a_little_was_measured() -> None:
    pace = Pace()
    seen = [pace.look(second, second, 1000) for second in range(8)]
    assert [left_s is None for _, left_s in seen] == [True] * 6 + [False] * 2  # from the first step on, 5 s
    quick = Pace()
    quick.look(0, 0, 100)
    quick.look(1, 10, 100)
    assert quick.look(2, 20, 100) == pytest.approx((10.0, 8.0))  # a tenth in a second says enough


def _long_run(model: Path) -> TrainSettings:
    return train_settings(model, max_steps=5000, eval_every=0, checkpoint_every=0, watch_images=0)
