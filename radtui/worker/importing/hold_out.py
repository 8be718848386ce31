"""Which cases of a source without splits are held out: a share of them, the same ones in every import."""

from __future__ import annotations

from dataclasses import replace

from radtui.records import NewCase
from radtui.store.cases import Probe
from radtui.worker.importing.known_cases import Key, KnownCases

TRAIN, TEST = "train", "test"
_HASH_DIGITS = 8


class Dealer:
    """Deals cases to `train` and `test`.

    The bytes of a case's first image decide, not its place among the others: equal images never lie on both sides,
    and those that are added later move none. What is in the data set already stays where it is: models may have
    learnt from it.

    Args:
        percent: Share that is held out, 0 to 100.
        known: The cases of the data set before this import.
    """

    def __init__(self, percent: int, known: KnownCases) -> None:
        self._percent = percent
        self._known = known
        # Split and key, by the hash that decides, of cases that are in train.
        self._dealt: dict[str, list[Key]] = {}
        self._any_held_out = False

    def dealt(self, case: NewCase, probes: tuple[Probe, ...]) -> NewCase:
        """The case in its split; one that cannot be read has no bytes that decide, and stays in `train`."""
        split = self._known.split_of(case, probes)
        if not split:
            sha256 = deciding(case, probes)
            split = TEST if sha256 and held_out(sha256, self._percent) else TRAIN
            if sha256 and split == TRAIN:
                self._dealt.setdefault(sha256, []).append((TRAIN, case.source_key))
        self._any_held_out |= split == TEST
        return replace(case, split=split)

    def owed(self) -> list[Key]:
        """The case to hold out, with its copies, where chance held out none of a small data set."""
        owes = self._percent and not self._any_held_out and len(self._dealt) > 1
        return self._dealt[min(self._dealt)] if owes else []


def deciding(case: NewCase, probes: tuple[Probe, ...]) -> str:
    """The hash that decides about a case: of its first readable image; "" where there is none."""
    if case.error:
        return ""
    return next((probe.sha256 for probe in probes if probe.sha256 and not probe.error), "")


def held_out(sha256: str, percent: int) -> bool:
    """Whether an image is among the share: its hash, as a number from 0 to 1, lies below it."""
    return int(sha256[:_HASH_DIGITS], 16) * 100 < percent * 16**_HASH_DIGITS
