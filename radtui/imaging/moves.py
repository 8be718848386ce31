"""Ways to look at an image differently, by name: what the image's keys do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from radtui.imaging import view
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View, Viewport

Move = Callable[[Pyramid, View, Viewport, int, int], View]
"""Takes the image, how it is looked at, the drawing area, and two numbers of steps, of which some need none."""


def _window(pyramid: Pyramid, look: View, _: Viewport, level_steps: int, width_steps: int) -> View:
    look = view.levelled(pyramid, look, level_steps) if level_steps else look
    return view.widened(pyramid, look, width_steps) if width_steps else look


def _pan(pyramid: Pyramid, look: View, port: Viewport, right: int, down: int) -> View:
    return view.panned(pyramid, look, port, right * view.PAN_STEP, down * view.PAN_STEP)


def _one_to_one(pyramid: Pyramid, look: View, port: Viewport, *_: int) -> View:
    """One image pixel is one drawn pixel across."""
    return replace(look, zoom=view.one_to_one_zoom(pyramid, look, port))


MOVES: dict[str, Move] = {
    "zoom": lambda pyramid, look, port, steps, _: view.zoomed(look, view.ZOOM_STEP**steps),
    "fit": lambda pyramid, look, port, *_: view.fitted(look),
    "one_to_one": _one_to_one,
    "pan": _pan,
    "window": _window,
    "preset": lambda pyramid, look, port, steps, _: view.next_preset(pyramid, look, steps),
    "invert": lambda pyramid, look, port, *_: replace(look, invert=not look.invert),
    "rotate": lambda pyramid, look, port, *_: view.rotated(look),
    "mirror": lambda pyramid, look, port, *_: view.flipped(look),
    "reset": lambda pyramid, look, port, *_: View(frame=look.frame),
}
