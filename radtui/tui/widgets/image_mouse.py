"""The image under the mouse: the pointer reads a value, the wheel zooms, a drag moves."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset

from radtui.imaging import view
from radtui.tui.widgets.image_canvas import CAPTION_ROWS, ImageCanvas


class ImageMouse(ImageCanvas):
    """One image that the mouse reads, zooms and moves; keys are `ImageView`'s."""

    _held_at: Offset | None = None  # where on the screen a drag has come to

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Magnify."""
        event.stop()
        self.look_at(view.zoomed(self.look, view.ZOOM_STEP))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Show more."""
        event.stop()
        self.look_at(view.zoomed(self.look, 1 / view.ZOOM_STEP))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the image."""
        if event.button == 1 and self.pyramid is not None:
            self._held_at = event.screen_offset
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        """Let go of the image."""
        self.release_mouse()

    def on_mouse_release(self) -> None:
        """The mouse is everybody's again."""
        self._held_at = None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Read the value under the pointer, and move a held image with it."""
        across, down = self.blocks.pixels
        inside = event.y < self.size.height - CAPTION_ROWS
        self.pointer_px = ((event.x + 0.5) * across, (event.y + 0.5) * down) if inside else None
        if self._held_at is not None and event.button != 1:  # let go outside the terminal
            self.release_mouse()
        elif self._drag_to(event.screen_offset):
            return  # the caption is part of that frame
        self.refresh_caption()

    def _drag_to(self, place: Offset) -> bool:
        """Move a held image; False when it stays where it is."""
        if self._held_at is None or self.pyramid is None:
            return False
        (across, down), way, self._held_at = self.blocks.pixels, place - self._held_at, place
        look = view.dragged(self.pyramid, self.look, self.port, way.x * across, way.y * down)
        moved = look != self.look
        if moved:
            self.look_at(look)
        return moved

    def on_leave(self) -> None:
        """Read the value in the middle again."""
        self.pointer_px = None
        self.refresh_caption()
