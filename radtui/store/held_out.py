"""Who is held out: patients of the splits that nothing may be learnt from."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection


def patients(db: sqlite3.Connection, splits: Collection[str]) -> set[str]:
    """Keys of the patients that have a case in one of these splits, of any data set.

    Args:
        db: The database.
        splits: Their names in lower case.
    """
    marks = ",".join("?" * len(splits))
    rows = db.execute(
        f"SELECT DISTINCT patient FROM cases WHERE patient != '' AND lower(split) IN ({marks})", tuple(splits)
    )
    return {row[0] for row in rows}
