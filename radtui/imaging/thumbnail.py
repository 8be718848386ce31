"""Small pictures of images, windowed and resized before a library draws them.

rich-pixels and others clip 16-bit images and resize by dropping pixels; handed a picture of the right size in 8-bit
RGB, they have nothing left to spoil.
"""

from __future__ import annotations

from PIL import Image

from radtui.imaging import decode, pyramid
from radtui.imaging.pyramid import Pyramid
from radtui.imaging.raster import Raster
from radtui.imaging.render import render_px
from radtui.imaging.view import View


def thumbnail(data: bytes, width_px: int, height_px: int) -> Image.Image:
    """Decode a file to a small picture, in its default window.

    Args:
        data: A file's bytes.
        width_px: Most columns.
        height_px: Most rows; two for each row of cells.

    Returns:
        Mode RGB, as large as fits, its height even.

    Raises:
        UserError: As `decode.decode`.
    """
    return of_raster(decode.decode(data, None, enough_px=2 * max(width_px, height_px)), width_px, height_px)


def of_raster(raster: Raster, width_px: int, height_px: int) -> Image.Image:
    """Draw a raster as a small picture; see `thumbnail`."""
    return of_pyramid(pyramid.build(raster), width_px, height_px)


def of_pyramid(built: Pyramid, width_px: int, height_px: int) -> Image.Image:
    """Draw a decoded image as a small picture; see `thumbnail`."""
    raster = built.raster
    height, width = raster.height_px * raster.pixel_aspect, raster.width_px
    scale = min(width_px / width, height_px / height)
    rows_px = max(2, round(height * scale) // 2 * 2)
    # Of the even height: nothing stays black.
    columns_px = max(1, min(width_px, round(width * rows_px / height)))
    return Image.fromarray(render_px(built, View(), columns_px, rows_px)).convert("RGB")
