"""Jobs under a real Slurm of two nodes on this machine: lost nodes, time limits, cancelling, killed collectors."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from radtui.cluster import slurm
from radtui.jobs import resume, stop, submit_generate, submit_train
from radtui.paths import DataDir
from radtui.records import JobState, StopRequest, UserError
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics, texts
from radtui.store.database import connect

from .conftest import REPOSITORY, Worker, new_job, train_settings
from .slurm_cluster import ON_SLURM, check_rows, is_over, losses, run_of, wait_until, watched

pytestmark = ON_SLURM

COLLECTOR = """
import sys
from pathlib import Path
from radtui.jobs import reconcile
from radtui.paths import DataDir
from radtui.store.database import connect
data = DataDir(Path(sys.argv[1]))
db = connect(data)
while True:
    reconcile(data, db)
"""  # it dies wherever it is


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    return connect(data)


def test_several_trainings_are_one_job(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path
) -> None:
    changes = {"max_steps": 2, "eval_every": 0, "watch_images": 0, "seeds": 2}
    job = submit_train(data, db, train_settings(mllama, **changes, on="slurm"))
    done = watched(data, db, job, is_over)
    assert (done.state, done.step, done.total_steps) == (JobState.DONE, 4, 4)
    assert [step for step, _ in losses(db, job.id)] == [1, 2]
    assert [step for step, _ in losses(db, job.id, ", seed 2")] == [3, 4]
    assert all((data.adapter(job.id, number) / "adapter_config.json").exists() for number in range(2))
    runs_on = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert len(runs_on) == 1  # one job of Slurm's
    check_rows(data, db, job, tmp_path)


def test_trained_and_described_on_slurm(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, worker: Worker
) -> None:
    here = new_job(data, train_settings(mllama))
    worker(here)
    job = submit_train(data, db, train_settings(mllama, on="slurm"))
    assert job.state is JobState.STARTING and "Handed to Slurm as job" in job.message
    describing = submit_generate(
        data,
        db,
        GenerateSettings(split="test", max_new_tokens=8, batch_size=4, on="slurm"),
        after_job_id=job.id,
    )
    assert describing.state is JobState.QUEUED
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 6)
    assert losses(db, job.id) == losses(db, here.id)
    runs_on = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert len(runs_on) == 1 and runs_on[0].startswith("Runs on n")
    described = watched(data, db, describing, is_over)
    assert described.state is JobState.DONE and len(texts.finished(db, describing.id)) == 16
    check_rows(data, db, job, tmp_path)
    check_rows(data, db, described, tmp_path)


def test_a_lost_node_costs_no_step(
    data: DataDir,
    db: sqlite3.Connection,
    mllama: Path,
    profile: Path,
    tmp_path: Path,
    worker: Worker,
    held: Path,
) -> None:
    settings = train_settings(mllama, max_steps=8, eval_every=0, watch_images=0)
    job = submit_train(
        data, db, train_settings(mllama, max_steps=8, eval_every=0, watch_images=0, on="slurm")
    )
    running = watched(data, db, job, lambda job: job.step >= 5)
    facts = running.result["slurm"]
    assert isinstance(facts, dict) and running.pid
    os.kill(running.pid, 9)
    subprocess.run(["scontrol", "requeue", str(facts["id"])], check=True)
    held.unlink()
    waiting = watched(data, db, job, lambda job: job.state is JobState.STARTING or is_over(job))
    assert waiting.state is JobState.STARTING and waiting.message
    killed = subprocess.Popen([sys.executable, "-c", COLLECTOR, str(data.root)], cwd=REPOSITORY)
    time.sleep(3)
    killed.kill()
    killed.wait()
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 8)
    assert [e.step for e in metrics.events_since(db, job.id, 0) if e.kind == "resume"] == [4]
    check_rows(data, db, job, tmp_path)
    whole = new_job(data, settings)
    worker(whole)
    assert losses(db, job.id) == losses(db, whole.id)


def test_cancelled_by_others_stopped_and_resumed(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, held: Path
) -> None:
    job = submit_train(
        data, db, train_settings(mllama, max_steps=12, eval_every=0, watch_images=0, on="slurm")
    )
    running = watched(data, db, job, lambda job: job.step >= 5)
    facts = running.result["slurm"]
    assert isinstance(facts, dict)
    slurm.cancel(int(facts["id"]))
    cancelled = watched(data, db, job, is_over)
    assert cancelled.state is JobState.STOPPED and "not by radtui" in cancelled.message
    check_rows(data, db, job, tmp_path)
    resume(data, db, job.id)
    watched(data, db, job, lambda job: job.state is JobState.RUNNING)
    stop(data, db, job.id, StopRequest.CHECKPOINT)
    held.unlink()
    stopped = watched(data, db, job, is_over)
    assert stopped.state is JobState.STOPPED and "not by radtui" not in stopped.message
    assert (data.checkpoints(job.id) / f"checkpoint-{stopped.step}").is_dir() and stopped.step < 12
    resume(data, db, job.id)
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 12)
    assert [step for step, _ in losses(db, job.id)] == list(range(1, 13))
    check_rows(data, db, job, tmp_path)


def test_what_waits_in_slurm_says_why_and_leaves_the_queue(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path
) -> None:
    profile.write_text(profile.read_text() + 'sbatch = ["--begin=now+1hour"]\n')
    job = submit_train(data, db, train_settings(mllama, on="slurm"))
    waiting = watched(data, db, job, lambda job: job.message.startswith("Waits in Slurm"))
    assert "(BeginTime), expected to start 20" in waiting.message
    stop(data, db, job.id)
    assert "Taken out of Slurm's queue" in jobs.must_get(db, job.id).message
    assert watched(data, db, job, is_over).state is JobState.STOPPED


def test_what_slurm_refuses_is_a_sentence(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path
) -> None:
    profile.write_text(profile.read_text().replace("debug", "nowhere"))
    with pytest.raises(UserError, match=r"Slurm refuses sbatch: .*partition"):
        submit_train(data, db, train_settings(mllama, on="slurm"))
    failed = jobs.all_jobs(db)[0]
    assert failed.state is JobState.FAILED and "partition" in failed.error
    with pytest.raises(UserError, match="radtui fetch org/name here first"):
        submit_train(data, db, train_settings("org/name", on="slurm"))
    assert len(jobs.all_jobs(db)) == 1  # it never was a job


def test_the_time_limit_saves_and_slurm_starts_it_again(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, held: Path
) -> None:
    # Slurm's limits are of whole minutes, and it sends the signal up to half a minute early.
    profile.write_text(profile.read_text().replace("save_before_s = 0", 'save_before_s = 5\ntime = "1"'))
    job = submit_train(
        data, db,
        train_settings(mllama, max_steps=12, eval_every=0, watch_images=0, checkpoint_every=0, on="slurm"),
    )  # fmt: skip
    watched(data, db, job, lambda job: job.step >= 5)
    warned = run_of(data, job).data.job(job.id)
    wait_until(lambda: any(warned.glob("time-is-up.*")), "Slurm's warning")
    held.unlink()
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 12)
    said = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert "Saved before the time limit; Slurm starts the job again" in said and "start 2" in said[-1]
    assert [step for step, _ in losses(db, job.id)] == list(range(1, 13))
    check_rows(data, db, job, tmp_path)
