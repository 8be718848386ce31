"""What went wrong with files or the database, in one sentence; the traceback goes into a log."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
import traceback
from pathlib import Path

from radtui.paths import state_folder
from radtui.records import UserError

LOG_BYTES = 1_000_000  # when the log is longer it begins anew

OF_SQLITE = {
    sqlite3.SQLITE_BUSY: "Another program is writing to the database; try again in a moment",
    sqlite3.SQLITE_LOCKED: "Another program is writing to the database; try again in a moment",
    sqlite3.SQLITE_FULL: "The disk of the data folder is full; make room and try again",
    sqlite3.SQLITE_READONLY: "The database cannot be written; see who may with radtui doctor",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened; see radtui doctor",
    sqlite3.SQLITE_IOERR: "The disk of the data folder cannot be read or written; see whether it is still there",
    sqlite3.SQLITE_CORRUPT: "The database is damaged; radtui check says where, radtui restore takes back a copy",
    sqlite3.SQLITE_NOTADB: "The database is damaged; radtui check says where, radtui restore takes back a copy",
}


def sentence(error: BaseException) -> str:
    """Say in one sentence what went wrong and what to do next."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        known = OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        return f"{known} ({error})." if known else f"The database did not take that: {error}."
    if isinstance(error, UnicodeError):
        return f"Some text is not in UTF-8 ({error}); convert the file and try again."
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"The disk is full{f':{where} could not be written' if where else ''}; make room and try again."
        return f"Cannot use{where or ' a file'}: {error.strerror or error}."
    return f"That did not work: {type(error).__name__}, {error}."


def keep_traceback(error: BaseException) -> Path | None:
    """Append an error's traceback to the user's log; None where it cannot be written."""
    try:
        log = state_folder() / "errors.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        begin_anew = log.exists() and log.stat().st_size > LOG_BYTES
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if begin_anew else os.O_APPEND)
        with os.fdopen(os.open(log, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S\n"))
            file.writelines(traceback.format_exception(error))
    except OSError:
        return None
    return log
