"""What one job needs of the database, as a small database of its own that is written once and never again.

A machine of the cluster works on a copy of it and never opens the database itself: SQLite's log must not lie on a file
system that several machines write. Ids are those of the database it comes from.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from radtui.records import Job, UserError
from radtui.store.place import Connection
from radtui.store.schema import migrate
from radtui.store.schema_version import SCHEMA_VERSION

HERE = "@run"
"""Stands for the job's folder in settings: that may be copied to another place."""

RATED = ("dpo", "corrections")  # objectives of what readers said
OF_CASES = {
    "cases": "id IN (SELECT id FROM wanted)",
    "case_images": "case_id IN (SELECT id FROM wanted)",
    "images": "sha256 IN (SELECT sha256 FROM main.case_images)",
    "truths": "case_id IN (SELECT id FROM wanted)",
}
"""Tables and their rows that every job needs."""

OF_RATERS = {
    "studies": "dataset = :dataset",
    "study_arms": "study_id IN (SELECT id FROM main.studies)",
    "study_cases": "study_id IN (SELECT id FROM main.studies)",
    "assignments": "study_id IN (SELECT id FROM main.studies)",
    "ratings": "study_id IN (SELECT id FROM main.studies)",
    "reveals": "study_id IN (SELECT id FROM main.studies)",
    "arm_texts": "case_id IN (SELECT id FROM wanted)",
    "texts": "id IN (SELECT text_id FROM main.arm_texts)",
    "job_arms": "1",
    "arms": "1",
    "prompts": "id IN (SELECT prompt_id FROM main.texts)",
}
"""What a job needs beside these that learns from what readers said."""

OF_TEXTS = {
    "work": "job_id = :job_id",
    "texts": "model = :model AND case_id IN (SELECT id FROM wanted)",
    "prompts": "id IN (SELECT prompt_id FROM main.texts)",
}
"""What a job needs that describes: the texts that it may take over instead of writing them."""


def write(
    database: Path, file: Path, job: Job, case_ids: Sequence[int], settings: Mapping[str, object]
) -> None:
    """Write the snapshot of a job.

    Args:
        database: The database.
        file: The snapshot; must not be there yet.
        job: The job, its row committed.
        case_ids: The cases that it works with.
        settings: The job's, with folders as the machine that does it sees them.
    """
    tables = {"datasets": "name = :dataset", "jobs": "id IN (SELECT id FROM jobs_wanted)", **OF_CASES}
    tables |= OF_RATERS if settings.get("objective") in RATED else {}
    tables |= OF_TEXTS if job.kind == "generate" else {}
    values = {"dataset": job.dataset, "job_id": job.id, "model": settings.get("model", "")}
    with closing(sqlite3.connect(file.absolute().as_uri(), isolation_level=None, uri=True)) as db:
        db.row_factory = sqlite3.Row
        migrate(db)
        db.execute("ATTACH ? AS home", (f"{database.absolute().as_uri()}?mode=ro",))
        db.execute("CREATE TEMP TABLE wanted (id INTEGER PRIMARY KEY)")
        db.execute("CREATE TEMP TABLE jobs_wanted (id INTEGER PRIMARY KEY)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO wanted VALUES (?)", [(case_id,) for case_id in case_ids])
        behind = _jobs_behind(db, job)
        behind += _describing(db, behind) if settings.get("objective") in RATED else []
        db.executemany("INSERT OR IGNORE INTO jobs_wanted VALUES (?)", [(job_id,) for job_id in behind])
        for table, condition in tables.items():
            db.execute(f"INSERT INTO main.{table} SELECT * FROM home.{table} WHERE {condition}", values)
        db.execute(
            "UPDATE jobs SET settings = ?, stop_requested = '' WHERE id = ?", (json.dumps(settings), job.id)
        )
        db.execute("COMMIT")


def _jobs_behind(db: sqlite3.Connection, job: Job) -> list[int]:
    """The job, and those that it goes on from or uses, one behind the other."""
    wanted: list[int] = []
    ahead: list[object] = [job.id]
    while ahead:
        job_id = ahead.pop()
        row = db.execute("SELECT settings, parent_job_id FROM home.jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None or not isinstance(job_id, int) or job_id in wanted:
            continue
        wanted.append(job_id)
        settings = json.loads(row[0])
        ahead += [row[1], settings.get("from_job"), settings.get("train_job")]
    return wanted


def _describing(db: sqlite3.Connection, job_ids: Sequence[int]) -> list[int]:
    """The jobs whose texts readers saw: those that described with what these jobs had learnt."""
    marks = ",".join("?" * len(job_ids))
    rows = db.execute(
        f"SELECT id FROM home.jobs WHERE kind = 'generate' AND parent_job_id IN ({marks})", job_ids
    )
    return [int(row[0]) for row in rows]


def look(snapshot: Path) -> sqlite3.Connection:
    """A connection to a snapshot as it lies, which writes nothing, not even beside it."""
    db = sqlite3.connect(
        f"{snapshot.absolute().as_uri()}?mode=ro&immutable=1", isolation_level=None, uri=True
    )
    db.row_factory = sqlite3.Row
    return db


def open_copy(snapshot: Path, file: Path, folder: Path) -> Connection:
    """A copy of a snapshot to work with, on this machine's own disk; its rows outlive nothing.

    Args:
        snapshot: From `write`.
        file: The copy.
        folder: What `HERE` in settings stands for.

    Raises:
        UserError: Another version of radtui wrote the snapshot.
    """
    shutil.copyfile(snapshot, file)
    db = sqlite3.connect(file, isolation_level=None, factory=Connection)
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version != SCHEMA_VERSION:
        db.close()
        raise UserError(
            f"The job was submitted by a radtui of schema {version} and this one has schema {SCHEMA_VERSION}: name the"
            " same installation as python in the profile, and submit the job anew."
        )
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA journal_mode=MEMORY")
    db.remember(file)
    db.execute("UPDATE jobs SET settings = replace(settings, ?, ?)", (HERE, json.dumps(str(folder))[1:-1]))
    return db
