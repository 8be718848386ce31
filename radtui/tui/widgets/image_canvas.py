"""Where an image is drawn: asked for by name, decoded in threads, written as ready rows. Its keys are `ImageView`'s."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from textual import on, work
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
from radtui.records import UserError
from radtui.tui import terminal
from radtui.tui.messages import ColoursKnown
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.canvas_rows import caption_row, image_rows, text_rows
from radtui.tui.widgets.pacing import Pacer

CAPTION_ROWS = 1


class State(StrEnum):
    """What the widget shows."""

    EMPTY = "empty"
    LOADING = "loading"
    FAILED = "failed"
    SHOWN = "shown"


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

        name: str
        frame: int | None
        future: Future[Pyramid]

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
        self.state = State.EMPTY
        self.pyramid: Pyramid | None = None
        self._state_text = self._empty = empty
        self._wanted_key = ""
        self._load_bytes: Callable[[], bytes] = bytes
        self._wanted_frame: int | None = None
        self._loader = loader or shared()
        self._pacer = Pacer(self)
        self._colours = colours
        self.pointer_px: tuple[float, float] | None = None
        self._image: list[Strip] = []
        self._image_of: tuple[object, ...] = ()

    def show(self, key: str, load: Callable[[], bytes]) -> None:
        """Show an image; until it is decoded, say that it is being read.

        Args:
            key: A name for its content, such as its sha256: what was read under it once is not read again.
            load: Returns the file's bytes. Called in a thread, so it must not touch widgets.
        """
        if key != self._wanted_key:
            self._loader.drop_waiting()
        self._wanted_key, self._load_bytes = key, load
        self.look = replace(self.look, frame=0) if self.keep_view else View()
        self.pyramid, self.state, self._state_text = None, State.LOADING, "reading the image ..."
        self._request(None)  # of many, the frame that stands for the file
        if self.state is State.LOADING:
            self.refresh()

    def clear(self, text: str | None = None) -> None:
        """Show no image, but a line of text: the one given to the constructor, or `text`."""
        self._wanted_key, self.pyramid, self.state = "", None, State.EMPTY
        self._state_text = self._empty if text is None else text
        self.refresh()

    def prefetch(self, key: str, load: Callable[[], bytes]) -> None:
        """Decode an image that is likely to be shown next; call it after `show`."""
        self._loader.request(key, load)

    def look_at(self, look: View) -> None:
        """Show the image in another way, as soon as the terminal has taken the last frame."""
        if self.pyramid is None:
            return
        self.look = settled(self.pyramid, look, self.port)
        self._pacer.changed()

    def show_frame(self, frame: int) -> None:
        """Show another frame of the same image as soon as it is decoded; until then this one stays."""
        self._request(frame)

    def refresh_caption(self) -> None:
        """Draw only the last row again: over a slow link the image costs a hundred times as much."""
        self.refresh(Region(0, self.size.height - CAPTION_ROWS, self.size.width, CAPTION_ROWS))

    @property
    def blocks(self) -> Blocks:
        """How cells are divided: as chosen, or letters where the terminal has too few colours."""
        return Blocks.TEXT if self._depth is ColourDepth.TEXT else self.cell_style.blocks

    @property
    def port(self) -> Viewport:
        """The drawn pixels of this widget, at full resolution."""
        return draw.viewport(max(1, self.size.width), max(1, self.size.height - CAPTION_ROWS), self.blocks)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return ready rows, past Textual's own path through segments and filters."""
        if self.outer_size != self.size:  # a border or padding, which only the styles cache draws
            return super().render_lines(crop)
        rows = self._all_rows()[crop.y : crop.bottom]
        for line_filter in self.get_line_filters():
            if not isinstance(line_filter, ANSIToTruecolor):
                rows = [row.apply_filter(line_filter, self.background_colors[1]) for row in rows]
        if (crop.x, crop.width) != (0, self.size.width):
            rows = [row.crop(crop.x, crop.right) for row in rows]
        return rows

    def render_line(self, y: int) -> Strip:
        """Return one ready row."""
        rows = self._all_rows()
        return rows[y] if y < len(rows) else Strip.blank(self.size.width, self.rich_style)

    def on_mount(self) -> None:
        """Find out what the terminal shows."""
        if self._colours is None:
            self.colours_changed()

    @work(thread=True, group="terminal")
    def colours_changed(self) -> None:
        """Find out the terminal's colours and draw in them; outside the loop, as tmux may take half a second."""
        self._colours = terminal.current()
        if self._depth is ColourDepth.TRUE and self.app.console.color_system in ("standard", "256"):
            self.app.post_message(ColoursKnown())  # Textual reads fewer signs of it, as none of tmux's
        self.app.call_from_thread(self.refresh)

    def _request(self, frame: int | None) -> None:
        name, self._wanted_frame = self._wanted_key, frame
        future = self._loader.request(name, self._load_bytes, frame)
        if future.done() and not future.cancelled():
            self._take(name, frame, future)
        else:
            future.add_done_callback(lambda done: self.post_message(self.Decoded(name, frame, done)))

    @on(Decoded)
    def _decoded(self, event: Decoded) -> None:
        event.stop()
        if not event.future.cancelled():
            self._take(event.name, event.frame, event.future)
        elif (event.name, event.frame) == (self._wanted_key, self._wanted_frame):
            self._request(event.frame)  # another canvas dropped what was waiting

    def _take(self, name: str, frame: int | None, future: Future[Pyramid]) -> None:
        """Show what was decoded, unless another image has been asked for meanwhile."""
        if (name, frame) != (self._wanted_key, self._wanted_frame):
            return
        error = future.exception()
        if error is None:
            self.pyramid, self.state = future.result(), State.SHOWN
            look = replace(self.look, frame=self.pyramid.raster.frame)
            self.look = settled(self.pyramid, look, self.port)
            self.post_message(self.Shown(name))
        else:
            self.pyramid, self.state = None, State.FAILED
            self._state_text = (
                str(error) if isinstance(error, UserError) else f"The image cannot be read: {error}"
            )
            self.post_message(self.Failed(name, self._state_text))
        self._pacer.changed()

    @property
    def _depth(self) -> ColourDepth:
        return ColourDepth.TRUE if self._colours is None else self._colours.depth

    def _all_rows(self) -> list[Strip]:
        """All rows of the widget; drawn again only when something they depend on has changed."""
        width, height = self.size
        made_of = (
            self.pyramid,
            self.look,
            self.size,
            self.cell_style,
            self._depth,
            self._pacer.coarse,
            self._state_text,
        )
        if made_of != self._image_of:
            self._image, self._image_of = self._image_rows(width, height - CAPTION_ROWS), made_of
            self._pacer.painted()
        return [*self._image, self._caption_row(width)]

    def _image_rows(self, columns: int, rows: int) -> list[Strip]:
        """The image, or the state in words."""
        if columns < 1 or rows < 1:
            return []
        size = columns, rows
        if self.pyramid is None:
            failed = self.state is State.FAILED
            style = self.get_component_rich_style("image--failed") if failed else self.rich_style
            return text_rows(self._state_text, size, style)
        how = replace(self.cell_style, blocks=self.blocks)
        return image_rows(self.pyramid, self.look, size, how, self._depth, self._pacer.coarse)

    def _caption_row(self, columns: int) -> Strip:
        """What is seen, in words."""
        name = "image--caption-focused" if self.has_focus else "image--caption"
        parts: list[str] = []
        if self.pyramid is not None:
            parts = draw.caption(self.pyramid, self.look, self.port, self.pointer_px)
        if self.keep_view:
            parts.insert(1, "view kept")
        return caption_row(
            parts,
            columns,
            self._colours or Terminal(ColourDepth.TRUE),
            self.get_component_rich_style(name),
            self.get_component_rich_style("image--badge"),
        )
