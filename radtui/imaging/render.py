"""A view of a pyramid to greys in 0.2 ms or so: pick a level, resize a box of it, window the small result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from radtui.imaging.pyramid import Pyramid
from radtui.imaging.raster import Sides
from radtui.imaging.view import Geometry, View, Viewport, geometry, source_box, window_of
from radtui.imaging.windows import apply_window

_SCALE_BARS_MM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_OVERLAY_THRESHOLD = 48  # of 255: thin graphics stay visible when shrunk


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A length to draw: `length_px` drawn pixels across stand for `label`."""

    length_px: int
    label: str


def render_px(
    pyramid: Pyramid, view: View, width_px: int, height_px: int, pixel_aspect: float = 1.0
) -> NDArray[np.uint8]:
    """Draw a view.

    Args:
        pyramid: The image.
        view: Where and how to look.
        width_px: Drawn pixels across.
        height_px: Drawn pixels down.
        pixel_aspect: Height of a drawn pixel divided by its width.

    Returns:
        (height_px, width_px) or (height_px, width_px, 3) uint8; black around an image that is smaller.
    """
    seen = geometry(pyramid, view, Viewport(width_px, height_px, pixel_aspect))
    left, top, place_w, place_h = seen.placed
    size = (place_w, place_h) if view.turns % 2 == 0 else (place_h, place_w)  # as stored
    box = source_box(pyramid, view, seen.box, seen.turned)
    small = apply_window(
        _resized(pyramid.levels, box, size), window_of(pyramid, view), pyramid.raster.inverted != view.invert
    )
    if pyramid.overlay is not None:
        small[
            np.asarray(pyramid.overlay.resize(size, Image.Resampling.BOX, box=box)) > _OVERLAY_THRESHOLD
        ] = 255
    if view.flip:
        small = small[:, ::-1]
    small = np.rot90(small, -view.turns)
    if (place_h, place_w) == (height_px, width_px):
        return np.ascontiguousarray(small)
    canvas = np.zeros((height_px, width_px, *small.shape[2:]), dtype=np.uint8)
    canvas[top : top + place_h, left : left + place_w] = small
    return canvas


def _resized(
    levels: tuple[Image.Image, ...], box: tuple[float, float, float, float], size: tuple[int, int]
) -> NDArray[Any]:
    """Resize a box of the stored image from the smallest level that still has two samples a drawn pixel."""
    shrink = min((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
    level = min(len(levels) - 1, max(0, math.floor(math.log2(max(shrink / 2, 1.0)))))
    image = levels[level]
    scale = 2.0**-level
    scaled = (
        box[0] * scale,
        box[1] * scale,
        min(box[2] * scale, float(image.width)),
        min(box[3] * scale, float(image.height)),
    )
    # Bilinear invents no value outside its neighbours, so a magnified image shows no false edges.
    method = Image.Resampling.BOX if shrink >= 1 else Image.Resampling.BILINEAR
    return np.asarray(image.resize(size, method, box=scaled))


def value_at(pyramid: Pyramid, column: int, row: int) -> str:
    """Read one stored value: "1234", "-612 HU", "12,200,7"."""
    value = pyramid.raster.values[row, column]
    if pyramid.raster.colour:
        return ",".join(str(int(v)) for v in value)
    return f"{float(value):g} {pyramid.raster.unit}".rstrip()


def scale_bar(pyramid: Pyramid, seen: Geometry, width_px: int) -> ScaleBar | None:
    """Choose a length that takes up to a third of the width, or None where the spacing is unknown.

    Args:
        pyramid: The image.
        seen: Its geometry.
        width_px: Drawn pixels across.
    """
    spacing = pyramid.raster.spacing_mm
    if spacing is None:
        return None
    # A unit is one source column; `pixel_aspect` already made rows as long as they are.
    mm_per_px = seen.units_per_px * spacing[1]
    fitting = [mm for mm in _SCALE_BARS_MM if mm / mm_per_px <= width_px / 3]
    if not fitting:
        return None
    mm = fitting[-1]
    return ScaleBar(max(1, round(mm / mm_per_px)), f"{mm // 10} cm" if mm % 10 == 0 else f"{mm} mm")


def sides_of(pyramid: Pyramid, view: View) -> Sides:
    """Patient directions at the edges as seen, after mirroring and turning."""
    sides = pyramid.raster.sides
    left, right, top, bottom = sides.left, sides.right, sides.top, sides.bottom
    if view.flip:
        left, right = right, left
    for _ in range(view.turns % 4):
        left, top, right, bottom = bottom, left, top, right
    return Sides(left, right, top, bottom)
