"""A grid of thumbnails over any number of images: only those on the screen are read, decoded and drawn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from radtui.tui.data.thumbnails import DrawnThumbnail, Thumbnails, Wanted
from radtui.tui.data.tile_grid import TileGrid
from radtui.tui.data.tiling import GAP
from radtui.tui.widgets.cell_text import fitted, tail

SIGN = "▌"
PARTS = ("caption", "cursor", "cursor-blurred", "sign", "mark", "warning", "error", "muted")
Mark = tuple[str, str]  # a sign and the part of `PARTS` that colours it


@dataclass(frozen=True, slots=True)
class Tile:
    """What one image is in the grid; `error` stands in place of a thumbnail."""

    name: str
    wanted: Wanted | None
    marks: tuple[Mark, ...] = ()
    error: str = ""


class ThumbnailGrid(TileGrid):
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
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"grid--{name}" for name in PARTS}

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
        self._thumbnails = Thumbnails(lambda key: self.post_message(self.Ready(key)))
        self._tiles: dict[int, Tile] = {}  # of the screen
        self._styles: dict[str, Style] = {}
        self._styled_for: tuple[object, ...] = ()

    def on_unmount(self) -> None:
        """Make no more thumbnails."""
        self._thumbnails.close()

    def look(self, start: int, stop: int) -> None:
        """Read the tiles in sight and ask for their thumbnails."""
        tiles = self._read(start, stop, self.tiling.box) if stop > start else ()
        self._tiles = dict(enumerate(tiles, start=start))
        self._thumbnails.want(tile.wanted for tile in tiles if tile.wanted is not None)

    def colours_changed(self) -> None:
        """Draw again in the colours that the terminal has turned out to have."""
        self._thumbnails.forget_drawn()
        self._look()

    @on(Ready)
    def _take(self, event: Ready) -> None:
        for index, tile in self._tiles.items():
            if tile.wanted is not None and tile.wanted.key == event.key:
                self.refresh_tile(index)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lines in a region, past Textual's filter for named colours: there are none, and greys overflow its cache."""
        look = (self.app.theme, self.background_colors[1])
        if look != self._styled_for:
            self._styles = {name: self.get_component_rich_style(f"grid--{name}") for name in PARTS}
            self._styled_for = look
        filters = self.get_line_filters()
        if not all(isinstance(line_filter, ANSIToTruecolor) for line_filter in filters):
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
        tiling = self.tiling
        row, line = divmod(y + self.scroll_offset.y, tiling.pitch)
        width, across = tiling.box[0] + GAP, tiling.across
        first, last = left // width, min(across - 1, (right - 1) // width)
        segments: list[Segment] = []
        for column in range(first, last + 1):
            segments += self.tile_line(row * across + column, line, tiling.box)
        strip = Strip(segments, (last + 1 - first) * width)
        return strip.crop_extend(left - first * width, right - first * width, self.rich_style)

    def tile_line(self, index: int, line: int, box: tuple[int, int]) -> list[Segment]:
        """One line of a tile, as wide as its box and the gap."""
        columns, rows = box
        tile = self._tiles.get(index)
        if tile is None:
            return [Segment(" " * (columns + GAP), self.rich_style)]
        here = index == self._cursor
        sign = Segment(SIGN if here else " ", self.rich_style + self._styles["sign"])
        if line == rows:
            return [sign, *self._caption(tile, columns, here), Segment(" ", self.rich_style)]
        drawn = self._thumbnails.get(tile.wanted) if tile.wanted else DrawnThumbnail(error=tile.error)
        return [sign, *self._body(drawn, line, box), Segment(" ", self.rich_style)]

    def _body(self, drawn: DrawnThumbnail | None, line: int, box: tuple[int, int]) -> list[Segment]:
        """A line of a thumbnail in the middle of its box, or what there is to say instead of it."""
        columns, rows = box
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
        name = str(fitted(tail(tile.name, room), room))
        return [*segments, Segment((" " if segments else "") + name, style)]

    def _text_line(self, text: str, width: int) -> Strip:
        line = str(fitted(text, width, "center"))
        return Strip([Segment(line, self.rich_style + self._styles["muted"])], width)
