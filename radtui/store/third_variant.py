"""Migration 4: a third variant beside base and tuned, and which two of them a rater was shown.

SQLite cannot change a CHECK, so each table is made anew, filled from the old one, and takes its name.
Source: https://www.sqlite.org/lang_altertable.html, section 7, the procedure of twelve steps.
"""

from __future__ import annotations

import sqlite3

VARIANTS = "('base', 'tuned', 'dpo')"

DESCRIPTIONS = f"""
CREATE TABLE new_descriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL REFERENCES jobs(id),
    image_id INTEGER NOT NULL REFERENCES images(id),
    variant TEXT NOT NULL CHECK (variant IN {VARIANTS}),
    step INTEGER, text TEXT NOT NULL, prompt TEXT NOT NULL, decoding TEXT NOT NULL,
    tokens INTEGER NOT NULL, seconds REAL NOT NULL, truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
    created_at REAL NOT NULL
)
"""
ASSIGNMENTS = f"""
CREATE TABLE new_assignments (
    job_id INTEGER NOT NULL REFERENCES jobs(id), image_id INTEGER NOT NULL REFERENCES images(id),
    rater TEXT NOT NULL, occasion INTEGER NOT NULL DEFAULT 0,
    role TEXT NOT NULL CHECK (role IN ('normal', 'calibration', 'repeat')),
    shown_left TEXT NOT NULL CHECK (shown_left IN {VARIANTS}),
    sort_key TEXT NOT NULL,
    shown_right TEXT NOT NULL CHECK (shown_right IN {VARIANTS} AND shown_right <> shown_left),
    PRIMARY KEY (job_id, rater, image_id, occasion)
) WITHOUT ROWID
"""
RATINGS = f"""
CREATE TABLE new_ratings (
    id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES jobs(id),
    image_id INTEGER NOT NULL REFERENCES images(id),
    rater TEXT NOT NULL, occasion INTEGER NOT NULL,
    scheme TEXT NOT NULL, scheme_hash TEXT NOT NULL,
    preference INTEGER CHECK (preference BETWEEN -2 AND 2),
    both_bad INTEGER NOT NULL CHECK (both_bad IN (0, 1)),
    base_acceptability INTEGER CHECK (base_acceptability BETWEEN 1 AND 5),
    tuned_acceptability INTEGER CHECK (tuned_acceptability BETWEEN 1 AND 5),
    answers TEXT NOT NULL, note TEXT NOT NULL,
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)), skipped INTEGER NOT NULL CHECK (skipped IN (0, 1)),
    blinded INTEGER NOT NULL CHECK (blinded IN (0, 1)),
    shown_left TEXT NOT NULL CHECK (shown_left IN {VARIANTS}),
    active_s REAL NOT NULL, wall_s REAL NOT NULL, rated_at REAL NOT NULL,
    undoes INTEGER REFERENCES ratings(id),
    shown_right TEXT NOT NULL CHECK (shown_right IN {VARIANTS} AND shown_right <> shown_left),
    dpo_acceptability INTEGER CHECK (dpo_acceptability BETWEEN 1 AND 5)
)
"""
OTHER_SIDE = "CASE shown_left WHEN 'base' THEN 'tuned' ELSE 'base' END"  # until now there were two


def add_third_variant(db: sqlite3.Connection) -> None:
    """Make the tables anew that name variants, with everything in them, their indexes and the views over them.

    Args:
        db: In a transaction, foreign keys not enforced.
    """
    kept = _definitions(db, ("descriptions", "assignments", "ratings"))
    last_id = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'descriptions'").fetchone()
    for view in [name for kind, name, _ in kept if kind == "view"]:
        db.execute(f"DROP VIEW {view}")
    _move(db, "descriptions", DESCRIPTIONS)
    _move(db, "assignments", ASSIGNMENTS, {"shown_right": OTHER_SIDE})
    _move(db, "ratings", RATINGS, {"shown_right": OTHER_SIDE})
    for _, _, sql in kept:
        db.execute(sql)
    if last_id is not None:
        # The newest rows may have been deleted; their ids must not come again for readers with a cursor.
        db.execute("DELETE FROM sqlite_sequence WHERE name = 'descriptions'")
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('descriptions', ?)", (last_id[0],))


def _definitions(db: sqlite3.Connection, tables: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """(type, name, SQL) of the indexes and triggers of some tables, and of every view, as they are now."""
    rows = db.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND (type = 'view'"
        f" OR (type IN ('index', 'trigger') AND tbl_name IN ({','.join('?' * len(tables))}))) ORDER BY rowid",
        tables,
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _move(db: sqlite3.Connection, table: str, ddl: str, added: dict[str, str] | None = None) -> None:
    """Make a table anew; `added` gives new columns as expressions over the old ones."""
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    db.execute(ddl)
    more = added or {}
    db.execute(
        f"INSERT INTO new_{table} ({', '.join([*names, *more])})"
        f" SELECT {', '.join([*names, *more.values()])} FROM {table}"
    )
    db.execute(f"DROP TABLE {table}")
    db.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
