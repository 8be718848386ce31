"""The image with its keys, which work while it has the focus, and with the mouse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from textual import events, on
from textual.binding import BindingType

from radtui.imaging.cells import Blocks
from radtui.imaging.moves import MOVES
from radtui.tui.key_uses import bindings
from radtui.tui.messages import Chosen
from radtui.tui.pixels.app import PixelApp
from radtui.tui.widgets.image_canvas import ImageCanvas
from radtui.tui.widgets.image_mouse import Hand
from radtui.tui.widgets.image_picture import State

__all__ = ["ImageView", "State"]


class ImageView(ImageCanvas, can_focus=True):
    """One image, zoomed, moved, windowed and turned by keys while it has the focus, and by the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("image")

    def __init__(self, **canvas: Any) -> None:
        """See `ImageCanvas`."""
        super().__init__(**canvas)
        self._hand = Hand(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With a single frame its keys are left to the screen, which may have another image of the case."""
        return action != "frame" or (self.pyramid is not None and self.pyramid.raster.frames > 1)

    def action_look(self, move: str, first: int = 0, second: int = 0) -> None:
        """Look at the image differently: one of `MOVES`, with its steps."""
        if self.pyramid is not None:
            self.look_at(MOVES[move](self.pyramid, self.look, self.port, first, second))

    def action_frame(self, steps: int) -> None:
        """Go to another frame; the one shown stays until it is decoded."""
        frames = self.pyramid.raster.frames if self.pyramid is not None else 1
        if frames > 1 and self.picture.want_frame((self.look.frame + steps) % frames):
            self.settle()

    def action_blocks(self) -> None:
        """Exchange half blocks and quadrants."""
        half = self.cell_style.blocks is Blocks.HALF
        self.cell_style = replace(self.cell_style, blocks=Blocks.QUADRANT if half else Blocks.HALF)
        self.look_at(self.look)

    def action_cross(self) -> None:
        """Show or hide the cross in the middle."""
        self.cell_style = replace(self.cell_style, cross=not self.cell_style.cross)
        self.look_at(self.look)

    def action_keep(self) -> None:
        """Keep the view for the next image, or not."""
        self.keep_view = not self.keep_view
        self.refresh_caption()

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
        self.refresh_caption()
