"""Images whose bytes stay where they were imported from: which they are, and where."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radtui.store.database import READ_CHUNK, writing
from radtui.store.incoming import Link


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked image, and the sources that its path may begin at: of every data set that has it."""

    sha256: str
    link: Link
    sources: tuple[str, ...]

    @property
    def places(self) -> list[Path]:
        """Where its file may be."""
        return [Path(os.path.normpath(f"{source}/{self.link.path}")) for source in self.sources]


def relative(file: str, source: str) -> str:
    """A file's path as a link has it: from its data set's source on, which may be a table beside the file."""
    return os.path.relpath(file, source)


def linked(db: sqlite3.Connection, sha256s: Sequence[str]) -> dict[str, Linked]:
    """Those of some images that are linked, by their sha256."""
    result: dict[str, Linked] = {}
    for start in range(0, len(sha256s), READ_CHUNK):
        chunk = sha256s[start : start + READ_CHUNK]
        marks = ",".join("?" * len(chunk))
        for sha256, path, n_bytes, modified_ns, source in db.execute(
            "SELECT DISTINCT i.sha256, i.link_path, i.link_bytes, i.link_modified_ns, d.source FROM images i"
            " JOIN case_images p ON p.sha256 = i.sha256 JOIN cases k ON k.id = p.case_id"
            f" JOIN datasets d ON d.name = k.dataset WHERE i.sha256 IN ({marks}) AND i.link_path != ''",
            chunk,
        ):
            before = result[sha256].sources if sha256 in result else ()
            result[sha256] = Linked(sha256, Link(path, n_bytes, modified_ns), (*before, source))
    return result


def all_linked(db: sqlite3.Connection) -> list[str]:
    """SHA-256 of every linked image, in order."""
    return [row[0] for row in db.execute("SELECT sha256 FROM images WHERE link_path != '' ORDER BY sha256")]


def sources(db: sqlite3.Connection) -> dict[str, int]:
    """How many linked images each source has, by the source as its data set names it."""
    rows = db.execute(
        "SELECT d.source, count(DISTINCT i.sha256) FROM images i JOIN case_images p ON p.sha256 = i.sha256"
        " JOIN cases k ON k.id = p.case_id JOIN datasets d ON d.name = k.dataset WHERE i.link_path != ''"
        " GROUP BY d.source ORDER BY d.source"
    )
    return {row[0]: row[1] for row in rows}


def move_source(db: sqlite3.Connection, dataset: str, source: str) -> None:
    """Write down that the folder that a data set came from is now another one."""
    with writing(db, synced=True):
        db.execute("UPDATE datasets SET source = ? WHERE name = ?", (source, dataset))
