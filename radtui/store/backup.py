"""What a backup needs of a database: a copy of one moment, what it refers to, and what is wrong with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from radtui.records import UserError
from radtui.store.schema_version import SCHEMA_VERSION
from radtui.store.upgrade import copy_database, copying_database

__all__ = ["blobs", "copy_database", "copying_database", "move_whole_log", "opened_copy", "problems"]

SHOWN = 20  # problems of one kind


@contextmanager
def opened_copy(file: Path) -> Iterator[sqlite3.Connection]:
    """A database file that nobody has open, for reading alone.

    Raises:
        UserError: It is no database, is damaged, or a newer radtui wrote it.
    """
    try:
        with closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", isolation_level=None, uri=True)
        ) as db:
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if not version or not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
                raise UserError(f"{file} is no database of radtui.")
            if version > SCHEMA_VERSION:
                raise UserError(f"{file} was written by a newer radtui; update radtui first.")
            yield db
    except sqlite3.DatabaseError as error:
        raise UserError(f"{file} cannot be read as a database: {error}; name another copy.") from error


def move_whole_log(file: Path) -> bool:
    """Move all rows of a database's log into the file itself. Raises sqlite3.Error where that cannot be.

    Returns:
        False where another connection kept some of them there.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        is_busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def problems(db: sqlite3.Connection) -> list[str]:
    """What is wrong inside a database: damaged pages and indexes, rows that refer to none. Empty when all is well."""
    lines = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({SHOWN})")]
    sentences = [f"damaged: {line}" for line in lines if line != "ok"]
    if not sentences:
        broken = db.execute("PRAGMA foreign_key_check").fetchmany(SHOWN)
        sentences = [
            f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in broken
        ]
    return sentences


def blobs(db: sqlite3.Connection) -> list[str]:
    """SHA-256 of every image whose bytes belong to the data folder, in order: of all that are not linked."""
    sql = "SELECT sha256 FROM images WHERE sha256 <> '' AND link_path = '' ORDER BY 1"
    return [row[0] for row in db.execute(sql)]
