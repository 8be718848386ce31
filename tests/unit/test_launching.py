"""Whose process a job's number is, and what stands where a worker's log belongs."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from radtui.jobs import launch, reconcile, resume, stop
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.settings import ImportSettings
from radtui.store import jobs

WAITS = "import sys, time; sys.stdout.write('up\\n'); sys.stdout.flush(); time.sleep(600)"


@pytest.fixture
def running(data: DataDir, db: sqlite3.Connection) -> Iterator[Job]:
    """A job at work, whose lock is held by a process that is none of the tests below."""
    job = jobs.create(
        db, JobKind.IMPORT, "import", "x", ImportSettings(source="phantoms", name="x").to_dict()
    )
    data.job(job.id).mkdir(parents=True)
    with data.lock(job.id).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        holder = subprocess.Popen(
            [sys.executable, "-c", WAITS], pass_fds=(lock.fileno(),), stdout=subprocess.PIPE
        )
    assert holder.stdout is not None and holder.stdout.readline()
    jobs.begin(db, job.id, holder.pid)
    yield jobs.must_get(db, job.id)
    holder.kill()
    holder.wait()
    holder.stdout.close()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Somebody else's process."""
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_stopping_a_job_now_ends_the_process_that_holds_its_lock(
    data: DataDir, db: sqlite3.Connection, running: Job
) -> None:
    stop(data, db, running.id, StopRequest.NOW)
    end = time.monotonic() + 60
    while launch.alive(data, running.id):
        assert time.monotonic() < end, "the worker was not told"
        time.sleep(0.02)
    reconcile(data, db)
    assert jobs.must_get(db, running.id).state is JobState.STOPPED


def test_a_number_that_is_another_process_s_now_is_not_signalled(
    data: DataDir, db: sqlite3.Connection, running: Job, bystander: subprocess.Popen[bytes]
) -> None:
    db.execute("UPDATE jobs SET pid = ? WHERE id = ?", (bystander.pid, running.id))
    stop(data, db, running.id, StopRequest.NOW)
    with pytest.raises(subprocess.TimeoutExpired):
        bystander.wait(0.3)
    now = jobs.must_get(db, running.id)
    # Its worker reads that itself.
    assert now.state is JobState.RUNNING and now.stop_requested is StopRequest.NOW


@pytest.mark.parametrize("number", [1, 2**22 - 1, -1, 0])
def test_a_number_that_is_nobody_s_or_everybody_s_is_not_signalled(
    data: DataDir, running: Job, number: int
) -> None:
    assert not launch.terminate(data, running.id, number)
    assert launch.alive(data, running.id)


def test_a_pipe_in_place_of_a_log_is_a_sentence_and_waits_for_nobody(
    data: DataDir, db: sqlite3.Connection
) -> None:
    job = jobs.create(
        db, JobKind.IMPORT, "import", "x", ImportSettings(source="phantoms", name="x").to_dict()
    )
    jobs.settle(db, job.id, JobState.LOST)
    data.job(job.id).mkdir(parents=True)
    os.mkfifo(data.log(job.id))
    signal.alarm(60)  # what waits for a reader of the pipe ends here
    try:
        with pytest.raises(UserError, match=f"Cannot start the worker of job {job.id}: "):
            resume(data, db, job.id)
    finally:
        signal.alarm(0)
    assert jobs.must_get(db, job.id).state is JobState.FAILED
