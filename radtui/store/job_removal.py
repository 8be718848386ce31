"""What hangs on a job's row, and taking the row out where nothing does: texts, ratings and cases are never deleted."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from radtui.store.database import writing

OWN_TABLES = ("metrics", "events", "problems", "work", "arm_texts", "job_arms")
"""Tables whose rows of a job mean nothing without it."""


@dataclass(frozen=True, slots=True)
class Bonds:
    """What the database has of a job beside its row.

    Attributes:
        texts: Texts that it wrote, without watched ones.
        watched: Texts that it wrote while training.
        points: Points of its curves.
        questions: Questions that were asked in it.
        studies: Names of the studies that its texts are in.
        ratings: Ratings of these studies.
        job_ids: Jobs that were made from it, wait for it or go on from it.
    """

    texts: int
    watched: int
    points: int
    questions: int
    studies: tuple[str, ...]
    ratings: int
    job_ids: tuple[int, ...]

    @property
    def hold(self) -> bool:
        """Whether the row must stay."""
        return bool(self.texts or self.studies or self.job_ids)


def bonds(db: sqlite3.Connection, job_id: int) -> Bonds:
    """Count what hangs on a job."""

    def count(sql: str) -> int:
        return int(db.execute(sql, (job_id,)).fetchone()[0])

    # A study that a generation job opened by itself and that has neither texts nor readers is no more than the job.
    studies = db.execute(
        "SELECT id, name FROM studies s WHERE (job_id = ?1 AND ("
        "EXISTS (SELECT 1 FROM assignments WHERE study_id = s.id) OR EXISTS (SELECT 1 FROM ratings"
        " WHERE study_id = s.id) OR EXISTS (SELECT 1 FROM study_cases WHERE study_id = s.id)))"
        " OR EXISTS (SELECT 1 FROM study_arms WHERE study_id = s.id AND job_id = ?1 AND s.job_id IS NOT ?1)"
        " ORDER BY id",
        (job_id,),
    ).fetchall()
    others = db.execute(
        "SELECT id FROM jobs WHERE id != ?1 AND (parent_job_id = ?1 OR after_job_id = ?1"
        " OR json_extract(settings, '$.from_job') = ?1 OR json_extract(settings, '$.train_job') = ?1) ORDER BY id",
        (job_id,),
    )
    return Bonds(
        texts=count("SELECT count(*) FROM arm_texts WHERE job_id = ? AND step IS NULL"),
        watched=count("SELECT count(*) FROM arm_texts WHERE job_id = ? AND step IS NOT NULL"),
        points=count("SELECT count(*) FROM metrics WHERE job_id = ?"),
        questions=count("SELECT count(*) FROM events WHERE job_id = ? AND kind = 'ask'"),
        studies=tuple(row["name"] for row in studies),
        ratings=sum(
            int(db.execute("SELECT count(*) FROM ratings WHERE study_id = ?", (row["id"],)).fetchone()[0])
            for row in studies
        ),
        job_ids=tuple(row[0] for row in others),
    )


def take_out(db: sqlite3.Connection, job_id: int) -> bool:
    """Delete the row of an ended job on which nothing hangs, with its points, events and watched texts.

    Returns:
        False, with nothing changed, where it is live or something does hang on it.
    """
    with writing(db):
        row = db.execute("SELECT state FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None or row[0] in ("queued", "starting", "running") or bonds(db, job_id).hold:
            return False
        own = "SELECT id FROM studies WHERE job_id = ?"
        for table in ("study_arms", "study_cases", "reveals"):
            db.execute(f"DELETE FROM {table} WHERE study_id IN ({own})", (job_id,))
        db.execute("DELETE FROM studies WHERE job_id = ?", (job_id,))
        for table in OWN_TABLES:
            db.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))
        db.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
    return True


def freed(db: sqlite3.Connection, job_id: int, gone: list[str]) -> None:
    """Archive a job whose row stays, and keep which of its files are gone."""
    with writing(db):
        result = json.loads(db.execute("SELECT result FROM jobs WHERE id = ?", (job_id,)).fetchone()[0])
        db.execute(
            "UPDATE jobs SET archived = 1, result = ? WHERE id = ?",
            (json.dumps({**result, "deleted": gone}), job_id),
        )
