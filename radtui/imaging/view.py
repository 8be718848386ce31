"""Where a viewer looks: zoom, place, window, turn, mirror, frame; and the geometry that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from radtui.imaging.pyramid import Pyramid
from radtui.imaging.raster import Window

ZOOM_STEP = 1.25
PAN_STEP = 0.1  # of what is visible
LEVEL_STEP = 0.05  # of the window's width
WIDTH_STEP = 1.15
MAX_MAGNIFICATION = 32.0  # drawn pixels a source pixel


@dataclass(frozen=True, slots=True)
class View:
    """How an image is looked at; every field holds for images of any size.

    Attributes:
        centre: Point of the stored image in the middle of the view, (x, y) in 0..1.
        zoom: 1.0 shows the whole image, 2.0 half of each side.
        window: A window set by hand, or None for `preset`.
        preset: Name of one of the pyramid's windows; "" or an unknown name for its default.
        invert: Exchange black and white.
        turns: Clockwise quarter turns, 0..3, after mirroring.
        flip: Mirrored left to right before turning.
        frame: Index of the frame.
    """

    centre: tuple[float, float] = (0.5, 0.5)
    zoom: float = 1.0
    window: Window | None = None
    preset: str = ""
    invert: bool = False
    turns: int = 0
    flip: bool = False
    frame: int = 0


@dataclass(frozen=True, slots=True)
class Viewport:
    """The drawing area.

    Attributes:
        width_px: Drawn pixels across.
        height_px: Drawn pixels down.
        pixel_aspect: Height of a drawn pixel divided by its width: 1 for half blocks in cells of 1:2,
            2 for quadrants.
    """

    width_px: int
    height_px: int
    pixel_aspect: float = 1.0


@dataclass(frozen=True, slots=True)
class Geometry:
    """Which part of an image is drawn where.

    Lengths are in source columns: one unit is the width of one source pixel. "Turned" coordinates are those
    of the image after mirroring and turning, as the eye sees it.

    Attributes:
        units_per_px: Source columns to one drawn pixel across; < 1 magnifies.
        box: Part of the turned image that is drawn: left, top, right, bottom, in units.
        placed: Where it goes: left, top, width, height in drawn pixels.
        turned: Size of the whole turned image, in units.
        centre: The view's centre after clamping, as `View.centre`.
    """

    units_per_px: float
    box: tuple[float, float, float, float]
    placed: tuple[int, int, int, int]
    turned: tuple[float, float]
    centre: tuple[float, float]


def window_of(pyramid: Pyramid, view: View) -> Window:
    """Return the window a view draws an image with."""
    if view.window is not None:
        return view.window
    return next((w for w in pyramid.windows if w.name == view.preset), pyramid.windows[0])


def geometry(pyramid: Pyramid, view: View, port: Viewport) -> Geometry:
    """Work out what is drawn where, never leaving the image.

    An image smaller than the view is centred; otherwise the view stops at the image's edges.
    """
    width, height = _turned_size(pyramid, view)
    port_height = port.height_px * port.pixel_aspect  # in widths of a drawn pixel
    units_per_px = max(width / port.width_px, height / port_height) / view.zoom
    x, y = _turn(view, *view.centre)
    left, right, place_x, place_w = _span(x * width, width, port.width_px, units_per_px)
    top, bottom, place_y, place_h = _span(
        y * height, height, port.height_px, units_per_px * port.pixel_aspect
    )
    centre = _unturn(view, (left + right) / 2 / width, (top + bottom) / 2 / height)
    return Geometry(
        units_per_px,
        (left, top, right, bottom),
        (place_x, place_y, place_w, place_h),
        (width, height),
        centre,
    )


def source_box(
    pyramid: Pyramid, view: View, box: tuple[float, float, float, float], turned: tuple[float, float]
) -> tuple[float, float, float, float]:
    """Find a box of the turned image in the stored one.

    Args:
        pyramid: The image.
        view: Its orientation.
        box: Left, top, right, bottom in units.
        turned: Size of the turned image in units.

    Returns:
        Left, top, right, bottom in stored pixels.
    """
    x0, y0 = _unturn(view, box[0] / turned[0], box[1] / turned[1])
    x1, y1 = _unturn(view, box[2] / turned[0], box[3] / turned[1])
    width, height = pyramid.raster.width_px, pyramid.raster.height_px
    left, right = sorted((x0 * width, x1 * width))
    top, bottom = sorted((y0 * height, y1 * height))
    return max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)


def source_point(
    pyramid: Pyramid, view: View, port: Viewport, x_px: float, y_px: float
) -> tuple[int, int] | None:
    """Find the stored pixel under a drawn one.

    Returns:
        (column, row), or None outside the image.
    """
    seen = geometry(pyramid, view, port)
    left, top, place_w, place_h = seen.placed
    if not (left <= x_px < left + place_w and top <= y_px < top + place_h):
        return None
    x = seen.box[0] + (x_px - left) * (seen.box[2] - seen.box[0]) / place_w
    y = seen.box[1] + (y_px - top) * (seen.box[3] - seen.box[1]) / place_h
    u, v = _unturn(view, x / seen.turned[0], y / seen.turned[1])
    width, height = pyramid.raster.width_px, pyramid.raster.height_px
    return min(width - 1, max(0, int(u * width))), min(height - 1, max(0, int(v * height)))


def settled(pyramid: Pyramid, view: View, port: Viewport) -> View:
    """Bring zoom and centre to where they are drawn, so that the next step starts from what is seen."""
    least = min(1.0, one_to_one_zoom(pyramid, view, port))
    zoom = min(max(view.zoom, least), max(1.0, MAX_MAGNIFICATION * one_to_one_zoom(pyramid, view, port)))
    view = replace(view, zoom=zoom)
    return replace(view, centre=geometry(pyramid, view, port).centre)


def one_to_one_zoom(pyramid: Pyramid, view: View, port: Viewport) -> float:
    """The zoom at which one source column is one drawn pixel across."""
    return geometry(pyramid, replace(view, zoom=1.0), port).units_per_px


def zoomed(view: View, factor: float) -> View:
    """Zoom about the centre."""
    return replace(view, zoom=view.zoom * factor)


def fitted(view: View) -> View:
    """Show the whole image."""
    return replace(view, zoom=1.0, centre=(0.5, 0.5))


def panned(pyramid: Pyramid, view: View, port: Viewport, right: float, down: float) -> View:
    """Move by a share of what is visible, in the directions the eye sees.

    Args:
        pyramid: The image.
        view: Where from.
        port: The drawing area.
        right: Share of the visible width; negative goes left.
        down: Share of the visible height; negative goes up.
    """
    seen = geometry(pyramid, view, port)
    x, y = _turn(view, *seen.centre)
    x += right * (seen.box[2] - seen.box[0]) / seen.turned[0]
    y += down * (seen.box[3] - seen.box[1]) / seen.turned[1]
    return settled(pyramid, replace(view, centre=_unturn(view, x, y)), port)


def dragged(pyramid: Pyramid, view: View, port: Viewport, right_px: float, down_px: float) -> View:
    """Move the image with a hand that holds it, by drawn pixels.

    Args:
        pyramid: The image.
        view: Where from.
        port: The drawing area.
        right_px: How far the hand went to the right.
        down_px: How far it went down.
    """
    _, _, width_px, height_px = geometry(pyramid, view, port).placed
    return panned(pyramid, view, port, -right_px / width_px, -down_px / height_px)


def levelled(pyramid: Pyramid, view: View, steps: float) -> View:
    """Move the window's centre by steps of 5 % of its width; a higher centre is a darker image."""
    now = window_of(pyramid, view)
    return replace(
        view, window=Window(now.centre + steps * LEVEL_STEP * now.width, now.width, shape=now.shape)
    )


def widened(pyramid: Pyramid, view: View, steps: float) -> View:
    """Widen the window by steps of 15 %; wider is less contrast."""
    now = window_of(pyramid, view)
    width = max(now.width * WIDTH_STEP**steps, 1e-3)
    return replace(view, window=Window(now.centre, width, shape=now.shape))


def next_preset(pyramid: Pyramid, view: View, steps: int = 1) -> View:
    """Step through the windows the image has; from a hand-set one, back to the last named."""
    names = [w.name for w in pyramid.windows]
    if view.window is not None:
        return replace(view, window=None)
    at = names.index(window_of(pyramid, view).name)
    return replace(view, preset=names[(at + steps) % len(names)])


def rotated(view: View) -> View:
    """Turn clockwise by a quarter."""
    return replace(view, turns=(view.turns + 1) % 4)


def flipped(view: View) -> View:
    """Mirror left to right as seen; a mirror before a turn reverses the turn."""
    return replace(view, flip=not view.flip, turns=-view.turns % 4)


def _turned_size(pyramid: Pyramid, view: View) -> tuple[float, float]:
    raster = pyramid.raster
    size = (float(raster.width_px), raster.height_px * raster.pixel_aspect)
    return size if view.turns % 2 == 0 else (size[1], size[0])


def _turn(view: View, u: float, v: float) -> tuple[float, float]:
    """Stored to turned, both in 0..1: a mirror, then clockwise quarter turns."""
    if view.flip:
        u = 1 - u
    for _ in range(view.turns % 4):
        u, v = 1 - v, u
    return u, v


def _unturn(view: View, u: float, v: float) -> tuple[float, float]:
    """Turned to stored, both in 0..1."""
    for _ in range(view.turns % 4):
        u, v = v, 1 - u
    return (1 - u, v) if view.flip else (u, v)


def _span(centre: float, length: float, port_px: int, units_per_px: float) -> tuple[float, float, int, int]:
    """Place one axis: the drawn part in units, and its start and size in drawn pixels."""
    wanted = port_px * units_per_px
    if wanted >= length:
        size_px = min(port_px, max(1, round(length / units_per_px)))
        return 0.0, length, (port_px - size_px) // 2, size_px
    start = min(max(centre - wanted / 2, 0.0), length - wanted)
    return start, start + wanted, 0, port_px
