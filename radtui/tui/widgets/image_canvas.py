"""Where an image is drawn: asked for by name, decoded in threads, written as ready rows. Its keys are `ImageView`'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.color import Color
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from radtui.imaging import draw
from radtui.imaging.ansi import ColourDepth
from radtui.imaging.cells import Blocks
from radtui.imaging.loader import Loader, shared
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View, Viewport, settled
from radtui.tui import terminal
from radtui.tui.aside import aside
from radtui.tui.harmless_lines import HarmlessLines
from radtui.tui.messages import ColoursKnown
from radtui.tui.pixels.painter import PixelPainter
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.canvas_rows import caption_row, image_rows, text_rows
from radtui.tui.widgets.image_picture import Answer, State, WantedPicture
from radtui.tui.widgets.pacing import Pacer

__all__ = ["CAPTION_ROWS", "ImageCanvas", "State"]

CAPTION_ROWS = 1
BLACK = Color(0, 0, 0)
WORDS_GATE = HarmlessLines()  # of rows with words, the caption's and a message's; it asks for no background


class ImageCanvas(Widget):
    """One image above a line of caption.

    Args:
        empty: What stands in it while there is no image.
        colours: The terminal's; found out in a thread when left out.
        keep_view: Keep zoom, place and window when another image is shown.
        loader: Decodes and keeps images; one that all canvases share when left out.
        id: CSS id.
        classes: CSS classes.
    """

    DEFAULT_CSS = """
    ImageCanvas { width: 1fr; height: 1fr; background: black; color: $foreground-muted; }
    ImageCanvas > .image--caption { background: $panel; color: $foreground-muted; }
    ImageCanvas > .image--caption-focused { background: $panel; color: $accent; }
    ImageCanvas > .image--badge { background: $panel; color: $warning; }
    ImageCanvas > .image--failed { background: black; color: $error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "image--caption",
        "image--caption-focused",
        "image--badge",
        "image--failed",
    }
    ALLOW_SELECT = False

    @dataclass
    class Shown(Message):
        """An image is on the screen."""

        name: str

    @dataclass
    class Failed(Message):
        """An image could not be shown; `reason` is one sentence."""

        name: str
        reason: str

    @dataclass
    class Decoded(Message):
        """A thread is done with a request; of no use outside this widget."""

        answer: Answer

    def __init__(
        self,
        *,
        empty: str = "no image",
        colours: Terminal | None = None,
        keep_view: bool = False,
        loader: Loader | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.keep_view = keep_view
        self.look = View()
        self.cell_style = draw.Style()
        self._empty = empty
        self.picture = WantedPicture(
            loader or shared(), lambda answer: self.post_message(self.Decoded(answer)), empty
        )
        self.pacer = Pacer(self, draw=self._draw_soon)
        self.pixels: PixelPainter | None = None
        self._colours = colours or Terminal(ColourDepth.TRUE)
        self._colours_given = colours is not None
        self.pointer_px: tuple[float, float] | None = None
        self._image: list[Strip] = []
        self._image_of: tuple[object, ...] = ()

    def show(self, key: str, load: Callable[[], bytes]) -> None:
        """Show an image; until it is decoded, say that it is being read.

        Args:
            key: A name for its content, such as its sha256: what was read under it once is not read again.
            load: Returns the file's bytes. Called in a thread, so it must not touch widgets.
        """
        self.look = replace(self.look, frame=0) if self.keep_view else View()
        if self.picture.want(key, load):
            self.settle()
        else:
            self.refresh()

    def clear(self, text: str | None = None) -> None:
        """Show no image, but a line of text: the one given to the constructor, or `text`."""
        self.picture.nothing(self._empty if text is None else text)
        self.refresh()

    def prefetch(self, key: str, load: Callable[[], bytes]) -> None:
        """Decode an image that is likely to be shown next; call it after `show`."""
        self.picture.loader.request(key, load)

    @property
    def state(self) -> State:
        """What is shown."""
        return self.picture.state

    @property
    def pyramid(self) -> Pyramid | None:
        """The image, once it is decoded."""
        return self.picture.pyramid

    def look_at(self, look: View) -> None:
        """Show the image in another way, as soon as the terminal has taken the last frame."""
        if self.pyramid is None:
            return
        self.look = settled(self.pyramid, look, self.port)
        self.pacer.changed()

    def refresh_caption(self) -> None:
        """Draw only the last row again: over a slow link the image costs a hundred times as much."""
        self.refresh(Region(0, self.size.height - CAPTION_ROWS, self.size.width, CAPTION_ROWS))

    @property
    def blocks(self) -> Blocks:
        """How cells are divided: as chosen, or letters where the terminal has too few colours."""
        return Blocks.TEXT if self._colours.depth is ColourDepth.TEXT else self.cell_style.blocks

    @property
    def port(self) -> Viewport:
        """The drawn pixels of this widget, at full resolution."""
        columns, rows = max(1, self.size.width), max(1, self.size.height - CAPTION_ROWS)
        if self.pixels is not None and self.pixels.on:
            return self.pixels.port(columns, rows)
        return draw.viewport(columns, rows, self.blocks)

    @property
    def cell_px(self) -> tuple[float, float]:
        """Drawn pixels of a cell, across and down."""
        return self.pixels.cell_px if self.pixels is not None and self.pixels.on else self.blocks.pixels

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return ready rows, past Textual's own path through segments and filters."""
        if self.outer_size != self.size:  # a border or padding, which only the styles cache draws
            return super().render_lines(crop)
        rows = self._all_rows()[crop.y : crop.bottom]
        if self.pixels is not None:
            self.pixels.touched(crop)
        filters = [
            each for each in self.get_line_filters() if not isinstance(each, ANSIToTruecolor | HarmlessLines)
        ]
        if filters:  # not else: to know the background costs as much as a frame
            ground = self.background_colors[1]
            for line_filter in filters:
                rows = [row.apply_filter(line_filter, ground) for row in rows]
        rows = [row.apply_filter(WORDS_GATE, BLACK) if type(row) is Strip else row for row in rows]
        if (crop.x, crop.width) != (0, self.size.width):
            rows = [row.crop(crop.x, crop.right) for row in rows]
        return rows

    def render_line(self, y: int) -> Strip:
        """Return one ready row."""
        rows = self._all_rows()
        return rows[y] if y < len(rows) else Strip.blank(self.size.width, self.rich_style)

    def on_mount(self) -> None:
        """Find out what the terminal shows."""
        support = getattr(self.app, "pixels", None)
        if support is not None:
            self.pixels = PixelPainter(self, support)
        if not self._colours_given:
            self.colours_changed()

    def colours_changed(self) -> None:
        """Find out the terminal's colours and draw in them; outside the loop, as tmux may take half a second."""

        def take(colours: Terminal) -> None:
            self._colours = colours
            if colours.depth is ColourDepth.TRUE and self.app.console.color_system in ("standard", "256"):
                self.app.post_message(ColoursKnown())  # Textual reads fewer signs of it, as none of tmux's
            self.refresh()

        aside(self, terminal.current, take, group="terminal")

    @on(Decoded)
    def _take_decoded(self, event: Decoded) -> None:
        event.stop()
        if self.picture.take(event.answer):
            self.settle()

    def settle(self) -> None:
        """Show what `picture` has, or why it has nothing."""
        name, pyramid = self.picture.name, self.pyramid
        if pyramid is not None:
            self.look = settled(pyramid, replace(self.look, frame=pyramid.raster.frame), self.port)
            self.post_message(self.Shown(name))
        else:
            self.post_message(self.Failed(name, self.picture.text))
        self.pacer.changed()

    def _draw_soon(self) -> None:
        """Draw the view anew. Where the image is no text, text is not written over it: that would be seen."""
        if self.pixels is not None and self.pixels.keeps_place:
            self.refresh_caption()
        else:
            self.refresh()

    def _all_rows(self) -> list[Strip]:
        """All rows of the widget; drawn again only when something they depend on has changed."""
        width, height = self.size
        made_of = (
            self.pyramid,
            self.look,
            self.size,
            self.cell_style,
            self._colours,
            self.pacer.coarse,
            self.picture.text,
            self.pixels and self.pixels.state,
        )
        if made_of != self._image_of:
            self._image, self._image_of = self._image_rows(width, height - CAPTION_ROWS), made_of
            self.pacer.painted()
        caption = caption_row(
            caption_parts(self),
            width,
            self._colours,
            self.get_component_rich_style("image--caption-focused" if self.has_focus else "image--caption"),
            self.get_component_rich_style("image--badge"),
        )
        return [*self._image, caption]

    def _image_rows(self, columns: int, rows: int) -> list[Strip]:
        """The image, or the state in words."""
        if columns < 1 or rows < 1:
            return []
        size = columns, rows
        if self.pixels is not None and (self.pyramid is None or not self.pixels.on):
            self.pixels.nothing()
        if self.pyramid is None:
            failed = self.state is State.FAILED
            style = self.get_component_rich_style("image--failed") if failed else self.rich_style
            return text_rows(self.picture.text, size, style)
        depth, coarse = self._colours.depth, self.pacer.coarse
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
