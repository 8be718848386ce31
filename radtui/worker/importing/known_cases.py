"""What a data set has already, so that a repeated import decodes nothing twice and loses nothing.

Ratings and descriptions hang on a row, and its bytes are in the store: a row that was readable stays so when its file
is no longer where it came from, and says that it is missing there.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from radtui.records import NewCase, NewCaseImage
from radtui.store import cases
from radtui.store.cases import KeptCase, Probe
from radtui.store.import_keys import ImportKeys
from radtui.store.imported import Before

MISSING = "missing"  # the fact of a case whose file a later import did not find; gone when it is back
NAMED = 3  # missing cases that a sentence names
GONE = "The file is no longer in the source; the image is kept from an earlier import."
_CHUNK = 1000
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
        self._before = Before.of(db, dataset)
        self._own = self._before.source in ("", location)
        self._any = bool(self._before.splits)
        # Source keys of rows kept without their file: the first that were noticed, and how many there are.
        self.missing: list[str] = []
        self.missing_count = 0

    def split_of(self, case: NewCase, probes: tuple[Probe, ...]) -> str:
        """The split in which a case is already, as the source calls it or by its bytes; "" for a new one."""
        if not self._any:
            return ""
        by_key = self._before.split_of_key(case.source_key) if self._own else ""
        by_bytes = (self._before.split_of_bytes(probe.sha256) for probe in probes if probe.sha256)
        return by_key or next(filter(None, by_bytes), "")

    def foreign(self, case: NewCase, probes: tuple[Probe, ...]) -> bool:
        """Whether a case of another source would replace one that is there."""
        there = None if self._own or not self._any else self._before.case(case.split, case.source_key)
        if there is None:
            return False
        own = tuple(probe.sha256 for probe in self._before.probes(there))
        return own != tuple(probe.sha256 for probe in probes if probe.sha256)

    def kept(self, kept: KeptCase) -> KeptCase:
        """The case as its row should be: where it has become unreadable, what an earlier import had."""
        case = kept.case
        if not kept.error or not self._own or not self._any:
            return kept
        there = self._before.case(case.split, case.source_key, readable=True)
        if there is None:
            return kept
        self._miss(case.source_key)
        probes = self._before.probes(there)
        # Names and roles are the source's, as far as it still gives them.
        images = tuple(replace(image, error="") for image in case.images[: len(probes)])
        images += (NewCaseImage(name=case.source_key),) * (len(probes) - len(images))
        facts = {**case.facts, MISSING: kept.error}
        return replace(kept, case=replace(case, images=images, error="", facts=facts), probes=probes)

    def mark_gone(self, db: sqlite3.Connection, met: ImportKeys) -> None:
        """After a whole import: mark the readable rows that the source does not name any more."""
        if not self._own or not self._any:
            return
        gone: list[int] = []
        for case_id, split, key in self._before.readable():
            if not met.has_met(split, key):
                gone.append(case_id)
                self._miss(key)
        for start in range(0, len(gone), _CHUNK):
            cases.set_fact(db, gone[start : start + _CHUNK], MISSING, GONE)

    def _miss(self, key: str) -> None:
        self.missing_count += 1
        if len(self.missing) < NAMED:
            self.missing.append(key)

    def sentence(self, location: str) -> str:
        """Which cases are missing; empty when none is."""
        count = self.missing_count
        if not count:
            return ""
        names = ", ".join(self.missing) + (f" and {count - NAMED:,} more" if count > NAMED else "")
        are, kept = ("is", "it is kept") if count == 1 else ("are", "they are kept")
        return f"{names} {are} missing in {location}: {kept} as imported before, with texts and ratings"
