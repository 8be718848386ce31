"""Reading a journal in the one order in which its entries count, from wherever an earlier reader left off.

The collector reads it into the database of the person, a worker that goes on into the copy it works with: both get
the same rows, because both read through here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from radtui.cluster import journal
from radtui.cluster.journal import START, Cursor, Entry


@dataclass(slots=True)
class JournalPlace:
    """How far a journal has been read.

    `attempt` is the newest one that has begun; `cursors` are of its files, and of older ones until it began.
    """

    attempt: str = ""
    cursors: dict[str, Cursor] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)  # files of this attempt that end there

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """A place as a job's result keeps it; the start for anything else."""
        if not isinstance(values, Mapping):
            return cls()
        cursors = {str(name): Cursor(*pair) for name, pair in values.get("cursors", {}).items()}
        return cls(str(values.get("attempt", "")), cursors, dict(values.get("cuts", {})))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        cursors = {name: [cursor.offset, cursor.crc] for name, cursor in self.cursors.items()}
        return {"attempt": self.attempt, "cursors": cursors, "cuts": dict(self.cuts)}

    def at(self, name: str) -> Cursor:
        """How far a file has been read."""
        return self.cursors.get(name, START)

    def begin(self, attempt: str) -> None:
        """A new attempt has begun: files of older ones count no more, whoever still writes them."""
        self.attempt = attempt
        self.cursors = {n: c for n, c in self.cursors.items() if journal.attempt_of(n) >= attempt}
        self.cuts = {n: c for n, c in self.cuts.items() if journal.attempt_of(n) >= attempt}


def entries(folder: Path, place: JournalPlace, but: str = "") -> Iterator[Entry]:
    """What has come since a place, in its order; `place` moves on with every entry taken.

    Args:
        folder: The journal's.
        place: Where to go on; changed.
        but: A file to leave out: the reader's own.
    """
    _look_ahead(folder, place)
    came = True
    while came:
        came = False
        for path in journal.files(folder):
            if path.name == but or not _counts(path.name, place):
                continue
            for entry in _of_file(path, place):
                came = True
                yield entry


def _look_ahead(folder: Path, place: JournalPlace) -> None:
    """Take in what later attempts say of how far the files of earlier ones count, before these are read."""
    for path in journal.files(folder):
        if journal.attempt_of(path.name) > place.attempt and journal.is_main(path.name):
            for line in journal.read(path):
                place.cuts = {**line.entry.cuts, **place.cuts}
                break


def _counts(name: str, place: JournalPlace) -> bool:
    """Whether a file may be read: of the attempt that has begun, or the one that begins the next."""
    attempt = journal.attempt_of(name)
    return attempt == place.attempt or (attempt > place.attempt and journal.is_main(name))


def _of_file(path: Path, place: JournalPlace) -> Iterator[Entry]:
    name = path.name
    for line in journal.read(path, place.at(name), place.cuts.get(name)):
        place.cuts |= line.entry.cuts  # before they are reached: nothing behind them is to be read meanwhile
        awaited = {**line.entry.after, **line.entry.cuts}
        if not all(_reached(other, length, place) for other, length in awaited.items()):
            return
        attempt = journal.attempt_of(name)
        if attempt > place.attempt:
            place.begin(attempt)
        place.cursors[name] = line.end
        yield line.entry


def _reached(name: str, length: int, place: JournalPlace) -> bool:
    """Whether a file has been read so far; one of an attempt before the newest has been, as far as it counts."""
    return journal.attempt_of(name) < place.attempt or place.at(name).offset >= length


def missing(folder: Path, place: JournalPlace) -> str:
    """What stands in a journal but cannot be read, in words; "" where all of it has been read."""
    for path in journal.files(folder):
        if journal.attempt_of(path.name) != place.attempt or path.name in place.cuts:
            continue
        cursor = place.at(path.name)
        if left := journal.unread_bytes(path, cursor):
            return f"{left:,} bytes behind byte {cursor.offset:,} of {path.name}"
    return ""
