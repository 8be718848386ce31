"""Before a database is brought up to date: nobody is at work on it, and a copy of it as it was is kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from radtui.durable import sync_folder
from radtui.paths import DataDir, is_locked
from radtui.records import UserError

ROOM = 1.05  # of the database's size, which its copy must find free


@contextmanager
def one_at_a_time(data: DataDir) -> Iterator[None]:
    """Let one process after another copy and migrate; the kernel takes the lock back however one ends."""
    handle = os.open(data.root / "upgrade.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def check_nobody_works(data: DataDir) -> None:
    """Raise UserError while a worker holds its job's lock: it may be of an older radtui and knows the old tables."""
    for lock in sorted(data.root.glob("jobs/*/lock")):
        if is_locked(lock):
            raise UserError(
                f"Job {int(lock.parent.name)} is at work on {data.database}, which an older radtui wrote; it is brought"
                " up to date once the job has ended: stop the job with that radtui, or come back then."
            )


def copy_before_migrating(data: DataDir, db: sqlite3.Connection, to_version: int) -> Path | None:
    """Keep a copy of the database as it is, beside it, as `radtui.db.before-N`.

    Args:
        data: The data folder.
        db: Its database, outside a transaction.
        to_version: The schema that it is about to get.

    Returns:
        The copy; None where there is nothing to lose yet.

    Raises:
        UserError: There is no room for it.
    """
    if not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        return None
    copy = _free_name(data.database.with_name(f"{data.database.name}.before-{to_version}"))
    pages, page_bytes = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size")
    )
    needed_mib, free_mib = (n / 2**20 for n in (ROOM * pages * page_bytes, shutil.disk_usage(data.root).free))
    if needed_mib > free_mib:
        raise UserError(
            f"{data.database} is of an older radtui, and there is no room for a copy before it is brought up to date:"
            f" {needed_mib:,.0f} MiB are needed, {free_mib:,.0f} MiB are free."
        )
    copy_database(db, copy)
    return copy


def copy_database(db: sqlite3.Connection, copy: Path) -> None:
    """Write a database of one moment into a file, which is whole and on the disk when it has its name."""
    with copying_database(db, copy):
        pass


@contextmanager
def copying_database(db: sqlite3.Connection, copy: Path) -> Iterator[Path]:
    """As `copy_database`, with time to copy what it refers to: it takes its name when the block ends well.

    Yields:
        Where it lies until then, whole and on the disk.
    """
    temporary = copy.with_name(f".{copy.name}.part")
    _remove(temporary)
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        with closing(sqlite3.connect(temporary, isolation_level=None)) as target:
            target.execute("PRAGMA synchronous=FULL")
            db.backup(target)
            # A copy of a WAL database would make a log of its own, beside itself, as soon as it is looked at.
            target.execute("PRAGMA journal_mode=DELETE")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        yield temporary
        temporary.replace(copy)
        sync_folder(copy.parent)
    finally:
        _remove(temporary)


def _remove(unfinished: Path) -> None:
    """Take away a copy that was not finished, with the log that it may have begun."""
    for ending in ("", "-wal", "-shm", "-journal"):
        unfinished.with_name(unfinished.name + ending).unlink(missing_ok=True)


def _free_name(copy: Path) -> Path:
    """The name, or with a number behind it: an older copy is never overwritten."""
    number, free = 1, copy
    while free.exists():
        number += 1
        free = copy.with_name(f"{copy.name}.{number}")
    return free
