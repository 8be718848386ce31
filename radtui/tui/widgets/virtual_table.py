"""A table over a row source that keeps nothing a row: a million rows open as fast as ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from radtui.tui.key_uses import bindings
from radtui.tui.widgets.cell_text import fitted
from radtui.tui.widgets.ground import Ground
from radtui.tui.widgets.table_columns import Column, ListSource, Row, RowPages, RowSource, fit
from radtui.tui.widgets.table_line import gap_cells, table_line, text_segments

__all__ = ["Column", "ListSource", "Row", "RowSource", "VirtualTable"]

HEADER_ROWS = 1
PARTS = ("header", "even", "odd", "cursor", "cursor-blurred", "sign", "empty")
CURSOR_SIGN = "▌"  # marks the row where colours are missing, too


class VirtualTable(ScrollView, can_focus=True):
    """Rows by position, one of them highlighted; only those on the screen are asked for.

    `Highlighted` is posted whenever another row, or other content under the cursor, is shown as current; a
    screen that loads something for it should wait a moment, since a held key posts many. `Selected` is posted
    by Enter and by a click on the highlighted row, `Fitted` when the columns share the width in another way.

    Attributes:
        columns: What is in a row, in order.
        pages: The rows that were asked for.
        fitted: Index and width of the columns that have room.
    """

    DEFAULT_CSS = """
    VirtualTable { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    VirtualTable > .virtual-table--header { color: $foreground 70%; text-style: bold; background: $foreground 8%; }
    VirtualTable > .virtual-table--even { color: $foreground; }
    VirtualTable > .virtual-table--odd { color: $foreground; background: $foreground 3%; }
    VirtualTable > .virtual-table--cursor { color: $foreground; background: $primary 55%; text-style: bold; }
    VirtualTable > .virtual-table--cursor-blurred { color: $foreground; background: $primary 22%; }
    VirtualTable > .virtual-table--sign { color: $accent; }
    VirtualTable > .virtual-table--empty { color: $foreground 60%; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"virtual-table--{name}" for name in PARTS}
    BINDINGS: ClassVar[list[BindingType]] = bindings("table")

    @dataclass
    class OfTable(Message):
        """Base of what a table says."""

        table: VirtualTable

        @property
        def control(self) -> VirtualTable:
            """The table, for `@on` selectors."""
            return self.table

    @dataclass
    class Highlighted(OfTable):
        """The cursor is on a row now."""

        index: int

    @dataclass
    class Selected(OfTable):
        """A row was chosen."""

        index: int

    @dataclass
    class Fitted(OfTable):
        """The columns have other widths now, or others of them have room."""

    def __init__(
        self,
        columns: Sequence[Column],
        source: RowSource | None = None,
        *,
        empty_text: str = "Nothing here",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """A table.

        Args:
            columns: what is in a row, in order.
            source: the rows; none at first when left out.
            empty_text: what to say while there are no rows: why, and the next key.
            id: as for any widget.
            classes: as for any widget.
        """
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.pages = RowPages(source if source is not None else ListSource())
        self._count = 0
        self._cursor = 0
        self._empty_text = empty_text
        self._looked_up_for: tuple[object, ...] = ()
        self._bar_for: tuple[Size, ...] = ()  # the sizes that the scrollbar was drawn for
        self.fitted: list[tuple[int, int]] = []
        self._styles: dict[str, Style] = {}

    @property
    def cursor(self) -> int | None:
        """Index of the highlighted row, None without rows."""
        return self._cursor if self._count else None

    @property
    def empty_text(self) -> str:
        """What is said while there are no rows."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self.refresh()

    def on_mount(self) -> None:
        """Show the rows given at the start."""
        super().on_mount()  # type: ignore[no-untyped-call]  # Textual's has no annotation
        self.reload()

    def set_source(self, source: RowSource, cursor: int = 0) -> None:
        """Show other rows with the cursor at an index, as after a search or another order."""
        self.pages = RowPages(source)
        self._cursor = cursor
        self.scroll_to(y=0, animate=False, force=True)
        self.reload()

    def reload(self) -> None:
        """Ask the source again, as after rows were added or changed; cursor and place stay where they can."""
        seen_rows = range(self.scroll_offset.y, self.scroll_offset.y + self.size.height - HEADER_ROWS)
        scrolled_away = bool(self._count) and self._cursor not in seen_rows
        self.pages.forget()
        before, self._count = self._count, len(self.pages.source)
        self.virtual_size = Size(0, self._count + HEADER_ROWS)
        self._cursor = min(max(self._cursor, 0), max(0, self._count - 1))
        if self.is_mounted:
            # By the wheel: what is read there is not to jump with each look at a running job.
            if not scrolled_away:
                self._show_cursor()
            self.refresh()
            if bool(before) != bool(self._count):
                self.refresh_bindings()
        if self._count:
            self.post_message(self.Highlighted(self, self._cursor))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, at the nearest end where there is no such row."""
        index = min(max(index, 0), self._count - 1)
        if not self._count or index == self._cursor:
            return
        self.refresh_line(self._cursor + HEADER_ROWS)
        self._cursor = index
        self.refresh_line(self._cursor + HEADER_ROWS)
        self._show_cursor()
        self.post_message(self.Highlighted(self, index))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without rows there is nothing to open."""
        return action != "select" or self._count > 0

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.move_to(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screens, keeping one row in sight."""
        self.move_to(self._cursor + pages * max(1, self.size.height - HEADER_ROWS - 1))

    def action_end(self, last: int) -> None:
        """Move the cursor to the first (0) or last (1) row."""
        self.move_to(self._count - 1 if last else 0)

    def action_select(self) -> None:
        """Choose the highlighted row."""
        self.post_message(self.Selected(self, self._cursor))

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in a region, in the columns and colours of now."""
        width = self.scrollable_content_region.width  # without the scrollbar
        for seen in (self.scroll_offset.y, self.scroll_offset.y + self.size.height):
            if self._count:
                self.pages.row(min(seen, self._count - 1))  # read, and so measured, before they are drawn
        content = self.pages.content_cells
        look = (width, self.app.theme, self.background_colors[1], content, self.columns)
        if look != self._looked_up_for:
            before = self.fitted
            self.fitted = fit(self.columns, width - 2, gap_cells(width), content)
            if before and self.fitted != before and crop.height < self.size.height:
                self.call_after_refresh(self.refresh)  # the other rows stand in the columns of before
            self.post_message(self.Fitted(self))
            self._styles = {name: self._style(name) for name in PARTS}
            self._looked_up_for = look
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line: the header, a row, or the space below the rows."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y - HEADER_ROWS
        row: Row
        if y < HEADER_ROWS:
            row, part, sign = [column.title for column in self.columns], "header", " "
        elif index < self._count:
            row, part, sign = self.pages.row(index), "odd" if index % 2 else "even", " "
            if index == self._cursor:
                part, sign = "cursor" if self.has_focus else "cursor-blurred", CURSOR_SIGN
        elif not self._count and y == min(HEADER_ROWS + 1, self.size.height - 1):
            text = fitted(self._empty_text, width, "center")
            return Strip(text_segments(text, self._styles["empty"]), width)
        else:
            return Strip([Segment(" " * width, self._styles["even"])], width)
        style = self._styles[part]
        return table_line(
            row, self.columns, self.fitted, style, Segment(sign, style + self._styles["sign"]), width
        )

    def _scroll_update(self, virtual_size: Size) -> None:
        """Draw the scrollbar again for other sizes only, not at each layout: it costs more than all rows do."""
        sizes = (virtual_size, self.container_size, self.size)
        if sizes != self._bar_for:
            self._bar_for = sizes
            super()._scroll_update(virtual_size)

    def _style(self, name: str) -> Style:
        """Foreground and background of a part, on the table's background."""
        styles, ground = self.get_component_styles(f"virtual-table--{name}"), Ground.of(self)
        behind = ground.back(styles.background)
        front = ground.front(styles.color, behind=behind)
        if name == "sign":  # stands on the background of its row
            return Style(color=front)
        return Style(color=front, bgcolor=behind, bold=bool(styles.text_style.bold))

    def _show_cursor(self) -> None:
        """Scroll as little as needed to have the cursor on the screen."""
        top, rows = self.scroll_offset.y, max(1, self.size.height - HEADER_ROWS)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + rows:
            self.scroll_to(y=self._cursor - rows + 1, animate=False, force=True)

    def _on_resize(self, event: events.Resize) -> None:
        self._show_cursor()

    async def _on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        index = -1 if place is None else self.scroll_offset.y + place.y - HEADER_ROWS
        if place is None or place.y < HEADER_ROWS or index >= self._count:
            return
        if index == self._cursor:
            self.action_select()
        else:
            self.move_to(index)
