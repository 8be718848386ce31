"""Brings a running app from fewer colours to 24-bit ones, when the terminal turns out to have them."""

from __future__ import annotations

import gc
import os
from itertools import chain
from typing import Any

from rich.color import ColorSystem
from rich.style import Style
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget


def recolour(app: App[Any]) -> None:
    """Draw everything in 24-bit colour from now on; nothing happens in an app without colours."""
    os.environ["COLORTERM"] = "truecolor"  # where whoever asks for it later looks
    if app.console.color_system in (None, "truecolor"):
        return
    app.console._color_system = ColorSystem.TRUECOLOR  # Rich has no other way to change it
    _forget_written_colours()
    for screen in chain.from_iterable(app._screen_stacks.values()):
        for widget in [screen, *screen.walk_children(Widget)]:
            widget.refresh()
            if hasattr(widget, "colours_changed"):
                widget.colours_changed()


def _forget_written_colours() -> None:
    """Make styles and strips write their sequences anew.

    Rich and Textual keep what they once wrote with each style and strip, and those are kept in caches of all kinds.
    """
    frozen = gc.get_freeze_count() > 0
    gc.unfreeze()  # what is frozen is not listed
    for held in gc.get_objects():
        if type(held) is Style:
            held._ansi = None
        elif type(held) is Strip:  # not `AnsiStrip`, whose sequences the image canvas replaces
            held._render_cache = None
    if frozen:
        gc.freeze()
