"""Small pictures as lines of segments, for the gallery and for `radtui show`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from radtui.imaging.ansi import ColourDepth, to_256
from radtui.imaging.cells import GLYPHS, HALF_BLOCK, letters

__all__ = ["LETTERS", "picture_lines"]

# On the white paper of many terminals dense letters would be the dark ones, and the image its negative.
LETTERS = Style.parse("bright_white on black")


def picture_lines(picture: Image.Image, depth: ColourDepth) -> list[list[Segment]]:
    """Draw a picture in its own size: a pixel is one column wide and half a row high.

    rich-pixels draws it where the terminal has 24-bit colour. It leaves 256 colours to Rich, which takes the next
    grey without a pattern between two, so that a faint lesion disappears: there, and on a terminal of letters,
    the cells are this package's own.

    Args:
        picture: Mode RGB, windowed and resized, of even height.
        depth: What the terminal shows.

    Returns:
        The segments of each row of cells.
    """
    if depth is ColourDepth.TRUE:
        from rich_pixels import HalfcellRenderer

        return [list(line) for line in Segment.split_lines(HalfcellRenderer().render(picture, None))]
    px = np.asarray(picture)
    if depth is ColourDepth.TEXT:
        rows = letters(px).glyph.tolist()
        return [[Segment("".join(GLYPHS[index] for index in row), LETTERS)] for row in rows]
    if (px == px[..., :1]).all():
        px = px[..., 0]  # greys have more levels among the 256 than colours have
    upper, lower = to_256(px[0::2], 0).tolist(), to_256(px[1::2], 1).tolist()
    return [
        [Segment(GLYPHS[HALF_BLOCK], _style(ink, paper)) for ink, paper in zip(*rows, strict=True)]
        for rows in zip(upper, lower, strict=True)
    ]


@lru_cache(maxsize=4096)
def _style(ink: int, paper: int) -> Style:
    return Style(color=Color.from_ansi(ink), bgcolor=Color.from_ansi(paper))
