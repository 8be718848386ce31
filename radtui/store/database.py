"""Opening the database: pragmas, migrations, the one way to write, and reading where nothing can be written."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from radtui.durable import sync_folder
from radtui.paths import DataDir
from radtui.records import UserError
from radtui.store import lease
from radtui.store.gone import is_damage
from radtui.store.place import (
    Connection,
    FolderGoneError,
    check_in_place,
    check_known,
    check_schema,
    is_in_memory,
    is_in_place,
    recognise,
    refuse_half_restored,
)
from radtui.store.schema_version import SCHEMA_VERSION

BUSY_TIMEOUT_S = 30.0
SHORT_WAITS = 40  # ms in which a write of somebody else's is most often over
READ_CHUNK = 500  # ids per SELECT: under SQLite's limit of bound parameters


def connect(
    data: DataDir | Path,
    *,
    create: bool = False,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    any_thread: bool = False,
) -> Connection:
    """Open the database of a data folder, bringing it up to date when needed, for the calling thread.

    Rows come back as `sqlite3.Row`. WAL lets the app read while a worker writes; `synchronous=NORMAL` keeps every
    committed row through a killed process, and `writing(db, synced=True)` through a power cut.

    Args:
        data: The data folder.
        create: Make the folder where there is none, as an import does. Otherwise a folder that is not there is shown
            as an empty one, in memory: looking leaves nothing behind.
        busy_timeout_s: How long a statement waits while another process writes.
        any_thread: Whether other threads use the connection too, one after another.

    Raises:
        FolderGoneError: This process had the database open, and it is not there any more, or another one is.
        UserError: The folder cannot be written, the file is no database, a newer radtui wrote it, or another machine
            works on it.
    """
    folder = data if isinstance(data, DataDir) else DataDir(data)
    check_known(folder.database)
    if _read_only(folder):
        raise UserError(
            f"The data folder {folder.root} can only be read: copy it to open the app or start jobs; stats, score,"
            " export, report, plot, show and jobs list work as it is."
        )
    if folder.root.exists() and not folder.root.is_dir():
        raise UserError(
            f"Cannot use the data folder {folder.root}: it is a file; name another with --data-dir."
        )
    is_missing = not folder.database.exists() and not folder.is_new
    _refuse_emptied(folder)
    if is_missing:
        refuse_half_restored(folder.root)
    if is_missing and not create:
        return _nothing_there()
    folder.keep_modes()
    try:
        if create:
            folder.create()
        lease.hold(folder.root)
        db = _opened(folder, busy_timeout_s, any_thread)
    except OSError as error:
        raise UserError(
            f"Cannot use the data folder {folder.root}: {error.strerror}; name another with --data-dir."
        ) from error
    except sqlite3.DatabaseError as error:
        raise UserError(f"Cannot open {folder.database}: {error}; {_next_step(error)}.") from error
    return db


def _next_step(error: sqlite3.DatabaseError) -> str:
    """What can be done about a database that cannot be opened."""
    if is_busy(error):
        return "another program is writing to it, try again in a moment"
    if is_damage(error):
        return "take back a copy with radtui restore, or name another folder with --data-dir"
    return "name another folder with --data-dir"


def _opened(folder: DataDir, busy_timeout_s: float, any_thread: bool) -> Connection:
    db = sqlite3.connect(
        folder.database, busy_timeout_s, isolation_level=None, check_same_thread=not any_thread,
        factory=Connection,
    )  # fmt: skip
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode=WAL")
        db.remember(folder.database)
        db.execute("PRAGMA synchronous=NORMAL")
        version = _version(db)
        _refuse_newer(folder, version)
        if version < SCHEMA_VERSION:
            _bring_up_to_date(folder, db)
        recognise(db)
        db.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        db.close()
        raise
    return db


def _bring_up_to_date(folder: DataDir, db: Connection) -> None:
    """Migrate, with a copy of what was there; another process may be doing the same."""
    # All tables of all times, which opening a database that is up to date does not need.
    from radtui.store.schema import migrate
    from radtui.store.upgrade import check_nobody_works, copy_before_migrating, one_at_a_time

    with one_at_a_time(folder):
        if _version(db) < SCHEMA_VERSION:
            check_nobody_works(folder)
            copy_before_migrating(folder, db, SCHEMA_VERSION)
            migrate(db)


def _nothing_there() -> Connection:
    """An empty database in memory, which takes nothing: what is seen of a data folder that is not there."""
    from radtui.store.schema import migrate

    db = sqlite3.connect(":memory:", isolation_level=None, factory=Connection)
    db.row_factory = sqlite3.Row
    migrate(db)
    db.execute("PRAGMA query_only=ON")
    return db


def in_place(
    db: Connection, data: DataDir, busy_timeout_s: float = BUSY_TIMEOUT_S, any_thread: bool = False
) -> Connection:
    """The connection, or a new one where the folder has come, or come back, since it was opened.

    While the folder is gone, or another one lies under its name, the old one stays: it still shows what was there. It
    is not closed here, since others may hold it.
    """
    there = data.database.exists()
    if not there or (not is_in_memory(db) and is_in_place(db)):
        return db
    try:
        return connect(data, busy_timeout_s=busy_timeout_s, any_thread=any_thread)
    except FolderGoneError:  # what has come is not what was open
        if is_in_memory(db):
            raise
        return db


def log_stamp(db: Connection) -> tuple[int, int] | None:
    """Size and time of the write-ahead log, which change when a row is written; None where there is none."""
    if db.file is None:
        return None
    try:
        status = db.file.with_name(f"{db.file.name}-wal").stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if status.st_size else None


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _refuse_emptied(folder: DataDir) -> None:
    """Raise UserError where images or jobs lie in a folder whose database is missing or has lost all its bytes."""
    database = folder.database
    if database.exists() and database.stat().st_size:
        return
    if folder.has_content:
        state = "has 0 bytes" if database.exists() else "is missing"
        raise UserError(
            f"{database} {state}, though images or jobs lie beside it: take it back with radtui restore, or move the"
            " folder away to begin anew."
        )


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
    access, before = _read_only_access(data), _stamp(data)
    try:
        with closing(_open_read_only(data, access)) as db:
            yield db
    finally:
        # SQLite takes an immutable file's pages as they come, without a lock: they are right if nobody wrote.
        if "immutable" in access and _stamp(data) != before:
            raise UserError(f"{data.database} was written while it was read; run this again.")


def only_read(db: sqlite3.Connection) -> None:
    """Let a connection change nothing from now on: what is meant to look cannot write by mistake."""
    db.execute("PRAGMA query_only=ON")


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


def _open_read_only(data: DataDir, access: str) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(
            f"{data.database.absolute().as_uri()}?{access}", BUSY_TIMEOUT_S, isolation_level=None, uri=True
        )
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA query_only=ON")
        version = _version(db)
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
    status = data.database.stat()
    return status.st_size, status.st_mtime_ns, data.root.joinpath(f"{data.database.name}-wal").exists()


@contextmanager
def same_moment(db: sqlite3.Connection) -> Iterator[None]:
    """One read transaction: everything read in it is of the same moment. Inside another it is a part of that one."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN")
    try:
        yield
    finally:
        if db.in_transaction:  # SQLite may have ended it, on an error that is to be seen
            db.execute("COMMIT")


@contextmanager
def writing(db: sqlite3.Connection, *, synced: bool = False) -> Iterator[None]:
    """One write transaction, all or nothing, into the file that the folder shows under its name.

    On a connection that is held (`store.holding`) it is a part of what is held, and saved with it. `BEGIN IMMEDIATE`
    takes the write lock at once: a transaction that reads first and writes later could find the database changed
    under it and fail, whatever the busy timeout.

    Args:
        db: A connection of the calling thread.
        synced: Whether what is committed must outlast a power cut too: some milliseconds, for what people typed.

    Raises:
        FolderGoneError: The folder was removed, renamed, replaced or unmounted, or a newer radtui has migrated the
            database; what was written is in no file that the folder shows.
    """
    check_in_place(db)
    if is_in_memory(db):
        raise FolderGoneError(
            "There is no data folder here yet: import something, or name another --data-dir."
        )
    if isinstance(db, Connection) and db.held:
        yield
        return
    if synced:
        db.execute("PRAGMA synchronous=FULL")
    try:
        if not (synced and take_lock(db, SHORT_WAITS)):
            db.execute("BEGIN IMMEDIATE")
        try:
            check_schema(db)  # under the lock: nobody migrates before this is committed
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite ends it itself where the disk is full, but not always
                db.execute("ROLLBACK")
            raise
        if synced:
            sync_log_name(db)
            check_in_place(db)  # a sync takes a while, in which the folder may have gone
    finally:
        if synced:
            db.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def together(db: Connection) -> Iterator[None]:
    """One write transaction around several writes that would each be one by themselves: all or nothing."""
    with writing(db):
        db.held = True
        try:
            yield
        finally:
            db.held = False


def take_lock(db: sqlite3.Connection, tries: int) -> bool:
    """Begin a write transaction within so many tries, a millisecond apart; False, with none begun, when it is held.

    SQLite itself waits longer and longer between its tries, which costs more than the few milliseconds that a
    synced row of somebody else's takes.
    """
    waits_ms = int(db.execute("PRAGMA busy_timeout").fetchone()[0])
    db.execute("PRAGMA busy_timeout=0")
    try:
        for number in range(tries):
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                if number + 1 < tries:
                    time.sleep(0.001)
            else:
                return True
    finally:
        db.execute(f"PRAGMA busy_timeout={waits_ms}")
    return False


def sync_log_name(db: sqlite3.Connection) -> None:
    """Bring the log's own name to the disk too, once: it keeps it as long as this connection is open."""
    if isinstance(db, Connection) and db.file is not None and not db.folder_synced:
        sync_folder(db.file.parent)
        db.folder_synced = True


def is_busy(error: sqlite3.Error) -> bool:
    """Whether an error only says that another connection is writing."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def move_log(db: sqlite3.Connection) -> None:
    """Move committed rows from the write-ahead log into the file itself, so that a copy of the file has them.

    Waits for nobody: what another connection still reads stays in the log until the next time.
    """
    if can_write(db) and is_in_place(db):
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")
