"""One line of a table as a strip: cells in their columns, each in its own style on that of its row."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from radtui.tui.widgets.cell_text import fitted, tail
from radtui.tui.widgets.table_columns import Column, Row

NARROW_CELLS = 60  # below, columns are one cell apart instead of two


def gap_cells(width_cells: int) -> int:
    """Cells between two columns of a table of so many."""
    return 1 if width_cells < NARROW_CELLS else 2


def table_line(
    cells: Row,
    columns: Sequence[Column],
    widths: Sequence[tuple[int, int]],
    style: Style,
    sign: Segment,
    width_cells: int,
) -> Strip:
    """Cells side by side in the columns that have room, between a sign and a free cell.

    Args:
        cells: A text a column.
        columns: All of the table.
        widths: Index and width of those shown, as `table_columns.fit` shares them out.
        style: Of the row.
        sign: One cell before the columns.
        width_cells: Of the whole line.
    """
    segments = [sign]
    gap = " " * gap_cells(width_cells)
    plain, used = "", 1  # cells of the row's own style are put together
    for position, (index, cells_wide) in enumerate(widths):
        if position:
            plain += gap
        column, cell = columns[index], cells[index] if index < len(cells) else ""
        if column.keep == "end" and isinstance(cell, str):
            cell = tail(cell, cells_wide)
        text = fitted(cell, cells_wide, column.align)
        used += cells_wide + (len(gap) if position else 0)
        if isinstance(text, str):
            plain += text
        else:
            segments += [Segment(plain, style), *text_segments(text, style)]
            plain = ""
    segments.append(Segment(plain + " " * (width_cells - used), style))
    return Strip(segments, width_cells)


def text_segments(text: str | Text, style: Style) -> list[Segment]:
    """A text in pieces of one style, each on the style of its row."""
    if isinstance(text, str):
        return [Segment(text, style)]
    if text.style:
        style += text.style if isinstance(text.style, Style) else Style.parse(text.style)
    if not text.spans:
        return [Segment(text.plain, style)]
    edges = sorted({0, len(text.plain), *(edge for span in text.spans for edge in (span.start, span.end))})
    pieces = []
    for start, stop in pairwise(edges):
        piece = style
        for span in text.spans:
            if span.start <= start and stop <= span.end:
                piece += span.style if isinstance(span.style, Style) else Style.parse(span.style)
        pieces.append(Segment(text.plain[start:stop], piece))
    return pieces
