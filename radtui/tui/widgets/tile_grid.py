"""Tiles of equal size side by side over any number of positions, with a cursor; only those in sight are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView

LEAST_CELLS = (16, 26, 40)  # widths of a tile's box; it grows until a row of them fills the screen
WIDE_CELLS = 120  # from which tiles begin at the second width
CAPTION_ROWS = 1
FAR = 10**12  # tiles away: at the end
GAP = 2  # columns beside each box: one for the cursor's sign, and a free one


class TileGrid(ScrollView, can_focus=True):
    """Base of grids: what is where, the cursor and its keys. A subclass draws lines of tiles in `tile_line`."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", tooltip="Look at the highlighted one"),
        Binding("left", "move(-1)", "Left", show=False, tooltip="The one before"),
        Binding("right", "move(1)", "Right", show=False, tooltip="The next one"),
        Binding("up", "rows(-1)", "Up", show=False, tooltip="The one above"),
        Binding("down", "rows(1)", "Down", show=False, tooltip="The one below"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, tooltip="One screen up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, tooltip="One screen down"),
        Binding("home", f"move({-FAR})", "First", show=False, tooltip="The first one"),
        Binding("end", f"move({FAR})", "Last", show=False, tooltip="The last one"),
        Binding("plus,equals_sign", "resize(1)", "Larger", tooltip="Fewer and larger"),
        Binding("minus", "resize(-1)", "Smaller", tooltip="More and smaller"),
    ]  # fmt: skip

    @dataclass
    class Highlighted(Message):
        """The cursor is on an image now."""

        index: int

    @dataclass
    class Selected(Message):
        """An image was chosen."""

        index: int

    def __init__(self) -> None:
        super().__init__()
        self._count = self._cursor = 0
        self._size_at, self._size_chosen = 0, False

    @property
    def cursor(self) -> int | None:
        """Position of the highlighted image, None without images."""
        return self._cursor if self._count else None

    @property
    def box(self) -> tuple[int, int]:
        """Columns and rows of a thumbnail, square on most terminals."""
        columns = max(4, self.scrollable_content_region.width // self.across - GAP)
        return columns, (columns + 1) // 2

    @property
    def across(self) -> int:
        """Thumbnails in a row."""
        return max(1, self.scrollable_content_region.width // (LEAST_CELLS[self._size_at] + GAP))

    @property
    def pitch(self) -> int:
        """Rows from one tile to the one below."""
        return self.box[1] + CAPTION_ROWS

    def show(self, count: int, cursor: int) -> None:
        """Show so many tiles, or the same ones again when something about them has changed."""
        self._count, self._cursor = count, min(max(cursor, 0), max(0, count - 1))
        self._lay_out()

    def look(self, start: int, stop: int) -> None:
        """Prepare the tiles of positions [start, stop), which are in sight now."""

    def tile_line(self, index: int, line: int) -> list[Segment]:
        """One line of a tile, as wide as its box and the gap; blank for positions that have none."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """Fit another number beside each other."""
        self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Prepare what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._look()

    def _lay_out(self) -> None:
        if not self.size.width:
            return
        if not self._size_chosen:
            self._size_at = 1 if self.size.width >= WIDE_CELLS else 0
        self.virtual_size = Size(0, -(-self._count // self.across) * self.pitch)
        self._show_cursor()
        self._look()
        self.refresh()
        if self._count:
            self.post_message(self.Highlighted(self._cursor))

    def _look(self) -> None:
        top, pitch, across = self.scroll_offset.y, self.pitch, self.across
        stop = -(-(top + self.size.height) // pitch) * across
        self.look(top // pitch * across, min(self._count, stop))

    def _show_cursor(self) -> None:
        """Scroll as little as needed to have the cursor's image on the screen, with its caption."""
        top, line, pitch = self.scroll_offset.y, self._cursor // self.across * self.pitch, self.pitch
        if line < top:
            self.scroll_to(y=line, animate=False, force=True)
        elif line + pitch > top + self.size.height:
            whole = max(1, self.size.height // pitch)  # rows are never cut at the top
            self.scroll_to(y=line - (whole - 1) * pitch, animate=False, force=True)

    def refresh_tile(self, index: int) -> None:
        """Draw one tile again."""
        row, column = divmod(index, self.across)
        width, pitch = self.box[0] + GAP, self.pitch
        self.refresh(Region(column * width, row * pitch - self.scroll_offset.y, width, pitch))

    def move_to(self, index: int) -> None:
        """Put the cursor on a tile, at the nearest end where there is no such one."""
        index = min(max(index, 0), self._count - 1)
        if not self._count or index == self._cursor:
            return
        self.refresh_tile(self._cursor)
        self._cursor = index
        self._show_cursor()
        self.refresh_tile(index)
        self.post_message(self.Highlighted(index))

    def action_move(self, by: int) -> None:
        """Move the cursor along the tiles."""
        self.move_to(self._cursor + by)

    def action_rows(self, by: int) -> None:
        """Move the cursor by rows, in its column."""
        index = self._cursor + by * self.across
        if 0 <= index < self._count:
            self.move_to(index)
        elif by > 0 and self._cursor // self.across < (self._count - 1) // self.across:
            self.move_to(self._count - 1)  # the last row is short

    def action_page(self, by: int) -> None:
        """Move the cursor by screens."""
        self.move_to(self._cursor + by * self.across * max(1, self.size.height // self.pitch))

    def action_resize(self, by: int) -> None:
        """Show fewer and larger, or more and smaller ones."""
        self._size_at, self._size_chosen = min(max(self._size_at + by, 0), len(LEAST_CELLS) - 1), True
        self._lay_out()

    def action_select(self) -> None:
        """Choose the highlighted tile."""
        if self._count:
            self.post_message(self.Selected(self._cursor))

    async def _on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        column, row = place.x // (self.box[0] + GAP), (place.y + self.scroll_offset.y) // self.pitch
        index = row * self.across + column
        if column >= self.across or index >= self._count:
            return
        if index == self._cursor:
            self.action_select()
        else:
            self.move_to(index)
