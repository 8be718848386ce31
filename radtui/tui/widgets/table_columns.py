"""Columns of a table and how they share its width, and rows kept in pages; no widget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from rich.cells import cell_len
from rich.text import Text

Row = Sequence[str | Text]
Cell = TypeVar("Cell")

PAGE_ROWS, PAGES = 128, 16
# That a column may be too wide after its rows were read again: figures that tick do not move it.
STEADY_CELLS = 3
FAR_CELLS = 10**6  # wider than any terminal: a column that takes all it can get


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `width` is in cells; 0 shares out what is left by `flex`, never below `least` cells. No column takes more cells
    than what stands in it, and none while nothing does: others have its room. Where there is not enough room, columns
    with the highest `priority` go first; those with priority 0 stay and are squeezed. What is too long is cut so that
    its start or its end stays; `RowText` has the whole of it.

    `share` is of the table's width: so much what stands in it may take before others get theirs.
    """

    title: str
    width: int = 0
    flex: float = 1.0
    least: int = 8
    align: Literal["left", "right", "center"] = "left"
    priority: int = 0
    keep: Literal["start", "end"] = "start"
    share: float = 0.0

    @property
    def needed(self) -> int:
        """The least width in cells."""
        return self.width or self.least

    def most(self, content_cells: int | None) -> int:
        """The most cells that it has use for, when the widest cell met in it has so many; None: not known."""
        if content_cells is None:
            return self.width or FAR_CELLS
        wanted = max(content_cells, cell_len(self.title)) if content_cells else 0
        return min(wanted, self.width or FAR_CELLS)


def chosen_columns(names: str, offered: Sequence[tuple[Column, Cell]]) -> list[tuple[Column, Cell]]:
    """The columns that a preference names, in its order.

    Args:
        names: Titles with commas between, in any case; all columns where it is empty or names none.
        offered: Columns, each with what makes its cells.
    """
    by_title = {column.title: (column, cell) for column, cell in offered}
    return [by_title[title] for title in chosen_titles(names, list(by_title))]


def chosen_titles(names: str, titles: Sequence[str]) -> list[str]:
    """The titles that a preference names, in its order; as for `chosen_columns`."""
    own = {title.casefold(): title for title in titles}
    wanted = [own[name] for each in names.split(",") if (name := each.strip().casefold()) in own]
    return wanted or list(titles)


def fit(
    columns: Sequence[Column], width_cells: int, gap_cells: int = 1, content_cells: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Share a width among columns.

    Args:
        columns: in order.
        width_cells: to be shared, gaps included.
        gap_cells: between columns.
        content_cells: the widest cell met in each column; empty where nothing was met yet.

    Returns:
        Index and width in cells of each column shown, in order; widths and gaps add up to at most `width_cells`.
    """
    most = [
        column.most(content_cells[i] if i < len(content_cells) else None) for i, column in enumerate(columns)
    ]
    needed = [
        min(max(column.needed, int(width_cells * column.share)) if content_cells else column.needed, most[i])
        for i, column in enumerate(columns)
    ]
    shown = [i for i in range(len(columns)) if most[i]] or [0]

    def missing() -> int:
        return sum(needed[i] for i in shown) + gap_cells * (len(shown) - 1) - width_cells

    while len(shown) > 1 and missing() > 0 and max(columns[i].priority for i in shown) > 0:
        shown.remove(max(shown, key=lambda i: (columns[i].priority, i)))
    widths = {i: needed[i] for i in shown}
    for i in sorted(shown, key=lambda i: -widths[i]):  # still too wide: the widest give first
        over = sum(widths.values()) + gap_cells * (len(shown) - 1) - width_cells
        widths[i] = max(min(widths[i], 3), widths[i] - max(0, over))
    while len(shown) > 1 and sum(widths[i] for i in shown) + gap_cells * (len(shown) - 1) > width_cells:
        shown.pop()
    spare = width_cells - sum(widths[i] for i in shown) - gap_cells * (len(shown) - 1)
    _share_out(spare, widths, [i for i in shown if not columns[i].width], columns, most)
    return [(i, max(0, min(widths[i], width_cells))) for i in shown]


def _share_out(
    spare_cells: int,
    widths: dict[int, int],
    flexible: list[int],
    columns: Sequence[Column],
    most: Sequence[int],
) -> None:
    """Give what is left to columns by their `flex`, to none more than it has use for; the rest stays empty."""
    growing = [i for i in flexible if widths[i] < most[i]]
    while spare_cells > 0 and growing:
        total, left = sum(columns[i].flex for i in growing), spare_cells
        for i in growing:
            share = min(left, max(1, round(spare_cells * columns[i].flex / total)), most[i] - widths[i])
            widths[i] += share
            left -= share
        spare_cells, growing = left, [i for i in growing if widths[i] < most[i]]


def cells_of(cell: str | Text) -> int:
    """How many cells a text on one line takes."""
    plain = cell if isinstance(cell, str) else cell.plain
    return len(plain) if plain.isascii() else cell_len(plain)


def left_out(
    columns: Sequence[Column], fitted: Sequence[tuple[int, int]], content_cells: Sequence[int]
) -> list[int]:
    """The columns, by index, that have no room or not enough for what stands in them.

    Args:
        columns: All of them, in order.
        fitted: Index and width of those shown, as `fit` has shared them out.
        content_cells: What stands in each: of one row, or the widest of all rows.
    """
    widths = dict(fitted)
    return [i for i, cells in enumerate(content_cells[: len(columns)]) if cells > widths.get(i, 0)]


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
        self._widest: tuple[int, ...] = ()
        self._before: tuple[int, ...] = ()  # what was widest until the rows were forgotten

    @property
    def content_cells(self) -> tuple[int, ...]:
        """The widest cell of each column in the rows asked for; a little more where it was so a moment ago."""
        if len(self._before) != len(self._widest):
            return self._widest
        pairs = zip(self._before, self._widest, strict=True)
        return tuple(before if now and 0 < before - now <= STEADY_CELLS else now for before, now in pairs)

    def row(self, index: int) -> Row:
        """One row; empty where the source has fewer rows than it said."""
        number, place = divmod(index, PAGE_ROWS)
        page = self._pages.get(number)
        if page is None:
            start = number * PAGE_ROWS
            page = self.source.rows(start, min(start + PAGE_ROWS, len(self.source)))
            self._pages[number] = page
            self._measure(page)
            if len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return page[place] if place < len(page) else ()

    def _measure(self, page: Sequence[Row]) -> None:
        columns = max((len(row) for row in page), default=0)
        widest = list(self._widest) + [0] * (columns - len(self._widest))
        for row in page:
            for at, cell in enumerate(row):
                widest[at] = max(widest[at], cells_of(cell))
        self._widest = tuple(widest)

    def forget(self) -> None:
        """Ask the source again for every row."""
        self._before = self.content_cells or self._before
        self._pages.clear()
        self._widest = ()
