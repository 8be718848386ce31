"""A grid of characters with a foreground and a background colour number each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size

SPACE = ord(" ")
COVERED = 0  # stands in the second cell of a double-width character


class Canvas:
    """Characters and colour numbers, [rows, columns]; one cell of a terminal each.

    Colour number 0 is the widget's own foreground or background.
    """

    def __init__(self, columns: int, rows: int) -> None:
        """All spaces in colour 0."""
        self.columns, self.rows = columns, rows
        self.chars: NDArray[np.uint32] = np.full((rows, columns), SPACE, np.uint32)
        self.front: NDArray[np.uint16] = np.zeros((rows, columns), np.uint16)
        self.back: NDArray[np.uint16] = np.zeros((rows, columns), np.uint16)

    def put(self, row: int, column: int, text: str, front: int = 0, back: int | None = None) -> int:
        """Write text, cut at the right edge.

        Args:
            row: row, 0 at the top; nothing is written outside of the grid.
            column: first column, 0 or more.
            text: printable characters, single or double width.
            front: colour number of the characters.
            back: colour number behind them, None to leave what is there.

        Returns:
            The column after the text.
        """
        room = self.columns - column
        if not 0 <= row < self.rows or room <= 0:
            return column
        if cell_len(text) > room:
            text = set_cell_size(text, room)
        start = column
        for char in text:
            width = cell_len(char)
            if width == 0:
                continue
            self.chars[row, column] = ord(char)
            self.chars[row, column + 1 : column + width] = COVERED
            column += width
        self.front[row, start:column] = front
        if back is not None:
            self.back[row, start:column] = back
        return column

    def fill(self, row: int, start: int, stop: int, char: str, front: int) -> None:
        """Repeat a single-width character from column `start` to before `stop`."""
        self.chars[row, start:stop] = ord(char)
        self.front[row, start:stop] = front

    def runs(self, row: int) -> Iterator[tuple[str, int, int]]:
        """The row as pieces of one colour: text, foreground number, background number."""
        front, back = self.front[row], self.back[row]
        breaks = np.flatnonzero((front[1:] != front[:-1]) | (back[1:] != back[:-1])) + 1
        text = self.chars[row].astype("<u4").tobytes().decode("utf-32-le")
        edges = [0, *breaks.tolist(), self.columns]
        for start, stop in pairwise(edges):
            yield text[start:stop].replace("\0", ""), int(front[start]), int(back[start])

    def text(self, row: int) -> str:
        """The characters of a row, without colour."""
        return "".join(text for text, _, _ in self.runs(row))
