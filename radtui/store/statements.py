"""SQL scripts taken apart: `executescript` would commit the transaction that a migration stands in."""

from __future__ import annotations

import sqlite3


def statements(script: str) -> list[str]:
    """Split a script where SQLite itself says a statement is complete (triggers hold semicolons)."""
    complete: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            complete.append(pending.strip())
            pending = ""
    return complete
