"""The rows over a chart: what it shows, where the crosshair is, and the legend with values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from radtui.charts.canvas import Canvas
from radtui.charts.curves import CurveReading, Smoothing
from radtui.charts.series import Axis
from radtui.charts.ticks import duration, measured
from radtui.charts.tones import MUTED, TEXT, TITLE, Tone, tone

if TYPE_CHECKING:
    from radtui.charts.look import Look, Mark

LINE_SIGN, POINTS_SIGN = "━━", "╌●"
GAP = 3  # cells between entries
ROWS_PER_LEGEND_ROW = 8  # of the chart: a small one keeps its rows for the curves

Piece = tuple[str, int]  # text, colour number


def put_header(
    canvas: Canvas,
    look: Look,
    readings: Sequence[CurveReading],
    crosshair: float | None,
    near: Sequence[Mark],
) -> int:
    """Write title and legend in one row where they fit, else the legend in rows of its own.

    Args:
        canvas: where to write.
        look: title, note and the choices that are named in the title.
        readings: one for each curve, newest or at the crosshair.
        crosshair: x of the crosshair, None for none.
        near: events at the crosshair.

    Returns:
        The first free row.
    """
    titles = [_title(look)] if crosshair is None else [_place(look, readings, crosshair, near)]
    titles.append(titles[0][:2])  # the title and what the loss is taken over stay
    for with_average in (True, False):
        entries = [_entry(index, reading, with_average) for index, reading in enumerate(readings)]
        legend = sum(_width(entry) for entry in entries) + GAP * max(0, len(entries) - 1)
        for title in titles:
            if _width(title) + GAP + legend <= canvas.columns:
                _put(canvas, 0, 0, title)
                _put_entries(canvas, 0, canvas.columns - legend, entries)
                return 1
    _put(canvas, 0, 0, titles[0])
    most = max(1, canvas.rows // ROWS_PER_LEGEND_ROW)
    return 1 + _put_legend_rows(canvas, entries, most)


def _put_legend_rows(canvas: Canvas, entries: Sequence[Sequence[Piece]], most: int) -> int:
    """Write entries from row 1 on, in at most `most` rows; say how many did not fit."""
    row, column = 1, 0
    for index, entry in enumerate(entries):
        if column and column + _width(entry) > canvas.columns - (8 if row == most else 0):
            if row == most:
                canvas.put(row, column, f"+{len(entries) - index} more", MUTED)
                break
            row, column = row + 1, 0
        column = _put(canvas, row, column, entry) + GAP
    return row if entries else 0


def _title(look: Look) -> list[Piece]:
    """Title, note, and what is not obvious from the picture."""
    pieces = [(look.title, TITLE), (f" · {look.note}" if look.note else "", TEXT)]
    if look.log:
        pieces.append((" · log", MUTED))
    if look.smoothing is not Smoothing.MEDIUM:
        pieces.append((f" · smoothing {look.smoothing.value}", MUTED))
    return pieces


def _place(look: Look, readings: Sequence[CurveReading], x: float, near: Sequence[Mark]) -> list[Piece]:
    """Where the crosshair is: step, epoch and time of the nearest point, and events there."""
    known = [(r.curve.series, r.index) for r in readings if r.index is not None]
    if not known:
        return [(look.title, TITLE), ("", TEXT)]
    series, index = min(known, key=lambda point: abs(float(point[0].x(look.axis)[point[1]]) - x))
    step, epoch, seconds = (float(series.x(axis)[index]) for axis in Axis)
    pieces = [
        (f"step {step:,.0f}", TITLE),
        (f" · epoch {epoch:.2f}", TEXT),
        (f" · {duration(seconds)}", TEXT),
    ]
    pieces += [
        (f" · {mark.kind}: {mark.text}" if mark.text else f" · {mark.kind}", TEXT) for mark in near[:2]
    ]
    return pieces


def _entry(index: int, reading: CurveReading, with_average: bool) -> list[Piece]:
    """Sign, name and value of a curve."""
    curve = reading.curve
    value = "–" if reading.value is None else measured(reading.value)
    pieces = [
        (POINTS_SIGN if curve.points else LINE_SIGN, tone(index, Tone.LINE)),
        (f" {curve.label} ", MUTED),
        (value, TEXT),
    ]
    if with_average and reading.average is not None:
        pieces.append((f" avg {measured(reading.average)}", MUTED))
    return pieces


def _width(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(text) for text, _ in pieces)


def _put(canvas: Canvas, row: int, column: int, pieces: Sequence[Piece]) -> int:
    for text, colour in pieces:
        column = canvas.put(row, column, text, colour)
    return column


def _put_entries(canvas: Canvas, row: int, column: int, entries: Sequence[Sequence[Piece]]) -> None:
    for entry in entries:
        column = _put(canvas, row, column, entry) + GAP
