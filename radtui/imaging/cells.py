"""Greys or colours to character cells: half blocks, quadrants, and letters for terminals without colour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

# A cell's character is an index here: the 16 quadrant patterns (bit 0 upper left, 1 upper right, 2 lower
# left, 3 lower right; 3 is the half block), then ASCII from the space on.
QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
GLYPHS = QUADRANTS + "".join(chr(code) for code in range(32, 127))
HALF_BLOCK = QUADRANTS.index("▀")
SPACE = 0
_ASCII_START = len(QUADRANTS) - 32

# From dark to bright by the share of a cell that common terminal fonts ink.
TEXT_RAMP = " .:-=+*oO#%@"


class Blocks(StrEnum):
    """How a cell is divided."""

    HALF = "half"  # two exact greys, one above the other
    QUADRANT = "quadrant"  # four pixels in the two levels that fit them best
    TEXT = "text"  # one letter by brightness

    @property
    def pixels(self) -> tuple[int, int]:
        """Drawn pixels in a cell: across, down."""
        return {Blocks.HALF: (1, 2), Blocks.QUADRANT: (2, 2), Blocks.TEXT: (1, 2)}[self]

    @property
    def pixel_aspect(self) -> float:
        """Height of a drawn pixel divided by its width, in cells twice as high as wide."""
        across, down = self.pixels
        return 2.0 * across / down


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A block of character cells.

    Attributes:
        glyph: (H, W) uint8, indexes of `GLYPHS`.
        ink: (H, W) or (H, W, 3) uint8, what the character is drawn in; None for the terminal's own.
        paper: What is behind it; same shape as `ink`.
        indexed: True when `ink` and `paper` are (H, W) codes of xterm's 256 colours instead of levels.
    """

    glyph: NDArray[np.uint8]
    ink: NDArray[np.uint8] | None = None
    paper: NDArray[np.uint8] | None = None
    indexed: bool = False

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.glyph.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.glyph.shape[0])

    def crop(self, left: int, right: int, top: int = 0, bottom: int | None = None) -> Cells:
        """Cut out columns `left` to `right` and rows `top` to `bottom`, ends not included."""
        rows, columns = slice(top, bottom), slice(left, right)
        if self.ink is None or self.paper is None:
            return replace(self, glyph=self.glyph[rows, columns])
        return Cells(
            self.glyph[rows, columns], self.ink[rows, columns], self.paper[rows, columns], self.indexed
        )

    def write(self, row: int, column: int, text: str, ink: int = 255, paper: int = 0) -> None:
        """Put ASCII text on top, in place; what falls outside is left out. Not for indexed cells.

        Args:
            row: Row of the text.
            column: Column of its first character.
            text: Printable ASCII.
            ink: Grey of the letters.
            paper: Grey behind them.
        """
        if not 0 <= row < self.height:
            return
        for at, character in enumerate(text, start=column):
            if 0 <= at < self.width:
                self.glyph[row, at] = _ASCII_START + ord(character)
                if self.ink is not None and self.paper is not None:
                    self.ink[row, at] = ink
                    self.paper[row, at] = paper


def to_cells(px: NDArray[np.uint8], blocks: Blocks) -> Cells:
    """Turn drawn pixels into cells.

    Args:
        px: (H * down, W * across) or with a third axis of 3, uint8; see `Blocks.pixels`.
        blocks: How to divide a cell.

    Returns:
        (H, W) cells.
    """
    return {Blocks.HALF: half_blocks, Blocks.QUADRANT: quadrants, Blocks.TEXT: letters}[blocks](px)


def half_blocks(px: NDArray[np.uint8]) -> Cells:
    """Draw two pixels a cell, each in its exact colour.

    Args:
        px: (2 H, W) or (2 H, W, 3) uint8.
    """
    upper, lower = px[0::2].copy(), px[1::2].copy()
    return Cells(np.full(upper.shape[:2], HALF_BLOCK, dtype=np.uint8), upper, lower)


# The seven ways to split four pixels in two (the complements are the same with ink and paper exchanged).
_SPLITS = np.arange(1, 8)
_MEMBERS = ((_SPLITS[:, None] >> np.arange(4)) & 1).astype(np.float32)  # (7, 4)
_COUNTS = _MEMBERS.sum(axis=1)  # (7,) pixels drawn in ink


def quadrants(px: NDArray[np.uint8]) -> Cells:
    """Draw four pixels a cell in the two levels with the least squared error.

    All seven splits are tried, which for four pixels is faster than sorting them. Colour is split by
    brightness, and each part is drawn in its mean colour.

    Args:
        px: (2 H, 2 W) or (2 H, 2 W, 3) uint8.
    """
    parts = np.stack([px[0::2, 0::2], px[0::2, 1::2], px[1::2, 0::2], px[1::2, 1::2]], axis=2).astype(
        np.float32
    )
    grey = parts if px.ndim == 2 else parts.mean(axis=3)  # (H, W, 4)
    total = grey.sum(axis=2, keepdims=True)
    inside = grey @ _MEMBERS.T  # (H, W, 7)
    # Least squared error inside the parts is most squared mean between them.
    between = inside**2 / _COUNTS + (total - inside) ** 2 / (4 - _COUNTS)
    best = between.argmax(axis=2)
    count = _COUNTS[best]
    if px.ndim == 2:
        ink_sum, all_sum = np.take_along_axis(inside, best[..., None], axis=2)[..., 0], total[..., 0]
    else:
        ink_sum, all_sum = (parts * _MEMBERS[best][..., None]).sum(axis=2), parts.sum(axis=2)
        count = count[..., None]
    ink = np.rint(ink_sum / count).astype(np.uint8)
    paper = np.rint((all_sum - ink_sum) / (4 - count)).astype(np.uint8)
    return Cells(_SPLITS[best].astype(np.uint8), ink, paper)


def letters(px: NDArray[np.uint8]) -> Cells:
    """Draw each cell as a letter by its brightness, for terminals that have no colours to speak of.

    A dozen letters cannot show a window's greys, so the frame's 2nd to 98th percentile is spread over them.

    Args:
        px: (2 H, W) or (2 H, W, 3) uint8.
    """
    grey = px.astype(np.float32) if px.ndim == 2 else px.mean(axis=2, dtype=np.float32)
    mean = (grey[0::2] + grey[1::2]) / 2
    low, high = np.percentile(mean, (2, 98))
    ramp = np.array([_ASCII_START + ord(letter) for letter in TEXT_RAMP], dtype=np.uint8)
    step = (mean - low) * (len(ramp) / max(float(high - low), 1.0))
    return Cells(ramp[np.clip(step, 0, len(ramp) - 1).astype(np.intp)])
