"""A job of a real Slurm as the app shows it: handed over by the form, waiting, at work, and taken away from outside."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot

from radtui.cluster import slurm
from radtui.jobs import reconcile
from radtui.paths import DataDir
from radtui.records import Job, JobState
from radtui.store import jobs
from radtui.store.database import connect
from radtui.tui.app import RadtuiApp
from tests.faults.harness import app as in_a_terminal
from tests.tui.driving import WIDE, opened, text_of, until
from tests.tui.training import form

from .conftest import train_settings
from .slurm_cluster import ON_SLURM, check_rows, is_over, watched

pytestmark = ON_SLURM
SECONDS = 120.0  # for what takes some ten, on a busy machine


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    return connect(data)


def number_of(job: Job) -> int:
    facts = job.result["slurm"]
    assert isinstance(facts, dict)
    return int(facts["id"])


async def shown(app: RadtuiApp, pilot: Pilot[None], words: str) -> None:
    """Wait until something stands on the screen; fails with what stands there instead."""
    try:
        await until(pilot, lambda: words in text_of(app), SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{words!r} is not in\n{text_of(app)}") from error


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
        form(app)._fill(train_settings(mllama, max_steps=40, eval_every=0, watch_images=0))
        form(app).form.list.change("on", "slurm")
        await pilot.press("S")
        await shown(app, pilot, "Waits in Slurm as job")
        await shown(app, pilot, "(Resources), expected to start 20")
        job = jobs.all_jobs(db)[0]
        slurm.cancel(int(blocking))
        await shown(app, pilot, "Runs on n")
        await until(pilot, lambda: jobs.must_get(db, job.id).step >= 5, SECONDS)
        await shown(app, pilot, "5/40")
    check_rows(data, db, job, tmp_path)
    with in_a_terminal(data) as terminal:  # the job runs, so it opens on it
        drawn, end = b"", time.monotonic() + SECONDS
        while b"Loss" not in drawn:
            assert time.monotonic() < end, drawn
            drawn += terminal.read(1.0)
        os.kill(terminal.pid, signal.SIGKILL)
    reconcile(data, db)
    check_rows(data, db, job, tmp_path)
    slurm.cancel(number_of(jobs.must_get(db, job.id)))
    async with opened(data, "train", WIDE, reconcile=True) as (app, pilot):
        await shown(app, pilot, "Cancelled from outside")
    cancelled = watched(data, db, job, is_over)
    assert cancelled.state is JobState.STOPPED and "not by radtui, in Slurm" in cancelled.message
    check_rows(data, db, job, tmp_path)
