"""A view as cells with what belongs on top of it: side markers, a scale bar, a cross; and its caption in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radtui.imaging import render
from radtui.imaging.cells import Blocks, Cells, half_blocks, to_cells
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View, Viewport, geometry, source_point, window_of

_CROSS_ARM_PX = 4
_CROSS_GAP_PX = 1  # the pixel that is read stays visible


@dataclass(frozen=True, slots=True)
class Style:
    """How a view is put into cells.

    Attributes:
        blocks: How a cell is divided.
        cross: Mark the pixel whose value the caption reads.
        marks: Draw side markers and the scale bar.
    """

    blocks: Blocks = Blocks.HALF
    cross: bool = False
    marks: bool = True


def viewport(columns: int, rows: int, blocks: Blocks) -> Viewport:
    """The drawn pixels of a block of cells."""
    across, down = blocks.pixels
    return Viewport(columns * across, rows * down, blocks.pixel_aspect)


def draw(pyramid: Pyramid, view: View, columns: int, rows: int, style: Style) -> Cells:
    """Draw a view into cells, with its marks.

    Args:
        pyramid: The image.
        view: Where and how to look.
        columns: Cells across, > 0.
        rows: Cells down, > 0.
        style: How.
    """
    port = viewport(columns, rows, style.blocks)
    px = render.render_px(pyramid, view, port.width_px, port.height_px, port.pixel_aspect)
    if style.cross:
        _cross(px, style.blocks)
    cells = to_cells(px, style.blocks)
    if style.marks:
        _marks(cells, pyramid, view, port, style.blocks)
    return cells


def draft(pyramid: Pyramid, view: View, columns: int, rows: int) -> Cells:
    """Draw at half resolution in a quarter of the bytes: one of 64 greys for each two cells of a row.

    Args:
        pyramid: The image.
        view: Where and how to look.
        columns: Cells across, > 0.
        rows: Cells down, > 0.
    """
    px = render.render_px(pyramid, view, -(-columns // 2), rows)
    # Neighbours become equal more often, and what is equal is not sent.
    px = (px & np.uint8(0xFC)) | (px >> np.uint8(6))
    return half_blocks(px.repeat(2, axis=0).repeat(2, axis=1)[:, :columns])


def caption(
    pyramid: Pyramid, view: View, port: Viewport, at_px: tuple[float, float] | None = None
) -> list[str]:
    """Say in words what is seen, the most useful first.

    Args:
        pyramid: The image.
        view: Where and how.
        port: The drawing area.
        at_px: Drawn pixel to read the value of; None for the middle.

    Returns:
        Parts such as "lung W1500 L-600", "frame 3/24", "mirrored", "zoom 38 %", "(812, 1024) -612 HU".
    """
    raster = pyramid.raster
    window = window_of(pyramid, view)
    seen = geometry(pyramid, view, port)
    name = "" if window.name == "manual" else f"{window.name} "
    parts = [f"{name}W{window.width:.4g} L{window.centre:.4g}"]
    if raster.frames > 1:
        parts.append(f"frame {view.frame + 1}/{raster.frames}")
    if view.flip:
        parts.append("mirrored")
    if view.turns:
        parts.append(f"turned {90 * view.turns}°")
    if view.invert:
        parts.append("inverted")
    parts.append(f"zoom {100 / seen.units_per_px:.3g} %")
    x_px, y_px = at_px or (port.width_px / 2, port.height_px / 2)
    point = source_point(pyramid, view, port, x_px, y_px)
    if point is not None:
        parts.append(f"({point[0]}, {point[1]}) {render.value_at(pyramid, *point)}")
    return parts


def _cross(px: NDArray[np.uint8], blocks: Blocks) -> None:
    """Draw a cross around the middle, black on bright and white on dark."""
    height, width = px.shape[:2]
    y, x = height // 2, width // 2
    reach_x = _CROSS_ARM_PX * blocks.pixels[0]
    for arm in (
        np.s_[y, x - reach_x : x - _CROSS_GAP_PX],
        np.s_[y, x + _CROSS_GAP_PX + 1 : x + reach_x + 1],
        np.s_[y - _CROSS_ARM_PX : y - _CROSS_GAP_PX, x],
        np.s_[y + _CROSS_GAP_PX + 1 : y + _CROSS_ARM_PX + 1, x],
    ):
        px[arm] = np.where(px[arm] < 128, 255, 0)


def _marks(cells: Cells, pyramid: Pyramid, view: View, port: Viewport, blocks: Blocks) -> None:
    """Write the patient's sides at the edges, and a bar of known length into the lower left corner."""
    sides = render.sides_of(pyramid, view)
    middle_row, middle_column = cells.height // 2, cells.width // 2
    cells.write(middle_row, 0, sides.left)
    cells.write(middle_row, cells.width - len(sides.right), sides.right)
    cells.write(0, middle_column, sides.top)
    cells.write(cells.height - 1, middle_column, sides.bottom)
    bar = render.scale_bar(pyramid, geometry(pyramid, view, port), port.width_px)
    if bar is not None:
        length = max(2, round(bar.length_px / blocks.pixels[0]))
        cells.write(cells.height - 1, 1, "|" + "-" * (length - 2) + "| " + bar.label)
