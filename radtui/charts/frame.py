"""A whole chart composed on a canvas: header, axes, curves, events and crosshair, as characters and colours."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from radtui.charts import raster
from radtui.charts.canvas import Canvas
from radtui.charts.curves import (
    Curve,
    CurveReading,
    DrawnCurve,
    draw,
    full_range,
    last,
    read,
    value_range,
)
from radtui.charts.header import put_header
from radtui.charts.look import Look, Mark
from radtui.charts.paint import POINT_CHAR, Area, CurvePainter
from radtui.charts.series import Axis
from radtui.charts.ticks import AxisTick, linear_ticks, log_ticks, number, time_ticks, whole_ticks
from radtui.charts.tones import AXIS, CROSSHAIR, GRID, MUTED, WARNING, Tone, tone
from radtui.charts.view import AxisView, Range

GUTTER = 7  # cells for the labels of the vertical axis and a space
CELLS_PER_X_TICK, ROWS_PER_Y_TICK = 12, 4
LEAST_COLUMNS, LEAST_ROWS = 16, 5
TOO_SMALL = "Too small for the chart"
GRID_CHAR, AXIS_CHAR, TICK_CHAR = "┈", "─", "┬"

# Later kinds win where several fall into one cell.
EVENT_CHARS = {"eval": "◇", "checkpoint": "▲", "resume": "»", "warning": "!", "memory": "!"}
ALARMS = ("warning", "memory")


@dataclass(frozen=True, slots=True)
class Frame:
    """A composed chart; `area` is None when no curve could be drawn."""

    canvas: Canvas
    area: Area | None


def compose(
    curves: Sequence[Curve],
    marks: Sequence[Mark],
    view: AxisView,
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
    if full is not None and canvas.columns - GUTTER > LEAST_COLUMNS and canvas.rows >= LEAST_ROWS:
        return _compose_window(canvas, curves, marks, view.window(full), look, crosshair)
    top = put_header(canvas, look, [last(curve, look.smoothing) for curve in curves], None, [])
    return _without_plot(canvas, top, look.empty_text if full is None else TOO_SMALL)


def _compose_window(
    canvas: Canvas,
    curves: Sequence[Curve],
    marks: Sequence[Mark],
    window: Range,
    look: Look,
    crosshair: float | None,
) -> Frame:
    """Draw a part of the axis, with the values there are in it."""
    width = canvas.columns - GUTTER - 1
    cell = 2 * (window[1] - window[0]) / (2 * width - 1)
    near: list[Mark] = []
    if crosshair is None:
        readings = [last(curve, look.smoothing) for curve in curves]
    else:
        near = [mark for mark in marks if abs(mark.x - crosshair) <= cell / 2]
        readings = [read(curve, look.axis, crosshair, cell, look.smoothing) for curve in curves]
    top = put_header(canvas, look, readings, crosshair, near)
    height = canvas.rows - top - 2
    drawn = [draw(c, look.axis, window, 2 * width, look.smoothing) for c in curves if len(c.series)]
    values = value_range(drawn, look.raw_of, look.log)
    if values is None or height < 2:
        return _without_plot(canvas, top, "No finite values here" if values is None else TOO_SMALL)
    area = Area(GUTTER, top, width, height, window, values)
    _put_axes(canvas, area, look)
    _put_marks(canvas, area, marks)
    _put_curves(canvas, area, curves, drawn, look)
    if crosshair is not None:
        _put_crosshair(canvas, area, readings, crosshair, look)
    return Frame(canvas, area)


def _without_plot(canvas: Canvas, top: int, text: str) -> Frame:
    """Say in the middle why there is no chart."""
    lines = textwrap.wrap(text, max(1, canvas.columns))[: max(1, canvas.rows - top)]
    row = top + max(0, canvas.rows - top - len(lines)) // 2
    for place, line in enumerate(lines):
        canvas.put(row + place, max(0, (canvas.columns - cell_len(line)) // 2), line, MUTED)
    return Frame(canvas, None)


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
        canvas.fill(area.top + row, area.left, area.left + area.width, GRID_CHAR, GRID)
    base = area.top + area.height
    canvas.fill(base, area.left, area.left + area.width, AXIS_CHAR, AXIS)
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


def _x_ticks(area: Area, axis: Axis) -> list[AxisTick]:
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
    canvas: Canvas, area: Area, curves: Sequence[Curve], drawn: Sequence[DrawnCurve], look: Look
) -> None:
    """The measured values behind, then the lines, then single points."""
    index = {id(curve): number for number, curve in enumerate(curves)}
    painter = CurvePainter(canvas, area, look.log)
    for drawn_curve in drawn:
        if drawn_curve.curve is look.raw_of and drawn_curve.dense:
            painter.band(drawn_curve, tone(index[id(drawn_curve.curve)], Tone.BAND))
        elif drawn_curve.curve is look.raw_of:
            painter.raw(drawn_curve, tone(index[id(drawn_curve.curve)], Tone.RAW))
    for drawn_curve in drawn:
        painter.line(drawn_curve, tone(index[id(drawn_curve.curve)], Tone.LINE))
    for drawn_curve in drawn:
        painter.points(drawn_curve, tone(index[id(drawn_curve.curve)], Tone.LINE))


def _put_crosshair(
    canvas: Canvas, area: Area, readings: Sequence[CurveReading], x: float, look: Look
) -> None:
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
        if value is None or reading.curve.points:  # points are marked where they are
            continue
        row = int(area.rows_of(np.array([value]), look.log)[0])
        if 0 <= row < area.height:
            canvas.put(area.top + row, column, POINT_CHAR, tone(index, Tone.LINE))
