"""Views, triggers and indexes that the user has made in the database, kept through migrations.

They are taken away before the first migration and made again after the last, since a table that is made anew cannot
be renamed under a view. One that no longer fits is kept in `set_aside` with the reason: a trigger that fails would
keep ratings from being saved.
"""

from __future__ import annotations

import sqlite3

OWN = frozenset({
    "images_by_split", "images_by_sha256", "truths_by_finding", "images_fts", "images_fts_insert",
    "images_fts_update", "metrics_by_job", "events_by_job", "descriptions_once", "ratings_by_comparison",
    "current_ratings", "comparisons",
    "cases_by_split", "cases_by_patient", "case_images_by_sha256", "problems_by_job", "texts_once", "arm_texts_once",
    "arm_texts_by_job", "arm_texts_by_case", "cases_fts", "cases_fts_insert", "cases_fts_update", "descriptions",
    "idx__sqlite_migrations_migration_set_name",
})  # fmt: skip
"""What radtui itself makes or made, in any schema, of indexes, triggers, views and their tables."""


def of_user(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """(type, name, SQL) of the views, triggers and indexes that somebody else has made, in their order."""
    rows = db.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('view', 'trigger', 'index')"
        " ORDER BY rowid"
    ).fetchall()
    return [(row[0], row[1], row[2]) for row in rows if row[1] not in OWN]


def drop(db: sqlite3.Connection, named: list[tuple[str, str]]) -> None:
    """Drop views, triggers and indexes of any name."""
    for kind, name in named:
        quoted = name.replace('"', '""')
        db.execute(f'DROP {kind.upper()} IF EXISTS "{quoted}"')


def make_anew(db: sqlite3.Connection, kept: list[tuple[str, str, str]]) -> None:
    """Make the user's own objects again; what does not fit the new tables is set aside with SQLite's reason."""
    for kind, name, sql in kept:
        db.execute("SAVEPOINT one_object")
        try:
            db.execute(sql)
            _check(db, kind, name)
        except sqlite3.Error as error:
            db.execute("ROLLBACK TO one_object")
            db.execute("INSERT INTO set_aside VALUES (?, ?, ?, ?)", (kind, name, sql, str(error)))
        db.execute("RELEASE one_object")


def _check(db: sqlite3.Connection, kind: str, name: str) -> None:
    """Let SQLite compile a view or trigger, which creating it does not. Raises sqlite3.Error when it does not fit."""
    quoted = name.replace('"', '""')
    if kind == "view":
        db.execute(f'SELECT * FROM "{quoted}" LIMIT 0')
    elif kind == "trigger":
        table = db.execute("SELECT tbl_name FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
        target = str(table).replace('"', '""')
        is_view = db.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = ?", (table,)
        ).fetchone()
        columns = [row[1] for row in db.execute(f'PRAGMA table_info("{target}")')]
        changes = ", ".join(f'"{column}" = "{column}"' for column in columns)
        if not is_view:
            db.execute(f'EXPLAIN INSERT INTO "{target}" DEFAULT VALUES')
        db.execute(f'EXPLAIN UPDATE "{target}" SET {changes}')
        db.execute(f'EXPLAIN DELETE FROM "{target}"')
