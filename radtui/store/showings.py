"""Ratings some hundred showings at a time: their histories, places and links, for files of a hundred thousand rows.

A showing is one comparison as one reader was shown it: (case id, rater, occasion, pair).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain

from radtui.records import Rating
from radtui.store.database import READ_CHUNK
from radtui.store.ratings import ASSIGNED, READ, READ_AT_ONCE, Assignment, ratings_of_rows

Showing = tuple[int, str, int, int]  # case id, rater, occasion, pair


def snapshots(db: sqlite3.Connection, study_id: int, showings: Sequence[Showing]) -> Iterator[Rating]:
    """Every snapshot of some showings of a study, oldest first."""
    if not showings:
        return
    sql = _of_showings(READ, "ratings", len(showings)) + " ORDER BY stored.id"
    cursor = db.execute(sql, (*chain.from_iterable(showings), study_id))
    cursor.row_factory = None
    while rows := cursor.fetchmany(READ_AT_ONCE):
        yield from ratings_of_rows(rows)


def places(db: sqlite3.Connection, study_id: int, showings: Sequence[Showing]) -> dict[Showing, Assignment]:
    """Where some showings of a study stand in their readers' queues; those that are in none are left out."""
    if not showings:
        return {}
    sql = _of_showings(ASSIGNED.split(", "), "assignments", len(showings))
    stored = [Assignment(*row) for row in db.execute(sql, (*chain.from_iterable(showings), study_id))]
    return {(place.case_id, place.rater, place.occasion, place.pair): place for place in stored}


def ids(db: sqlite3.Connection, study_id: int, rater: str) -> Iterator[int]:
    """The ids of one reader's snapshots in one study, oldest first."""
    rows = db.execute(
        "SELECT id FROM ratings WHERE study_id = ? AND rater = ? ORDER BY id", (study_id, rater)
    )
    return (row[0] for row in rows)


def ids_by_showing(db: sqlite3.Connection, study_id: int, rater: str) -> Iterator[tuple[Showing, int]]:
    """The ids of one reader's snapshots in one study, showing by showing, the newest of each first."""
    rows = db.execute(
        "SELECT case_id, pair, occasion, id FROM ratings WHERE study_id = ? AND rater = ?"
        " ORDER BY case_id, pair, occasion, id DESC", (study_id, rater),
    )  # fmt: skip
    return (((case_id, rater, occasion, pair), row_id) for case_id, pair, occasion, row_id in rows)


def links(db: sqlite3.Connection, row_ids: Sequence[int]) -> dict[int, str]:
    """The links of snapshots by their ids; "" for those from before there were chains."""
    known: dict[int, str] = {}
    for start in range(0, len(row_ids), READ_CHUNK):
        chunk = row_ids[start : start + READ_CHUNK]
        marks = ",".join("?" * len(chunk))
        rows = db.execute(f"SELECT id, chain FROM ratings WHERE id IN ({marks})", chunk)
        known.update((row[0], row[1]) for row in rows)
    return known


def _of_showings(columns: Sequence[str], table: str, count: int) -> str:
    """SQL for a table's rows of so many showings, by an index of both tables that begins with study and rater."""
    marks = ",".join(["(?,?,?,?)"] * count)
    wanted = f"WITH wanted (case_id, rater, occasion, pair) AS (VALUES {marks})"
    return (
        f"{wanted} SELECT {', '.join(f'stored.{name}' for name in columns)} FROM wanted CROSS JOIN {table} stored"
        " ON stored.study_id = ? AND stored.rater = wanted.rater AND stored.case_id = wanted.case_id"
        " AND stored.pair = wanted.pair AND stored.occasion = wanted.occasion"
    )


def special_roles(db: sqlite3.Connection, study_id: int, rater: str) -> dict[Showing, str]:
    """`calibration` or `repeat`, of what a reader was shown for another reason than to be rated once."""
    rows = db.execute(
        "SELECT case_id, rater, occasion, pair, role FROM assignments"
        " WHERE study_id = ? AND rater = ? AND role <> 'normal'",
        (study_id, rater),
    )
    return {(case_id, name, occasion, pair): role for case_id, name, occasion, pair, role in rows}
