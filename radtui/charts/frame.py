"""A whole chart composed on a canvas: header, axes, curves, events and crosshair, as characters and colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from radtui.charts import raster
from radtui.charts.canvas import Canvas
from radtui.charts.curves import (
    Curve,
    Drawn,
    Reading,
    Smoothing,
    draw,
    full_range,
    last,
    read,
    value_range,
)
from radtui.charts.growing import Floats
from radtui.charts.header import put_header
from radtui.charts.series import Axis
from radtui.charts.ticks import Tick, linear_ticks, log_ticks, number, time_ticks, whole_ticks
from radtui.charts.tones import AXIS, CROSSHAIR, GRID, GROUND, MUTED, WARNING, Tone, tone
from radtui.charts.view import Range, View

GUTTER = 7  # cells for the labels of the vertical axis and a space
CELLS_PER_X_TICK, ROWS_PER_Y_TICK = 12, 4
LEAST_COLUMNS, LEAST_ROWS = 16, 5
GRID_CHAR, AXIS_CHAR, TICK_CHAR, POINT_CHAR, CUT_CHAR = "┈", "─", "┴", "●", "▴"

# Later kinds win where several fall into one cell.
EVENT_CHARS = {"eval": "◇", "checkpoint": "▲", "resume": "»", "warning": "!", "memory": "!"}
ALARMS = ("warning", "memory")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a step, at a place on the horizontal axis."""

    x: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn. `raw_of` is the curve whose measured values are shown behind the lines."""

    title: str = "Loss"
    note: str = ""
    axis: Axis = Axis.STEP
    log: bool = False
    smoothing: Smoothing = Smoothing.MEDIUM
    raw_of: Curve | None = None
    empty_text: str = "No points yet"


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


@dataclass(frozen=True, slots=True)
class Frame:
    """A composed chart; `area` is None when no curve could be drawn."""

    canvas: Canvas
    area: Area | None


def compose(
    curves: Sequence[Curve],
    marks: Sequence[Mark],
    view: View,
    look: Look,
    size: tuple[int, int],
    crosshair: float | None = None,
) -> Frame:
    """Draw a chart.

    Args:
        curves: what to draw, in order of the legend.
        marks: events, on the chosen axis.
        view: window on the axis.
        look: the choices of the user.
        size: columns and rows of cells.
        crosshair: x of the crosshair, None for none.

    Returns:
        The frame; colour numbers of the canvas are those of `radtui.charts.tones`.
    """
    canvas = Canvas(*size)
    full = full_range(curves, look.axis)
    width = canvas.columns - GUTTER - 1
    if full is None or width < LEAST_COLUMNS or canvas.rows < LEAST_ROWS:
        readings = [last(curve, look.smoothing) for curve in curves]
        top = put_header(canvas, look, readings, None, [])
        _centre(canvas, top, look.empty_text if full is None else "Too small for the chart")
        return Frame(canvas, None)
    window = view.window(full)
    cell = 2 * (window[1] - window[0]) / (2 * width - 1)
    readings = [
        last(curve, look.smoothing)
        if crosshair is None
        else read(curve, look.axis, crosshair, cell, look.smoothing)
        for curve in curves
    ]
    near = [] if crosshair is None else [m for m in marks if abs(m.x - crosshair) <= cell / 2]
    top = put_header(canvas, look, readings, crosshair, near)
    height = canvas.rows - top - 2
    drawn = [draw(c, look.axis, window, 2 * width, look.smoothing) for c in curves if len(c.series)]
    values = value_range(drawn, look.raw_of, look.log)
    if values is None or height < 2:
        _centre(canvas, top, "No finite values here")
        return Frame(canvas, None)
    area = Area(GUTTER, top, width, height, window, values)
    _put_axes(canvas, area, look)
    _put_marks(canvas, area, marks)
    _put_curves(canvas, area, curves, drawn, look)
    if crosshair is not None:
        _put_crosshair(canvas, area, readings, crosshair, look)
    return Frame(canvas, area)


def _centre(canvas: Canvas, top: int, text: str) -> None:
    """Say in the middle why there is no chart."""
    row = top + max(0, canvas.rows - top - 1) // 2
    canvas.put(row, max(0, (canvas.columns - cell_len(text)) // 2), text, MUTED)


def _put_axes(canvas: Canvas, area: Area, look: Look) -> None:
    """Labels of both axes, the grid at the labels, the line under the plot."""
    ticks = log_ticks if look.log else linear_ticks
    rows: dict[int, str] = {}
    for tick in ticks(*area.values, max(2, area.height // ROWS_PER_Y_TICK + 1)):
        row = int(area.rows_of(np.array([tick.value]), look.log)[0])
        rows.setdefault(min(max(row, 0), area.height - 1), tick.label)
    for row, label in rows.items():
        short = label if len(label) < GUTTER else number(float(label.replace(",", "")))
        canvas.put(area.top + row, 0, f"{short:>{GUTTER - 1}.{GUTTER - 1}}", MUTED)
        canvas.put(area.top + row, area.left, GRID_CHAR * area.width, GRID)
    base = area.top + area.height
    canvas.put(base, area.left, AXIS_CHAR * area.width, AXIS)
    canvas.put(base + 1, 0, f"{look.axis.value:>{GUTTER - 1}}", MUTED)
    free = area.left  # first cell where a label may start
    for tick in _x_ticks(area, look.axis):
        column = area.column_of(tick.value)
        if column is None:
            continue
        start = min(max(column - (len(tick.label) - 1) // 2, area.left), canvas.columns - len(tick.label))
        if start < free:
            continue
        canvas.put(base, column, TICK_CHAR, AXIS)
        free = canvas.put(base + 1, start, tick.label, MUTED) + 2


def _x_ticks(area: Area, axis: Axis) -> list[Tick]:
    most = max(2, area.width // CELLS_PER_X_TICK)
    choose = {Axis.STEP: whole_ticks, Axis.EPOCH: linear_ticks, Axis.TIME: time_ticks}[axis]
    return choose(*area.window, most)


def _put_marks(canvas: Canvas, area: Area, marks: Sequence[Mark]) -> None:
    """Events on the line under the plot, alarms in their own colour."""
    kinds = list(EVENT_CHARS)
    for mark in sorted(marks, key=lambda mark: kinds.index(mark.kind) if mark.kind in kinds else -1):
        column = area.column_of(mark.x)
        if column is not None:
            colour = WARNING if mark.kind in ALARMS else MUTED
            canvas.put(area.top + area.height, column, EVENT_CHARS.get(mark.kind, "·"), colour)


def _put_curves(
    canvas: Canvas, area: Area, curves: Sequence[Curve], drawn: Sequence[Drawn], look: Look
) -> None:
    """The measured values behind, then the lines, then single points."""
    index = {id(curve): number for number, curve in enumerate(curves)}
    ground = np.zeros((area.height, area.width), np.uint16)  # what a line's cell has behind it
    for one in drawn:
        if one.curve is look.raw_of and one.dense:
            _put_band(canvas, area, one, tone(index[id(one.curve)], Tone.BAND), look.log, ground)
        elif one.curve is look.raw_of and look.smoothing is not Smoothing.OFF and not one.curve.points:
            _put_line(canvas, area, one.at, one.raw, tone(index[id(one.curve)], Tone.RAW), look.log, ground)
    for one in drawn:
        _put_line(canvas, area, one.at, one.line, tone(index[id(one.curve)], Tone.LINE), look.log, ground)
    for one in drawn:
        at, values = one.marks(raster.DOTS_X * area.width)
        for column, row in zip(at.tolist(), area.rows_of(values, look.log).tolist(), strict=True):
            if 0 <= row < area.height:
                colour = tone(index[id(one.curve)], Tone.LINE)
                canvas.put(area.top + row, area.left + column // raster.DOTS_X, POINT_CHAR, colour)


def _put_band(
    canvas: Canvas, area: Area, one: Drawn, colour: int, log: bool, ground: NDArray[np.uint16]
) -> None:
    """Fill between the extremes of each column of cells; mark the columns that go on above."""
    lo, hi = (edge.reshape(-1, raster.DOTS_X) for edge in (one.lo, one.hi))
    top = area.dots_of(np.fmax.reduce(hi, axis=1), log)
    bottom = area.dots_of(np.fmin.reduce(lo, axis=1), log)
    band = raster.band_cells(top / raster.DOTS_Y, (bottom + 1) / raster.DOTS_Y, area.height)
    chars, front, back = area.cells(canvas)
    drawn = band.chars > 0
    chars[drawn] = band.chars[drawn]
    front[drawn] = np.where(band.front, colour, GROUND)[drawn]
    back[band.behind] = colour
    ground[band.covered >= 0.5] = colour
    for column in np.flatnonzero(top < -0.5).tolist():
        canvas.put(area.top, area.left + column, CUT_CHAR, MUTED)


def _put_line(
    canvas: Canvas,
    area: Area,
    at: NDArray[np.int64],
    values: Floats,
    colour: int,
    log: bool,
    ground: NDArray[np.uint16],
) -> None:
    """A polyline in braille; dots of a line already there are kept and take its colour."""
    spans = raster.line_spans(at, area.dots_of(values, log), area.width * raster.DOTS_X)
    cells = raster.line_cells(*spans, area.height)
    chars, front, back = area.cells(canvas)
    used = cells > 0
    old = chars[used]
    old_dots = np.where((old >= raster.BRAILLE) & (old < raster.BRAILLE + 256), old - raster.BRAILLE, 0)
    chars[used] = raster.BRAILLE + (old_dots | cells[used])
    front[used] = colour
    back[used] = ground[used]


def _put_crosshair(canvas: Canvas, area: Area, readings: Sequence[Reading], x: float, look: Look) -> None:
    """A vertical line through the free cells of its column, and a dot on each curve."""
    column = area.column_of(x)
    if column is None:
        return
    chars, front, _ = (cells[:, column - area.left] for cells in area.cells(canvas))
    free = np.isin(chars, [raster.SPACE, ord(GRID_CHAR)])
    chars[free], front[free] = ord("│"), CROSSHAIR
    canvas.put(area.top + area.height, column, "┼", CROSSHAIR)
    for index, reading in enumerate(readings):
        value = reading.average if reading.average is not None else reading.value
        if value is None:
            continue
        row = int(area.rows_of(np.array([value]), look.log)[0])
        if 0 <= row < area.height:
            canvas.put(area.top + row, column, POINT_CHAR, tone(index, Tone.LINE))
