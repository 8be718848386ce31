"""Cases of so many images that a model may not take them, as of a series of CT whose slices are files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from radtui.records import Problem
from radtui.sources.layouts.draft import Draft

MANY_IMAGES = 16
"""More than an exam in plain films has; a model that is given a series of CT as single images may not take them."""


class LargeCases:
    """Cases of so many images that a model may not take them."""

    def __init__(self) -> None:
        self._first = ""
        self._count = self._most = 0

    def noticed(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """The same cases, of which large ones are remembered."""
        for draft in drafts:
            if len(draft.pictures) > MANY_IMAGES:
                self._first = self._first or draft.key
                self._count += 1
                self._most = max(self._most, len(draft.pictures))
            yield draft

    def problems(self) -> list[Problem]:
        """That there are such cases, and what to do."""
        reason = f"Cases have up to {self._most:,} images, as series of slices do, which a model may not take; a table"
        reason += " with the names of those that matter brings in these alone."
        return [Problem(self._first, reason, self._count)] if self._count else []
