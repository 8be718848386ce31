"""What a terminal is asked, and what its answers say that it can draw.

A terminal's name alone decides nothing but one thing that cannot be asked: whether it draws the cells that stand for
an image. Some that answer kitty's question with yes print those cells as letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

KITTY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Whether the terminal would take this image of one pixel, which it does not keep."""
CELL_SIZE = "\x1b[16t"
_NAME, _ATTRIBUTES = "\x1b[>q", "\x1b[c"
_KITTY_YES = "\x1b_Gi=31;OK\x1b\\"
_LIMITS = "\x1b[?1;1;0S\x1b[?2;4;0S"  # colours and pixels of sixels
QUESTIONS = _NAME + CELL_SIZE + _LIMITS + _ATTRIBUTES
"""Asked after `KITTY`. Every terminal answers the last one, so its answer ends the wait."""
ANSWERS = (
    r"\x1bP>\|[^\x1b]*\x1b\\",
    r"\x1b_G[^\x1b]*\x1b\\",
    r"\x1b\[6;\d+;\d+t",
    r"\x1b\[\?[12];\d+(?:;\d+)*S",
    r"\x1b\[\?[0-9;]*c",
)
"""How each answer is spelled."""
# Source: their own documentation.
_PLACEHOLDERS_SINCE = {"kitty": (0, 28), "ghostty": (1, 0), "st-graphics": (0, 0)}
_SIXEL = "4"  # Source: xterm, ctlseqs, "Send Device Attributes"


class DrawingChoice(StrEnum):
    """How images are to be drawn, as the user has it."""

    AUTO = "auto"
    KITTY = "kitty"
    SIXEL = "sixel"
    BLOCKS = "blocks"


class Way(StrEnum):
    """How images are drawn."""

    CELLS = "cells"  # kitty's protocol, by text cells that stand for the image
    PLACED = "placed"  # kitty's protocol, at a place behind the text
    SIXEL = "sixel"
    BLOCKS = "blocks"  # no pixels: half blocks, quadrants or letters


@dataclass(frozen=True, slots=True)
class Graphics:
    """What a terminal can draw.

    Attributes:
        name: What it calls itself, with its version; "" when it does not tell.
        kitty: Whether it knows kitty's protocol.
        sixel: Whether it knows sixels.
        registers: How many colours sixels can have at a time.
        largest_px: Width and height of the largest sixel image, None where it sets no limit.
        cell_px: Width and height of a cell, None when it does not tell.
    """

    name: str = ""
    kitty: bool = False
    sixel: bool = False
    registers: int = 256
    largest_px: tuple[int, int] | None = None
    cell_px: tuple[int, int] | None = None

    @property
    def stands_in(self) -> bool:
        """Whether it draws cells that stand for an image."""
        match = re.match(r"([A-Za-z-]+)[ (]*(\d+)\.(\d+)", self.name)
        since = _PLACEHOLDERS_SINCE.get(match[1].lower()) if match else None
        return match is not None and since is not None and (int(match[2]), int(match[3])) >= since


def read(answers: str) -> Graphics:
    """Read what a terminal has answered so far."""
    name = re.search(r"\x1bP>\|([^\x1b]*)\x1b\\", answers)
    attributes = re.search(r"\x1b\[\?([0-9;]*)c", answers)
    cell = re.search(r"\x1b\[6;(\d+);(\d+)t", answers)
    registers = re.search(r"\x1b\[\?1;0;(\d+)S", answers)
    largest = re.search(r"\x1b\[\?2;0;(\d+);(\d+)S", answers)
    return Graphics(
        name=name[1] if name else "",
        kitty=_KITTY_YES in answers,
        sixel=attributes is not None and _SIXEL in attributes[1].split(";")[1:],
        registers=max(2, int(registers[1])) if registers else 256,
        largest_px=(int(largest[1]), int(largest[2])) if largest and int(largest[1]) else None,
        cell_px=(int(cell[2]), int(cell[1])) if cell and int(cell[1]) and int(cell[2]) else None,
    )


def way_of(graphics: Graphics, choice: DrawingChoice, *, through_tmux: bool = False) -> Way:
    """Decide how images are drawn.

    Args:
        graphics: What the terminal can draw.
        choice: What the user wants; what the terminal cannot do becomes half blocks.
        through_tmux: Whether tmux passes kitty's commands on. A place on the outer screen is not tmux's to know.
    """
    if choice is DrawingChoice.BLOCKS:
        return Way.BLOCKS
    by_kitty = Way.BLOCKS
    if graphics.kitty:
        # Nobody can ask the terminal around tmux for its name; whoever lets commands through has set it up.
        by_kitty = Way.CELLS if graphics.stands_in or through_tmux else Way.PLACED
    by_sixel = Way.SIXEL if graphics.sixel and graphics.cell_px else Way.BLOCKS
    if choice is DrawingChoice.KITTY:
        return by_kitty
    if choice is DrawingChoice.SIXEL:
        return by_sixel
    if by_kitty is Way.CELLS or by_sixel is Way.BLOCKS:
        return Way.BLOCKS if by_kitty is Way.PLACED and not _places_behind(graphics.name) else by_kitty
    return by_sixel


def _places_behind(name: str) -> bool:
    """Whether it is known to draw a placed image behind cells with a background; the others would hide messages."""
    return name.lower().startswith("kitty")
