"""Whether an open database is still the file that its folder shows under its name.

SQLite goes on reading and writing a file that was removed, renamed or hidden by a mount: what it writes then is gone
with the process. So every connection knows which file it opened, and looks at the name again before it writes.
"""

from __future__ import annotations

import glob
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radtui.records import UserError
from radtui.store import lease
from radtui.store.file_systems import mount_point
from radtui.store.gone import FolderGoneError, NewerSchemaError
from radtui.store.schema_version import SCHEMA_VERSION

__all__ = [
    "Connection", "FolderGoneError", "Home", "check_in_place", "check_known", "check_schema", "database_of",
    "gone_sentence", "home_of", "identity_of", "is_in_memory", "is_in_place", "is_stranger", "known_home", "recognise",
    "refuse_half_restored", "restoring",
]  # fmt: skip

RESTORING = ".restoring."  # in the name of a folder that is to become the data folder

Identity = tuple[int, int]  # device and inode


@dataclass(frozen=True, slots=True)
class Home:
    """Which database stands under a name, and on which disk.

    Attributes:
        mount: Where its file system is mounted.
        identity: Its file.
        database: What its own rows say it is, the same in every copy of it; "" where they do not tell.
    """

    mount: Path
    identity: Identity | None
    database: str

    def values(self) -> dict[str, object]:
        """As JSON takes it."""
        device, inode = self.identity or (0, 0)
        return {"mount": str(self.mount), "device": device, "inode": inode, "database": self.database}

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> Home | None:
        """What `values` gave; None where they are of something else."""
        try:
            identity = (int(values["device"]), int(values["inode"]))
            return cls(Path(values["mount"]), identity if any(identity) else None, str(values["database"]))
        except (KeyError, ValueError, TypeError):
            return None

    def is_away(self, file: Path) -> bool:
        """Whether its disk is not mounted where it was, so that the name leads to what lies beneath, if to anything.

        A disk that is mounted in another place, as automounters do on another machine, shows the same file.
        """
        if self.identity is not None and identity_of(file) == self.identity:
            return False
        now = mount_point(file.resolve().parent)
        return now != self.mount and self.mount.is_relative_to(now)


# Of databases that this process has opened: none is made anew where one is gone.
_homes: dict[Path, Home] = {}
_strangers: dict[Path, Identity] = {}  # files under such a name that are other databases


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


def identity_of(file: Path) -> Identity | None:
    """Device and inode of the file under a name; None where there is none, or none that can be reached."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def home_of(db: Connection) -> Home:
    """Where the database of a connection stands, by the disk and by its own rows."""
    assert db.file is not None
    return Home(mount_point(db.file.resolve().parent), db.identity, database_of(db))


def database_of(db: sqlite3.Connection) -> str:
    """Which database it is, by its own rows: when its first tables were made. "" where they do not tell."""
    with suppress(sqlite3.Error):  # a table that somebody has removed, or a damaged page
        sql = "SELECT min(applied_at) FROM _sqlite_migrations WHERE migration_set = 'radtui'"
        return str(db.execute(sql).fetchone()[0] or "")
    return ""


def known_home(file: Path) -> Home | None:
    """Where a database stood when this process opened it first, or another copy of it last; None before that."""
    return _homes.get(file)


def check_known(file: Path) -> None:
    """Raise FolderGoneError where this process had a database open that its name does not lead to any more.

    Another file under the name may be a copy of it, which only its rows tell: see `recognise`.
    """
    home, identity = _homes.get(file), identity_of(file)
    if home is None or (identity is not None and identity == home.identity):
        return
    if identity is None or home.is_away(file) or is_stranger(file):
        raise FolderGoneError(gone_sentence(file))


def recognise(db: Connection) -> None:
    """Take note of the database that has been opened; it must be the one of that name that was open before, or a copy.

    Raises:
        FolderGoneError: It is another one: what belongs into the one must not go into the other.
    """
    assert db.file is not None
    known = _homes.get(db.file)
    if known is not None and known.identity == db.identity:
        return
    home = home_of(db)
    if known is not None and db.identity is not None and known.database != home.database:
        _strangers[db.file] = db.identity
        raise FolderGoneError(gone_sentence(db.file))
    _homes[db.file] = home


def is_stranger(file: Path) -> bool:
    """Whether a name leads to another database than this process had open under it, as was seen when it was opened."""
    return file in _strangers and _strangers[file] == identity_of(file)


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
    home = _homes.get(file)
    if home is not None and home.is_away(file):
        return (
            f"The disk of {home.mount}, on which the data folder {file.parent} is, is not mounted: mount it again;"
            " nothing is written into what lies beneath."
        )
    if not file.parent.exists():
        return (
            f"The data folder {file.parent} is gone: it was removed or renamed, or its disk is not there; put it back"
            " under this name."
        )
    if not file.exists():
        return f"{file} is gone from its folder: put it back, or take a copy back with radtui restore."
    if is_stranger(file):
        return (
            f"{file} is another database than the one that was open here: put that one back, or leave radtui and start"
            " it again to work with this one."
        )
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
