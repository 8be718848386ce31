"""One table's columns and first rows while their roles are given away."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from radtui.records import UserError
from radtui.sources.choices import NONE, SourceChoices
from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.layouts.words import plain

Cells = Mapping[str, object]
_LISTS = re.compile(r"\s*(?:\{|\[\s*[\[{\d-])")
"""How objects and lists of numbers begin that are written into a cell: boxes of findings are no sentences."""


class Finder:
    """One table's columns while their roles are given away."""

    def __init__(
        self,
        names: Sequence[str],
        rows: Sequence[Cells],
        choices: SourceChoices,
        resolves: Callable[[str], bool],
    ) -> None:
        self.names, self.rows, self.choices, self.resolves = names, rows, choices, resolves
        self.known: dict[str, str] = {}
        for name in reversed(names):
            self.known[plain(name)] = name
        self.taken: set[str] = set()
        self.notes: list[str] = []
        self.guessed: list[str] = []
        self._cells: dict[str, list[object]] = {}

    def cells(self, name: str) -> list[object]:
        """The cells of a column in the looked at rows that hold anything."""
        if name not in self._cells:
            self._cells[name] = [row[name] for row in self.rows if name in row and _filled(row[name])]
        return self._cells[name]

    def named(self, asked: str, setting: str) -> str:
        """The column a user means. Raises UserError when it is not there."""
        column = asked if asked in self.names else self.known.get(plain(asked), "")
        if not column:
            there = ", ".join(self.names) or "none"
            raise UserError(f"There is no column {asked!r} for {setting}; there are {there}.")
        return column

    def pick(
        self, asked: str, setting: str, usual: Iterable[str], fits: Callable[[str], bool] | None = None
    ) -> str:
        """The column a user means, else the first of the usual names that is free and fits."""
        if asked == NONE:
            return ""
        column = self.named(asked, setting) if asked else ""
        if not column:
            usable = (self.known[name] for name in usual if name in self.known)
            column = next(
                (name for name in usable if name not in self.taken and (fits is None or fits(name))), ""
            )
        self.taken.add(column)
        return column

    def prose(self, name: str) -> float:
        """How many words a column's cells have on average; 0 where they are numbers, names, lists of objects."""
        cells = self.cells(name)
        texts = [cell for cell in cells if isinstance(cell, str)]
        if not texts or len(texts) < 0.5 * len(cells):
            return 0.0
        letters = [
            text for text in texts
            if any(sign.isalpha() for sign in text) and not IMAGE_ENDING.search(text) and not _LISTS.match(text)
        ]  # fmt: skip
        if len(letters) < 0.5 * len(texts) or _urls(texts):
            return 0.0
        return sum(_words(text) for text in letters) / len(letters)


def _filled(cell: object) -> bool:
    return cell is not None and cell != "" and not (isinstance(cell, float) and math.isnan(cell))


def all_cells(cells: list[object], test: Callable[[object], bool]) -> bool:
    """Whether there are cells and the first ten pass a test."""
    return bool(cells) and all(test(cell) for cell in cells[:10])


def is_plain(cell: object) -> bool:
    """Whether a cell is a text, a number, or a list of these."""
    if isinstance(cell, list):
        return all(isinstance(each, (str, int, float)) for each in cell)
    return isinstance(cell, (str, int, float))


def _urls(texts: list[str]) -> bool:
    return sum("://" in text for text in texts) > 0.5 * len(texts)


def _words(text: str) -> float:
    """Words of a text, numbers not counted; of scripts without spaces, signs in twos."""
    wide = sum(ord(sign) > 0x2E80 for sign in text)
    return max(sum(any(sign.isalpha() for sign in word) for word in text.split()), wide / 2)
