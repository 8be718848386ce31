"""Opening the database: pragmas, migrations, and the one way to write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.store.schema import SCHEMA_VERSION, migrate

BUSY_TIMEOUT_S = 30.0


def connect(data: DataDir | Path) -> sqlite3.Connection:
    """Open (and when needed create or migrate) the database of a data folder, for the calling thread.

    Rows come back as `sqlite3.Row`. WAL lets the app read while a worker writes; `synchronous=NORMAL` keeps
    every committed row through a killed process.

    Raises:
        UserError: the folder cannot be written, the file is no database, or a newer radtui wrote it.
    """
    folder = data if isinstance(data, DataDir) else DataDir(data)
    try:
        folder.create()
        db = sqlite3.connect(folder.database, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version < SCHEMA_VERSION:
            migrate(db)
        db.execute("PRAGMA foreign_keys=ON")
    except OSError as error:
        raise UserError(
            f"Cannot use the data folder {folder.root}: {error.strerror}; name another with --data-dir."
        ) from error
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"Cannot open {folder.database}: {error}; name another folder with --data-dir."
        ) from error
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{folder.database} was written by a newer radtui; update radtui or name another --data-dir."
        )
    return db


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """One write transaction, all or nothing.

    `BEGIN IMMEDIATE` takes the write lock at once: a transaction that reads first and writes later could find
    the database changed under it and fail, whatever the busy timeout.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
