"""Helpers for tests of jobs on a cluster: a job's folder, its worker without Slurm, and rows to compare."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from radtui.cluster import packing, reading
from radtui.cluster.run_folder import RunFolder
from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import entries, job_snapshot, jobs
from radtui.store.database import connect

from .places import LIMIT_S, REPOSITORY

ROWS = {
    "metrics": "SELECT step, epoch, elapsed_s, name, value FROM metrics WHERE job_id = ? ORDER BY id",
    "events": "SELECT step, elapsed_s, kind, text FROM events WHERE job_id = ? ORDER BY id",
    "texts": "SELECT case_id, arm, step, text, prompt, decoding, tokens, seconds, truncated, created_at"
    " FROM descriptions WHERE job_id = ? ORDER BY id",
    "job": "SELECT step, total_steps, started_at IS NULL, heartbeat_at FROM jobs WHERE id = ?",
}


def packed(data: DataDir, job: Job, where: Path) -> RunFolder:
    """A job's folder, as a submission leaves it."""
    db = connect(data)
    run = packing.pack(data, db, job, where)
    jobs.set_result(db, job.id, slurm={"token": run.facts["token"], "folder": str(run.root), "over": True})
    db.close()
    return run


def start(run: RunFolder, restart: int = 0, **environment: str) -> subprocess.Popen[str]:
    """Start the worker as the batch script would."""
    command = [sys.executable, "-m", "radtui.worker", "--data-dir", str(run.root), str(run.job_id)]
    variables = {**os.environ, "SLURM_RESTART_COUNT": str(restart), **environment}
    return subprocess.Popen(
        command, env=variables, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What a worker printed, once it has ended."""
    output, _ = process.communicate(timeout=LIMIT_S)
    return output


def rows(db: sqlite3.Connection, job_id: int) -> dict[str, list[tuple[object, ...]]]:
    """Everything of a job that a worker writes."""
    return {name: [tuple(row) for row in db.execute(sql, (job_id,))] for name, sql in ROWS.items()}


def rows_of_files(run: RunFolder, scratch: Path) -> dict[str, list[tuple[object, ...]]]:
    """The same, as the event files alone have it."""
    db = job_snapshot.open_copy(run.snapshot, scratch / f"replayed-{os.urandom(4).hex()}.db", run.root)
    for entry in reading.entries(run.journal, reading.JournalPlace()):
        entries.apply(db, run.job_id, entry.kind, entry.facts, entry.at)
    return rows(db, run.job_id)
