"""A data folder to do harm to: images with bytes, a finished description job, strings that would steer a terminal."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

from radtui.paths import DataDir
from radtui.store.database import connect
from tests import blobs
from tests.conftest import drawn_png
from tests.unit.review_sessions import described
from tests.unit.test_export_round_trip import add_into

PLANTED = (
    "\x1b]52;c;UExBTlRFRA==\x07\x1b]8;;http://planted\x07link\x1b]8;;\x07\x1b[2J\x9b31m\x9d0;title\x9c"
    "\u202eturned\u2066\u200b\U000e0041\x85[@click=app.quit][bold]markup[/] <script>planted()</script>"
)
RAW = re.compile(
    rb"\x1b\]52|\x1b\]8;|\x1b\]0;title|\x1b\[2J\xc2|\xc2[\x80-\x9f]|\xe2\x80[\x8b\xae]|\xe2\x81\xa6|\xf3\xa0\x81\x81"
)
"""What of it must not reach a terminal, in UTF-8."""

CHOSEN = (
    "kind",
    "state",
    "split",
    "sha256",
    "variant",
    "role",
    "shown_left",
    "shown_right",
    "stop_requested",
    "metrics.name",
)
"""Columns whose words radtui chooses itself."""


def build(root: Path, pairs: int = 12) -> DataDir:
    """A data folder with so many pairs to rate."""
    data = DataDir(root)
    with contextlib.closing(connect(data, create=True)) as db:
        ids = add_into(db, pairs)
        for n in range(pairs):
            blobs.keep(data, drawn_png(n))
        described(db, ids)
    return data


def plant(data: DataDir) -> int:
    """Put strings that would steer a terminal into every text that anybody may have written; returns the columns."""
    planted = 0
    with contextlib.closing(sqlite3.connect(data.database, isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys=OFF")
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if "fts" in table or table.startswith(("sqlite_", "_")):
                continue
            for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
                if (
                    kind != "TEXT"
                    or {column, f"{table}.{column}"} & set(CHOSEN)
                    or _is_json(db, table, column)
                ):
                    continue
                with contextlib.suppress(sqlite3.IntegrityError):
                    db.execute(f"UPDATE {table} SET {column} = {column} || ?", (PLANTED,))
                    planted += 1
    return planted


def _is_json(db: sqlite3.Connection, table: str, column: str) -> bool:
    row = db.execute(f"SELECT {column} FROM {table} WHERE {column} <> '' LIMIT 1").fetchone()
    return row is not None and str(row[0]).startswith(("{", "["))
