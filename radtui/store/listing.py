"""What there is, one after the other: every case in flat memory, and the names of data sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from radtui.records import Case
from radtui.store import cases
from radtui.store.database import READ_CHUNK


def each(db: sqlite3.Connection, dataset: str = "") -> Iterator[Case]:
    """Every case in the order in which they came, readable or not; of one data set where that is named."""
    last = 0
    while True:
        rows = db.execute(
            "SELECT id FROM cases WHERE id > ?1 AND (?2 = '' OR dataset = ?2) ORDER BY id LIMIT ?3",
            (last, dataset, READ_CHUNK),
        ).fetchall()
        if not rows:
            return
        yield from cases.get_many(db, [row[0] for row in rows])
        last = rows[-1][0]


def dataset_names(db: sqlite3.Connection) -> list[str]:
    """The names of all data sets, newest first."""
    return [row[0] for row in db.execute("SELECT name FROM datasets ORDER BY created_at DESC, rowid DESC")]
