"""Rows by key in a temporary file of SQLite's: for joins of tables that would fill the memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

_CACHE_KIB = 8192


class Spill:
    """Values by key, in the order they came; gone when the object is, or its process ends."""

    def __init__(self) -> None:
        # No name: a file that nobody else sees. Previews and totals are read in threads, one after the other.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", f"cache_size=-{_CACHE_KIB}"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE held (id INTEGER PRIMARY KEY, key TEXT, value BLOB)")
        self._db.execute("CREATE INDEX held_by_key ON held (key, id)")
        self._db.execute("BEGIN")

    def add(self, key: str, value: bytes) -> None:
        """Keep one more value of a key."""
        self._db.execute("INSERT INTO held (key, value) VALUES (?, ?)", (key, value))

    def get(self, key: str) -> list[bytes]:
        """The values of a key, in their order."""
        return [
            row[0] for row in self._db.execute("SELECT value FROM held WHERE key = ? ORDER BY id", (key,))
        ]

    def keys(self) -> Iterator[str]:
        """Every key once, in the order in which the keys came first."""
        sql = "SELECT key FROM held AS one WHERE id = (SELECT min(id) FROM held WHERE key = one.key) ORDER BY id"
        yield from (row[0] for row in self._db.execute(sql))
