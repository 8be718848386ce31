"""Databases of every released schema, with views and triggers of a user's own."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from tests.faults.harness import Facts, app, radtui, rows
from tests.unit.old_databases import SCHEMAS, old_database

OWN = (
    "CREATE VIEW mine_jobs AS SELECT id, name, state FROM jobs",
    "CREATE VIEW mine_ratings AS SELECT rater, count(*) AS n FROM ratings GROUP BY rater",
    "CREATE TRIGGER mine_events AFTER INSERT ON events BEGIN UPDATE jobs SET name = name WHERE id = new.job_id; END",
    "CREATE INDEX mine_index ON metrics (value)",
)
MINE = (
    "SELECT count(*) FROM sqlite_master WHERE name LIKE 'mine_%' OR name LIKE 'my_%' OR name LIKE '%of mine'"
)


def every_schema(scratch: Path, rounds: int) -> Facts:
    """A database of every released schema is opened with a user's views and triggers; each is there or set aside."""
    kept = set_aside = 0
    for schema in SCHEMAS:
        data = old_database(schema, scratch / str(schema))
        with contextlib.closing(sqlite3.connect(data.database, isolation_level=None)) as db:
            for sql in OWN:
                db.execute(sql)
            before = db.execute(MINE).fetchone()[0]
            answers = db.execute("SELECT count(*) FROM ratings").fetchone()[0]
        for words in (["jobs", "list"], ["stats"], ["check"], ["export", "--out", scratch / f"{schema}.csv"],
                      ["report", "1", "--out", scratch / f"{schema}.html"]):  # fmt: skip
            code, printed = radtui(data, *words)
            assert b"Traceback" not in printed and code in (0, 1), printed
        assert len(rows(data)) == answers
        with contextlib.closing(sqlite3.connect(data.database)) as db:
            there = db.execute(MINE).fetchone()[0]
            aside = db.execute(
                "SELECT count(*) FROM set_aside WHERE kind IN ('view', 'trigger', 'index')"
            ).fetchone()[0]
        assert there + aside >= before, (
            f"of {before} of a user's own objects {there} are there and {aside} set aside"
        )
        assert next(data.root.glob("radtui.db.before-*")).stat().st_size
        kept, set_aside = kept + there, set_aside + aside
        if rounds:
            with app(data) as terminal:
                assert terminal.settle(first_s=20)
        shutil.rmtree(data.root)
    return {
        "schemas": len(SCHEMAS),
        "own objects kept": kept,
        "set aside with the reason": set_aside,
        "lost": 0,
    }
