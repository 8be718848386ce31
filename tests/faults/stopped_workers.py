"""A worker is stopped for minutes, as by a debugger or a machine that sleeps, and goes on or is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.jobs import alive, reconcile, resume, stop
from radtui.jobs.removal import plan_removal
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.store import jobs
from radtui.store.database import connect
from tests.faults.clocks import losses
from tests.faults.harness import LIMIT_S, Facts, radtui
from tests.faults.kills_of_jobs import new_job
from tests.faults.workers import forked_workers, run_to_end, tiny_model
from tests.worker.conftest import fill, train_settings

MINUTES_S, MOMENT_S = 130.0, 3.0
LONG = 2  # rounds of minutes, of many


def stopped_workers(scratch: Path, rounds: int) -> Facts:
    """A worker is stopped for minutes: it counts as running, is not started twice, and goes on, ends or is killed."""
    settings = train_settings(tiny_model(), max_steps=20, checkpoint_every=2)
    stopped_s, ended = 0.0, 0
    with forked_workers():
        data, job = new_job(scratch / "unharmed", JobKind.TRAIN, settings, fill)
        with contextlib.closing(connect(data)) as db:
            run_to_end(data, db, job.id)
        expected = losses(data)
        for number in range(rounds):
            data, job = new_job(scratch / str(number), JobKind.TRAIN, settings, fill)
            with contextlib.closing(connect(data)) as db:
                resume(data, db, job.id)
                running = _until(data, db, job.id, lambda job: job.step >= 2)
                assert running.pid is not None and running.state.live
                os.killpg(running.pid, signal.SIGSTOP)
                pause_s = MINUTES_S if rounds > LONG and number < LONG else MOMENT_S
                _looked_at(data, db, job.id, pause_s)
                stopped_s += pause_s
                ended += _goes_on(data, db, running, number)
                run_to_end(data, db, job.id)
            assert losses(data) == expected
    return {"times": rounds, "stopped s": round(stopped_s), "ended while stopped": ended, "other losses": 0}


def _looked_at(data: DataDir, db: sqlite3.Connection, job_id: int, pause_s: float) -> None:
    """While it is stopped the job runs, whoever looks and however often."""
    end = time.monotonic() + pause_s
    while time.monotonic() < end:
        reconcile(data, db)
        assert jobs.must_get(db, job_id).state is JobState.RUNNING and alive(data, job_id)
        time.sleep(0.5)
    for refused in (lambda: resume(data, db, job_id), lambda: plan_removal(data, db, job_id)):
        with pytest.raises(UserError):
            refused()
    assert radtui(data, "jobs", "list")[0] == 0


def _goes_on(data: DataDir, db: sqlite3.Connection, job: Job, number: int) -> bool:
    """Let it go on, stop it while it cannot hear, or kill it; whether it ended by that."""
    assert job.pid is not None
    if number % 3 == 1:
        stop(data, db, job.id, StopRequest.NOW)
        assert jobs.must_get(db, job.id).state is JobState.RUNNING
    elif number % 3 == 2:
        os.kill(job.pid, signal.SIGKILL)
        assert _until(data, db, job.id, lambda job: not job.state.live).state is JobState.LOST
    with contextlib.suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGCONT)
    if number % 3 == 1:
        assert _until(data, db, job.id, lambda job: not job.state.live).state is JobState.STOPPED
    return bool(number % 3)


def _until(data: DataDir, db: sqlite3.Connection, job_id: int, holds: Callable[[Job], bool]) -> Job:
    end = time.monotonic() + LIMIT_S
    while not holds(job := jobs.must_get(db, job_id)):
        assert time.monotonic() < end, f"{job.state}: {data.log(job_id).read_text()[-1000:]}"
        time.sleep(0.005)
        reconcile(data, db)
    return job
