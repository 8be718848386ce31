"""Cases on their way into the database: what an import has found out about each, and writing them, new or again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from radtui.records import NewCase
from radtui.store.database import writing


@dataclass(frozen=True, slots=True)
class Link:
    """Where the bytes of an image stay that is not copied into the data folder.

    Attributes:
        path: Of the file, from its data set's source on: `train/1.png`, or `../1.png` where the source is a table.
        n_bytes: Its size when it was imported.
        modified_ns: When it was last written by then, ns since 1970.
    """

    path: str
    n_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Probe:
    """What decoding an image's bytes once told: its facts, or why it could not be read."""

    sha256: str
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    mode: str = ""
    error: str = ""
    link: Link | None = None  # None where its bytes are in the data folder


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case whose images were probed, and whose patient and exam went through the gate."""

    case: NewCase
    probes: tuple[Probe, ...]  # one for each case; without a sha256 where its bytes were not kept
    patient: str = ""  # keyed hashes
    exam: str = ""

    @property
    def error(self) -> str:
        """Why the case cannot be used, "" where at least one of its images can be read."""
        if self.case.error:
            return self.case.error
        if any(probe.sha256 and not probe.error for probe in self.probes):
            return ""
        reasons = [
            image.error or probe.error for image, probe in zip(self.case.images, self.probes, strict=True)
        ]
        return next(filter(None, reasons), "The case has no image.")


def add(
    db: sqlite3.Connection, dataset: str, batch: Sequence[KeptCase], *, synced: bool = False
) -> tuple[int, int]:
    """Insert or refresh a batch in one transaction, keyed by split and source key.

    Args:
        db: The calling thread's connection.
        dataset: The cases' data set, which has a row.
        batch: The cases.
        synced: Whether the rows must outlast a power cut when this returns.

    Returns:
        How many cases are new, and how many were there already.
    """
    new = known = 0
    with writing(db, synced=synced):
        position = _last_positions(db, dataset, {kept.case.split for kept in batch})
        for kept in batch:
            case = kept.case
            row = db.execute(
                "SELECT question, reference, examination, patient, exam, facts, error, id FROM cases"
                " WHERE dataset = ? AND split = ? AND source_key = ?",
                (dataset, case.split, case.source_key),
            ).fetchone()
            values = (
                case.question, case.reference, case.examination, kept.patient, kept.exam,
                json.dumps(case.facts, ensure_ascii=False), kept.error,
            )  # fmt: skip
            if row is None:
                place = position[case.split] = position[case.split] + 1
                case_id = db.execute(
                    "INSERT INTO cases (question, reference, examination, patient, exam, facts, error, dataset, split,"
                    " position, source_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*values, dataset, case.split, place, case.source_key),
                ).lastrowid
                new += 1
            else:
                case_id = row["id"]
                if values != tuple(row)[:-1]:
                    db.execute(
                        "UPDATE cases SET question = ?, reference = ?, examination = ?, patient = ?, exam = ?,"
                        " facts = ?, error = ? WHERE id = ?",
                        (*values, case_id),
                    )
                known += 1
            _set_images(db, case_id, kept, is_new=row is None)
            _set_truth(db, case_id, kept.case, is_new=row is None)
    return new, known


def _set_images(db: sqlite3.Connection, case_id: int | None, kept: KeptCase, is_new: bool) -> None:
    """The case's images in their order; one whose bytes were not kept has no row."""
    wanted = [
        (image.name, image.role, image.note, probe)
        for image, probe in zip(kept.case.images, kept.probes, strict=True) if probe.sha256
    ]  # fmt: skip
    there = [] if is_new else _images(db, case_id)
    # Bytes that are known are not decoded again, so what stands for a file of many frames is not told anew.
    notes = {sha256: note for sha256, _, _, note in there}
    rows = [
        (probe.sha256, name, role, note or notes.get(probe.sha256, "")) for name, role, note, probe in wanted
    ]
    for *_, probe in wanted:
        _set_image(db, probe)
    if rows != there:
        if there:
            db.execute("DELETE FROM case_images WHERE case_id = ?", (case_id,))
        db.executemany(
            "INSERT INTO case_images (case_id, ordinal, sha256, name, role, note) VALUES (?, ?, ?, ?, ?, ?)",
            [(case_id, ordinal, *row) for ordinal, row in enumerate(rows)],
        )


def _images(db: sqlite3.Connection, case_id: int | None) -> list[tuple[str, str, str, str]]:
    sql = "SELECT sha256, name, role, note FROM case_images WHERE case_id = ? ORDER BY ordinal"
    return [tuple(row) for row in db.execute(sql, (case_id,))]


def _set_image(db: sqlite3.Connection, probe: Probe) -> None:
    link = probe.link or Link("", 0, 0)
    size, modified_ns = (link.n_bytes, link.modified_ns) if probe.link else (None, None)
    values = (
        probe.format, probe.width_px, probe.height_px, probe.mode, probe.error, link.path, size, modified_ns
    )  # fmt: skip
    db.execute(
        "INSERT INTO images (sha256, format, width_px, height_px, mode, error, link_path, link_bytes, link_modified_ns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET format = excluded.format,"
        " width_px = excluded.width_px, height_px = excluded.height_px, mode = excluded.mode, error = excluded.error,"
        " link_path = excluded.link_path, link_bytes = excluded.link_bytes,"
        " link_modified_ns = excluded.link_modified_ns"
        " WHERE (format, width_px, height_px, mode, error, link_path, link_bytes, link_modified_ns) IS NOT"
        " (excluded.format, excluded.width_px, excluded.height_px, excluded.mode, excluded.error, excluded.link_path,"
        " excluded.link_bytes, excluded.link_modified_ns)",
        (probe.sha256, *values),
    )


def _last_positions(db: sqlite3.Connection, dataset: str, splits: Iterable[str]) -> dict[str, int]:
    """The highest position in each split, -1 in an empty one: at its index's end, whatever the split's size."""
    sql = "SELECT coalesce(max(position), -1) FROM cases WHERE dataset = ? AND split = ?"
    return {split: db.execute(sql, (dataset, split)).fetchone()[0] for split in splits}


def _set_truth(db: sqlite3.Connection, case_id: int | None, case: NewCase, is_new: bool) -> None:
    wanted = [(t.finding, t.side, t.zone, t.size) for t in case.truth]
    sql = "SELECT finding, side, zone, size FROM truths WHERE case_id = ? ORDER BY ordinal"
    there = [] if is_new else [tuple(row) for row in db.execute(sql, (case_id,))]
    if wanted == there:
        return
    db.execute("DELETE FROM truths WHERE case_id = ?", (case_id,))
    db.executemany(
        "INSERT INTO truths (case_id, ordinal, finding, side, zone, size) VALUES (?, ?, ?, ?, ?, ?)",
        [(case_id, n, *each) for n, each in enumerate(wanted)],
    )
