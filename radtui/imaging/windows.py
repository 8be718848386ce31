"""Windows: which values are drawn black and white, where they come from, and their application."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from radtui.imaging.raster import Raster, Window, WindowShape

# Width and level in Hounsfield units as radiology departments commonly set them.
HU_PRESETS: tuple[Window, ...] = (
    Window(-600, 1500, "lung"),
    Window(40, 400, "mediastinum"),
    Window(300, 2000, "bone"),
    Window(40, 80, "brain"),
    Window(50, 400, "abdomen"),
)
AUTO_PERCENTILES = (0.5, 99.5)
_SAMPLE = 512  # rows and columns looked at for percentiles: 262,144 values place them within 0.02 %


def auto_window(raster: Raster) -> Window:
    """Span the 0.5th to the 99.5th percentile of the values.

    Half a percent at each end is about what markers and collimated borders cover, which would otherwise
    push the anatomy into a few greys. Every k-th row and column is looked at, so the result is the same
    every time.

    Args:
        raster: Grey or colour; padding values are left out.

    Returns:
        A window called "auto" of at least one step width.
    """
    step = max(1, -(-max(raster.height_px, raster.width_px) // _SAMPLE))
    sample = raster.values[::step, ::step]
    if raster.padding is not None:
        limit = raster.padding if raster.padding_limit is None else raster.padding_limit
        low, high = sorted((raster.padding, limit))
        kept = sample[(sample < low) | (sample > high)]
        sample = kept if kept.size else sample
    black, white = (float(v) for v in np.percentile(sample, AUTO_PERCENTILES))
    return _spanning(black, white, "auto")


def full_window(raster: Raster) -> Window:
    """Span all values: 0..255 where the source has 8 bits, else the smallest to the largest value."""
    if raster.values.dtype == np.uint8:
        return Window(127.5, 255.0, "full")
    return _spanning(float(raster.values.min()), float(raster.values.max()), "full")


def default_window(raster: Raster) -> Window:
    """Choose what an image is first drawn with, and what a model is shown.

    The file's own first window; else every stored level of an 8-bit image, which was windowed when it was
    exported; else the automatic one.
    """
    if raster.windows:
        return raster.windows[0]
    return full_window(raster) if raster.values.dtype == np.uint8 else auto_window(raster)


def windows_for(raster: Raster) -> tuple[Window, ...]:
    """List the windows a key steps through: the default first, then the file's, auto, full, HU presets."""
    first = default_window(raster)
    rest = [*raster.windows, auto_window(raster), full_window(raster)]
    if raster.unit == "HU":
        rest += HU_PRESETS
    return (first, *(w for w in rest if w.name != first.name))


def apply_window(values: NDArray[Any], window: Window, invert: bool = False) -> NDArray[np.uint8]:
    """Map values to greys.

    Args:
        values: Any shape, any real dtype.
        window: What is black and what is white.
        invert: Draw low values white.

    Returns:
        Same shape, uint8: 0 black, 255 white.

    Source: DICOM PS3.3 C.11.2.1.2.
    """
    low, high = window.limits
    x = values.astype(np.float32)
    if window.shape is WindowShape.SIGMOID:
        grey = 255.0 / (1.0 + np.exp(np.clip(-4.0 * (x - window.centre) / window.width, -60, 60)))
    elif window.shape is WindowShape.TABLE and window.table is not None:
        index = np.clip(np.rint(x - low), 0, len(window.table) - 1).astype(np.intp)
        grey = window.table[index] * 255.0
    else:
        grey = (x - low) * (255.0 / (high - low))
    if invert:
        grey = 255.0 - grey
    grey += 0.5  # so that the cast below rounds, not cuts
    levels: NDArray[np.uint8] = np.clip(grey, 0, 255, out=grey).astype(np.uint8)
    return levels


def to_grey8(raster: Raster) -> NDArray[np.uint8]:
    """Draw a whole raster in 8 bits, through its default window.

    Returns:
        (H, W) or (H, W, 3) uint8, bright where the examination is bright (MONOCHROME1 is turned over).
    """
    if raster.colour:
        return np.asarray(raster.values, dtype=np.uint8)
    return apply_window(raster.values, default_window(raster), raster.inverted)


def _spanning(low: float, high: float, name: str) -> Window:
    if not high > low:  # a constant image: draw it mid-grey
        return Window(low, 1.0, name)
    return Window((low + high) / 2, high - low, name)
