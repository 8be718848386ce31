"""Data sets and their images: adding, finding, reading back."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from radtui.records import Image, NewImage, Truth
from radtui.store.database import READ_CHUNK, writing
from radtui.store.ratings import JUDGED

SORT_COLUMNS = {
    "position": "images.split DESC, images.position",
    "name": "images.source_key",
    "reference": "images.reference",
    "size": "images.width_px * images.height_px DESC",
}
RANKED = 5_000  # a search that finds more comes in the list's own order


@dataclass(frozen=True, slots=True)
class Probe:
    """What decoding an image's bytes once told: its facts, or why it could not be read."""

    sha256: str
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    mode: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """One data set and its counts; `splits` maps a split's name to its number of images."""

    name: str
    source: str
    created_at: float
    splits: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    leaked: int = 0

    @property
    def total(self) -> int:
        """Images of all splits, unreadable ones included."""
        return sum(self.splits.values())


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """What the list shows. Empty strings and None do not filter; `search` is words, all of which must occur."""

    dataset: str
    split: str = ""
    search: str = ""
    examination: str = ""
    finding: str = ""
    unreadable: bool | None = None
    leaked: bool | None = None
    rated: bool | None = None
    sort: str = "position"


def ensure_dataset(db: sqlite3.Connection, name: str, source: str) -> None:
    """Create the data set's row unless it is there."""
    with writing(db):
        db.execute(
            "INSERT INTO datasets (name, source, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            (name, source, time.time()),
        )


def datasets(db: sqlite3.Connection) -> list[DatasetSummary]:
    """All data sets, newest first, with their counts."""
    counts: dict[str, dict[str, int]] = {}
    troubles: dict[str, list[int]] = {}
    rows = db.execute(
        "SELECT dataset, split, count(*) AS n, sum(error != '') AS unreadable, sum(leaked) AS leaked"
        " FROM images GROUP BY dataset, split ORDER BY dataset, split DESC"
    )
    for row in rows:
        counts.setdefault(row["dataset"], {})[row["split"]] = row["n"]
        trouble = troubles.setdefault(row["dataset"], [0, 0])
        trouble[0] += row["unreadable"]
        trouble[1] += row["leaked"]
    return [
        DatasetSummary(
            row["name"], row["source"], row["created_at"], counts.get(row["name"], {}),
            *troubles.get(row["name"], [0, 0]),
        )
        for row in db.execute("SELECT * FROM datasets ORDER BY created_at DESC, rowid DESC")
    ]  # fmt: skip


def any_dataset(db: sqlite3.Connection) -> bool:
    """Whether anything has been imported, or has begun to be."""
    return db.execute("SELECT 1 FROM datasets LIMIT 1").fetchone() is not None


def total(db: sqlite3.Connection) -> int:
    """How many images there are, of all data sets."""
    return int(db.execute("SELECT count(*) FROM images").fetchone()[0])


def add(db: sqlite3.Connection, dataset: str, batch: Sequence[tuple[NewImage, Probe]]) -> tuple[int, int]:
    """Insert or refresh a batch in one transaction, keyed by split and source key.

    Returns:
        How many rows are new, and how many were there already.
    """
    new = known = 0
    with writing(db):
        position = _last_positions(db, dataset, {item.split for item, _ in batch})
        for item, probe in batch:
            found = db.execute(
                "SELECT id FROM images WHERE dataset = ? AND split = ? AND source_key = ?",
                (dataset, item.split, item.source_key),
            ).fetchone()
            values = (
                probe.sha256, probe.format, probe.width_px, probe.height_px, probe.mode, item.reference,
                item.examination, json.dumps(item.facts, ensure_ascii=False), item.error or probe.error,
            )  # fmt: skip
            if found is None:
                place = position[item.split] = position[item.split] + 1
                image_id = db.execute(
                    "INSERT INTO images (sha256, format, width_px, height_px, mode, reference, examination,"
                    " facts, error, dataset, split, position, source_key)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*values, dataset, item.split, place, item.source_key),
                ).lastrowid
                new += 1
            else:
                image_id = found["id"]
                db.execute(
                    "UPDATE images SET sha256 = ?, format = ?, width_px = ?, height_px = ?, mode = ?,"
                    " reference = ?, examination = ?, facts = ?, error = ? WHERE id = ?",
                    (*values, image_id),
                )
                known += 1
            _set_truth(db, image_id, item.truth)
    return new, known


def _last_positions(db: sqlite3.Connection, dataset: str, splits: Iterable[str]) -> dict[str, int]:
    """The highest position in each split, -1 in an empty one: at its index's end, whatever the split's size."""
    sql = "SELECT coalesce(max(position), -1) FROM images WHERE dataset = ? AND split = ?"
    return {split: db.execute(sql, (dataset, split)).fetchone()[0] for split in splits}


def _set_truth(db: sqlite3.Connection, image_id: int | None, truth: Iterable[Truth]) -> None:
    db.execute("DELETE FROM truths WHERE image_id = ?", (image_id,))
    db.executemany(
        "INSERT INTO truths (image_id, ordinal, finding, side, zone, size) VALUES (?, ?, ?, ?, ?, ?)",
        [(image_id, n, t.finding, t.side, t.zone, t.size) for n, t in enumerate(truth)],
    )


def set_fact(db: sqlite3.Connection, ids: Sequence[int], name: str, value: str) -> None:
    """Add one fact to images that are there, beside those of their source."""
    with writing(db):
        db.executemany(
            "UPDATE images SET facts = json_set(facts, ?, ?) WHERE id = ?",
            [(f'$."{name}"', value, image_id) for image_id in ids],
        )


def move(db: sqlite3.Connection, dataset: str, sha256: str, before: str, after: str) -> int:
    """Move an image, with its copies, to a split that is empty so far; returns how many rows."""
    with writing(db):
        sql = "UPDATE images SET split = ? WHERE dataset = ? AND split = ? AND sha256 = ?"
        return db.execute(sql, (after, dataset, before, sha256)).rowcount


def mark_leaks(db: sqlite3.Connection, dataset: str) -> int:
    """Mark the images whose bytes also occur in another split of the data set; returns how many."""
    with writing(db):
        db.execute(
            "UPDATE images SET leaked = error = '' AND EXISTS (SELECT 1 FROM images other WHERE"
            " other.dataset = images.dataset AND other.sha256 = images.sha256"
            " AND other.split != images.split AND other.error = '') WHERE dataset = ?",
            (dataset,),
        )
    row = db.execute("SELECT count(*) FROM images WHERE dataset = ? AND leaked", (dataset,)).fetchone()
    return int(row[0])


def find(db: sqlite3.Connection, query: ImageQuery) -> list[int]:
    """Ids of the images that a query shows, in its order; a search that finds few is ranked best first."""
    where, values = ["images.dataset = ?"], [query.dataset]
    for column, wanted in (("split", query.split), ("examination", query.examination)):
        if wanted:
            where.append(f"images.{column} = ?")
            values.append(wanted)
    if query.finding:
        where.append("EXISTS (SELECT 1 FROM truths WHERE image_id = images.id AND finding = ?)")
        values.append(query.finding)
    if query.unreadable is not None:
        where.append("images.error != ''" if query.unreadable else "images.error = ''")
    if query.leaked is not None:
        where.append("images.leaked" if query.leaked else "NOT images.leaked")
    if query.rated is not None:
        # Not EXISTS, which would go through all ratings for each image.
        among = f"IN (SELECT image_id FROM current_ratings WHERE {JUDGED})"
        where.append(f"images.id {among}" if query.rated else f"images.id NOT {among}")
    tables, order = "images", SORT_COLUMNS.get(query.sort, SORT_COLUMNS["position"])
    if query.search.strip():
        expression = fts_expression(query.search)
        if query.sort == "position" and not _few(db, expression):
            # All hits at once and the rows in their index's order: half the time of looking each hit up.
            where.append("images.id IN (SELECT rowid FROM images_fts WHERE images_fts MATCH ?)")
            values.append(expression)
        else:
            # CROSS JOIN keeps SQLite from asking the index once for every image, which takes minutes.
            tables = "images_fts CROSS JOIN images ON images.id = images_fts.rowid"
            where.insert(0, "images_fts MATCH ?")
            values.insert(0, expression)
            order = "images_fts.rank" if query.sort == "position" else order
    # One row of all ids: a hundred thousand rows take twice the time. SQLite keeps a subquery's order for
    # aggregates that depend on it. Source: SQLite, src/select.c, SF_OrderByReqd.
    ids = f"SELECT images.id FROM {tables} WHERE {' AND '.join(where)} ORDER BY {order}"
    found = db.execute(f"SELECT json_group_array(id) FROM ({ids})", values).fetchone()[0]
    return list(json.loads(found))


def _few(db: sqlite3.Connection, expression: str) -> bool:
    """Whether so few images match that ranking them is quick, and says something."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM images_fts WHERE images_fts MATCH ? LIMIT ?)"
    return int(db.execute(sql, (expression, RANKED + 1)).fetchone()[0]) <= RANKED


def fts_expression(search: str) -> str:
    """An FTS5 expression in which every word must occur and the last may be half typed.

    Each word is quoted, so that no character of a search is FTS5 syntax.
    """
    # A NUL would end the expression inside a quote, and half a surrogate pair cannot be bound at all.
    text = search.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
    words = ['"' + word.replace('"', '""') + '"' for word in text.split()]
    return " ".join(words) + "*" if words else '""'


def get(db: sqlite3.Connection, image_id: int) -> Image | None:
    """One image, or None."""
    found = get_many(db, [image_id])
    return found[0] if found else None


def get_many(db: sqlite3.Connection, ids: Sequence[int]) -> list[Image]:
    """Images by id, in the order asked for; unknown ids are left out."""
    found: dict[int, Image] = {}
    for start in range(0, len(ids), READ_CHUNK):
        chunk = ids[start : start + READ_CHUNK]
        marks = ",".join("?" * len(chunk))
        truths: dict[int, list[Truth]] = {}
        for row in db.execute(f"SELECT * FROM truths WHERE image_id IN ({marks}) ORDER BY ordinal", chunk):
            truths.setdefault(row["image_id"], []).append(
                Truth(row["finding"], row["side"], row["zone"], row["size"])
            )
        for row in db.execute(f"SELECT * FROM images WHERE id IN ({marks})", chunk):
            found[row["id"]] = _image(row, tuple(truths.get(row["id"], ())))
    return [found[image_id] for image_id in ids if image_id in found]


def _image(row: sqlite3.Row, truth: tuple[Truth, ...]) -> Image:
    fields = dict(row)
    fields["facts"] = json.loads(fields["facts"])
    fields["leaked"] = bool(fields["leaked"])
    return Image(truth=truth, **fields)


def usable(
    db: sqlite3.Connection, dataset: str, split: str, limit: int = 0, with_reference: bool = False
) -> list[int]:
    """Ids of a split's readable images in their order; `limit` 0 means all of them."""
    sql = "SELECT id FROM images WHERE dataset = ? AND split = ? AND error = ''"
    if with_reference:
        sql += " AND trim(reference) != ''"
    sql += " ORDER BY position" + (f" LIMIT {int(limit)}" if limit else "")
    return [row[0] for row in db.execute(sql, (dataset, split))]


def distinct(db: sqlite3.Connection, dataset: str, what: str) -> list[str]:
    """The values to filter by: `split`, `examination` or `finding`, sorted."""
    if what == "finding":
        sql = "SELECT DISTINCT finding FROM truths JOIN images ON images.id = image_id WHERE dataset = ?"
    elif what in ("split", "examination"):
        sql = f"SELECT DISTINCT {what} FROM images WHERE dataset = ? AND {what} != ''"
    else:
        raise ValueError(f"no filter over {what}")
    return sorted(row[0] for row in db.execute(sql, (dataset,)))
