"""The widget of one image: asked for by name, decoded in threads, drawn by its canvas, looked at by keys and mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from radtui.imaging.ansi import ColourDepth
from radtui.imaging.cells import Blocks
from radtui.imaging.loader import Loader, shared
from radtui.imaging.moves import MOVES
from radtui.tui import terminal
from radtui.tui.aside import aside
from radtui.tui.key_uses import bindings
from radtui.tui.messages import Chosen, ColoursKnown
from radtui.tui.pixels.app import PixelApp
from radtui.tui.pixels.painter import PixelPainter
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.image_canvas import COMPONENTS, ImageCanvas
from radtui.tui.widgets.image_mouse import Hand
from radtui.tui.widgets.image_picture import Answer, State, WantedPicture

__all__ = ["ImageView", "State"]


class ImageView(Widget, can_focus=True):
    """One image above a line of caption; zoomed, moved, windowed and turned by keys while it has the focus.

    Args:
        empty: What stands in it while there is no image.
        colours: The terminal's; found out in a thread when left out.
        loader: Decodes and keeps images; one that all views share when left out.

    Attributes:
        picture: Which image is wanted, and what has become of it.
        canvas: Draws it, and knows how it is looked at.
    """

    DEFAULT_CSS = """
    ImageView { width: 1fr; height: 1fr; background: black; color: $foreground-muted; }
    ImageView > .image--caption { background: $panel; color: $foreground-muted; }
    ImageView > .image--caption-focused { background: $panel; color: $accent; }
    ImageView > .image--badge { background: $panel; color: $warning; }
    ImageView > .image--failed { background: black; color: $error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = bindings("image")

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
        self, *, empty: str = "no image", colours: Terminal | None = None, loader: Loader | None = None
    ) -> None:
        super().__init__()
        self._empty = empty
        self._asks_terminal = colours is None
        self.picture = WantedPicture(
            loader or shared(), lambda answer: self.post_message(self.Decoded(answer)), empty
        )
        self.canvas = ImageCanvas(self, self.picture, colours or Terminal(ColourDepth.TRUE))
        self._hand = Hand(self, self.canvas)

    @property
    def state(self) -> State:
        """What is shown."""
        return self.picture.state

    def show(self, key: str, load: Callable[[], bytes]) -> None:
        """Show an image; until it is decoded, say that it is being read.

        Args:
            key: A name for its content, such as its sha256: what was read under it once is not read again.
            load: Returns the file's bytes. Called in a thread, so it must not touch widgets.
        """
        self.canvas.begin()
        if self.picture.want(key, load):
            self._settle()
        else:
            self.refresh()

    def clear(self, text: str | None = None) -> None:
        """Show no image, but a line of text: the one given to the constructor, or `text`."""
        self.picture.nothing(self._empty if text is None else text)
        self.refresh()

    def prefetch(self, key: str, load: Callable[[], bytes]) -> None:
        """Decode an image that is likely to be shown next; call it after `show`."""
        self.picture.loader.request(key, load)

    @on(Decoded)
    def _take_decoded(self, event: Decoded) -> None:
        event.stop()
        if self.picture.take(event.answer):
            self._settle()

    def _settle(self) -> None:
        """Show what `picture` has, or why it has nothing."""
        name = self.picture.name
        shown = self.picture.pyramid is not None
        self.post_message(self.Shown(name) if shown else self.Failed(name, self.picture.text))
        self.canvas.take_in()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return ready rows, past Textual's own path through segments and filters."""
        if self.outer_size != self.size:  # a border or padding, which only the styles cache draws
            return super().render_lines(crop)
        return self.canvas.lines(crop)

    def render_line(self, y: int) -> Strip:
        """Return one ready row."""
        rows = self.canvas.rows()
        return rows[y] if y < len(rows) else Strip.blank(self.size.width, self.rich_style)

    def on_mount(self) -> None:
        """Find out what the terminal shows."""
        if isinstance(self.app, PixelApp):
            self.canvas.pixels = PixelPainter(self, self.app.pixels, self.canvas.pacer.painted)
        if self._asks_terminal:
            self.colours_changed()

    def colours_changed(self) -> None:
        """Find out the terminal's colours and draw in them; outside the loop, as tmux may take half a second."""

        def take(colours: Terminal) -> None:
            self.canvas.colours = colours
            if colours.depth is ColourDepth.TRUE and self.app.console.color_system in ("standard", "256"):
                self.app.post_message(ColoursKnown())  # Textual reads fewer signs of it, as none of tmux's
            self.refresh()

        aside(self, terminal.current, take, group="terminal")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With a single frame its keys are left to the screen, which may have another image of the case."""
        return action != "frame" or self.picture.frames > 1

    def action_look(self, move: str, first: int = 0, second: int = 0) -> None:
        """Look at the image differently: one of `MOVES`, with its steps."""
        pyramid, canvas = self.picture.pyramid, self.canvas
        if pyramid is not None:
            canvas.look_at(MOVES[move](pyramid, canvas.look, canvas.port, first, second))

    def action_frame(self, steps: int) -> None:
        """Go to another frame; the one shown stays until it is decoded."""
        frames = self.picture.frames
        if frames > 1 and self.picture.want_frame((self.canvas.look.frame + steps) % frames):
            self._settle()

    def action_blocks(self) -> None:
        """Exchange half blocks and quadrants."""
        style = self.canvas.cell_style
        other = Blocks.QUADRANT if style.blocks is Blocks.HALF else Blocks.HALF
        self.canvas.restyle(replace(style, blocks=other))

    def action_cross(self) -> None:
        """Show or hide the cross in the middle."""
        style = self.canvas.cell_style
        self.canvas.restyle(replace(style, cross=not style.cross))

    def action_keep(self) -> None:
        """Keep the view for the next image, or not."""
        self.canvas.keep_view = not self.canvas.keep_view
        self.canvas.refresh_caption()

    def action_pixels(self) -> None:
        """Exchange real pixels and half blocks, in all images of the app."""
        if isinstance(self.app, PixelApp):
            self.notify(self.app.pixels.switch())
            self.post_message(Chosen(pixels=str(self.app.pixels.choice)))
            self.app.redraw_images()

    @on(events.MouseScrollUp)
    @on(events.MouseScrollDown)
    @on(events.MouseDown)
    @on(events.MouseUp)
    @on(events.MouseRelease)
    @on(events.MouseMove)
    @on(events.Leave)
    def _take_mouse(self, event: events.Event) -> None:
        self._hand.take(event)

    @on(events.Focus)
    @on(events.Blur)
    def _light_caption(self) -> None:
        """The caption is lit while the keys work here."""
        self.canvas.refresh_caption()
