"""Every schema there has been, brought up to the present one by several processes at once."""

from __future__ import annotations

import hashlib
import multiprocessing
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.store import schema, third_variant
from radtui.store.database import connect

from .test_store_third_variant import OLD, ROWS, everything

STEPS = (schema.FIRST_TABLES, schema.FASTER_SEARCH, schema.REVEALS)
NAMES = ("m001_first_tables", "m002_faster_search", "m003_reveals")


def made(folder: DataDir, version: int) -> None:
    """A database as the radtui of that schema made it, with rows in it."""
    with closing(sqlite3.connect(folder.database, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        for script in STEPS[:version]:
            for statement in schema._statements(script):
                db.execute(statement)
        db.execute(
            "CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
        )
        db.execute("CREATE UNIQUE INDEX idx__sqlite_migrations_migration_set_name"
                   " ON _sqlite_migrations (migration_set, name)")  # fmt: skip
        for name in NAMES[:version]:
            db.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('radtui', ?, '')",
                (name,),
            )
        db.execute(f"PRAGMA user_version = {version}")
        for statement in schema._statements(ROWS):
            if version >= OLD or "INTO reveals" not in statement:
                db.execute(statement)


def opened(folder: str) -> int:
    """Open (and so migrate) in a process of its own; returns the schema's version there."""
    with closing(connect(Path(folder))) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def definitions(db: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """What the tables, indexes, views and triggers are, whatever way they came about."""
    rows = db.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        (kind, name): " ".join(sql.replace('"', "").split())
        for kind, name, sql in rows
        if "_sqlite_migrations" not in name
    }


@pytest.mark.parametrize("version", range(1, schema.SCHEMA_VERSION))
def test_every_older_schema_is_brought_up_without_loss(tmp_path: Path, version: int) -> None:
    old, new = DataDir(tmp_path / "old").create(), DataDir(tmp_path / "new").create()
    made(old, version)
    tables = [
        name for name in ("images", "jobs", "descriptions", "assignments", "ratings", "reveals")
        if version >= OLD or name != "reveals"
    ]  # fmt: skip
    with closing(sqlite3.connect(old.database)) as yesterdays:  # yesterday's app is open meanwhile
        before = everything(yesterdays, tables)
        with multiprocessing.get_context("spawn").Pool(3) as pool:
            assert set(pool.map(opened, [str(old.root)] * 6, chunksize=1)) == {schema.SCHEMA_VERSION}
        assert everything(yesterdays, tables) == before and len(before["ratings"]) == 2
        with closing(connect(new)) as fresh:
            assert definitions(yesterdays) == definitions(fresh)
        assert yesterdays.execute("PRAGMA foreign_key_check").fetchall() == []
        assert yesterdays.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found = yesterdays.execute("SELECT rowid FROM images_fts WHERE images_fts MATCH 'nod*'").fetchall()
        assert found == [(1,)]


def test_what_has_been_released_is_not_edited() -> None:
    """A database that has run a migration never runs it again: a change belongs into a new one."""
    released = "".join([*STEPS, third_variant.DESCRIPTIONS, third_variant.ASSIGNMENTS, third_variant.RATINGS])
    assert hashlib.sha256(released.encode()).hexdigest()[:16] == "cc03b70c235acce4"
    assert len(NAMES) + 1 == schema.SCHEMA_VERSION, "a new schema needs a new migration, and a row here"
