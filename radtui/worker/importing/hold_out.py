"""Which cases of a source without splits are held out: a share of them, the same ones in every import."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from radtui.records import NewCase
from radtui.store.cases import KeptCase
from radtui.worker.importing.known_cases import Key, KnownCases

TRAIN, TEST = "train", "test"
_HASH_DIGITS = 8


class Dealer:
    """Deals cases to `train` and `test`.

    A case's patient decides, where the source tells patients apart, else its exam, else the bytes of its first image:
    what is of one person, one exam, or equal, never lies on both sides, and what is added later moves nothing. What is
    in the data set already stays where it is: models may have learnt from it.

    Args:
        percent: Share that is held out, 0 to 100.
        known: The cases of the data set before this import.
    """

    def __init__(self, percent: int, known: KnownCases) -> None:
        self._percent = percent
        self._known = known
        # By the hash that decides, of those alone that are elsewhere than it says: what is known already may be.
        self._moved: dict[str, str] = {}
        # Of the cases in train, those whose hash is least: they are held out where chance held out none.
        self._least: tuple[str, list[Key]] = "", []
        self._groups_in_train = 0  # one, or more
        self._any_held_out = False

    def dealt(self, kept: KeptCase) -> NewCase:
        """The case in its split; one that cannot be read has nothing that decides, and stays in `train`."""
        case = kept.case
        group = deciding(kept)
        by_hash = TEST if group and held_out(group, self._percent) else TRAIN
        split = self._known.split_of(case, kept.probes) or self._moved.get(group, by_hash)
        if group and split != by_hash:
            self._moved.setdefault(group, split)
        if group and split == TRAIN:
            self._note(group, (TRAIN, case.source_key))
        self._any_held_out |= split == TEST
        return replace(case, split=split) if split != case.split else case

    def _note(self, group: str, key: Key) -> None:
        least, keys = self._least
        if group == least:
            keys.append(key)
            return
        self._groups_in_train += 1
        if not least or group < least:
            self._least = group, [key]

    def owed(self) -> list[Key]:
        """The cases to hold out, those of one patient, where chance held out none of a small data set."""
        owes = self._percent and not self._any_held_out and self._groups_in_train > 1
        return self._least[1] if owes else []


def deciding(kept: KeptCase) -> str:
    """The hash that decides about a case: of its patient, else its exam, else its first readable image; or "".

    Patients and exams are keyed hashes when they come here; they are hashed once more, so that their first digits are
    evenly spread whatever made them.
    """
    if kept.error:
        return ""
    for person in (kept.patient, kept.exam):
        if person:
            return hashlib.sha256(person.encode()).hexdigest()
    return next((probe.sha256 for probe in kept.probes if probe.sha256 and not probe.error), "")


def held_out(sha256: str, percent: int) -> bool:
    """Whether a hash is among the share: as a number from 0 to 1, it lies below it."""
    return bool(int(sha256[:_HASH_DIGITS], 16) * 100 < percent * 16**_HASH_DIGITS)
