"""On which disk a data folder was when it was used last: what lies beneath an unmounted one must not take its place.

An open app knows it by itself (`store.place`); this is for the next start. Nothing is remembered of folders on the
disk that the system itself is on.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from radtui.durable import write_synced
from radtui.paths import DataDir, state_folder
from radtui.records import UserError
from radtui.store.place import Connection, Home, database_of, home_of, identity_of

MOST_FOLDERS = 100  # that are remembered, the newest


def remember_home(db: sqlite3.Connection) -> None:
    """Write down where a database is that has been opened; nothing where it is on the system's own disk."""
    # A pack, in a folder of the moment.
    if not isinstance(db, Connection) or db.file is None or db.file.is_symlink():
        return
    home = home_of(db)
    with suppress(OSError):  # without a home folder nothing is remembered
        file = _file(db.file.parent)
        text = _text(db.file.parent, home)
        if home.mount == home.mount.parent:
            file.unlink(missing_ok=True)
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_synced(file, text)
            _let_oldest_go(file.parent)


def refuse_what_lies_beneath(data: DataDir) -> None:
    """Raise UserError where the disk is not mounted that a data folder was on when it was used last."""
    file = data.root  # for the sentence, should there be no home folder
    home = None
    with suppress(OSError, ValueError):  # none is remembered, or nobody can read it
        file = _file(data.root)
        home = _home(file, data.database)
    if home is None or not home.is_away(data.database):
        return
    raise UserError(
        f"The disk of {home.mount}, on which the data folder {data.root} was, is not mounted: mount it again; or, if"
        f" the folder is to be what lies there now, remove {file}."
    )


def _file(root: Path) -> Path:
    """Of this machine: the same folder may be another one on the next, which shares the home folder."""
    whose = os.fsencode(root) + b"\n" + os.uname().nodename.encode()
    return state_folder() / "folders" / f"{sha256(whose).hexdigest()[:16]}.json"


def _text(root: Path, home: Home) -> str:
    return json.dumps({"folder": str(root), **home.values()})


def _home(file: Path, database: Path) -> Home | None:
    """The home that a file tells of. A device's number may be another one after each start of the machine.

    Files of small disks have small numbers, which meet easily: it is the same file where its rows agree, too.
    """
    home = Home.of_values(json.loads(file.read_text(encoding="utf-8")))
    now = identity_of(database)
    if home is None or home.identity is None or now is None or now[1] != home.identity[1]:
        return home
    return replace(home, identity=now if _rows_say(database) == home.database else None)


def _rows_say(database: Path) -> str:
    """Which database a file is, without writing anything beside it."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db,
    ):
        return database_of(db)
    return ""


def _let_oldest_go(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MOST_FOLDERS:]:
        file.unlink(missing_ok=True)
