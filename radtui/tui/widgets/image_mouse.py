"""The mouse over an image: the pointer reads a value, the wheel zooms, a drag moves."""

from __future__ import annotations

from textual import events
from textual.geometry import Offset
from textual.widget import Widget

from radtui.imaging import view
from radtui.tui.widgets.image_canvas import CAPTION_ROWS, ImageCanvas


class Hand:
    """What the mouse does to one image.

    Args:
        widget: Gets the mouse while it drags.
        canvas: What is drawn there.
    """

    def __init__(self, widget: Widget, canvas: ImageCanvas) -> None:
        self._widget, self._canvas = widget, canvas
        self._held_at: Offset | None = None  # where on the screen a drag has come to

    def take(self, event: events.Event) -> None:
        """Do what an event of the mouse asks for."""
        match event:
            case events.MouseScrollUp():
                self._wheel(event, view.ZOOM_STEP)
            case events.MouseScrollDown():
                self._wheel(event, 1 / view.ZOOM_STEP)
            case events.MouseDown():
                self._hold(event)
            case events.MouseUp():
                self._widget.release_mouse()
            case events.MouseRelease():  # the mouse is everybody's again
                self._held_at = None
            case events.MouseMove():
                self._move(event)
            case events.Leave():  # the value in the middle is read again
                self._canvas.pointer_px = None
                self._canvas.refresh_caption()

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        event.stop()
        self._canvas.look_at(view.zoomed(self._canvas.look, factor))

    def _hold(self, event: events.MouseDown) -> None:
        if event.button == 1 and self._canvas.pyramid is not None:
            self._held_at = event.screen_offset
            self._widget.capture_mouse()

    def _move(self, event: events.MouseMove) -> None:
        """Read the value under the pointer, and move a held image with it."""
        canvas = self._canvas
        across, down = canvas.cell_px
        inside = event.y < self._widget.size.height - CAPTION_ROWS
        canvas.pointer_px = ((event.x + 0.5) * across, (event.y + 0.5) * down) if inside else None
        if self._held_at is not None and event.button != 1:  # let go outside the terminal
            self._widget.release_mouse()
        elif self._drag_to(event.screen_offset):
            return  # the caption is part of that frame
        canvas.refresh_caption()

    def _drag_to(self, place: Offset) -> bool:
        """Move a held image; False when it stays where it is."""
        canvas = self._canvas
        if self._held_at is None or canvas.pyramid is None:
            return False
        (across, down), way, self._held_at = canvas.cell_px, place - self._held_at, place
        look = view.dragged(canvas.pyramid, canvas.look, canvas.port, way.x * across, way.y * down)
        moved = look != canvas.look
        if moved:
            canvas.look_at(look)
        return moved
