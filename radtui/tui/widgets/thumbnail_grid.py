"""A grid of thumbnails over any number of images: only those on the screen are read, decoded and drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.filter import ANSIToTruecolor
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from radtui.tui.thumbnails import Drawn, Thumbnails, Wanted
from radtui.tui.widgets.cell_text import fitted

LEAST_CELLS = (16, 26, 40)  # widths of a thumbnail's box; it grows until a row of them fills the screen
WIDE_CELLS = 120  # from which thumbnails begin at the second width
CAPTION_ROWS = 1
SIGN, GAP = "▌", 2  # beside each thumbnail: a column for the cursor's sign, and a free one
PARTS = ("caption", "cursor", "cursor-blurred", "sign", "mark", "warning", "error", "muted")
Mark = tuple[str, str]  # a sign and the part of `PARTS` that colours it


@dataclass(frozen=True, slots=True)
class Tile:
    """What one image is in the grid; `error` stands in place of a thumbnail."""

    name: str
    wanted: Wanted | None
    marks: tuple[Mark, ...] = ()
    error: str = ""


class ThumbnailGrid(ScrollView, can_focus=True):
    """Images side by side, one of them highlighted.

    Args:
        tiles: Gives the tiles of positions [start, stop) in a size (columns, rows); called for what is on the screen.
        empty_text: What to say when there is nothing: why, and the next key.
    """

    DEFAULT_CSS = """
    ThumbnailGrid { width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    ThumbnailGrid > .grid--caption { color: $foreground; }
    ThumbnailGrid > .grid--cursor { color: $foreground; background: $selected; text-style: bold; }
    ThumbnailGrid > .grid--cursor-blurred { color: $foreground; background: $panel; }
    ThumbnailGrid > .grid--sign { color: $accent; }
    ThumbnailGrid > .grid--mark { color: $accent; }
    ThumbnailGrid > .grid--warning { color: $warning; text-style: bold; }
    ThumbnailGrid > .grid--error { color: $error; }
    ThumbnailGrid > .grid--muted { color: $foreground 45%; }
    """
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"grid--{name}" for name in PARTS}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", tooltip="Look at the highlighted image"),
        Binding("left", "move(-1)", "Left", show=False, tooltip="Image before"),
        Binding("right", "move(1)", "Right", show=False, tooltip="Next image"),
        Binding("up", "rows(-1)", "Up", show=False, tooltip="Image above"),
        Binding("down", "rows(1)", "Down", show=False, tooltip="Image below"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, tooltip="One screen up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, tooltip="One screen down"),
        Binding("home", "end(0)", "First", show=False, tooltip="First image"),
        Binding("end", "end(1)", "Last", show=False, tooltip="Last image"),
        Binding("plus,equals_sign", "resize(1)", "Larger", tooltip="Larger thumbnails"),
        Binding("minus", "resize(-1)", "Smaller", tooltip="Smaller thumbnails"),
    ]  # fmt: skip

    @dataclass
    class Highlighted(Message):
        """The cursor is on an image now."""

        index: int

    @dataclass
    class Selected(Message):
        """An image was chosen."""

        index: int

    @dataclass
    class Ready(Message):
        """A thread has made a thumbnail; of no use outside this widget."""

        key: str

    def __init__(
        self, tiles: Callable[[int, int, tuple[int, int]], Sequence[Tile]], *, empty_text: str = "No images"
    ) -> None:
        super().__init__()
        self.empty_text = empty_text
        self._read = tiles
        self._count = self._cursor = 0
        self._size_chosen: int | None = None
        self._thumbnails = Thumbnails(lambda key: self.post_message(self.Ready(key)))
        self._tiles: dict[int, Tile] = {}  # of the screen
        self._styles: dict[str, Style] = {}
        self._styled_for: tuple[object, ...] = ()

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

    def show(self, count: int, cursor: int) -> None:
        """Show so many images, or the same ones again when something about them has changed."""
        self._count, self._cursor = count, min(max(cursor, 0), max(0, count - 1))
        self._lay_out()

    def on_unmount(self) -> None:
        """Make no more thumbnails."""
        self._thumbnails.close()

    def on_resize(self) -> None:
        """Fit another number beside each other."""
        self._lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Read what comes into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._look()

    @property
    def _size_at(self) -> int:
        if self._size_chosen is not None:
            return self._size_chosen
        return 1 if self.size.width >= WIDE_CELLS else 0

    @property
    def _pitch(self) -> int:
        return self.box[1] + CAPTION_ROWS

    def _lay_out(self) -> None:
        if not self.size.width:
            return
        self.virtual_size = Size(0, -(-self._count // self.across) * self._pitch)
        self._show_cursor()
        self._look()
        self.refresh()
        if self._count:
            self.post_message(self.Highlighted(self._cursor))

    def _look(self) -> None:
        """Read the tiles in sight and ask for their thumbnails."""
        top, pitch, across = self.scroll_offset.y, self._pitch, self.across
        start = top // pitch * across
        stop = min(self._count, -(-(top + self.size.height) // pitch) * across)
        found = self._read(start, stop, self.box) if stop > start else ()
        self._tiles = dict(enumerate(found, start=start))
        self._thumbnails.want(tile.wanted for tile in found if tile.wanted is not None)

    def _show_cursor(self) -> None:
        """Scroll as little as needed to have the cursor's image on the screen, with its caption."""
        top, line, pitch = self.scroll_offset.y, self._cursor // self.across * self._pitch, self._pitch
        if line < top:
            self.scroll_to(y=line, animate=False, force=True)
        elif line + pitch > top + self.size.height:
            whole = max(1, self.size.height // pitch)  # rows are never cut at the top
            self.scroll_to(y=line - (whole - 1) * pitch, animate=False, force=True)

    @on(Ready)
    def _take(self, event: Ready) -> None:
        for index, tile in self._tiles.items():
            if tile.wanted is not None and tile.wanted.key == event.key:
                self._refresh_tile(index)

    def _refresh_tile(self, index: int) -> None:
        row, column = divmod(index, self.across)
        width, pitch = self.box[0] + GAP, self._pitch
        self.refresh(Region(column * width, row * pitch - self.scroll_offset.y, width, pitch))

    def move_to(self, index: int) -> None:
        """Put the cursor on an image, at the nearest end where there is no such one."""
        index = min(max(index, 0), self._count - 1)
        if not self._count or index == self._cursor:
            return
        self._refresh_tile(self._cursor)
        self._cursor = index
        self._show_cursor()
        self._refresh_tile(index)
        self.post_message(self.Highlighted(index))

    def action_move(self, by: int) -> None:
        """Move the cursor along the images."""
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
        self.move_to(self._cursor + by * self.across * max(1, self.size.height // self._pitch))

    def action_end(self, last: int) -> None:
        """Move the cursor to the first (0) or the last (1) image."""
        self.move_to(self._count - 1 if last else 0)

    def action_resize(self, by: int) -> None:
        """Show fewer and larger, or more and smaller ones."""
        self._size_chosen = min(max(self._size_at + by, 0), len(LEAST_CELLS) - 1)
        self._lay_out()

    def action_select(self) -> None:
        """Choose the highlighted image."""
        if self._count:
            self.post_message(self.Selected(self._cursor))

    async def _on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        column, row = place.x // (self.box[0] + GAP), (place.y + self.scroll_offset.y) // self._pitch
        index = row * self.across + column
        if column >= self.across or index >= self._count:
            return
        if index == self._cursor:
            self.action_select()
        else:
            self.move_to(index)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines in a region, past Textual's filter for named colours: there are none, and greys overflow its cache."""
        look = (self.app.theme, self.background_colors[1])
        if look != self._styled_for:
            self._styles = {name: self.get_component_rich_style(f"grid--{name}") for name in PARTS}
            self._styled_for = look
        filters = self.get_line_filters()
        if not all(isinstance(one, ANSIToTruecolor) for one in filters):
            return super().render_lines(crop)
        return [self._line(y, crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def render_line(self, y: int) -> Strip:
        """One line over the whole width."""
        return self._line(y, 0, self.scrollable_content_region.width)

    def _line(self, y: int, left: int, right: int) -> Strip:
        """Columns [left, right) of a line: only the tiles in them are put together."""
        if not self._count:
            text = self.empty_text if y == self.size.height // 2 else ""
            return self._text_line(text, self.size.width).crop(left, right)
        row, line = divmod(y + self.scroll_offset.y, self._pitch)
        width, across = self.box[0] + GAP, self.across
        first, last = left // width, min(across - 1, (right - 1) // width)
        segments: list[Segment] = []
        for column in range(first, last + 1):
            segments += self._tile_line(row * across + column, line)
        strip = Strip(segments, (last + 1 - first) * width)
        return strip.crop_extend(left - first * width, right - first * width, self.rich_style)

    def _tile_line(self, index: int, line: int) -> list[Segment]:
        """One line of a tile, as wide as its box and the gap."""
        columns, rows = self.box
        tile = self._tiles.get(index)
        if tile is None:
            return [Segment(" " * (columns + GAP), self.rich_style)]
        here = index == self._cursor
        sign = Segment(SIGN if here else " ", self.rich_style + self._styles["sign"])
        if line == rows:
            return [sign, *self._caption(tile, columns, here), Segment(" ", self.rich_style)]
        drawn = self._thumbnails.get(tile.wanted) if tile.wanted else Drawn(error=tile.error)
        return [sign, *self._body(drawn, line), Segment(" ", self.rich_style)]

    def _body(self, drawn: Drawn | None, line: int) -> list[Segment]:
        """A line of a thumbnail in the middle of its box, or what there is to say instead of it."""
        columns, rows = self.box
        if drawn is None or drawn.error:
            text = "reading ..." if drawn is None else drawn.error
            words = textwrap.wrap(text, columns - 2)[:rows]
            at = line - (rows - len(words)) // 2
            style = self.rich_style + self._styles["muted" if drawn is None else "error"]
            return [Segment((words[at] if 0 <= at < len(words) else "").center(columns), style)]
        at = line - (rows - len(drawn.lines)) // 2
        if not 0 <= at < len(drawn.lines):
            return [Segment(" " * columns, self.rich_style)]
        free = columns - sum(len(segment.text) for segment in drawn.lines[at])
        before, after = " " * (free // 2), " " * (free - free // 2)
        return [Segment(before, self.rich_style), *drawn.lines[at], Segment(after, self.rich_style)]

    def _caption(self, tile: Tile, columns: int, here: bool) -> list[Segment]:
        part = ("cursor" if self.has_focus else "cursor-blurred") if here else "caption"
        style = self._styles[part]
        segments = [Segment(sign, style + Style(color=self._styles[of].color)) for sign, of in tile.marks]
        room = columns - len(segments) - bool(segments)
        name = str(fitted(("…" + tile.name[1 - room :]) if len(tile.name) > room else tile.name, room))
        return [*segments, Segment((" " if segments else "") + name, style)]

    def _text_line(self, text: str, width: int) -> Strip:
        line = str(fitted(text, width, "center"))
        return Strip([Segment(line, self.rich_style + self._styles["muted"])], width)
