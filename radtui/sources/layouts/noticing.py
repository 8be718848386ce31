"""What is noticed of a source's cases while they pass: texts that are all the same, many images, slices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from radtui.records import Problem
from radtui.sources.files import Tree
from radtui.sources.layouts.draft import Draft
from radtui.sources.layouts.large_cases import LargeCases
from radtui.sources.layouts.repeats import SameTexts
from radtui.sources.layouts.slices import Slices


class Noticing:
    """Watches the cases of one pass over a source, and changes none.

    Args:
        tree: The source.
    """

    def __init__(self, tree: Tree) -> None:
        self._same, self._large, self._slices = SameTexts(), LargeCases(), Slices(tree)

    def of_tables(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """The cases of tables."""
        return self.of_files(self._same.noticed(drafts))

    def of_files(self, drafts: Iterable[Draft]) -> Iterator[Draft]:
        """The cases of images that no table lists."""
        return self._slices.noticed(self._large.noticed(drafts))

    def problems(self) -> list[Problem]:
        """What is to be said of them."""
        return [*self._large.problems(), *self._slices.problems(), *self._same.problems()]
