"""What a data set has already, so that a repeated import decodes nothing twice and loses nothing.

Ratings and descriptions hang on a row, and its bytes are in the store: a row that was readable stays so when its file
is no longer where it came from, and says that it is missing there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Set as AbstractSet
from dataclasses import replace

from radtui.imaging.facts import Facts
from radtui.records import NewCase, NewCaseImage
from radtui.store import cases
from radtui.store.cases import CaseQuery, KeptCase, Probe

MISSING = "missing"  # the fact of a case whose file a later import did not find; gone when it is back
NAMED = 3  # missing cases that a sentence names
GONE = "The file is no longer in the source; the image is kept from an earlier import."
Key = tuple[str, str]
"""Split and source key: what a row is found by."""


class KnownCases:
    """The cases of one data set before an import.

    Args:
        db: The calling thread's connection.
        dataset: Its name; it may be new.
        location: The source of this import.
    """

    def __init__(self, db: sqlite3.Connection, dataset: str, location: str) -> None:
        begun = next((each.source for each in cases.datasets(db) if each.name == dataset), location)
        self._own = begun == location
        self.probes: dict[str, Probe] = {}  # what decoding told of each sha256 that is readable
        self.probed: dict[str, Facts] = {}  # the same, as reading an image wants it
        self._rows: dict[Key, tuple[str, ...]] = {}  # sha256 of their images
        self._readable: dict[Key, tuple[int, tuple[Probe, ...]]] = {}  # id
        self._split_of: dict[str, str] = {}  # by source key, and of readable images by sha256
        # Source keys of rows kept without their file, in the order they were noticed.
        self.missing: list[str] = []
        for case in cases.get_many(db, cases.find(db, CaseQuery(dataset))):
            key = case.split, case.source_key
            self._rows[key] = tuple(image.sha256 for image in case.images)
            if self._own:
                self._split_of.setdefault(case.source_key, case.split)
            probes = tuple(
                Probe(image.sha256, image.format, image.width_px, image.height_px, image.mode, image.error)
                for image in case.images
            )
            for probe in probes:
                if not probe.error:
                    self.probes[probe.sha256] = probe
                    self.probed[probe.sha256] = Facts(
                        probe.format, probe.width_px, probe.height_px, probe.mode
                    )
                    self._split_of.setdefault(probe.sha256, case.split)
            if not case.error:
                self._readable[key] = case.id, probes

    def split_of(self, case: NewCase, probes: tuple[Probe, ...]) -> str:
        """The split in which a case is already, as the source calls it or by its bytes; "" for a new one."""
        by_bytes = next(
            (self._split_of[probe.sha256] for probe in probes if probe.sha256 in self._split_of), ""
        )
        return self._split_of.get(case.source_key) or by_bytes

    def foreign(self, case: NewCase, probes: tuple[Probe, ...]) -> bool:
        """Whether a case of another source would replace one that is there."""
        there = None if self._own else self._rows.get((case.split, case.source_key))
        return there is not None and there != tuple(probe.sha256 for probe in probes if probe.sha256)

    def kept(self, kept: KeptCase) -> KeptCase:
        """The case as its row should be: where it has become unreadable, what an earlier import had."""
        case = kept.case
        there = self._readable.get((case.split, case.source_key)) if kept.error and self._own else None
        if there is None:
            return kept
        self.missing.append(case.source_key)
        probes = there[1]
        # Names and roles are the source's, as far as it still gives them.
        images = tuple(replace(image, error="") for image in case.images[: len(probes)])
        images += (NewCaseImage(name=case.source_key),) * (len(probes) - len(images))
        facts = {**case.facts, MISSING: kept.error}
        return replace(kept, case=replace(case, images=images, error="", facts=facts), probes=probes)

    def mark_gone(self, db: sqlite3.Connection, seen: AbstractSet[Key]) -> None:
        """After a whole import: mark the readable rows that the source does not name any more."""
        gone = {key: row for key, row in self._readable.items() if self._own and key not in seen}
        cases.set_fact(db, [case_id for case_id, _ in gone.values()], MISSING, GONE)
        self.missing += [name for _, name in gone]

    def sentence(self, location: str) -> str:
        """Which cases are missing; empty when none is."""
        count = len(self.missing)
        if not count:
            return ""
        names = ", ".join(self.missing[:NAMED]) + (f" and {count - NAMED:,} more" if count > NAMED else "")
        are, kept = ("is", "it is kept") if count == 1 else ("are", "they are kept")
        return f"{names} {are} missing in {location}: {kept} as imported before, with texts and ratings"
