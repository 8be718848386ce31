"""How an image is drawn into a widget's cells: what it is looked at with, and the ready rows. No widget itself."""

from __future__ import annotations

from dataclasses import replace

from textual.color import Color
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from radtui.imaging import draw
from radtui.imaging.ansi import ColourDepth
from radtui.imaging.cells import Blocks
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View, Viewport, settled
from radtui.tui.harmless_lines import HarmlessLines
from radtui.tui.pixels.painter import PixelPainter
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.canvas_rows import caption_row, image_rows, text_rows
from radtui.tui.widgets.image_picture import State, WantedPicture
from radtui.tui.widgets.pacing import Pacer

CAPTION_ROWS = 1
BLACK = Color(0, 0, 0)
WORDS_GATE = HarmlessLines()  # of rows with words, the caption's and a message's; it asks for no background

CAPTION, CAPTION_FOCUSED, BADGE, FAILED = (
    "image--caption", "image--caption-focused", "image--badge", "image--failed",
)  # fmt: skip
COMPONENTS = {CAPTION, CAPTION_FOCUSED, BADGE, FAILED}
"""Component classes of a widget that a canvas draws."""


class ImageCanvas:
    """A picture above a line of caption, in all cells of one widget.

    Args:
        widget: Whose cells; it has the component classes `COMPONENTS`.
        picture: What is to be seen.
        colours: The terminal's.

    Attributes:
        keep_view: Whether zoom, place and window are kept when another picture is wanted.
        look: Where and how the picture is looked at.
        cell_style: How it is put into cells.
        pixels: Draws in real pixels; None until it is known whether the app can.
        pointer_px: Where the pointer is, in drawn pixels; None off the picture.
        pacer: Decides when the next frame is drawn.
    """

    def __init__(self, widget: Widget, picture: WantedPicture, colours: Terminal) -> None:
        self._widget, self._picture = widget, picture
        self.colours, self.keep_view = colours, False
        self.look = View()
        self.cell_style = draw.Style()
        self.pixels: PixelPainter | None = None
        self.pointer_px: tuple[float, float] | None = None
        self.pacer = Pacer(widget, draw=self._draw_soon)
        self._image: list[Strip] = []
        self._image_of: tuple[object, ...] = ()

    @property
    def pyramid(self) -> Pyramid | None:
        """The picture, once it is decoded."""
        return self._picture.pyramid

    @property
    def blocks(self) -> Blocks:
        """How cells are divided: as chosen, or letters where the terminal has too few colours."""
        return Blocks.TEXT if self.colours.depth is ColourDepth.TEXT else self.cell_style.blocks

    @property
    def port(self) -> Viewport:
        """The drawn pixels of the picture's cells, at full resolution."""
        size = self._widget.size
        columns, rows = max(1, size.width), max(1, size.height - CAPTION_ROWS)
        if self.pixels is not None and self.pixels.on:
            return self.pixels.port(columns, rows)
        return draw.viewport(columns, rows, self.blocks)

    @property
    def cell_px(self) -> tuple[float, float]:
        """Drawn pixels of a cell, across and down."""
        return self.pixels.cell_px if self.pixels is not None and self.pixels.on else self.blocks.pixels

    def begin(self) -> None:
        """Look at the next picture as a whole, or as at the one before where that is wished."""
        self.look = replace(self.look, frame=0) if self.keep_view else View()

    def take_in(self) -> None:
        """Draw what the picture has become: decoded, another frame of it, or why there is none."""
        if self.pyramid is not None:
            frame = self.pyramid.raster.frame
            self.look = settled(self.pyramid, replace(self.look, frame=frame), self.port)
        self.pacer.changed()

    def look_at(self, look: View) -> None:
        """Show the picture in another way, as soon as the terminal has taken the last frame."""
        if self.pyramid is None:
            return
        self.look = settled(self.pyramid, look, self.port)
        self.pacer.changed()

    def restyle(self, style: draw.Style) -> None:
        """Put the picture into cells in another way."""
        self.cell_style = style
        self.look_at(self.look)

    def refresh_caption(self) -> None:
        """Draw only the last row again: over a slow link the picture costs a hundred times as much."""
        size = self._widget.size
        self._widget.refresh(Region(0, size.height - CAPTION_ROWS, size.width, CAPTION_ROWS))

    def rows(self) -> list[Strip]:
        """All rows of the widget; drawn again only when something they depend on has changed."""
        widget = self._widget
        width, height = widget.size
        made_of = (
            self.pyramid,
            self.look,
            widget.size,
            self.cell_style,
            self.colours,
            self.pacer.coarse,
            self._picture.text,
            self.pixels and self.pixels.state,
        )
        if made_of != self._image_of:
            self._image, self._image_of = self._image_rows(width, height - CAPTION_ROWS), made_of
            self.pacer.painted()
        caption = caption_row(
            caption_parts(self),
            width,
            self.colours,
            widget.get_component_rich_style(CAPTION_FOCUSED if widget.has_focus else CAPTION),
            widget.get_component_rich_style(BADGE),
        )
        return [*self._image, caption]

    def lines(self, crop: Region) -> list[Strip]:
        """Rows within a part of the widget, through those filters of the app that change anything in them."""
        rows = self.rows()[crop.y : crop.bottom]
        if self.pixels is not None:
            self.pixels.touched(crop)
        widget = self._widget
        filters = [
            each
            for each in widget.get_line_filters()
            if not isinstance(each, ANSIToTruecolor | HarmlessLines)
        ]
        if filters:  # not else: to know the background costs as much as a frame
            ground = widget.background_colors[1]
            for line_filter in filters:
                rows = [row.apply_filter(line_filter, ground) for row in rows]
        rows = [row.apply_filter(WORDS_GATE, BLACK) if type(row) is Strip else row for row in rows]
        if (crop.x, crop.width) != (0, widget.size.width):
            rows = [row.crop(crop.x, crop.right) for row in rows]
        return rows

    def _draw_soon(self) -> None:
        """Draw the view anew. Where the picture is no text, text is not written over it: that would be seen."""
        if self.pixels is not None and self.pixels.keeps_place:
            self.refresh_caption()
        else:
            self._widget.refresh()

    def _image_rows(self, columns: int, rows: int) -> list[Strip]:
        """The picture, or its state in words."""
        if columns < 1 or rows < 1:
            return []
        size = columns, rows
        if self.pixels is not None and (self.pyramid is None or not self.pixels.on):
            self.pixels.nothing()
        if self.pyramid is None:
            failed = self._picture.state is State.FAILED
            style = self._widget.get_component_rich_style(FAILED) if failed else self._widget.rich_style
            return text_rows(self._picture.text, size, style)
        depth, coarse = self.colours.depth, self.pacer.coarse
        if self.pixels is not None and self.pixels.on:
            return self.pixels.rows(self.pyramid, self.look, size, self.cell_style, depth, coarse)
        cell_style = replace(self.cell_style, blocks=self.blocks)
        return image_rows(self.pyramid, self.look, size, cell_style, depth, coarse)


def caption_parts(canvas: ImageCanvas) -> list[str]:
    """What is seen, in words, the most useful first."""
    parts: list[str] = []
    if canvas.pyramid is not None:
        parts = draw.caption(canvas.pyramid, canvas.look, canvas.port, canvas.pointer_px)
    if canvas.keep_view:
        parts.insert(1, "view kept")
    return parts
