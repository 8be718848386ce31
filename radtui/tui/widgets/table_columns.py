"""Columns of a table and how they share its width, and rows kept in pages; no widget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rich.text import Text

Row = Sequence[str | Text]

PAGE_ROWS, PAGES = 128, 16


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `width` is in cells; 0 shares out what is left by `flex`, never below `least` cells. Where there is not
    enough room, columns with the highest `priority` go first; those with priority 0 stay and are squeezed.
    What is too long is cut so that its start or its end stays.
    """

    title: str
    width: int = 0
    flex: float = 1.0
    least: int = 8
    align: Literal["left", "right", "center"] = "left"
    priority: int = 0
    keep: Literal["start", "end"] = "start"

    @property
    def needed(self) -> int:
        """The least width in cells."""
        return self.width or self.least


def fit(columns: Sequence[Column], width_cells: int, gap_cells: int = 1) -> list[tuple[int, int]]:
    """Share a width among columns.

    Args:
        columns: in order.
        width_cells: to be shared, gaps included.
        gap_cells: between columns.

    Returns:
        Index and width in cells of each column shown, in order; widths and gaps add up to at most `width_cells`.
    """
    shown = list(range(len(columns)))

    def missing() -> int:
        return sum(columns[i].needed for i in shown) + gap_cells * (len(shown) - 1) - width_cells

    while len(shown) > 1 and missing() > 0 and max(columns[i].priority for i in shown) > 0:
        shown.remove(max(shown, key=lambda i: (columns[i].priority, i)))
    widths = {i: columns[i].needed for i in shown}
    for i in sorted(shown, key=lambda i: -widths[i]):  # still too wide: the widest give first
        over = sum(widths.values()) + gap_cells * (len(shown) - 1) - width_cells
        widths[i] = max(min(widths[i], 3), widths[i] - max(0, over))
    while len(shown) > 1 and sum(widths[i] for i in shown) + gap_cells * (len(shown) - 1) > width_cells:
        shown.pop()
    flexible = [i for i in shown if not columns[i].width]
    spare = width_cells - sum(widths[i] for i in shown) - gap_cells * (len(shown) - 1)
    total = sum(columns[i].flex for i in flexible)
    if spare > 0 and total > 0:
        left = spare
        for i in flexible:
            share = min(left, round(spare * columns[i].flex / total))
            widths[i] += share
            left -= share
        widths[flexible[-1]] += left
    return [(i, max(0, min(widths[i], width_cells))) for i in shown]


class RowSource(Protocol):
    """Where the rows of a table come from, by position; asked again whenever a page is needed."""

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Rows [start, stop), each with one text a column; within the length."""
        ...


class ListSource:
    """Rows that are already in a list."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Rows [start, stop)."""
        return self._rows[start:stop]


class RowPages:
    """The pages of a source that were asked for last; a bounded number of rows at any length."""

    def __init__(self, source: RowSource) -> None:
        self.source = source
        self._pages: OrderedDict[int, Sequence[Row]] = OrderedDict()

    def row(self, index: int) -> Row:
        """One row; empty where the source has fewer rows than it said."""
        number, place = divmod(index, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None:
            start = number * PAGE_ROWS
            page = self.source.rows(start, min(start + PAGE_ROWS, len(self.source)))
            self._pages[number] = page
            if len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return page[place] if place < len(page) else ()

    def forget(self) -> None:
        """Ask the source again for every row."""
        self._pages.clear()
