"""The image with its keys, which work while it has the focus."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import SuspendNotSupported
from textual.binding import BindingType

from radtui.imaging import view
from radtui.imaging.cells import Blocks
from radtui.imaging.view import View
from radtui.tui.key_uses import bindings
from radtui.tui.widgets.image_canvas import State
from radtui.tui.widgets.image_mouse import ImageMouse

__all__ = ["ImageView", "State"]


class ImageView(ImageMouse, can_focus=True):
    """One image, zoomed, moved, windowed and turned by keys while it has the focus, and by the mouse."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("image")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With a single frame its keys are left to the screen, which may have another image of the case."""
        return action != "frame" or (self.pyramid is not None and self.pyramid.raster.frames > 1)

    def action_zoom(self, steps: int) -> None:
        """Magnify about the middle."""
        self.look_at(view.zoomed(self.look, view.ZOOM_STEP**steps))

    def action_one_to_one(self) -> None:
        """Draw one image pixel as one pixel of a half block."""
        if self.pyramid is not None:
            self.look_at(replace(self.look, zoom=view.one_to_one_zoom(self.pyramid, self.look, self.port)))

    def action_fit(self) -> None:
        """Show the whole image."""
        self.look_at(view.fitted(self.look))

    def action_pan(self, right: int, down: int) -> None:
        """Move by tenths of what is seen."""
        if self.pyramid is not None:
            step = view.PAN_STEP
            self.look_at(view.panned(self.pyramid, self.look, self.port, right * step, down * step))

    def action_window(self, level_steps: int, width_steps: int) -> None:
        """Move or widen the window."""
        if self.pyramid is not None:
            look = view.levelled(self.pyramid, self.look, level_steps) if level_steps else self.look
            self.look_at(view.widened(self.pyramid, look, width_steps) if width_steps else look)

    def action_preset(self, steps: int) -> None:
        """Step through the windows that the image has."""
        if self.pyramid is not None:
            self.look_at(view.next_preset(self.pyramid, self.look, steps))

    def action_turn(self, how: str) -> None:
        """Invert, rotate or mirror."""
        if how == "invert":
            self.look_at(replace(self.look, invert=not self.look.invert))
        else:
            self.look_at(view.rotated(self.look) if how == "rotate" else view.flipped(self.look))

    def action_frame(self, steps: int) -> None:
        """Go to another frame; the one shown stays until it is decoded."""
        if self.pyramid is not None and self.pyramid.raster.frames > 1:
            self.show_frame((self.look.frame + steps) % self.pyramid.raster.frames)

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

    def action_reset(self) -> None:
        """Look at the whole image again, as it was first shown."""
        self.look_at(View(frame=self.look.frame))

    def action_pixels(self) -> None:
        """Show the view in real pixels until a key is pressed, with the app suspended.

        Never within the app: its frames would overwrite the picture, and the picture its frames.
        """
        if self.pyramid is None:
            return
        from radtui.tui import still  # needs a Unix terminal

        try:
            with self.app.suspend():
                reason = still.show(self.pyramid, self.look)
        except (SuspendNotSupported, OSError):
            reason = still.NO_PIXELS
        if reason:
            self.notify(reason, severity="warning")

    def on_focus(self) -> None:
        """Light the caption up: the keys work."""
        self.refresh_caption()

    def on_blur(self) -> None:
        """Dim the caption: the keys go elsewhere."""
        self.refresh_caption()
