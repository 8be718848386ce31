"""Reader studies: which arms are compared on which cases, and their texts side by side."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from radtui.records import ArmKind, Comparison, Description, Job, Study, StudyArm
from radtui.store import arms, texts
from radtui.store.database import READ_CHUNK, writing

# Texts of a study, by place among its arms: those of the arm's job, or of no job for a reference or a file.
PLACED = (
    "study_arms sa JOIN arm_texts l ON coalesce(l.job_id, 0) = coalesce(sa.job_id, 0) AND l.arm_id = sa.arm_id"
    " AND coalesce(l.step, -1) = -1"
)
# The training job that left an arm's adapter, NULL where it came from elsewhere: a number is cast as far as it goes.
WROTE_IT = "CASE WHEN a.adapter LIKE 'job %' THEN CAST(substr(a.adapter, 5) AS INTEGER) END"


def open_for_job(db: sqlite3.Connection, job: Job) -> Study:
    """The study that a generation job opens by itself over its arms, made once; its arms are known by then."""
    seed = job.settings.get("seed", 0)
    with writing(db):
        db.execute(
            "INSERT INTO studies (name, job_id, dataset, seed, created_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (job.name, job.id, job.dataset, seed if isinstance(seed, int) else 0, time.time()),
        )
        study_id = db.execute("SELECT id FROM studies WHERE job_id = ?", (job.id,)).fetchone()[0]
        db.executemany(
            "INSERT INTO study_arms (study_id, position, name, arm_id, job_id) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            [(study_id, at, arm.name, arm.id, job.id) for at, arm in enumerate(arms.of_job(db, job.id))],
        )
    return must_get(db, study_id)


def create(db: sqlite3.Connection, study: Study, case_ids: Iterable[int]) -> Study:
    """Store a study made by hand, with its cases; returns it with its id.

    Args:
        db: The database.
        study: Its id is not read; two arms at least, each by a name of its own.
        case_ids: The cases that readers see.
    """
    with writing(db):
        study_id = db.execute(
            "INSERT INTO studies (name, dataset, seed, protocol, created_at) VALUES (?, ?, ?, ?, ?)",
            (
                study.name,
                study.dataset,
                study.seed,
                json.dumps(study.protocol),
                study.created_at or time.time(),
            ),
        ).lastrowid
        assert study_id is not None
        db.executemany(
            "INSERT INTO study_arms (study_id, position, name, arm_id, job_id) VALUES (?, ?, ?, ?, ?)",
            [(study_id, at, arm.name, arm.arm_id, arm.job_id) for at, arm in enumerate(study.arms)],
        )
        db.executemany(
            "INSERT INTO study_cases (study_id, case_id) VALUES (?, ?)",
            [(study_id, case_id) for case_id in case_ids],
        )
    return must_get(db, study_id)


def get(db: sqlite3.Connection, study_id: int) -> Study | None:
    """One study, or None."""
    row = db.execute("SELECT * FROM studies WHERE id = ?", (study_id,)).fetchone()
    return _study(db, row) if row else None


def must_get(db: sqlite3.Connection, study_id: int) -> Study:
    """One study that is known to be there. Raises KeyError when it is not."""
    study = get(db, study_id)
    if study is None:
        raise KeyError(f"no study {study_id}")
    return study


def of_job(db: sqlite3.Connection, job_id: int) -> Study | None:
    """The study that a generation job opened, or None while it has not."""
    row = db.execute("SELECT * FROM studies WHERE job_id = ?", (job_id,)).fetchone()
    return _study(db, row) if row else None


def all_studies(db: sqlite3.Connection) -> list[Study]:
    """Every study, newest first."""
    return [_study(db, row) for row in db.execute("SELECT * FROM studies ORDER BY created_at DESC, id DESC")]


def with_reference(db: sqlite3.Connection) -> list[Study]:
    """The studies in which the reference is an arm, newest first."""
    rows = db.execute(
        "SELECT * FROM studies s WHERE EXISTS (SELECT 1 FROM study_arms sa JOIN arms a ON a.id = sa.arm_id"
        " WHERE sa.study_id = s.id AND a.kind = ?) ORDER BY created_at DESC, id DESC",
        (ArmKind.REFERENCE,),
    )
    return [_study(db, row) for row in rows]


def of_case(db: sqlite3.Connection, case_id: int) -> list[Study]:
    """The studies in which two arms or more have a text of a case, newest first; among those made by hand, with it."""
    rows = db.execute(
        "SELECT s.* FROM studies s WHERE s.id IN (SELECT sa.study_id FROM arm_texts l JOIN study_arms sa"
        " ON coalesce(l.job_id, 0) = coalesce(sa.job_id, 0) AND l.arm_id = sa.arm_id WHERE l.case_id = ?"
        " AND l.step IS NULL GROUP BY sa.study_id HAVING count(DISTINCT sa.position) > 1)"
        " AND (s.job_id IS NOT NULL OR EXISTS (SELECT 1 FROM study_cases c WHERE c.study_id = s.id AND c.case_id = ?))"
        " ORDER BY s.created_at DESC, s.id DESC",
        (case_id, case_id),
    )
    return [_study(db, row) for row in rows]


def instructions(db: sqlite3.Connection, study: Study) -> dict[str, str]:
    """What each model arm was told, by its name in the study; "" where nothing was.

    A case's own question goes before it: `case.asked(instructions[arm])` is what was asked, before any chat template.
    """
    return {arm.name: arms.get(db, arm.arm_id).instruction for arm in study.arms}


def lock(db: sqlite3.Connection, study_id: int, protocol: dict[str, object]) -> Study:
    """Fix a study's protocol: from now on nothing of it adapts. Raises ValueError when it is locked already."""
    with writing(db):
        changed = db.execute(
            "UPDATE studies SET protocol = ?, locked_at = ? WHERE id = ? AND locked_at IS NULL",
            (json.dumps(protocol), time.time(), study_id),
        )
        if changed.rowcount != 1:
            raise ValueError(f"study {study_id} is locked already")
    return must_get(db, study_id)


def _study(db: sqlite3.Connection, row: sqlite3.Row) -> Study:
    rows = db.execute(
        "SELECT s.name, s.arm_id, a.kind, s.job_id FROM study_arms s JOIN arms a ON a.id = s.arm_id"
        " WHERE s.study_id = ? ORDER BY s.position",
        (row["id"],),
    )
    placed = tuple(StudyArm(name, arm_id, ArmKind(kind), job_id) for name, arm_id, kind, job_id in rows)
    return Study(
        row["id"], row["name"], row["job_id"], row["dataset"], row["seed"], placed, json.loads(row["protocol"]),
        row["created_at"], row["locked_at"],
    )  # fmt: skip


def least_texts(study: Study) -> int:
    """How many arms must have a text of a case before anybody compares them there.

    All arms of a job, since which pair is drawn must not hang on which text came first; two of a study made by hand,
    where a file may not know all cases.
    """
    return len(study.arms) if study.job_id is not None else 2


def comparison_ids(db: sqlite3.Connection, study: Study) -> list[int]:
    """Case ids that readers can be shown: with enough arms' texts, by id."""
    among = (
        ""
        if study.job_id is not None
        else "AND l.case_id IN (SELECT case_id FROM study_cases WHERE study_id = ?)"
    )
    values = (study.id,) if study.job_id is not None else (study.id, study.id)
    rows = db.execute(
        f"SELECT l.case_id FROM {PLACED} WHERE sa.study_id = ? {among}"
        f" GROUP BY l.case_id HAVING count(DISTINCT sa.position) >= {least_texts(study)} ORDER BY l.case_id",
        values,
    )
    return [row[0] for row in rows]


def work_list(db: sqlite3.Connection, study: Study) -> list[int]:
    """Case ids that the study is about, known before the first text of them is written."""
    if study.job_id is not None:
        return texts.work_list(db, study.job_id)
    rows = db.execute("SELECT case_id FROM study_cases WHERE study_id = ? ORDER BY case_id", (study.id,))
    return [row[0] for row in rows]


def comparison(db: sqlite3.Connection, study: Study, case_id: int) -> Comparison | None:
    """What the arms say of one case, or None while too few have said anything."""
    return comparisons(db, study, [case_id]).get(case_id)


def comparisons(db: sqlite3.Connection, study: Study, case_ids: Sequence[int]) -> dict[int, Comparison]:
    """What the arms say of cases, by case; one of which too few have said anything is left out."""
    by_case: dict[int, dict[str, Description]] = {}
    for arm in study.arms:
        for case_id, text in texts.of_arm(db, arm.arm_id, arm.job_id, case_ids).items():
            by_case.setdefault(case_id, {})[arm.name] = (
                text if text.arm == arm.name else replace(text, arm=arm.name)
            )
    references: dict[int, str] = {}
    for start in range(0, len(case_ids), READ_CHUNK):
        chunk = case_ids[start : start + READ_CHUNK]
        marks = ",".join("?" * len(chunk))
        references.update(db.execute(f"SELECT id, reference FROM cases WHERE id IN ({marks})", chunk))
    least = least_texts(study)
    return {
        case_id: Comparison(study.id, case_id, by_arm, references[case_id])
        for case_id, by_arm in by_case.items()
        if len(by_arm) >= least
    }


def lengths(db: sqlite3.Connection, study: Study) -> list[tuple[int, str, str]]:
    """(case id, arm, text) of everything that the study's arms say, in no order: for counting words."""
    rows = db.execute(
        f"SELECT l.case_id, sa.name, t.text FROM {PLACED} JOIN texts t ON t.id = l.text_id WHERE sa.study_id = ?",
        (study.id,),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def written_between(db: sqlite3.Connection, study: Study) -> tuple[float, ...]:
    """When the first and the last text of the study's models were written, Unix seconds; nothing where none was."""
    row = db.execute(
        f"SELECT min(t.created_at), max(t.created_at) FROM {PLACED} JOIN texts t ON t.id = l.text_id"
        " JOIN arms a ON a.id = sa.arm_id WHERE sa.study_id = ? AND a.kind = ?",
        (study.id, ArmKind.MODEL),
    ).fetchone()
    return tuple(row) if row[0] is not None else ()


def with_comparisons(db: sqlite3.Connection) -> dict[int, int]:
    """Ids of the studies that can be rated, newest first, with their number of cases."""
    rows = db.execute(
        "SELECT study_id, count(*) FROM (SELECT sa.study_id, l.case_id, count(DISTINCT sa.position) AS there"
        f" FROM {PLACED} GROUP BY sa.study_id, l.case_id) JOIN studies s ON s.id = study_id"
        " WHERE there >= CASE WHEN s.job_id IS NULL THEN 2 ELSE"
        " (SELECT count(*) FROM study_arms a WHERE a.study_id = s.id) END"
        " AND (SELECT count(*) FROM study_arms a WHERE a.study_id = s.id) >= 2"
        " GROUP BY study_id ORDER BY max(s.created_at) DESC, study_id DESC"
    )
    return dict(rows)


def waits_for(db: sqlite3.Connection, rater: str) -> bool:
    """Whether somebody who has rated before has a case left, never answered, in the newest study with comparisons.

    For the start of the app, in milliseconds: of each study it looks at the first two arms, and no further than to the
    first case that is left. Texts that read the same are no comparison.
    """
    began = db.execute(
        "SELECT 1 FROM studies s WHERE EXISTS"
        " (SELECT 1 FROM ratings r WHERE r.study_id = s.id AND r.rater = ?) LIMIT 1",
        (rater,),
    )
    if began.fetchone() is None:
        return False
    pairs = (
        "SELECT 1 FROM studies s JOIN study_arms sa ON sa.study_id = s.id AND sa.position = 0"
        " JOIN study_arms sb ON sb.study_id = s.id AND sb.position = 1"
        " JOIN arm_texts a ON coalesce(a.job_id, 0) = coalesce(sa.job_id, 0) AND a.arm_id = sa.arm_id"
        " AND coalesce(a.step, -1) = -1"
        " JOIN arm_texts b ON coalesce(b.job_id, 0) = coalesce(sb.job_id, 0) AND b.arm_id = sb.arm_id"
        " AND coalesce(b.step, -1) = -1 AND b.case_id = a.case_id"
        " WHERE s.id = ? AND (s.job_id IS NOT NULL OR a.case_id IN"
        " (SELECT case_id FROM study_cases c WHERE c.study_id = s.id))"
    )
    left = (
        " AND (SELECT text FROM texts WHERE id = a.text_id) <> (SELECT text FROM texts WHERE id = b.text_id)"
        " AND NOT EXISTS (SELECT 1 FROM ratings r WHERE r.study_id = s.id AND r.rater = ? AND r.case_id = a.case_id)"
    )
    for (study_id,) in db.execute("SELECT id FROM studies ORDER BY created_at DESC, id DESC").fetchall():
        if db.execute(f"{pairs} LIMIT 1", (study_id,)).fetchone() is not None:
            return db.execute(f"{pairs}{left} LIMIT 1", (study_id, rater)).fetchone() is not None
    return False


def adapter_job(db: sqlite3.Connection, study: Study, arm: str) -> int | None:
    """The training job whose adapter writes an arm of a study; None for a model alone, and one from elsewhere."""
    row = db.execute(
        f"SELECT {WROTE_IT} FROM study_arms sa JOIN arms a ON a.id = sa.arm_id WHERE sa.study_id = ? AND sa.name = ?",
        (study.id, arm),
    ).fetchone()
    return row[0] if row else None


def of_adapter(db: sqlite3.Connection, job_id: int) -> list[tuple[Study, tuple[str, ...]]]:
    """The studies in which texts stand that a training job's adapter wrote, each with the names of those arms.

    Args:
        db: The database.
        job_id: The training job that left the adapter; arms keep it as its folder is called: "job 0003, 1f0c…".
    """
    rows = db.execute(
        "SELECT sa.study_id, sa.name FROM study_arms sa JOIN arms a ON a.id = sa.arm_id"
        f" WHERE {WROTE_IT} = ? ORDER BY sa.study_id, sa.position",
        (job_id,),
    )
    names: dict[int, list[str]] = {}
    for study_id, name in rows:
        names.setdefault(study_id, []).append(name)
    return [(must_get(db, study_id), tuple(own)) for study_id, own in names.items()]
