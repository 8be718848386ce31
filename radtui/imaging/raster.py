"""What every decoder returns: one frame of raw values with what is needed to show them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of an image that is opened; Pillow's own threshold for "this may be a decompression bomb".
MAX_PIXELS = 89_478_485


class WindowShape(StrEnum):
    """How values between black and white are mapped.

    Source: DICOM PS3.3 C.11.2.1.2 (LINEAR, LINEAR_EXACT, SIGMOID) and C.11.2.1.1 (a VOI table).
    """

    EXACT = "exact"
    LINEAR = "linear"
    SIGMOID = "sigmoid"
    TABLE = "table"


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A range of values drawn from black to white.

    Attributes:
        centre: Value in the middle, in the raster's unit.
        width: Span from black to white, same unit, > 0.
        name: What the caption calls it: "auto", "lung", "window 1", "manual".
        shape: The mapping between the two ends.
        table: For `TABLE`, float32 (n,), 0..1: the output for `centre - width / 2` and each next value.
    """

    centre: float
    width: float
    name: str = "manual"
    shape: WindowShape = WindowShape.EXACT
    table: NDArray[np.float32] | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The highest value drawn black and the lowest drawn white.

        Source: DICOM PS3.3 C.11.2.1.2.1: LINEAR spans `centre - 0.5 -/+ (width - 1) / 2`.
        """
        if self.shape is WindowShape.LINEAR:
            half = max(self.width - 1, 1e-3) / 2
            return self.centre - 0.5 - half, self.centre - 0.5 + half
        return self.centre - self.width / 2, self.centre + self.width / 2


@dataclass(frozen=True, slots=True)
class Sides:
    """The patient's direction at each edge of the stored image: "R", "L", "A", "P", "H", "F", or ""."""

    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """One frame of an image, raw.

    Attributes:
        values: (H, W) uint8, uint16, int16 or float32; or (H, W, 3) uint8 for colour.
        bits: Bits per sample in the source, 1..32.
        unit: "HU" where values are Hounsfield units, else "".
        inverted: True where low values are bright (MONOCHROME1, white-is-zero TIFF).
        spacing_mm: Distance of (rows, columns) in millimetres, or None when unknown.
        windows: What the file itself suggests, first choice first.
        sides: Patient directions at the edges, where the file says so.
        frame: Index of this frame.
        frames: How many frames the file has.
        padding: Value that stands for "nothing here", left out of automatic windows.
        padding_limit: The other end where a range of values stands for it.
        overlay: Bool (H, W), graphics to draw in white on top, or None.
        pixel_aspect: Height of a pixel divided by its width.
        source: What it came from: "PNG", "DICOM CT", ...
    """

    values: NDArray[Any]
    bits: int = 8
    unit: str = ""
    inverted: bool = False
    spacing_mm: tuple[float, float] | None = None
    windows: tuple[Window, ...] = ()
    sides: Sides = Sides()
    frame: int = 0
    frames: int = 1
    padding: float | None = None
    padding_limit: float | None = None
    overlay: NDArray[np.bool_] | None = None
    pixel_aspect: float = 1.0
    source: str = ""

    @property
    def height_px(self) -> int:
        """Rows."""
        return int(self.values.shape[0])

    @property
    def width_px(self) -> int:
        """Columns."""
        return int(self.values.shape[1])

    @property
    def colour(self) -> bool:
        """Whether it has three channels."""
        return self.values.ndim == 3
