"""Which images of a source without splits are held out: a share of them, the same ones in every import."""

from __future__ import annotations

from dataclasses import replace

from radtui.records import NewImage
from radtui.store.images import Probe
from radtui.worker.importing.known_images import KnownImages

TRAIN, TEST = "train", "test"
_HASH_DIGITS = 8


class Dealer:
    """Deals images to `train` and `test`.

    An image's own bytes decide, not its place among the others: equal images never lie on both sides, and those that
    are added later move none. What is in the data set already stays where it is: models may have learnt from it.

    Args:
        percent: Share that is held out, 0 to 100.
        known: The images of the data set before this import.
    """

    def __init__(self, percent: int, known: KnownImages) -> None:
        self._percent = percent
        self._known = known
        self._dealt: set[str] = set()  # hashes of new images that are in train
        self._any_held_out = False

    def dealt(self, item: NewImage, probe: Probe) -> NewImage:
        """The image in its split; one that cannot be read has no bytes that decide, and stays in `train`."""
        split = self._known.split_of(item, probe)
        if not split:
            readable = not (item.error or probe.error)
            split = TEST if readable and held_out(probe.sha256, self._percent) else TRAIN
            if readable and split == TRAIN:
                self._dealt.add(probe.sha256)
        self._any_held_out |= split == TEST
        return replace(item, split=split)

    def owed(self) -> str:
        """The hash of the image to hold out where chance held out none of a small data set, else ""."""
        owes = self._percent and not self._any_held_out and len(self._dealt) > 1
        return min(self._dealt) if owes else ""


def held_out(sha256: str, percent: int) -> bool:
    """Whether an image is among the share: its hash, as a number from 0 to 1, lies below it."""
    return int(sha256[:_HASH_DIGITS], 16) * 100 < percent * 16**_HASH_DIGITS
