"""Tiles of equal size side by side over any number of positions, with a cursor; only those in sight are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Offset, Size
from textual.message import Message
from textual.scroll_view import ScrollView

from radtui.tui.data.tiling import Tiling
from radtui.tui.key_uses import bindings
from radtui.tui.messages import Chosen
from radtui.tui.remembering import choices_of

LEAST_CELLS = (16, 26, 40)  # widths of a tile's box; it grows until a row of them fills the screen
WIDE_CELLS = 120  # from which tiles begin at the second width


class TileGrid(ScrollView, can_focus=True):
    """Base of grids: the cursor, its keys, and scrolling. A subclass draws them."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = bindings("grid")

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
    def tiling(self) -> Tiling:
        """Where the tiles lie now."""
        return Tiling(self._count, self.scrollable_content_region.width, LEAST_CELLS[self._size_at])

    def show(self, count: int, cursor: int) -> None:
        """Show so many tiles, or the same ones again when something about them has changed."""
        self._count, self._cursor = count, min(max(cursor, 0), max(0, count - 1))
        self._lay_out()

    def on_mount(self) -> None:
        """Begin with the size that was chosen last."""
        if chosen := choices_of(self).tile_size:
            self._size_at, self._size_chosen = min(chosen, len(LEAST_CELLS)) - 1, True

    def look(self, start: int, stop: int) -> None:
        """Prepare the tiles of positions [start, stop), which are in sight now."""

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
        self.virtual_size = Size(0, self.tiling.height_in(self.size.height))
        self._show_cursor()
        self._look()
        self.refresh()
        if self._count:
            self.post_message(self.Highlighted(self._cursor))

    def _look(self) -> None:
        top = self.scroll_offset.y
        self.look(*self.tiling.between(top, top + self.size.height))

    def _show_cursor(self) -> None:
        """Scroll as little as needed to have the cursor's image on the screen, with its caption."""
        top, (_, line, _, pitch) = self.scroll_offset.y, self.tiling.region(self._cursor)
        if line < top:
            self.scroll_to(y=line, animate=False, force=True)
        elif line + pitch > top + self.size.height:
            whole = max(1, self.size.height // pitch)  # rows are never cut at the top
            self.scroll_to(y=line - (whole - 1) * pitch, animate=False, force=True)

    def refresh_tile(self, index: int) -> None:
        """Draw one tile again."""
        self.refresh(self.tiling.region(index).translate(Offset(0, -self.scroll_offset.y)))

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
        self.move_to(self.tiling.vertically(self._cursor, by))

    def action_page(self, by: int) -> None:
        """Move the cursor by screens."""
        tiling = self.tiling
        self.move_to(self._cursor + by * tiling.across * max(1, self.size.height // tiling.pitch))

    def action_resize(self, by: int) -> None:
        """Show fewer and larger, or more and smaller ones."""
        self._size_at, self._size_chosen = min(max(self._size_at + by, 0), len(LEAST_CELLS) - 1), True
        self._lay_out()
        self.post_message(Chosen(tile_size=self._size_at + 1))

    def action_select(self) -> None:
        """Choose the highlighted tile."""
        if self._count:
            self.post_message(self.Selected(self._cursor))

    async def _on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        index = self.tiling.at(place.x, place.y + self.scroll_offset.y)
        if index is None:
            return
        if index == self._cursor:
            self.action_select()
        else:
            self.move_to(index)
