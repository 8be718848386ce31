"""The files inside a reader's pack: a database of the usual tables with the images and the scheme beside them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator

from radtui.store.database import writing
from radtui.store.place import Connection

TRIES, BETWEEN_S = 20, 0.005


def add_files(db: sqlite3.Connection, files: Iterable[tuple[str, bytes]]) -> None:
    """Put files into a pack's database, made able to hold them where it is not; a name is there once."""
    with writing(db):
        db.execute("CREATE TABLE IF NOT EXISTS pack_files (name TEXT PRIMARY KEY, content BLOB NOT NULL)")
        db.executemany("INSERT INTO pack_files (name, content) VALUES (?, ?) ON CONFLICT DO NOTHING", files)


def holds_files(db: sqlite3.Connection) -> bool:
    """Whether a database is a pack."""
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'pack_files'"
    return db.execute(sql).fetchone() is not None


def files(db: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    """Every file of a pack with its name, in the order of names."""
    for name, content in db.execute("SELECT name, content FROM pack_files ORDER BY name"):
        yield str(name), bytes(content)


def into_one_file(db: Connection) -> bool:
    """Bring what was committed into the file itself, for whoever copies only that; whether all of it is there.

    It fails no answer: what it does not move is committed in the log beside the file, and moved with the next answer.
    """
    for _ in range(TRIES):
        try:
            _, rows, moved = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:
            return False
        if moved >= rows:
            return True
        time.sleep(BETWEEN_S)  # somebody is reading what was there before
    return False


def close_into_one_file(db: sqlite3.Connection) -> None:
    """Close a pack so that all of it is in its one file, without a log beside it."""
    db.execute("PRAGMA journal_mode=DELETE")
    db.execute("VACUUM")
    db.close()
