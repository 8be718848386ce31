"""The error of a data folder that cannot be written any more, though it could."""

from __future__ import annotations

import errno
import sqlite3

from radtui.records import UserError

# Of SQLite: what a disk says that is full, has become read-only or answers with errors.
_OF_THE_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_OF_THE_SYSTEM = (errno.EIO, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


class FolderGoneError(UserError):
    """The data folder, or its database, is no longer what was opened; nothing was written."""


class NewerSchemaError(FolderGoneError):
    """A newer radtui has brought the database up to date since it was opened; nothing was written."""


def is_of_the_disk(error: BaseException) -> bool:
    """Whether an error says that the disk takes nothing now: trying again at once would not help."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_THE_DISK
    return isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is no whole database."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
