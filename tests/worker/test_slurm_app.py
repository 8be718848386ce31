"""A job of a real Slurm as the app shows it: handed over by the form, waiting, at work, and taken away from outside."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from radtui.cluster import slurm
from radtui.jobs import reconcile
from radtui.paths import DataDir
from radtui.records import Job, JobState
from radtui.store import jobs
from radtui.store.database import connect
from tests.faults.harness import app as in_a_terminal
from tests.tui.driving import WIDE, opened, text_of, until
from tests.tui.training import form

from .conftest import train_settings
from .slurm_cluster import ON_SLURM, check_rows, is_over, watched

pytestmark = ON_SLURM
SECONDS = 120.0


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    return connect(data)


def number_of(job: Job) -> int:
    facts = job.result["slurm"]
    assert isinstance(facts, dict)
    return int(facts["id"])


async def test_from_the_form_to_a_cancel_from_outside(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, held: Path
) -> None:
    blocking = subprocess.run(
        ["sbatch", "--parsable", "--nodes=2", "--time=5", "--output=/dev/null", "--wrap=sleep 300"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    ).stdout.strip()  # fmt: skip
    profile.write_text(profile.read_text() + 'time = "5"\n')
    async with opened(data, "train", WIDE, reconcile=True) as (app, pilot):
        await until(pilot, lambda: form(app).form.list.has_focus)
        form(app).take(train_settings(mllama, max_steps=40, eval_every=0, watch_images=0), 0)
        form(app).form.list.change("on", "slurm")
        await pilot.press("S")
        await until(pilot, lambda: "Waits in Slurm as job" in text_of(app), SECONDS)
        await until(pilot, lambda: "(Resources), expected to start 20" in text_of(app), SECONDS)
        job = jobs.all_jobs(db)[0]
        slurm.cancel(int(blocking))
        await until(pilot, lambda: "Runs on n" in text_of(app), SECONDS)
        await until(pilot, lambda: jobs.must_get(db, job.id).step >= 5, SECONDS)
        await until(pilot, lambda: "loss" in text_of(app) and "5/40" in text_of(app), SECONDS)
    check_rows(data, db, job, tmp_path)
    with in_a_terminal(data) as terminal:  # the job runs, so it opens on it
        shown = terminal.settle(first_s=SECONDS, quiet_s=1.0).decode(errors="replace")
        assert "loss" in shown
        os.kill(terminal.pid, signal.SIGKILL)
    reconcile(data, db)
    check_rows(data, db, job, tmp_path)
    slurm.cancel(number_of(jobs.must_get(db, job.id)))
    async with opened(data, "train", WIDE, reconcile=True) as (app, pilot):
        await until(pilot, lambda: "Cancelled from outside" in text_of(app), SECONDS)
    cancelled = watched(data, db, job, is_over)
    assert cancelled.state is JobState.STOPPED and "not by radtui, in Slurm" in cancelled.message
    check_rows(data, db, job, tmp_path)
