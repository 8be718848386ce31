"""What the terminal can draw, how the user wants images, and the way that follows from both."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import randrange
from typing import Protocol
from weakref import WeakSet

from radtui.imaging.protocols.answers import DrawingChoice, Graphics, Way, way_of
from radtui.imaging.protocols.tmux import passed_through

VARIABLE = "RADTUI_PIXELS"
NO_PIXELS = "This terminal has no pixel graphics (kitty's protocol or sixels); zoom in with + or to 1:1 with * instead."
NOT_THROUGH_TMUX = (
    "tmux passes no pixel graphics on: run `tmux set -g allow-passthrough on` (tmux 3.3 or later) and start radtui "
    "again, or run it outside tmux."
)
NOT_THROUGH_SCREEN = "GNU screen passes no pixel graphics on; run radtui outside screen."
WORDS = {
    Way.CELLS: "Images in real pixels, by kitty's protocol.",
    Way.PLACED: "Images in real pixels, by kitty's protocol.",
    Way.SIXEL: "Images in real pixels, by sixels.",
    Way.BLOCKS: "Images in half blocks.",
}


def chosen(env: Mapping[str, str]) -> DrawingChoice:
    """What the environment asks for; what it spells wrongly is found out by itself."""
    try:
        return DrawingChoice(env.get(VARIABLE, "").strip().lower())
    except ValueError:
        return DrawingChoice.AUTO


class Painter(Protocol):
    """What draws one canvas in pixels."""

    def redraw(self) -> None:
        """Draw the canvas anew."""

    def leave(self) -> None:
        """Let the terminal forget all images, which it would keep beyond the app's end."""

    def after_frame(self) -> None:
        """Free what the frame that was just written no longer shows; write what the app has to draw itself."""


@dataclass(slots=True)
class PixelSupport:
    """How images of one app are drawn.

    Attributes:
        choice: What the user wants.
        graphics: What the terminal has answered; nothing until it does.
        through_tmux: Whether tmux lies between, and passes commands on.
        generation: Higher each time the terminal has forgotten what was sent.
        painters: The canvases that may be in pixels.
    """

    choice: DrawingChoice = DrawingChoice.AUTO
    graphics: Graphics = field(default_factory=Graphics)
    through_tmux: bool = False
    generation: int = 0
    painters: WeakSet[Painter] = field(default_factory=WeakSet)
    _next_id: int = field(default_factory=lambda: randrange(1, 2**16))

    @property
    def way(self) -> Way:
        """How images are drawn now."""
        return way_of(self.graphics, self.choice, through_tmux=self.through_tmux)

    @property
    def cell_px(self) -> tuple[int, int] | None:
        """Width and height of a cell, None where the terminal does not tell: sixels need it."""
        return self.graphics.cell_px

    def learn(self, graphics: Graphics, env: Mapping[str, str] = os.environ) -> bool:
        """Take in a terminal's answers; whether images are drawn in another way now."""
        before = self.way, self.cell_px
        self.through_tmux = bool(env.get("TMUX")) and graphics.kitty
        self.graphics = graphics if graphics.cell_px else replace(graphics, cell_px=window_cell_px())
        return (self.way, self.cell_px) != before

    def resized(self, cell_px: tuple[int, int] | None) -> bool:
        """Take in the size of a cell, which is another one in another font; whether it has changed."""
        if cell_px is None or self.cell_px in (None, cell_px):
            return False
        self.graphics = replace(self.graphics, cell_px=cell_px)
        return True

    def switch(self, env: Mapping[str, str] = os.environ) -> str:
        """Exchange pixels and half blocks; a sentence that says what is drawn now, or why nothing has changed."""
        if self.way is not Way.BLOCKS:
            self.choice = DrawingChoice.BLOCKS
            return WORDS[self.way]
        for choice in (DrawingChoice.AUTO, DrawingChoice.KITTY, DrawingChoice.SIXEL):
            if way_of(self.graphics, choice, through_tmux=self.through_tmux) is not Way.BLOCKS:
                self.choice = choice
                return WORDS[self.way]
        if env.get("TMUX"):
            return NOT_THROUGH_TMUX
        return NOT_THROUGH_SCREEN if env.get("STY") else NO_PIXELS

    def image_id(self, true_colour: bool) -> int:
        """A number for the next image, unlikely to be another program's; see `kitty.colour`."""
        self._next_id = self._next_id % 0xFFFFFE + 1
        low = self._next_id & 0xFF or 1
        return self._next_id if true_colour else (self._next_id >> 8 & 0xFF or 1) << 24 | low

    def wrapped(self, commands: list[str]) -> str:
        """Commands as they are written, through tmux where it lies between."""
        return "".join(map(passed_through, commands) if self.through_tmux else commands)


def window_cell_px() -> tuple[int, int] | None:
    """Width and height of a cell, as the kernel knows the window; None where nobody has told it."""
    stream = sys.__stdin__
    try:
        packed = fcntl.ioctl(stream.fileno() if stream is not None else 0, termios.TIOCGWINSZ, bytes(8))
    except (OSError, ValueError):
        return None
    rows, columns, width_px, height_px = struct.unpack("HHHH", packed)
    if not (rows and columns and width_px >= columns and height_px >= rows):
        return None
    return width_px // columns, height_px // rows
