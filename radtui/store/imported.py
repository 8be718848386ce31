"""What a data set had before an import: asked for row by row, so that memory does not grow with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from radtui.store.incoming import Link, Probe

_IMAGE = "i.sha256, i.format, i.width_px, i.height_px, i.mode, i.error, i.link_path, i.link_bytes, i.link_modified_ns"


@dataclass(frozen=True, slots=True)
class Before:
    """The rows of one data set that were there when an import began.

    Attributes:
        db: The calling thread's connection.
        dataset: Its name; it may be new.
        source: Where its first import came from, "" for a new one.
        last_id: The last case of any data set by then: rows of this import come behind it.
        splits: The splits it had.
    """

    db: sqlite3.Connection
    dataset: str
    source: str
    last_id: int
    splits: tuple[str, ...]

    @classmethod
    def of(cls, db: sqlite3.Connection, dataset: str) -> Before:
        """As it is now."""
        row = db.execute("SELECT source FROM datasets WHERE name = ?", (dataset,)).fetchone()
        last = db.execute("SELECT coalesce(max(id), 0) FROM cases").fetchone()[0]
        splits = db.execute(
            "SELECT DISTINCT split FROM cases WHERE dataset = ? ORDER BY split DESC", (dataset,)
        )
        return cls(db, dataset, row[0] if row else "", last, tuple(each[0] for each in splits))

    def case(self, split: str, key: str, readable: bool = False) -> int | None:
        """The id of a case, or None where there is none, or none that can be read."""
        sql = "SELECT id FROM cases WHERE dataset = ? AND split = ? AND source_key = ? AND id <= ?"
        sql += " AND error = ''" if readable else ""
        row = self.db.execute(sql, (self.dataset, split, key, self.last_id)).fetchone()
        return row[0] if row else None

    def split_of_key(self, key: str) -> str:
        """The split in which a key is, "" where it is in none."""
        return next((split for split in self.splits if self.case(split, key) is not None), "")

    def split_of_bytes(self, sha256: str) -> str:
        """The split in which an image that can be read is, "" where it is in none."""
        row = self.db.execute(
            "SELECT k.split FROM case_images p JOIN cases k ON k.id = p.case_id JOIN images i ON i.sha256 = p.sha256"
            " WHERE p.sha256 = ? AND k.dataset = ? AND k.id <= ? AND i.error = '' ORDER BY p.case_id LIMIT 1",
            (sha256, self.dataset, self.last_id),
        ).fetchone()
        return row[0] if row else ""

    def probes(self, case_id: int) -> tuple[Probe, ...]:
        """What is known of a case's images, in their order."""
        sql = (
            f"SELECT {_IMAGE} FROM case_images p JOIN images i ON i.sha256 = p.sha256 WHERE p.case_id = ?"
            " ORDER BY p.ordinal"
        )
        return tuple(map(_probe, self.db.execute(sql, (case_id,))))

    def readable(self) -> Iterator[tuple[int, str, str]]:
        """Id, split and key of every case that could be read."""
        yield from map(tuple, self.db.execute(
            "SELECT id, split, source_key FROM cases WHERE dataset = ? AND error = '' AND id <= ?",
            (self.dataset, self.last_id),
        ))  # fmt: skip


def any_decoded(db: sqlite3.Connection) -> bool:
    """Whether any image was decoded before."""
    return db.execute("SELECT 1 FROM images WHERE error = '' LIMIT 1").fetchone() is not None


def decoded(db: sqlite3.Connection, sha256: str) -> Probe | None:
    """What decoding has told of an image that can be read, of whichever data set; None where there is none."""
    row = db.execute(
        f"SELECT {_IMAGE} FROM images i WHERE i.sha256 = ? AND i.error = ''", (sha256,)
    ).fetchone()
    return _probe(row) if row is not None else None


def _probe(row: Sequence[Any]) -> Probe:
    sha256, image_format, width_px, height_px, mode, error, *link = row
    return Probe(sha256, image_format, width_px, height_px, mode, error, Link(*link) if link[0] else None)
