"""One frame in real pixels: the cells that the image lies in, as fine as is sent of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual.geometry import Region, Size

from radtui.imaging import draw
from radtui.imaging.protocols import marks
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.render import render_px
from radtui.imaging.view import View, Viewport, geometry

MOST_PX = 2_000_000  # of a frame; beyond, each is drawn for several of the screen's
COARSE = 2  # pixels of the screen across and down for each sent one, while a key repeats
COARSE_BITS = np.uint8(0xF8)  # what is kept of a grey then: noise is what costs bytes
SCALES = (1, 2, 3, 6)  # that sixels can be drawn at


@dataclass(frozen=True, slots=True)
class FrameParts:
    """What a frame is made of, and what is sent of it.

    Attributes:
        px: (H, W) or (H, W, 3) uint8: the cells of `area`.
        area: In cells of the canvas; what is beside it is black.
        scale: Pixels of the screen across and down for each of `px`.
        coarse: Whether it is soon followed by a finer one.
    """

    px: NDArray[np.uint8]
    area: Region
    scale: int
    coarse: bool


def scale_of(size: Size, cell_px: tuple[int, int]) -> int:
    """Pixels of the screen across and down for each drawn one, so that no frame is huge.

    Args:
        size: Of the canvas, in cells.
        cell_px: Width and height of a cell.
    """
    wanted = math.ceil(math.sqrt(cell_px[0] * size.width * cell_px[1] * size.height / MOST_PX))
    return next(scale for scale in SCALES if scale >= wanted or scale == SCALES[-1])


def rendered(
    pyramid: Pyramid,
    look: View,
    cells: tuple[int, int],
    cell_px: tuple[int, int],
    style: draw.Style,
    scale: int,
    coarse: bool,
) -> FrameParts:
    """Draw the cells that the image lies in; those of the whole canvas where marks lie beside it.

    Args:
        pyramid: The image.
        look: Where and how to look.
        cells: Columns and rows of the canvas.
        cell_px: Width and height of a cell.
        style: The marks on it.
        scale: As `scale_of` has it.
        coarse: At half of that resolution, in fewer greys and without marks.
    """
    (columns, rows), (width, height) = cells, cell_px
    if coarse:
        scale = next((more for more in SCALES if more >= scale * COARSE), SCALES[-1])
    port = Viewport(max(1, columns * width // scale), max(1, rows * height // scale))
    px = render_px(pyramid, look, port.width_px, port.height_px)
    if coarse:
        px &= COARSE_BITS
    elif style.marks:
        marks.draw_marks(px, pyramid, look, height / scale)
    if style.cross and not coarse:
        marks.draw_cross(px, height / scale)
    area = Region(0, 0, columns, rows)
    if not (style.marks and marks.has_marks(pyramid, look)):
        area = _cells_of(geometry(pyramid, look, port).placed, (width / scale, height / scale), area)
    return FrameParts(cut(px, area, area.offset, cell_px, scale), area, scale, coarse)


def cut(
    px: NDArray[np.uint8], tile: Region, at: tuple[int, int], cell_px: tuple[int, int], scale: int
) -> NDArray[np.uint8]:
    """The pixels of some cells, which begin at a cell of the whole."""
    width, height = cell_px
    left, top = at[0] * width // scale, at[1] * height // scale
    right, bottom = (at[0] + tile.width) * width // scale, (at[1] + tile.height) * height // scale
    return px[top:bottom, left:right]


def _cells_of(placed: tuple[int, int, int, int], cell_px: tuple[float, float], area: Region) -> Region:
    """The cells that drawn pixels lie in."""
    left, top, width, height = placed
    across, down = cell_px
    region = Region.from_corners(
        int(left // across),
        int(top // down),
        math.ceil((left + width) / across),
        math.ceil((top + height) / down),
    )
    return region.intersection(area)
