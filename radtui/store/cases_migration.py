"""Migration 5: images become cases, variants become arms, a generation job's review becomes a study.

Ids stay: an image's id is its case's, a description's that of its text, a generation job's that of its study. What it
makes is never changed once released; how fast it is may be.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from radtui.store.cases_schema import INDEXES_AND_VIEWS, NEW_TABLES, RENAMED
from radtui.store.own_objects import OWN, drop
from radtui.store.statements import statements

ORDER = ("base", "tuned", "dpo")
COPIES = (
    "INSERT INTO new_jobs SELECT *, '', 0 FROM jobs",
    # Made anew because the first databases of all gave ids of metrics and events twice.
    "INSERT INTO new_metrics SELECT id, job_id, step, epoch, elapsed_s, name, value FROM metrics",
    "INSERT INTO new_events SELECT id, job_id, step, elapsed_s, kind, text FROM events",
    # The row without an error is the one that was read: with min() SQLite takes the other columns from its row.
    "INSERT INTO new_images (sha256, format, width_px, height_px, mode, error)"
    " SELECT sha256, format, width_px, height_px, mode, error FROM"
    " (SELECT sha256, format, width_px, height_px, mode, min(error) AS error FROM images WHERE sha256 != ''"
    " GROUP BY sha256)",
    "INSERT INTO cases (id, dataset, split, position, source_key, reference, examination, facts, error, leaked)"
    " SELECT id, dataset, split, position, source_key, reference, examination, facts, error, leaked FROM images",
    "INSERT INTO case_images (case_id, ordinal, sha256) SELECT id, 0, sha256 FROM images WHERE sha256 != ''",
    "INSERT INTO new_truths SELECT image_id, ordinal, finding, side, zone, size FROM truths",
    "INSERT INTO new_work SELECT job_id, image_id FROM work",
    "INSERT INTO prompts (text) SELECT DISTINCT prompt FROM descriptions",
)
_TEXT_OF = (
    "(SELECT d.id FROM descriptions d WHERE d.job_id = o.job_id AND d.image_id = o.image_id AND d.step IS NULL"
    " AND d.variant = o.{})"
)


def move_to_cases(db: sqlite3.Connection) -> None:
    """Make the tables of schema 5 and move everything into them.

    Args:
        db: In a transaction, foreign keys not enforced.
    """
    drop(db, [(kind, name) for kind, name in _all(db) if name in OWN and kind != "table"])
    db.execute("DROP TABLE images_fts")
    for statement in statements(NEW_TABLES):
        db.execute(statement)
    for copy in COPIES:
        db.execute(copy)
    _arms(db)
    _texts(db)
    _studies(db)
    _judgements(db)
    counters = dict(db.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    for table in (*RENAMED, "descriptions"):
        db.execute(f"DROP TABLE {table}")
    for table in RENAMED:
        db.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
    # Ids of rows that were deleted must not come again for readers with a cursor.
    for table in ("jobs", "metrics", "events"):
        _count_on(db, table, counters.get(table, 0))
    _count_on(db, "texts", counters.get("descriptions", 0))
    _count_on(db, "arm_texts", counters.get("descriptions", 0))
    _count_on(db, "studies", counters.get("jobs", 0))
    for statement in statements(INDEXES_AND_VIEWS):
        db.execute(statement)


def _all(db: sqlite3.Connection) -> list[tuple[str, str]]:
    rows = db.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
    return [(row[0], row[1]) for row in rows]


def _arms(db: sqlite3.Connection) -> None:
    """The arms of every job that wrote texts or was to: whose weights, nobody knows any more but the job."""
    for job_id, kind, settings_text in db.execute(
        "SELECT id, kind, settings FROM jobs ORDER BY id"
    ).fetchall():
        settings = json.loads(settings_text)
        used = {
            row[0]
            for row in db.execute("SELECT DISTINCT variant FROM descriptions WHERE job_id = ?", (job_id,))
        }
        if kind == "generate":
            used |= {"base", "tuned"} | ({"dpo"} if settings.get("dpo_adapter") else set())
        for position, name in enumerate(name for name in ORDER if name in used):
            decoding = db.execute(
                "SELECT decoding FROM descriptions WHERE job_id = ? AND variant = ? LIMIT 1", (job_id, name)
            ).fetchone()
            arm_id = db.execute(
                "INSERT INTO arms (name, kind, model, weights, adapter, instruction, decoding)"
                " VALUES (?, 'model', ?, ?, ?, ?, ?)",
                (name, str(settings.get("model", "")), f"as of job {job_id}", _adapter(name, job_id, settings),
                 str(settings.get("instruction", "")), decoding[0] if decoding else ""),
            ).lastrowid  # fmt: skip
            db.execute("INSERT INTO job_arms VALUES (?, ?, ?)", (job_id, position, arm_id))


def _adapter(name: str, job_id: int, settings: dict[str, object]) -> str:
    """What an arm's adapter is called: never "" but for the base, so that no two arms of a job are the same."""
    if name == "base":
        return ""
    path = settings.get("adapter") if name == "tuned" else settings.get("dpo_adapter")
    return str(path or f"{name} of job {job_id}")


def _texts(db: sqlite3.Connection) -> None:
    db.execute(
        "INSERT INTO texts (id, case_id, model, weights, adapter, images, prompt_id, decoding, sample, text, tokens,"
        " seconds, truncated, created_at)"
        " SELECT d.id, d.image_id, a.model, a.weights,"
        " a.adapter || CASE WHEN d.step IS NULL THEN '' ELSE ', step ' || d.step END, '', p.id, d.decoding, 0, d.text,"
        " d.tokens, d.seconds, d.truncated, d.created_at"
        " FROM descriptions d JOIN job_arms ja ON ja.job_id = d.job_id"
        " JOIN arms a ON a.id = ja.arm_id AND a.name = d.variant JOIN prompts p ON p.text = d.prompt ORDER BY d.id"
    )
    db.execute(
        "INSERT INTO arm_texts (id, job_id, arm_id, case_id, step, text_id)"
        " SELECT d.id, d.job_id, a.id, d.image_id, d.step, d.id"
        " FROM descriptions d JOIN job_arms ja ON ja.job_id = d.job_id"
        " JOIN arms a ON a.id = ja.arm_id AND a.name = d.variant ORDER BY d.id"
    )


def _studies(db: sqlite3.Connection) -> None:
    # A rating of a job that is no generation job, which only other software can have written, keeps its place too.
    rows = db.execute(
        "SELECT id, name, dataset, settings, created_at FROM jobs WHERE kind = 'generate' OR id IN"
        " (SELECT job_id FROM ratings UNION SELECT job_id FROM assignments UNION SELECT job_id FROM reveals)"
        " ORDER BY id"
    ).fetchall()
    for job_id, name, dataset, settings_text, created_at in rows:
        seed = json.loads(settings_text).get("seed", 0)
        db.execute(
            "INSERT INTO studies (id, name, job_id, dataset, seed, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (job_id, name, job_id, dataset, seed if isinstance(seed, int) else 0, created_at),
        )
    db.execute(
        "INSERT INTO study_arms (study_id, position, name, arm_id, job_id)"
        " SELECT ja.job_id, ja.position, a.name, a.id, ja.job_id FROM job_arms ja JOIN arms a ON a.id = ja.arm_id"
        " WHERE ja.job_id IN (SELECT id FROM studies)"
    )


def _judgements(db: sqlite3.Connection) -> None:
    # The old indexes are gone by now, and without one each assignment would go through all descriptions: minutes for
    # a hundred thousand. It goes with its table.
    db.execute("CREATE INDEX descriptions_by_place ON descriptions (job_id, image_id, variant)")
    db.execute(
        "INSERT INTO new_assignments (study_id, case_id, rater, occasion, role, left_arm, right_arm, left_text_id,"
        " right_text_id, sort_key)"
        " SELECT job_id, image_id, rater, occasion, role, shown_left, shown_right,"
        f" {_TEXT_OF.format('shown_left')}, {_TEXT_OF.format('shown_right')}, sort_key FROM assignments o"
    )
    db.execute(
        "INSERT INTO new_reveals (study_id, rater, case_id, revealed_at)"
        " SELECT job_id, rater, image_id, revealed_at FROM reveals"
    )
    text_ids = {
        (row[0], row[1], row[2]): row[3]
        for row in db.execute("SELECT job_id, image_id, variant, id FROM descriptions WHERE step IS NULL")
    }
    db.executemany(
        "INSERT INTO new_ratings (id, study_id, case_id, rater, occasion, scheme, scheme_hash, earlier_arm, later_arm,"
        " later_left, earlier_text_id, later_text_id, preference, both_bad, answers, note, flagged, skipped, blinded,"
        f" active_s, wall_s, rated_at, undoes) VALUES ({','.join('?' * 23)})",
        _rating_rows(db, text_ids),
    )


def _rating_rows(
    db: sqlite3.Connection, text_ids: dict[tuple[int, int, str], int]
) -> Iterator[tuple[object, ...]]:
    cursor = db.execute("SELECT * FROM ratings ORDER BY id")
    names = [column[0] for column in cursor.description]
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        earlier, later = sorted((row["shown_left"], row["shown_right"]), key=ORDER.index)
        answers = json.loads(row["answers"])
        for variant in ORDER:
            acceptability = row[f"{variant}_acceptability"]
            if acceptability is not None:
                answers[f"acceptability.{variant}"] = acceptability
        place = row["job_id"], row["image_id"]
        yield (
            row["id"], *place, row["rater"], row["occasion"], row["scheme"], row["scheme_hash"], earlier, later,
            row["shown_left"] == later, text_ids.get((*place, earlier)), text_ids.get((*place, later)),
            row["preference"], row["both_bad"], json.dumps(answers, sort_keys=True), row["note"], row["flagged"],
            row["skipped"], row["blinded"], row["active_s"], row["wall_s"], row["rated_at"], row["undoes"],
        )  # fmt: skip


def _count_on(db: sqlite3.Connection, table: str, last_id: int) -> None:
    db.execute("DELETE FROM sqlite_sequence WHERE name IN (?, ?)", (table, f"new_{table}"))
    highest = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, max(highest, last_id)))
