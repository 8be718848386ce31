"""Opening the database: pragmas, migrations, the one way to write, and reading where nothing can be written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import UserError
from radtui.store.schema import SCHEMA_VERSION, migrate

BUSY_TIMEOUT_S = 30.0
READ_CHUNK = 500  # ids per SELECT: under SQLite's limit of bound parameters


def connect(data: DataDir | Path) -> sqlite3.Connection:
    """Open (and when needed create or migrate) the database of a data folder, for the calling thread.

    Rows come back as `sqlite3.Row`. WAL lets the app read while a worker writes; `synchronous=NORMAL` keeps
    every committed row through a killed process.

    Raises:
        UserError: the folder cannot be written, the file is no database, or a newer radtui wrote it.
    """
    folder = data if isinstance(data, DataDir) else DataDir(data)
    if _read_only(folder):
        raise UserError(
            f"The data folder {folder.root} can only be read: copy it to open the app or start jobs; stats, score,"
            " export, report, plot, show and jobs list work as it is."
        )
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
    _refuse_newer(folder, version)
    return db


@contextmanager
def reading(data: DataDir) -> Iterator[sqlite3.Connection]:
    """A connection for looking only: where the folder can be written the usual one, else one that writes nothing.

    Raises:
        UserError: As `connect`; or the folder can only be read and its database is of an older radtui, holds rows that
            cannot be read without writing, or was written meanwhile by someone who may.
    """
    if not _read_only(data):
        with closing(connect(data)) as db:
            yield db
        return
    how, before = _read_only_access(data), _stamp(data)
    try:
        with closing(_open_read_only(data, how)) as db:
            yield db
    finally:
        # SQLite takes an immutable file's pages as they come, without a lock: they are right if nobody wrote.
        if "immutable" in how and _stamp(data) != before:
            raise UserError(f"{data.database} was written while it was read; run this again.")


def can_write(db: sqlite3.Connection) -> bool:
    """Whether a connection may change rows: one to a folder that can only be read may not."""
    return not db.execute("PRAGMA query_only").fetchone()[0]


def _read_only(data: DataDir) -> bool:
    """Whether there is a database that this user cannot write, or beside which SQLite could not keep its log."""
    if not os.access(data.database, os.F_OK):
        return False
    writable = (os.access(path, os.W_OK, effective_ids=True) for path in (data.database, data.root))
    return not all(writable)


def _read_only_access(data: DataDir) -> str:
    """How SQLite may open a file that cannot be written, as parameters of its URI.

    With the write-ahead log and its index there, as a writer at work or a killed one leaves them, all committed rows
    can be read. Without a log they are all in the file; SQLite would ask for one nevertheless, hence `immutable`.
    Source: https://www.sqlite.org/wal.html, section 9, Read-Only Databases.

    Raises:
        UserError: There are rows in a log without its index, which cannot be made here.
    """
    log, index = (data.root / f"{data.database.name}-{end}" for end in ("wal", "shm"))
    if log.exists() and index.exists():
        return "mode=ro"
    if log.exists() and log.stat().st_size:
        raise UserError(
            f"{data.database} has rows in {log.name} that cannot be read where nothing can be written; copy the folder"
            " and name the copy with --data-dir."
        )
    return "mode=ro&immutable=1"


def _open_read_only(data: DataDir, how: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(
            f"{data.database.absolute().as_uri()}?{how}", BUSY_TIMEOUT_S, isolation_level=None, uri=True
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA query_only=ON")
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise UserError(
            f"Cannot read {data.database}: {error}; name another folder with --data-dir."
        ) from error
    _refuse_newer(data, version)
    if version < SCHEMA_VERSION:
        raise UserError(
            f"{data.database} was written by an older radtui and can only be read, so it cannot be brought up to date;"
            " copy the folder and name the copy with --data-dir."
        )
    return db


def _refuse_newer(data: DataDir, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{data.database} was written by a newer radtui; update radtui or name another --data-dir."
        )


def _stamp(data: DataDir) -> tuple[int, int, bool]:
    """What tells that somebody writes: the file's size and time, and whether there is a log."""
    found = data.database.stat()
    return found.st_size, found.st_mtime_ns, data.root.joinpath(f"{data.database.name}-wal").exists()


@contextmanager
def same_moment(db: sqlite3.Connection) -> Iterator[None]:
    """One read transaction: everything read in it is of the same moment."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:  # SQLite may have ended it, on an error that is to be seen
            db.execute("COMMIT")


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
