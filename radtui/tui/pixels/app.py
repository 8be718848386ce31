"""The base of an app whose images may be in real pixels: it hears what the terminal answers, and acts after frames."""

from __future__ import annotations

import os
from typing import Any

from textual import events
from textual.app import App
from textual.driver import Driver

from radtui.tui.messages import ColoursKnown, GraphicsKnown
from radtui.tui.pixels.support import PixelSupport, chosen, window_cell_px
from radtui.tui.timers import make_sure

TMUX_REDRAW_S = 0.6  # in which tmux has drawn its window anew


class PixelApp(App[None]):
    """An app that asks its terminal for colours and pixels, and draws images as the answers allow."""

    def __init__(self) -> None:
        make_sure()
        super().__init__()
        self.pixels = PixelSupport(chosen(os.environ))

    def on_mount(self) -> None:
        """Notice when others have had the terminal."""
        self.app_resume_signal.subscribe(self, self._send_again, immediate=True)

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver for this platform; on a Unix terminal, one that asks more."""
        platform_driver = super().get_driver_class()
        if platform_driver.__module__ != "textual.drivers.linux_driver":
            return platform_driver
        from radtui.tui.asking_driver import asking

        return asking(platform_driver)

    def on_colours_known(self, message: ColoursKnown) -> None:
        """Draw in 24-bit colour from now on."""
        from radtui.tui.recolour import recolour

        message.stop()
        recolour(self)

    def on_graphics_known(self, message: GraphicsKnown) -> None:
        """Draw images in pixels from now on, where the terminal has them."""
        message.stop()
        if self.pixels.learn(message.graphics):
            self.redraw_images()
            self._send_again_in_tmux()

    def on_resize(self, event: events.Resize) -> None:
        """Another number of cells may come from another size of letters."""
        del event
        if self.pixels.resized(window_cell_px()):
            self.redraw_images()
        self._send_again_in_tmux()

    def on_app_focus(self) -> None:
        """Send again: tmux drops what comes while another of its windows is on show."""
        self._send_again_in_tmux()

    def _send_again_in_tmux(self) -> None:
        """Send again soon: tmux drops commands for the terminal around it while it is about to draw its window."""
        if self.pixels.through_tmux:
            self.set_timer(TMUX_REDRAW_S, self._send_again)

    def _send_again(self, app: App[Any] | None = None) -> None:
        """Send all images anew: the terminal has forgotten them, or has never had them."""
        del app
        self.pixels.generation += 1
        self.redraw_images()

    def redraw_images(self) -> None:
        """Draw all images anew."""
        for painter in list(self.pixels.painters):
            painter.redraw()

    def leave_pixels(self) -> None:
        """Let the terminal forget all images: it is left, for good or for a while."""
        for painter in list(self.pixels.painters):
            painter.leave()

    def post_display_hook(self) -> None:
        """After each frame: what is no text is drawn again where text was written over it."""
        for painter in list(self.pixels.painters):
            painter.after_frame()
