"""Sides, scale bar and cross drawn into pixels, where half blocks have letters in their cells."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from radtui.imaging import render
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.view import View, Viewport, geometry

LETTER_SHARE = 0.8  # of a cell's height
_CROSS_CELLS = (0.2, 2.0)  # from the middle, which stays visible, to the arms' ends, in heights of a cell


def draw_marks(px: NDArray[np.uint8], pyramid: Pyramid, view: View, cell_px: float) -> None:
    """Write the patient's sides at the edges, and a bar of known length into the lower left corner, in place.

    Args:
        px: (H, W) or (H, W, 3) uint8, the whole view.
        pyramid: The image.
        view: How it is looked at.
        cell_px: Height of a cell, in the same pixels.
    """
    height, width = px.shape[:2]
    sides, size_px = render.sides_of(pyramid, view), max(8, round(cell_px * LETTER_SHARE))
    for text, x, y in (
        (sides.left, 0.0, 0.5), (sides.right, 1.0, 0.5), (sides.top, 0.5, 0.0), (sides.bottom, 0.5, 1.0),
    ):  # fmt: skip
        if text:
            _paste(px, _letters(text, size_px), x, y)
    bar = render.scale_bar(pyramid, geometry(pyramid, view, Viewport(width, height)), width)
    if bar is not None:
        _paste(px, _ruler(bar.label, bar.length_px, size_px), 0.0, 1.0)


def has_marks(pyramid: Pyramid, view: View) -> bool:
    """Whether anything would be drawn: marks may lie beside the image."""
    sides = render.sides_of(pyramid, view)
    return pyramid.raster.spacing_mm is not None or any((sides.left, sides.right, sides.top, sides.bottom))


def draw_cross(px: NDArray[np.uint8], cell_px: float) -> None:
    """Draw a cross around the middle, black on bright and white on dark, in place."""
    height, width = px.shape[:2]
    y, x = height // 2, width // 2
    gap, arm = (max(1, round(cells * cell_px)) for cells in _CROSS_CELLS)
    for line in (
        np.s_[y, max(0, x - arm) : x - gap + 1], np.s_[y, x + gap : x + arm + 1],
        np.s_[max(0, y - arm) : y - gap + 1, x], np.s_[y + gap : y + arm + 1, x],
    ):  # fmt: skip
        px[line] = np.where(px[line] < 128, 255, 0)


def _paste(px: NDArray[np.uint8], mark: NDArray[np.uint8], across: float, down: float) -> None:
    """Put a mark at a share of the way across and down, as far as it fits."""
    height, width = min(mark.shape[0], px.shape[0]), min(mark.shape[1], px.shape[1])
    top, left = round((px.shape[0] - height) * down), round((px.shape[1] - width) * across)
    grey = mark[:height, :width]
    px[top : top + height, left : left + width] = grey if px.ndim == 2 else grey[..., None]


@cache
def _letters(text: str, size_px: int) -> NDArray[np.uint8]:
    """White letters on black."""
    font = ImageFont.load_default(size_px)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, fill=255, font=font)
    return np.asarray(image)


def _ruler(label: str, length_px: int, size_px: int) -> NDArray[np.uint8]:
    """A white bar with ends, its length beside it, on black."""
    name = _letters(label, size_px)
    ruler = np.zeros((name.shape[0] + 2, length_px + name.shape[1] + 8), dtype=np.uint8)
    middle = ruler.shape[0] // 2
    ruler[middle, 2 : 2 + length_px] = 255
    ruler[middle - 3 : middle + 4, [2, 1 + length_px]] = 255
    ruler[1 : 1 + name.shape[0], length_px + 6 : length_px + 6 + name.shape[1]] = name
    return ruler
