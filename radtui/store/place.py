"""Whether an open database is still the file that its folder shows under its name.

SQLite goes on reading and writing a file that was removed, renamed or hidden by a mount: what it writes then is gone
with the process. So every connection knows which file it opened, and looks at the name again before it writes.
"""

from __future__ import annotations

import glob
import sqlite3
from pathlib import Path

from radtui.records import UserError
from radtui.store import lease
from radtui.store.gone import FolderGoneError, NewerSchemaError
from radtui.store.schema_version import SCHEMA_VERSION

__all__ = [
    "Connection", "FolderGoneError", "check_in_place", "check_schema", "gone_sentence", "identity_of", "is_in_memory",
    "is_in_place", "refuse_half_restored", "restoring", "was_opened",
]  # fmt: skip

RESTORING = ".restoring."  # in the name of a folder that is to become the data folder

Identity = tuple[int, int]  # device and inode

_opened: set[Path] = set()  # databases that this process has opened: where one is gone, none is made anew


class Connection(sqlite3.Connection):
    """A connection that knows which file it opened; without a `file` it is a database in memory."""

    file: Path | None = None
    identity: Identity | None = None
    folder_synced = False  # whether the folder's entry of the write-ahead log is on the disk
    held = False  # whether a transaction is open that all writes are a part of: see `store.holding`
    changes_before = 0  # rows that had been changed when it was begun

    def remember(self, file: Path) -> None:
        """Take the file that stands under this name for the one that is open."""
        self.file, self.identity = file, identity_of(file)
        _opened.add(file)


def identity_of(file: Path) -> Identity | None:
    """Device and inode of the file under a name; None where there is none, or none that can be reached."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def was_opened(file: Path) -> bool:
    """Whether this process has had a database of this name open."""
    return file in _opened


def is_in_place(db: sqlite3.Connection) -> bool:
    """Whether the name still leads to the file that a connection has open; True for one in memory."""
    return not isinstance(db, Connection) or db.file is None or identity_of(db.file) == db.identity


def check_in_place(db: sqlite3.Connection) -> None:
    """Raise FolderGoneError unless the name still leads to the file that a connection has open, here alone."""
    if is_in_place(db):
        if isinstance(db, Connection) and db.file is not None:
            lease.check(db.file.parent)
        return
    assert isinstance(db, Connection) and db.file is not None
    raise FolderGoneError(gone_sentence(db.file))


def check_schema(db: sqlite3.Connection) -> None:
    """Raise NewerSchemaError where a newer radtui has brought the database up to date since it was opened here."""
    if db.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
        where = db.file if isinstance(db, Connection) and db.file is not None else "The database"
        raise NewerSchemaError(
            f"{where} has been brought up to date by a newer radtui meanwhile: leave this one, and open it with that."
        )


def gone_sentence(file: Path) -> str:
    """What has happened to a database that was open under this name."""
    if not file.parent.exists():
        return (
            f"The data folder {file.parent} is gone: it was removed or renamed, or its disk is not there; put it back"
            " under this name."
        )
    if not file.exists():
        return f"{file} is gone from its folder: put it back, or take a copy back with radtui restore."
    return f"{file} is another file than the one that was opened: it was replaced or restored meanwhile."


def is_in_memory(db: sqlite3.Connection) -> bool:
    """Whether a connection stands for a data folder that is not there: it shows nothing and takes nothing."""
    return isinstance(db, Connection) and db.file is None


def restoring(root: Path) -> list[Path]:
    """Folders beside a data folder that restores into it write, or that killed ones left."""
    return sorted(root.parent.glob(f".{glob.escape(root.name)}{RESTORING}*"))


def refuse_half_restored(root: Path) -> None:
    """Raise UserError where a restore has moved the data folder aside, and was killed before it put the copy there."""
    if not root.exists() and (left := restoring(root)):
        raise UserError(
            f"A restore of {root} is at work or was cut short: call radtui restore again, or remove {left[0]} to do"
            " without."
        )
