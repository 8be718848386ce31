"""What a data set has already, so that a repeated import decodes nothing twice and loses nothing.

Ratings and descriptions hang on a row, and its bytes are in the store: a row that was readable stays so when its file
is no longer where it came from, and says that it is missing there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Set as AbstractSet
from dataclasses import replace

from radtui.records import NewImage
from radtui.store import images
from radtui.store.images import ImageQuery, Probe

MISSING = "missing"  # the fact of an image whose file a later import did not find; gone when it is back
NAMED = 3  # missing images that a sentence names
GONE = "The file is no longer in the source; the image is kept from an earlier import."
Key = tuple[str, str]
"""Split and source key: what a row is found by."""


class KnownImages:
    """The images of one data set before an import.

    Args:
        db: The calling thread's connection.
        dataset: Its name; it may be new.
        location: The source of this import.
    """

    def __init__(self, db: sqlite3.Connection, dataset: str, location: str) -> None:
        begun = next((each.source for each in images.datasets(db) if each.name == dataset), location)
        self._own = begun == location
        self.probes: dict[str, Probe] = {}  # what decoding told of each sha256 that is readable
        self._rows: dict[Key, str] = {}  # sha256
        self._readable: dict[Key, tuple[int, Probe]] = {}  # id
        self._split_of: dict[str, str] = {}  # by source key, and of readable images by sha256
        # Source keys of rows kept without their file, in the order they were noticed.
        self.missing: list[str] = []
        for image in images.get_many(db, images.find(db, ImageQuery(dataset))):
            key = image.split, image.source_key
            self._rows[key] = image.sha256
            if self._own:
                self._split_of.setdefault(image.source_key, image.split)
            if not image.error:
                facts = (image.format, image.width_px, image.height_px, image.mode)
                self.probes[image.sha256] = probe = Probe(image.sha256, *facts)
                self._readable[key] = image.id, probe
                self._split_of.setdefault(image.sha256, image.split)

    def split_of(self, item: NewImage, probe: Probe) -> str:
        """The split in which an image is already, as the source calls it or by its bytes; "" for a new one."""
        return self._split_of.get(item.source_key) or self._split_of.get(probe.sha256, "")

    def foreign(self, item: NewImage, probe: Probe) -> bool:
        """Whether an image of another source would replace one that is there."""
        there = None if self._own else self._rows.get((item.split, item.source_key))
        return there is not None and there != probe.sha256

    def kept(self, item: NewImage, probe: Probe) -> tuple[NewImage, Probe]:
        """The image as its row should be: where it has become unreadable, what an earlier import had."""
        why = item.error or probe.error
        there = self._readable.get((item.split, item.source_key)) if why and self._own else None
        if there is None:
            return item, probe
        self.missing.append(item.source_key)
        return replace(item, error="", facts={**item.facts, MISSING: why}), there[1]

    def mark_gone(self, db: sqlite3.Connection, seen: AbstractSet[Key]) -> None:
        """After a whole import: mark the readable rows that the source does not name any more."""
        gone = {key: row for key, row in self._readable.items() if self._own and key not in seen}
        images.set_fact(db, [image_id for image_id, _ in gone.values()], MISSING, GONE)
        self.missing += [name for _, name in gone]

    def sentence(self, location: str) -> str:
        """Which images are missing; empty when none is."""
        count = len(self.missing)
        if not count:
            return ""
        names = ", ".join(self.missing[:NAMED]) + (f" and {count - NAMED:,} more" if count > NAMED else "")
        are, kept = ("is", "it is kept") if count == 1 else ("are", "they are kept")
        return f"{names} {are} missing in {location}: {kept} as imported before, with texts and ratings"
