"""Curves as they are drawn in a view: which line, which band, which range of values, what they read at a place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from radtui.charts.growing import Floats
from radtui.charts.palette import PALETTE
from radtui.charts.series import Axis, Series
from radtui.charts.view import Range

DENSE = 8  # points a cell from which single values are no longer told apart and the band stands for them
OUTLIER_SHARE = 0.25  # an outlier may stretch the axis by this share; further out it is cut off and marked
PADDING = 0.04  # of the range of values, above and below


class Smoothing(StrEnum):
    """How much the line is smoothed: `off` draws the mean of each column instead of a moving average."""

    OFF = "off"
    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"

    def half_life(self, points: int) -> float | None:
        """Half-life of the moving average in points, None for no average.

        A power of two near 1/512, 1/128 or 1/32 of the points, so that it looks the same at any length of
        a run and changes only when the number of points has doubled; at least half a point, 1 or 4 points.
        """
        share, least = {
            Smoothing.OFF: (0, 0.0),
            Smoothing.LIGHT: (512, 0.5),
            Smoothing.MEDIUM: (128, 1.0),
            Smoothing.HEAVY: (32, 4.0),
        }[self]
        return max(least, 2.0 ** math.floor(math.log2(max(points, 1) / share))) if share else None


@dataclass(slots=True, eq=False)
class Curve:
    """One series with its name and colour.

    `points` marks each value with a dot and joins them unsmoothed, as for an evaluation every 100 steps.
    """

    key: str
    label: str
    colour: str = PALETTE[0]  # "#RRGGBB"
    points: bool = False
    series: Series = field(default_factory=Series)

    def average(self, smoothing: Smoothing) -> Floats | None:
        """The moving average of every point, None where this curve has none."""
        half_life = None if self.points else smoothing.half_life(len(self.series))
        return None if half_life is None else self.series.ema(half_life)


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """A curve reduced to the dot columns of one view.

    `at`, `line` and `raw` are the points of two polylines over dot columns: smoothed (or mean), and measured.
    `lo` and `hi` are the extremes of each dot column, `broken` those with values of which
    none is finite. `dense` says that a band should stand for `raw`.
    """

    curve: Curve
    at: NDArray[np.int64]
    line: Floats
    raw: Floats
    lo: Floats
    hi: Floats
    broken: NDArray[np.bool_]
    dense: bool

    def marks(self, width: int) -> tuple[NDArray[np.int64], Floats]:
        """Dot columns and values of points that get a mark of their own, if there is room for marks."""
        inside = (self.at >= 0) & (self.at < width) & np.isfinite(self.raw)
        count = int(inside.sum())
        wanted = count == 1 or (self.curve.points and count <= width / 4)
        chosen = inside if wanted else np.zeros_like(inside)
        return self.at[chosen], self.raw[chosen]


@dataclass(frozen=True, slots=True)
class CurveReading:
    """What a curve is at a place: its value, its average there and where its point is; None where it is not."""

    curve: Curve
    value: float | None
    average: float | None
    index: int | None


def full_range(curves: Sequence[Curve], axis: Axis) -> Range | None:
    """First and last x of all points, None without points."""
    xs = [curve.series.x(axis) for curve in curves if len(curve.series)]
    if not xs:
        return None
    return float(min(x[0] for x in xs)), float(max(x[-1] for x in xs))


def draw(curve: Curve, axis: Axis, window: Range, width: int, smoothing: Smoothing) -> DrawnCurve:
    """Reduce a curve to `width` dot columns of a window on the axis."""
    x0, x1 = window
    columns = curve.series.columns(axis, x0, x1, width)
    start, stop = int(columns.start[0]), int(columns.stop[-1])
    used = np.flatnonzero(columns.stop > columns.start)
    average = curve.average(smoothing)
    raw = columns.mean[used]
    line = raw if average is None else average[columns.stop[used] - 1]
    at, ends = used, []
    for index in (start - 1, stop):  # one point beyond each side, so that lines run on to the edges
        if 0 <= index < len(curve.series):
            ends.append((index, _column(float(curve.series.x(axis)[index]), window, width)))
    for index, column in ends:
        side = 0 if index < start else len(at)
        at = np.insert(at, side, column)
        value = curve.series.values[index]
        raw = np.insert(raw, side, value)
        line = np.insert(line, side, value if average is None else average[index])
    broken = (columns.stop > columns.start) & np.isnan(columns.mean)
    dense = stop - start >= DENSE * width / 2
    return DrawnCurve(curve, at.astype(np.int64), line, raw, columns.lo, columns.hi, broken, dense)


def value_range(drawn: Sequence[DrawnCurve], with_raw: Curve | None, log: bool) -> Range | None:
    """Lowest and highest value of the vertical axis.

    All of the lines are inside; of the raw values of the curve `with_raw` those beyond the 1st and 99th
    percentile only as far as they don't squeeze the rest.

    Returns:
        The range with some room around, lo < hi, lo > 0 for a logarithmic axis; None without a drawable value.
    """
    inner: list[Floats] = []
    outer: list[Floats] = []
    for drawn_curve in drawn:
        shown = (
            np.concatenate((drawn_curve.line, drawn_curve.lo, drawn_curve.hi))
            if drawn_curve.curve.points
            else drawn_curve.line
        )
        inner.append(shown)
        if drawn_curve.curve is with_raw or len(drawn_curve.at) < 2:
            inner.append(
                _core(drawn_curve.lo, drawn_curve.hi)
                if drawn_curve.dense
                else np.concatenate((drawn_curve.lo, drawn_curve.hi))
            )
            outer += [drawn_curve.lo, drawn_curve.hi]
    inner_range, outer_range = _extent(inner, log), _extent(outer, log)
    if inner_range is None:
        return None
    lo, hi = inner_range
    if outer_range is not None:
        slack = (hi - lo) * OUTLIER_SHARE
        lo, hi = min(lo, max(outer_range[0], lo - slack)), max(hi, min(outer_range[1], hi + slack))
    flat = hi - lo <= 1e-9 * max(abs(lo), abs(hi))
    flat_room = 0.1 if log else (abs(lo) * 0.1 or 1.0)
    room = flat_room if flat else (hi - lo) * PADDING
    lo, hi = lo - room, hi + room
    return (math.exp(lo), math.exp(hi)) if log else (lo, hi)


def read(curve: Curve, axis: Axis, x: float, tolerance: float, smoothing: Smoothing) -> CurveReading:
    """The point of a curve nearest to x; nothing where the curve ends more than `tolerance` before x."""
    index = curve.series.nearest(axis, x)
    xs = curve.series.x(axis)
    if index is None or not xs[0] - tolerance <= x <= xs[-1] + tolerance:
        return CurveReading(curve, None, None, None)
    value, average = float(curve.series.values[index]), curve.average(smoothing)
    return CurveReading(
        curve,
        value if math.isfinite(value) else None,
        float(average[index]) if average is not None and math.isfinite(average[index]) else None,
        index,
    )


def last(curve: Curve, smoothing: Smoothing) -> CurveReading:
    """The newest point of a curve."""
    if not len(curve.series):
        return CurveReading(curve, None, None, None)
    return read(curve, Axis.STEP, float(curve.series.x(Axis.STEP)[-1]), 0.0, smoothing)


def convert(curves: Sequence[Curve], places: Sequence[float], source: Axis, target: Axis) -> list[float]:
    """Where places on one axis are on another, by the curve with the most points; none without points."""
    longest = max(curves, key=lambda curve: len(curve.series), default=None)
    if longest is None or not len(longest.series):
        return []
    converted = np.interp(np.array(places), longest.series.x(source), longest.series.x(target))
    return [float(x) for x in converted]


def _column(x: float, window: Range, width: int) -> int:
    place = (x - window[0]) / (window[1] - window[0]) * (width - 1)
    return round(min(max(place, -1e6), 1e6))


def _core(lo: Floats, hi: Floats) -> Floats:
    """The 1st percentile of the lowest and the 99th of the highest values."""
    lo, hi = lo[np.isfinite(lo)], hi[np.isfinite(hi)]
    return np.array([np.percentile(lo, 1), np.percentile(hi, 99)]) if len(lo) else lo


def _extent(parts: Sequence[Floats], log: bool) -> Range | None:
    """Least and greatest of the drawable values, as natural logarithms for a logarithmic axis."""
    values = np.concatenate(parts) if parts else np.empty(0)
    values = values[np.isfinite(values)]
    if log:
        values = np.log(values[values > 0])
    return (float(values.min()), float(values.max())) if len(values) else None
