"""Jobs: one row each, from the moment they are asked for."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import fields

from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.store.database import writing

LIVE = "('queued', 'starting', 'running')"
KNOWN = tuple(field.name for field in fields(Job))
"""Columns of a job, by the names of its record's fields."""


def create(
    db: sqlite3.Connection,
    kind: JobKind,
    name: str,
    dataset: str,
    settings: Mapping[str, object],
    *,
    parent_job_id: int | None = None,
    after_job_id: int | None = None,
    case_ids: list[int] | None = None,
) -> Job:
    """Insert a job, and its work list when `case_ids` is given, in one transaction.

    A job with `after_job_id` is queued until that one is done; any other is about to be started.
    """
    state = JobState.STARTING if after_job_id is None else JobState.QUEUED
    with writing(db):
        job_id = db.execute(
            "INSERT INTO jobs (kind, state, name, dataset, settings, parent_job_id, after_job_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind, state, name, dataset, json.dumps(settings), parent_job_id, after_job_id, time.time()),
        ).lastrowid
        assert job_id is not None
        db.executemany(
            "INSERT INTO work (job_id, case_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(job_id, case_id) for case_id in case_ids or ()],
        )
    return must_get(db, job_id)


def get(db: sqlite3.Connection, job_id: int) -> Job | None:
    """One job, or None."""
    row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return _job(row) if row else None


def must_get(db: sqlite3.Connection, job_id: int) -> Job:
    """One job that is known to be there. Raises KeyError when it is not."""
    job = get(db, job_id)
    if job is None:
        raise KeyError(f"no job {job_id}")
    return job


def all_jobs(db: sqlite3.Connection) -> list[Job]:
    """Every job, newest first."""
    return [_job(row) for row in db.execute("SELECT * FROM jobs ORDER BY id DESC")]


def total(db: sqlite3.Connection) -> int:
    """How many jobs there are, ended ones included."""
    return int(db.execute("SELECT count(*) FROM jobs").fetchone()[0])


def live(db: sqlite3.Connection) -> list[Job]:
    """Jobs that a worker is, or will be, at work on; oldest first."""
    return [_job(row) for row in db.execute(f"SELECT * FROM jobs WHERE state IN {LIVE} ORDER BY id")]


def newest(
    db: sqlite3.Connection, kind: JobKind, state: JobState | None = None, dataset: str = ""
) -> Job | None:
    """The newest job of a kind, of a state and data set when named, or None."""
    sql, values = "SELECT * FROM jobs WHERE kind = ?", [str(kind)]
    if state is not None:
        sql += " AND state = ?"
        values.append(str(state))
    if dataset:
        sql += " AND dataset = ?"
        values.append(dataset)
    row = db.execute(sql + " ORDER BY id DESC LIMIT 1", values).fetchone()
    return _job(row) if row else None


def children(db: sqlite3.Connection, job_id: int, kind: JobKind) -> list[Job]:
    """Jobs of a kind that were made from this one, oldest first."""
    rows = db.execute("SELECT * FROM jobs WHERE parent_job_id = ? AND kind = ? ORDER BY id", (job_id, kind))
    return [_job(row) for row in rows]


def learnt_references(db: sqlite3.Connection, train: Job) -> Job | None:
    """The job that learnt references: itself, or the one that learning from raters began with; None when it is gone."""
    ancestor: Job | None = train
    while ancestor is not None and ancestor.settings.get("objective") in ("dpo", "corrections"):
        before = ancestor.settings.get("from_job")
        ancestor = get(db, before) if isinstance(before, int) and before < ancestor.id else None
    return ancestor


def followers(db: sqlite3.Connection, job_id: int) -> list[Job]:
    """Queued jobs that wait for this one."""
    rows = db.execute("SELECT * FROM jobs WHERE after_job_id = ? AND state = 'queued' ORDER BY id", (job_id,))
    return [_job(row) for row in rows]


def begin(db: sqlite3.Connection, job_id: int, pid: int | None, at: float | None = None) -> None:
    """The worker is up: state `running`, first heartbeat.

    A stop that was asked for while it started stays; one left over from an earlier run does not. On a cluster it stays
    in any case: a job may be started anew before anybody here has seen it wait.

    Args:
        db: The database.
        job_id: The job.
        pid: The worker's process; None where it is one of another machine.
        at: When that was, Unix seconds; None for now. So in all that a worker writes.
    """
    now = time.time() if at is None else at
    with writing(db):
        db.execute(
            "UPDATE jobs SET state = 'running', pid = ?, started_at = coalesce(started_at, ?), heartbeat_at = ?,"
            " ended_at = NULL, error = '',"
            " stop_requested = CASE WHEN state = 'starting' OR json_extract(result, '$.slurm') IS NOT NULL"
            " THEN stop_requested ELSE '' END WHERE id = ?",
            (pid, now, now, job_id),
        )


def begin_again(db: sqlite3.Connection, job_id: int, at: float | None = None) -> None:
    """The worker is about to be replaced by a new process of the same job; a stop asked for meanwhile stays."""
    now = time.time() if at is None else at
    with writing(db):
        db.execute("UPDATE jobs SET state = 'starting', heartbeat_at = ? WHERE id = ?", (now, job_id))


def started(db: sqlite3.Connection, job_id: int, pid: int) -> None:
    """Note the process that was started for a job, unless it has written its own number already."""
    with writing(db):
        db.execute("UPDATE jobs SET pid = coalesce(pid, ?) WHERE id = ?", (pid, job_id))


def claim(db: sqlite3.Connection, job_id: int) -> bool:
    """Move a job from queued to starting; False when another process was quicker."""
    with writing(db):
        claimed = db.execute(
            "UPDATE jobs SET state = 'starting', heartbeat_at = ? WHERE id = ? AND state = 'queued'",
            (time.time(), job_id),
        )
    return claimed.rowcount == 1


def leave_queue(db: sqlite3.Connection, job_id: int, message: str) -> bool:
    """Move a job from queued to stopped; False when another process has started it meanwhile."""
    with writing(db):
        left = db.execute(
            "UPDATE jobs SET state = 'stopped', message = ?, ended_at = ? WHERE id = ? AND state = 'queued'",
            (message, time.time(), job_id),
        )
    return left.rowcount == 1


def settle(db: sqlite3.Connection, job_id: int, state: JobState, error: str = "") -> None:
    """A job's worker is gone without a word; nothing changes when it has written its end meanwhile."""
    with writing(db):
        db.execute(
            f"UPDATE jobs SET state = ?, error = ?, ended_at = coalesce(heartbeat_at, ?), pid = NULL"
            f" WHERE id = ? AND state IN {LIVE}",
            (state, error, time.time(), job_id),
        )


def restart(db: sqlite3.Connection, job_id: int) -> bool:
    """An ended job is about to be started again, and jobs that never started because it stopped wait for it again.

    Its start moves on by the time for which it was over, so that from start to end is the time it ran.

    Returns:
        False, with nothing changed, when it is live: another process was quicker.
    """
    with writing(db):
        restarted = db.execute(
            "UPDATE jobs SET state = 'starting', error = '', message = '', stop_requested = '', ended_at = NULL,"
            " pid = NULL, started_at = started_at + ?1 - coalesce(ended_at, ?1), heartbeat_at = ?1"
            f" WHERE id = ?2 AND state NOT IN {LIVE}",
            (time.time(), job_id),
        )
        if not restarted.rowcount:
            return False
        never = "state = 'stopped' AND started_at IS NULL"
        db.execute(
            f"WITH RECURSIVE behind (id) AS (SELECT id FROM jobs WHERE after_job_id = ? AND {never} UNION"
            f" SELECT jobs.id FROM jobs JOIN behind ON after_job_id = behind.id WHERE {never})"
            " UPDATE jobs SET state = 'queued', message = '', ended_at = NULL WHERE id IN behind",
            (job_id,),
        )
    return True


def progress(
    db: sqlite3.Connection,
    job_id: int,
    step: int,
    total: int,
    message: str | None = None,
    at: float | None = None,
) -> StopRequest:
    """Write how far a job is, with its heartbeat; returns what the app asks of it."""
    row = db.execute(
        "UPDATE jobs SET step = ?, total_steps = ?, heartbeat_at = ?, message = coalesce(?, message)"
        " WHERE id = ? RETURNING stop_requested",
        (step, total, time.time() if at is None else at, message, job_id),
    ).fetchone()
    return StopRequest(row[0])


def set_result(db: sqlite3.Connection, job_id: int, **facts: object) -> None:
    """Add facts to a job's result (adapter path, trainable parameters, counts)."""
    with writing(db):
        row = db.execute("SELECT result FROM jobs WHERE id = ?", (job_id,)).fetchone()
        merged = {**json.loads(row[0]), **facts}
        db.execute("UPDATE jobs SET result = ? WHERE id = ?", (json.dumps(merged), job_id))


def end(
    db: sqlite3.Connection,
    job_id: int,
    state: JobState,
    error: str = "",
    message: str | None = None,
    at: float | None = None,
) -> None:
    """A job is over, for now."""
    with writing(db):
        db.execute(
            "UPDATE jobs SET state = ?, error = ?, message = coalesce(?, message), ended_at = ?, pid = NULL"
            " WHERE id = ?",
            (state, error, message, time.time() if at is None else at, job_id),
        )


def request_stop(db: sqlite3.Connection, job_id: int, request: StopRequest) -> None:
    """Ask a job's worker to stop; it reads this with its next row."""
    with writing(db):
        db.execute("UPDATE jobs SET stop_requested = ? WHERE id = ?", (request, job_id))


def on_cluster(db: sqlite3.Connection) -> list[Job]:
    """Jobs that Slurm may still have something to say of, oldest first, whatever their state."""
    rows = db.execute("SELECT * FROM jobs WHERE json_extract(result, '$.slurm.over') = 0 ORDER BY id")
    return [_job(row) for row in rows]


def handed_over(db: sqlite3.Connection) -> list[Job]:
    """All jobs that were ever handed to Slurm, oldest first."""
    rows = db.execute("SELECT * FROM jobs WHERE json_extract(result, '$.slurm') IS NOT NULL ORDER BY id")
    return [_job(row) for row in rows]


def wait_again(db: sqlite3.Connection, job_id: int, message: str) -> None:
    """A job is in Slurm's queue, for the first time or once more: it starts by itself."""
    with writing(db):
        db.execute(
            "UPDATE jobs SET state = 'starting', message = ?, error = '', ended_at = NULL, pid = NULL"
            " WHERE id = ? AND (state != 'starting' OR message != ?)",
            (message, job_id, message),
        )


def is_running(db: sqlite3.Connection, job_id: int) -> None:
    """A job that seemed to wait has written a row: it runs."""
    db.execute("UPDATE jobs SET state = 'running' WHERE id = ? AND state = 'starting'", (job_id,))


def remark(db: sqlite3.Connection, job_id: int, message: str) -> None:
    """Say something of a job that its worker does not know."""
    with writing(db):
        db.execute("UPDATE jobs SET message = ? WHERE id = ?", (message, job_id))


def say_of(
    db: sqlite3.Connection,
    job_id: int,
    *,
    name: str | None = None,
    note: str | None = None,
    archived: bool | None = None,
) -> None:
    """Keep what its user says of a job; None leaves a field as it is."""
    with writing(db):
        db.execute(
            "UPDATE jobs SET name = coalesce(?, name), note = coalesce(?, note), archived = coalesce(?, archived)"
            " WHERE id = ?",
            (name, note, archived, job_id),
        )


def _job(row: sqlite3.Row) -> Job:
    values = {name: row[name] for name in KNOWN}  # a newer radtui may have added columns under an open app
    values["kind"] = JobKind(values["kind"])
    values["state"] = JobState(values["state"])
    values["stop_requested"] = StopRequest(values["stop_requested"])
    values["settings"] = json.loads(values["settings"])
    values["result"] = json.loads(values["result"])
    values["archived"] = bool(values["archived"])
    return Job(**values)
