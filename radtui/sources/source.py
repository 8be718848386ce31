"""What every source can do, whatever it is read from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from radtui.records import NewCase, Problem
from radtui.sources.preview import Preview


class Source(Protocol):
    """Where cases come from. Making one reads no image, and iterating holds a few images at a time."""

    @property
    def location(self) -> str:
        """What identifies the source: a full path, a hub id, or `phantoms:...`."""

    @property
    def problems(self) -> list[Problem]:
        """What of the source is not used, and why; complete once every case was read."""

    def describe(self) -> str:
        """Say in one line what was found: kind, place, number of images, columns."""

    def total(self) -> int | None:
        """Cases that iterating will yield, or None where only iterating tells; may take a while."""

    def splits(self) -> set[str]:
        """The splits that cases will be in, asked for after `total`."""

    def __iter__(self) -> Iterator[NewCase]:
        """Every case in a fixed order, an unreadable image with its reason."""

    def cases(self) -> Iterator[NewCase]:
        """The same as iterating."""

    def preview(self, samples: int = 3, limit_s: float = 2.0) -> Preview:
        """What an import would bring in: the same path as `cases`, stopped after a few."""
