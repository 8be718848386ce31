"""Metric points and events of jobs: written by the worker with its heartbeat, read by cursor."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Mapping

from radtui.records import Event, Metric, StopRequest
from radtui.store.database import writing


def log_step(
    db: sqlite3.Connection,
    job_id: int,
    step: int,
    total_steps: int,
    epoch: float,
    elapsed_s: float,
    values: Mapping[str, float],
    at: float | None = None,
) -> StopRequest:
    """Write one step: its metric rows, progress and heartbeat, all or nothing.

    A value that is not finite is stored as NULL, and drawn as a gap.

    Returns:
        What the app asks of the worker.
    """
    with writing(db):
        db.executemany(
            "INSERT INTO metrics (job_id, step, epoch, elapsed_s, name, value) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (job_id, step, epoch, elapsed_s, name, value if math.isfinite(value) else None)
                for name, value in values.items()
            ],
        )
        row = db.execute(
            "UPDATE jobs SET step = ?, total_steps = ?, heartbeat_at = ? WHERE id = ? RETURNING stop_requested",
            (step, total_steps, time.time() if at is None else at, job_id),
        ).fetchone()
    return StopRequest(row[0])


def since(db: sqlite3.Connection, job_id: int, cursor: int, limit: int = 20_000) -> list[Metric]:
    """Points with `id > cursor`, oldest first; read again with the last id until fewer than `limit` come."""
    rows = db.execute(
        "SELECT id, step, epoch, elapsed_s, name, value FROM metrics WHERE job_id = ? AND id > ?"
        " ORDER BY id LIMIT ?",
        (job_id, cursor, limit),
    )
    return [Metric(*row) for row in rows]


def recent_steps(db: sqlite3.Connection, job_id: int, limit: int) -> list[tuple[int, float]]:
    """The last steps since the job was last resumed that have a point, with their elapsed seconds; oldest first."""
    rows = db.execute(
        "SELECT DISTINCT step, elapsed_s FROM (SELECT step, elapsed_s FROM metrics WHERE job_id = ?1"
        " ORDER BY id DESC LIMIT ?2) WHERE step > coalesce((SELECT max(step) FROM events WHERE job_id = ?1"
        " AND kind = 'resume'), -1) ORDER BY step",
        (job_id, limit),
    )
    return [(row[0], row[1]) for row in rows]


def drop_after(db: sqlite3.Connection, job_id: int, step: int) -> None:
    """Forget points, events and watched descriptions past a step: a resumed job repeats those steps.

    Where it ran stays true.
    """
    with writing(db):
        db.execute("DELETE FROM metrics WHERE job_id = ? AND step > ?", (job_id, step))
        db.execute("DELETE FROM events WHERE job_id = ? AND step > ? AND kind != 'cluster'", (job_id, step))
        past = "SELECT text_id FROM arm_texts WHERE job_id = ? AND step > ?"
        text_ids = [row[0] for row in db.execute(past, (job_id, step))]
        db.execute("DELETE FROM arm_texts WHERE job_id = ? AND step > ?", (job_id, step))
        # The text too: what is written again at that step would otherwise count as there already.
        db.executemany(
            "DELETE FROM texts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM arm_texts WHERE text_id = ?1)",
            [(text_id,) for text_id in text_ids],
        )


def drop_beginning(db: sqlite3.Connection, job_id: int, step: int, series_end: str, text_start: str) -> None:
    """Forget what a training that goes on where another ended wrote at its first step, and not the other's last.

    Args:
        db: The database.
        job_id: The job.
        step: The one that both share.
        series_end: What names of its series end with.
        text_start: What texts of its events begin with.
    """
    with writing(db):
        db.execute(
            "DELETE FROM metrics WHERE job_id = ?1 AND step = ?2 AND substr(name, -length(?3)) = ?3",
            (job_id, step, series_end),
        )
        db.execute(
            "DELETE FROM events WHERE job_id = ?1 AND step = ?2 AND substr(text, 1, length(?3)) = ?3",
            (job_id, step, text_start),
        )


def add_event(
    db: sqlite3.Connection, job_id: int, step: int, elapsed_s: float, kind: str, text: str = ""
) -> None:
    """Record something that happened at a step; `records.Event` names the kinds, and `cluster` is where a job ran."""
    db.execute(
        "INSERT INTO events (job_id, step, elapsed_s, kind, text) VALUES (?, ?, ?, ?, ?)",
        (job_id, step, elapsed_s, kind, text),
    )


def events_since(db: sqlite3.Connection, job_id: int, cursor: int) -> list[Event]:
    """Events with `id > cursor`, oldest first."""
    rows = db.execute(
        "SELECT id, step, elapsed_s, kind, text FROM events WHERE job_id = ? AND id > ? ORDER BY id",
        (job_id, cursor),
    )
    return [Event(*row) for row in rows]


def last_values(db: sqlite3.Connection, job_id: int) -> dict[str, float | None]:
    """The newest value of each series of a job, by name."""
    rows = db.execute(
        "SELECT name, value FROM metrics WHERE id IN (SELECT max(id) FROM metrics WHERE job_id = ? GROUP BY name)",
        (job_id,),
    )
    return dict(rows)


def mean_of_last(db: sqlite3.Connection, job_id: int, name: str, count: int) -> float | None:
    """The mean of the last `count` finite values of a series; None where it has none."""
    row = db.execute(
        "SELECT avg(value) FROM (SELECT value FROM metrics WHERE job_id = ? AND name = ? AND value IS NOT NULL"
        " ORDER BY id DESC LIMIT ?)",
        (job_id, name, count),
    ).fetchone()
    return None if row[0] is None else float(row[0])
