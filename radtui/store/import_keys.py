"""Keys that one import has met, in a temporary file of SQLite's: memory does not grow with the number of cases."""

from __future__ import annotations

import sqlite3

_TABLES = """
CREATE TABLE keys (split TEXT, source_key TEXT, PRIMARY KEY (split, source_key)) WITHOUT ROWID;
CREATE TABLE rows (split TEXT, source_key TEXT, PRIMARY KEY (split, source_key)) WITHOUT ROWID;
"""
_CACHE_KIB = 4096


class ImportKeys:
    """The keys that a source has given, and the rows that came of them; gone when it is closed, or its process ends."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # no name: a file that nobody else sees
        # Nothing of it outlives the process, so nothing need be undone or brought to the disk.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")

    def close(self) -> None:
        """Let it go."""
        self._db.close()

    def unique(self, split: str, key: str) -> str:
        """The key, or with "#2", "#3", ... behind it where the split has had it in this import."""
        unique, n = key, 1
        while not self._add("keys", split, unique):
            n += 1
            unique = f"{key}#{n}"
        return unique

    def met(self, split: str, key: str) -> None:
        """Note that a row is among what the source has now."""
        self._add("rows", split, key)

    def has_met(self, split: str, key: str) -> bool:
        """Whether a row is among what the source has now."""
        sql = "SELECT 1 FROM rows WHERE split = ? AND source_key = ?"
        return self._db.execute(sql, (split, key)).fetchone() is not None

    def _add(self, table: str, split: str, key: str) -> bool:
        sql = f"INSERT OR IGNORE INTO {table} VALUES (?, ?)"
        return self._db.execute(sql, (split, key)).rowcount == 1
