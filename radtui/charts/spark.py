"""A small chart without axes: a name, the newest value, and the course of a series in a few rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len, set_cell_size

from radtui.charts import raster
from radtui.charts.canvas import Canvas
from radtui.charts.growing import Floats
from radtui.charts.series import Axis, Series
from radtui.charts.ticks import measured
from radtui.charts.tones import MUTED, TEXT, Tone, tone

SHORT_DIGITS = 3  # of a value that would leave no room for its name
GAP = 2  # cells between name, course and value in a single row


@dataclass(frozen=True, slots=True)
class SparkLook:
    """What a small chart says. `floor` and `ceiling` fix the ends of its scale, None follows the values."""

    title: str
    unit: str = ""
    floor: float | None = None
    ceiling: float | None = None
    empty_text: str = "–"


def compose_spark(series: Series, look: SparkLook, columns: int, rows: int) -> Canvas:
    """Draw a small chart: name and value in the first row, the course below; all in one where there is one.

    Returns:
        The canvas; the series has the colour numbers of curve 0.
    """
    canvas = Canvas(columns, rows)
    value = value_text(series, look)
    if rows > 1 and cell_len(look.title) + 1 + cell_len(value) > columns:
        value = value_text(series, look, digits=SHORT_DIGITS)
    value_at = max(0, columns - cell_len(value))
    title, room = look.title, max(0, value_at - 1)
    if cell_len(title) > room:  # the value is what is watched
        title = "" if rows == 1 else set_cell_size(title, max(0, room - 1)).rstrip() + "…" * (room > 0)
    end = canvas.put(0, 0, title, MUTED)
    canvas.put(0, value_at, value, TEXT)
    if rows > 1:
        _put_course(canvas, series, look, (0, 1, columns, rows - 1))
    elif value_at - end > 3 * GAP:
        _put_course(canvas, series, look, (end + GAP, 0, value_at - end - 2 * GAP, 1))
    return canvas


def value_text(series: Series, look: SparkLook, digits: int = 0) -> str:
    """The newest value with its unit, and what it is out of where that is known; with `digits`, 0 for as usual."""
    if not len(series):
        return look.empty_text
    newest = float(series.values[-1])
    finite = bool(np.isfinite(newest))
    text = "not finite" if not finite else f"{newest:.{digits}g}" if digits else measured(newest)
    if look.ceiling is not None and look.unit != "%":
        text += f" / {look.ceiling:,.4g}"
    gap = " " if look.unit else ""
    return f"{text}{gap}{look.unit}"


def _put_course(canvas: Canvas, series: Series, look: SparkLook, box: tuple[int, int, int, int]) -> None:
    """The line of a series in a box of left, top, columns and rows."""
    left, top, width, height = box
    if not len(series) or width < 2:
        return
    x = series.x(Axis.STEP)
    x0, x1 = float(x[0]), float(x[-1])
    columns = series.columns(Axis.STEP, x0, max(x1, x0 + 1), raster.DOTS_X * width)
    lo, hi = _scale(columns.mean, look)
    used = np.flatnonzero(columns.stop > columns.start)
    rows = raster.rows_of(columns.mean[used], lo, hi, height * raster.DOTS_Y, log=False)
    upper, lower = raster.line_spans(used, rows, raster.DOTS_X * width)
    line = raster.line_cells(upper, lower, height)
    place, drawn = (slice(top, top + height), slice(left, left + width)), line > 0
    canvas.chars[place][drawn] = raster.BRAILLE + line[drawn].astype(np.uint32)
    canvas.front[place][drawn] = tone(0, Tone.LINE)


def _scale(values: Floats, look: SparkLook) -> tuple[float, float]:
    """Least and greatest value of the drawing, never the same."""
    finite = values[np.isfinite(values)]
    lo = look.floor if look.floor is not None else float(finite.min(initial=np.inf))
    hi = look.ceiling if look.ceiling is not None else float(finite.max(initial=-np.inf))
    if not np.isfinite(lo) or not np.isfinite(hi):
        return 0.0, 1.0
    if hi > lo:
        return lo, hi
    room = abs(lo) * 0.1 or 1.0
    return lo - room, lo + room
