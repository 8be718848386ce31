"""Lines as braille dots and bands as eighth blocks: arrays in, character codes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radtui.charts.growing import Floats

DOTS_X, DOTS_Y = 2, 4  # braille dots in a cell
BRAILLE = 0x2800
SPACE = ord(" ")
EDGE = 1e-6  # of a dot: what rounding may add to a span
EIGHTHS = 8  # steps of the lower block characters in a cell
LOWER_BLOCKS = np.array([ord(c) for c in " ▁▂▃▄▅▆▇█"], np.uint32)
HALF_UPPER, HALF_LOWER = ord("▀"), ord("▄")

# Source: Unicode 15, block "Braille Patterns": dots 1-3 and 7 down the left column, 4-6 and 8 down the right.
BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)


def rows_of(values: Floats, lo: float, hi: float, height: int, log: bool) -> Floats:
    """Vertical places of values on an axis from lo (bottom) to hi (top).

    Args:
        values: any shape; NaN stays NaN.
        lo: value in the middle of the lowest row; above 0 for a logarithmic axis.
        hi: value in the middle of the highest row, above lo.
        height: number of rows, at least 2.
        log: whether the axis is logarithmic; values of 0 and below then lie under the lowest row.

    Returns:
        Rows as fractions, 0 the top one and height - 1 the lowest, in [-1, height], float64, as `values`.
    """
    if log:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log(np.where(values <= 0, np.finfo(float).tiny, values))
        lo, hi = float(np.log(lo)), float(np.log(hi))
    return np.clip((hi - values) * ((height - 1) / (hi - lo)), -1, height)


def line_spans(columns: NDArray[np.int64], rows: Floats, width: int) -> tuple[Floats, Floats]:
    """Where a polyline is in each column, as the span of rows that it passes.

    Args:
        columns: columns of the points, int64 [points], rising; may lie outside of [0, width).
        rows: their rows, float64 [points]; NaN breaks the line.
        width: number of columns.

    Returns:
        Highest and lowest row, float64 [width] each, NaN where there is no line. A point between two breaks
        is a span of its own row.
    """
    top, bottom = np.full(width, np.nan), np.full(width, np.nan)
    inside = (columns >= 0) & (columns < width)
    top[columns[inside]] = bottom[columns[inside]] = rows[inside]
    if len(columns) < 2:
        return top, bottom
    borders = np.arange(-1, width)  # border k lies between column k and column k + 1
    after = np.searchsorted(columns, borders, side="right")
    between = (after > 0) & (after < len(columns))
    second = after[between]
    first = second - 1
    share = (borders[between] + 0.5 - columns[first]) / (columns[second] - columns[first])
    crossing = np.full(width + 1, np.nan)
    crossing[between] = rows[first] + share * (rows[second] - rows[first])
    return (
        np.fmin(top, np.fmin(crossing[:-1], crossing[1:])),
        np.fmax(bottom, np.fmax(crossing[:-1], crossing[1:])),
    )


def line_cells(top: Floats, bottom: Floats, height: int) -> NDArray[np.uint8]:
    """Draw spans of braille dots.

    Args:
        top: highest dot row of each dot column, float64 [2 x cells], NaN for none.
        bottom: lowest dot row, float64 [2 x cells].
        height: rows of cells.

    Returns:
        The dots that are set in each cell, uint8 [height, cells]; 0x2800 plus it is the character.
    """
    dots = height * DOTS_Y
    used = np.flatnonzero((bottom > -0.5) & (top < dots - 0.5))  # False for NaN
    # The dots that a span reaches into: touching the next dot's edge does not light it, so slopes stay thin.
    first = np.floor(top[used] + 0.5 + EDGE).astype(np.int64)
    final = np.maximum(np.ceil(bottom[used] - 0.5 - EDGE).astype(np.int64), first)
    edge = np.zeros((dots + 1, len(top)), np.int8)
    edge[np.clip(first, 0, dots - 1), used] += 1
    edge[np.clip(final, 0, dots - 1) + 1, used] -= 1
    mask = np.cumsum(edge[:dots], axis=0, dtype=np.int8)
    cells = np.zeros((height, len(top) // DOTS_X), np.uint8)
    for y in range(DOTS_Y):
        for x in range(DOTS_X):
            cells |= (mask[y::DOTS_Y, x::DOTS_X] > 0) * BITS[y, x]
    return cells


@dataclass(frozen=True, slots=True)
class Band:
    """A filled band in cells; all arrays are [rows, columns].

    `chars` is the character code, 0 where the band is not; `behind` says whether the band is the background
    of the cell, `front` whether the character is in the band's colour. A cell wholly in the band is a space
    on the band's colour, one at the lower edge a block of the chart's own background. `covered` is the share
    of the cell that is in the band.
    """

    chars: NDArray[np.uint32]
    behind: NDArray[np.bool_]
    front: NDArray[np.bool_]
    covered: Floats


def band_cells(top: Floats, bottom: Floats, height: int) -> Band:
    """Fill between two edges, to an eighth of a cell.

    Args:
        top: upper edge of each column of cells in cells from the top of the drawing, float64 [cells], NaN for none.
        bottom: lower edge, float64 [cells].
        height: rows of cells.
    """
    row = np.arange(height)[:, None]
    upper = np.clip(top[None, :] - row, 0, 1)  # share of the cell above the band
    lower = np.clip(bottom[None, :] - row, 0, 1)  # share of the cell down to the end of the band
    covered = np.nan_to_num(lower - upper)
    chars = np.zeros(covered.shape, np.uint32)
    whole = covered > 1 - 0.5 / EIGHTHS
    part = (covered >= 0.5 / EIGHTHS) & ~whole
    at_top = part & (lower >= 1)
    at_bottom = part & (upper <= 0) & ~at_top
    floating = part & ~at_top & ~at_bottom  # no block character floats: the nearer half stands for it
    chars[whole] = SPACE
    chars[at_top] = LOWER_BLOCKS[np.rint((1 - upper[at_top]) * EIGHTHS).astype(np.int64)]
    chars[at_bottom] = LOWER_BLOCKS[np.rint((1 - lower[at_bottom]) * EIGHTHS).astype(np.int64)]
    chars[floating] = np.where((upper + lower)[floating] < 1, HALF_UPPER, HALF_LOWER)
    return Band(chars, whole | at_bottom, at_top | floating, covered)
