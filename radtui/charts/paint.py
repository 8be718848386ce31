"""Curves painted into their part of a canvas, back to front: band, measured values, lines, points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radtui.charts import raster
from radtui.charts.canvas import Canvas
from radtui.charts.curves import DrawnCurve
from radtui.charts.growing import Floats
from radtui.charts.tones import GROUND, MUTED, WARNING
from radtui.charts.view import Range

POINT_CHAR = "●"
CUT_CHAR = "▴"  # in the top row, where measured values go on above
DASH, GAP = 3, 2  # dot columns of a line that joins single points
BROKEN_CHAR = "x"  # on the axis, under values of which none was finite


@dataclass(frozen=True, slots=True)
class Area:
    """The part of the canvas where curves are: its place in cells and the values at its edges."""

    left: int
    top: int
    width: int
    height: int
    window: Range  # x in the middle of the first and of the last dot column
    values: Range  # values in the middle of the lowest and of the highest dot row

    def x_at(self, column: int) -> float:
        """The x in the middle of a column of the canvas."""
        share = (2 * (column - self.left) + 0.5) / (2 * self.width - 1)
        return self.window[0] + share * (self.window[1] - self.window[0])

    def column_of(self, x: float) -> int | None:
        """The column of the canvas where x is, None outside."""
        share = (x - self.window[0]) / (self.window[1] - self.window[0])
        column = round(share * (2 * self.width - 1)) // 2
        return self.left + column if 0 <= column < self.width else None

    def dots_of(self, values: Floats, log: bool) -> Floats:
        """Rows of braille dots where values are, 0 the highest; one row outside for all beyond the edges."""
        return raster.rows_of(values, *self.values, self.height * raster.DOTS_Y, log)

    def rows_of(self, values: Floats, log: bool) -> NDArray[np.int64]:
        """Rows of cells where finite values are, 0 the highest; -1 or `height` beyond the edges."""
        return np.rint(self.dots_of(values, log)).astype(np.int64) // raster.DOTS_Y

    def cells(self, canvas: Canvas) -> tuple[NDArray[np.uint32], NDArray[np.uint16], NDArray[np.uint16]]:
        """The characters, foreground and background numbers of this part of the canvas, to be changed."""
        place = slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)
        return canvas.chars[place], canvas.front[place], canvas.back[place]

    @property
    def cell(self) -> float:
        """Width of a cell in units of x."""
        return 2 * (self.window[1] - self.window[0]) / (2 * self.width - 1)


class CurvePainter:
    """Paints the curves of one chart; each call goes over what is there already."""

    def __init__(self, canvas: Canvas, area: Area, log: bool) -> None:
        """Paint into the area of a canvas, on a logarithmic axis or not."""
        self._canvas, self._area, self._log = canvas, area, log
        self._chars, self._front, self._back = area.cells(canvas)
        self._ground = np.zeros(self._chars.shape, np.uint16)  # what a line's cell has behind it
        self._lines = np.zeros(self._chars.shape, np.bool_)  # the cells that a line is in

    def band(self, drawn_curve: DrawnCurve, colour: int) -> None:
        """Fill between the extremes of each column of cells; mark the columns that go on above."""
        lo, hi = (edge.reshape(-1, raster.DOTS_X) for edge in (drawn_curve.lo, drawn_curve.hi))
        top = self._area.dots_of(np.fmax.reduce(hi, axis=1), self._log)
        bottom = self._area.dots_of(np.fmin.reduce(lo, axis=1), self._log)
        band = raster.band_cells(top / raster.DOTS_Y, (bottom + 1) / raster.DOTS_Y, self._area.height)
        drawn = band.chars > 0
        self._chars[drawn] = band.chars[drawn]
        self._front[drawn] = np.where(band.front, colour, GROUND)[drawn]
        self._back[band.behind] = colour
        self._ground[band.covered >= 0.5] = colour
        for column in np.flatnonzero(top < -0.5).tolist():
            self._canvas.put(self._area.top, self._area.left + column, CUT_CHAR, MUTED)

    def raw(self, drawn_curve: DrawnCurve, colour: int) -> None:
        """Join the measured values, with the whole span of those that share a dot column."""
        top, bottom = self._spans(drawn_curve.at, drawn_curve.raw)
        top = np.fmin(top, self._area.dots_of(drawn_curve.hi, self._log))
        bottom = np.fmax(bottom, self._area.dots_of(drawn_curve.lo, self._log))
        cells = raster.line_cells(top, bottom, self._area.height)
        self._dots(cells, cells > 0, colour)

    def line(self, drawn_curve: DrawnCurve, colour: int) -> None:
        """Join the smoothed values, a curve of single points by dashes; two lines in one cell take turns in colour."""
        top, bottom = self._spans(drawn_curve.at, drawn_curve.line)
        if drawn_curve.curve.points:
            gaps = np.arange(len(top)) % (DASH + GAP) >= DASH
            top, bottom = np.where(gaps, np.nan, top), np.where(gaps, np.nan, bottom)
        cells = raster.line_cells(top, bottom, self._area.height)
        free = ~self._lines
        free[:, ::2] = True
        self._dots(cells, (cells > 0) & free, colour)
        self._lines |= cells > 0
        broken = np.flatnonzero(drawn_curve.broken.reshape(-1, raster.DOTS_X).any(axis=1)) + self._area.left
        self._canvas.chars[self._area.top + self._area.height, broken] = ord(BROKEN_CHAR)
        self._canvas.front[self._area.top + self._area.height, broken] = WARNING

    def points(self, drawn_curve: DrawnCurve, colour: int) -> None:
        """Mark the single values of a curve that has few."""
        at, values = drawn_curve.marks(raster.DOTS_X * self._area.width)
        for column, row in zip(at.tolist(), self._area.rows_of(values, self._log).tolist(), strict=True):
            if 0 <= row < self._area.height:
                place = self._area.left + column // raster.DOTS_X
                self._canvas.put(self._area.top + row, place, POINT_CHAR, colour)

    def _spans(self, at: NDArray[np.int64], values: Floats) -> tuple[Floats, Floats]:
        rows = self._area.dots_of(values, self._log)
        return raster.line_spans(at, rows, self._area.width * raster.DOTS_X)

    def _dots(self, cells: NDArray[np.uint8], where: NDArray[np.bool_], colour: int) -> None:
        self._chars[where] = raster.BRAILLE + cells[where].astype(np.uint32)
        self._front[where] = colour
        self._back[where] = self._ground[where]
