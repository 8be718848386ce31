"""A table with the whole of its current row below it, as far as the table has no room for it.

Every table of the app stands in one of these. The lines below are as many as the longest row needs, so that nothing
jumps while the cursor moves; where all rows stand whole in the table there are none.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.tui.widgets.cell_text import one_line
from radtui.tui.widgets.table_columns import cells_of, left_out
from radtui.tui.widgets.virtual_table import HEADER_ROWS, VirtualTable

BETWEEN = " · "
WRAPPING = 1.15  # of the cells of a text, since lines end between words
PADDING_CELLS = 2
MOST_SHARE = 0.3  # of the rows of both


class TableAndText(Vertical):
    """A table, and below it what its current row holds beside what is seen of it.

    Args:
        table: The table.
        elsewhere: Titles of columns whose text stands whole somewhere else on the screen.
        lead: The column, by index, that says what a row is about; it comes first where anything is left out.
        sized: Take only as many rows as there are, up to the style's limit.
        id: CSS id.
    """

    DEFAULT_CSS = """
    TableAndText { width: 1fr; height: 1fr; }
    TableAndText > .row-text { width: 1fr; height: 1; padding: 0 1; background: $surface; display: none; }
    """

    def __init__(
        self,
        table: VirtualTable,
        *,
        elsewhere: Collection[str] = (),
        lead: int | None = None,
        sized: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.table = table
        self._elsewhere, self._lead, self._sized = elsewhere, lead, sized
        self._text = Static("", markup=False, classes="row-text")
        self._written = Content("")
        self._lines = 0
        self._lines_for: object = None

    def compose(self) -> ComposeResult:
        """The table over the text."""
        yield self.table
        yield self._text

    @on(VirtualTable.Highlighted)
    @on(VirtualTable.Fitted)
    def _show(self) -> None:
        """Write the row's text; its lines grow for a long one, and shrink only with other columns."""
        columns, width = self.table.columns, self.size.width - PADDING_CELLS
        if self.table.cursor is None or width < 1 or not self.table.fitted:
            self._take_lines(0)
            return
        row = self.table.pages.row(self.table.cursor)
        content = self.table.pages.content_cells
        out = [i for i in left_out(columns, self.table.fitted, content) if self._tells(i)]
        room = max(1, int(self.size.height * MOST_SHARE))
        if (self.table.fitted, self.size) != self._lines_for:
            self._lines_for, self._lines = (list(self.table.fitted), self.size), 0
        needed = sum(content[i] + cells_of(columns[i].title) + 1 + len(BETWEEN) for i in out)
        cut = left_out(columns, self.table.fitted, [cells_of(cell) for cell in row])
        lines = row_words([(columns[i].title, row[i]) for i in cut if self._tells(i)], self._about(row, cut))
        wrapped = lines.wrap(width)
        guess = 0 if not out else math.ceil(needed * (WRAPPING if needed > width else 1) / width)
        self._take_lines(min(room, max(self._lines, guess, len(wrapped) if lines else 0)))
        text = cut_off(wrapped, self._lines, width)
        # Neighbours often have the same there: a frame less for a held key.
        if not text.is_same(self._written):
            self._written = text
            self._text.update(text, layout=False)

    def _tells(self, index: int) -> bool:
        column = self.table.columns[index]
        return bool(column.title) and column.title not in self._elsewhere and index != self._lead

    def _about(self, row: Sequence[str | Text], cut: Collection[int]) -> str:
        """What the row is about, where its texts do not tell."""
        if self._lead is None or not cut:
            return ""
        cell = row[self._lead]
        return one_line(cell).plain

    def _take_lines(self, lines: int) -> None:
        if self._sized:
            rows = HEADER_ROWS + len(self.table.pages.source) + lines
            self.styles.height = rows + self.styles.gutter.height
        if lines != self._lines or self._text.display != (lines > 0):
            self._lines = lines
            self._text.display = lines > 0
            self._text.styles.height = lines


def row_words(texts: Sequence[tuple[str, str | Text]], about: str = "") -> Content:
    """Titles with what stands under them, one after the other; empty ones are left out.

    Args:
        texts: Title of a column and a cell of it.
        about: What the row is about.
    """
    parts = [
        Content.assemble((f"{title} ", "$muted"), one_line(cell).plain.strip())
        for title, cell in texts
        if (cell if isinstance(cell, str) else cell.plain).strip()
    ]
    words = Content(BETWEEN).join(parts)
    return Content.assemble((f"{about}: ", "$muted"), words) if about and parts else words


def cut_off(wrapped: Sequence[Content], lines: int, width_cells: int) -> Content:
    """The first lines of a text, with an ellipsis where there are more."""
    shown = list(wrapped[:lines])
    if len(wrapped) > lines > 0:
        shown[-1] = Content.assemble(shown[-1].rstrip().truncate(max(0, width_cells - 2)), " …")
    return Content("\n").join(shown)
