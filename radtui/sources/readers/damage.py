"""What rows of a table look like, so that a damaged one is told from a whole one and rejoined only where certain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from radtui.sources.base import is_split_word
from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.readers.dialect import RecordCells

_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?\s*")
_MAX_NAME_CHARS = 400
_FEW = 3
_MOST = 0.6


@dataclass(frozen=True, slots=True)
class Shape:
    """What the cells of a table's rows are.

    Attributes:
        width: Cells of the header.
        left: Leading columns that hold names or numbers in every row, whatever its number of cells.
        right: Trailing columns of that kind.
        names: Patterns of the first column, "9.a" for "12.png", where it holds names.
        splits: (left, right) of every way to leave just one column for text.
    """

    width: int
    left: int
    right: int
    names: frozenset[str]

    @classmethod
    def of(cls, records: Sequence[RecordCells], width: int) -> Shape:
        """Learn the shape from the first rows; damaged ones with open quotes teach nothing."""
        rows = [each.cells for each in records if not each.open and not each.stray]
        rows = [_without_empty_end(row, width) for row in rows]
        whole = [row for row in rows if len(row) >= width] or rows
        # A few lines that are the rest of the text before them do not hide what the others begin with.
        left = _run([[row[i] for row in whole if len(row) > i] for i in range(width)], share=_MOST)
        right = _run([[row[-1 - i] for row in whole if len(row) > i] for i in range(width)], share=1.0)
        fitting = [row for row in rows if len(row) == width] or rows
        first = frozenset(_pattern(row[0]) for row in fitting if _is_key(row[0])) if left else frozenset()
        return cls(width, left, right, first)

    @property
    def text_is_last(self) -> bool:
        """Whether each column but the last holds names or numbers."""
        return self.width > 1 and self.left == self.width - 1

    def begins_like_a_row(self, cells: Sequence[str]) -> bool:
        """Whether the first cell could be that of a row; true where nothing is known of the first column."""
        return not self.names or (_pattern(cells[0]) in self.names or _name_like(cells[0]))

    def is_a_row(self, cells: Sequence[str]) -> bool:
        """Whether a line looks like a row of its own, rather than a line of a text."""
        if len(cells) < self.width or not (self.left or self.right):
            return False
        if self.left and _pattern(cells[0]) not in self.names:
            return False
        return all(_is_key(cell) for cell in cells[: self.left]) and all(
            _is_key(cell) for cell in cells[len(cells) - self.right :]
        )

    def fits_beginning(self, cells: Sequence[str]) -> bool:
        """Whether a short row is one whose last cells are empty, rather than the rest of another.

        A sentence where the other rows have a number is the text of a row that lacks a cell in its middle.
        """
        if not cells or not self.names or not self.begins_like_a_row(cells):
            return False
        return all(_is_key(cell) for cell in cells[: self.left])


def rejoined(cells: list[str], delimiter: str, shape: Shape) -> list[str] | None:
    """Put the parts of an unquoted text together, or None where it is not certain which column they belong to."""
    extra = len(cells) - shape.width
    ways = []
    for text_column in range(shape.width):
        right = shape.width - 1 - text_column
        if text_column <= shape.left and right <= shape.right:
            ways.append(text_column)
    if len(ways) != 1:
        return None
    start = ways[0]
    end = start + extra + 1
    others = [*cells[:start], *cells[end:]]
    if not all(_is_key(cell) for cell in others):
        return None
    return [*cells[:start], delimiter.join(cells[start:end]), *cells[end:]]


def _run(columns: list[list[str]], share: float) -> int:
    """How many columns from the first on hold names, numbers or nothing in that share of the rows."""
    count = 0
    for values in columns:
        filled = [value for value in values if value.strip()]
        if not filled or sum(map(_is_key, filled)) < share * len(filled):
            break
        coded = any(any(sign.isdigit() or sign in "._/\\-" for sign in value) for value in filled)
        # Words that hardly repeat are short texts ("Normal", "Stable"); those of a few kinds are a code ("PA").
        kinds = {value.strip().casefold() for value in filled}
        if not coded and not all(map(is_split_word, kinds)) and len(kinds) > min(len(filled) / 2, _FEW * 4):
            break
        count += 1
    return count


def _is_key(cell: str) -> bool:
    """Whether a cell is a name or a number: nothing that a sentence could be, or nothing at all."""
    text = cell.strip()
    return (
        not text
        or bool(_NUMBER.fullmatch(text))
        or _name_like(text)
        or bool(re.fullmatch(r"[^\s,;.]{1,24}", text))
    )


def _name_like(text: str) -> bool:
    text = text.strip()
    if len(text) > _MAX_NAME_CHARS or "\n" in text:
        return False
    if re.search(r"\.[A-Za-z][A-Za-z0-9]{1,5}(\.gz)?$", text) and (
        " " not in text or "/" in text or "\\" in text
    ):
        return True
    if IMAGE_ENDING.search(text) and len(text) < 200:
        return True
    return " " not in text and any(sign.isdigit() for sign in text)


def _pattern(cell: str) -> str:
    """A cell with its runs of digits as 9 and of letters as a: "scan_12.png" is "a_9.a"."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell.strip()[:_MAX_NAME_CHARS]))


def _without_empty_end(row: list[str], width: int) -> list[str]:
    return row[:width] if len(row) > width and not any(cell.strip() for cell in row[width:]) else row
