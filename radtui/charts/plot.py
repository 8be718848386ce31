"""A chart as shapes in pixels, the same for SVG and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from radtui.charts import raster
from radtui.charts.curves import DrawnCurve, draw, full_range, last, value_range
from radtui.charts.frame import ALARMS
from radtui.charts.growing import Floats
from radtui.charts.look import Mark
from radtui.charts.model import ChartModel
from radtui.charts.palette import blend
from radtui.charts.series import Axis
from radtui.charts.ticks import linear_ticks, log_ticks, measured, time_ticks, whole_ticks
from radtui.charts.tones import curve_tones

FONT_PX, TITLE_PX = 13, 17
CHARACTER = 0.56  # mean width of a character over the size of its font, for laying out the legend
LEFT_PX, RIGHT_PX, BOTTOM_PX, EDGE_PX = 64, 36, 52, 16
PX_PER_X_TICK, PX_PER_Y_TICK = 110, 44
LINE_PX, RAW_PX, POINT_PX = 2.0, 1.0, 3.5
DASH_PX, GAP_PX = 7.0, 4.0  # of a curve of single points, as held-out losses are

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Paper:
    """Colours "#RRGGBB" of a plot that do not belong to a curve."""

    background: str
    text: str
    muted: str
    grid: str
    alarm: str


LIGHT = Paper("#ffffff", "#1c2126", "#5b646d", "#e3e6e9", "#b54700")
DARK = Paper("#12161a", "#e8eaec", "#98a1aa", "#2a3138", "#ff9f43")


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A polyline, whole or dashed, or a filled polygon."""

    points: Sequence[Point]
    colour: str
    width: float = 1.0
    filled: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    centre: Point
    radius: float
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text; `at` is on its baseline, at its start, middle or end."""

    at: Point
    text: str
    colour: str
    size: int = FONT_PX
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False


Shape = PlotLine | Dot | Label


@dataclass(frozen=True, slots=True)
class Plot:
    """Shapes back to front on a background."""

    width: int
    height: int
    background: str
    shapes: Sequence[Shape]


def plot(model: ChartModel, width_px: int, height_px: int, dark: bool) -> Plot:
    """Lay out a chart with title, legend, axes, curves and events.

    Args:
        model: curves, events and choices, as on a screen; its crosshair is not drawn.
        width_px: width, at least 320.
        height_px: height, at least 200.
        dark: light curves on a dark ground.

    Raises:
        ValueError: the picture is too small.
    """
    if width_px < 320 or height_px < 200:
        raise ValueError(f"a plot needs at least 320 x 200 pixels, not {width_px} x {height_px}")
    layout = _Layout(model, width_px, DARK if dark else LIGHT)
    top = layout.heading()
    layout.body(top, height_px - BOTTOM_PX)
    return Plot(width_px, height_px, layout.paper.background, layout.shapes)


class _Layout:
    """Collects the shapes of one plot."""

    def __init__(self, model: ChartModel, width_px: int, paper: Paper) -> None:
        self.model, self.look, self.paper = model, model.look, paper
        self.shapes: list[Shape] = []
        self.left, self.right = LEFT_PX, width_px - RIGHT_PX
        self.top, self.bottom = 0, 0

    def heading(self) -> int:
        """Title and legend; returns where the plot may begin."""
        look, base = self.look, EDGE_PX + TITLE_PX
        self.shapes.append(Label((EDGE_PX, base), look.title, self.paper.text, TITLE_PX, bold=True))
        note = " · ".join(part for part in (look.note, "log scale" if look.log else "") if part)
        after = EDGE_PX + TITLE_PX * (CHARACTER + 0.06) * len(look.title) + 12
        self.shapes.append(Label((after, base), note, self.paper.muted))
        x, y = float(EDGE_PX), base + 24
        for curve in self.model.curves:
            reading = last(curve, look.smoothing)
            text = curve.label + ("" if reading.value is None else f" {measured(reading.value)}")
            width = 34 + FONT_PX * CHARACTER * len(text)
            if x > EDGE_PX and x + width > self.right:
                x, y = float(EDGE_PX), y + 20
            line = curve_tones(curve.colour, self.paper.background)[0]
            self.shapes.append(PlotLine([(x, y - 4), (x + 22, y - 4)], line, 2.5, dashed=curve.points))
            if curve.points:
                self.shapes.append(Dot((x + 11, y - 4), POINT_PX, line))
            self.shapes.append(Label((x + 28, y), text, self.paper.text))
            x += width + 14
        return y + 18

    def body(self, top: int, bottom: int) -> None:
        """Axes, curves and events between two heights, or why there are none."""
        self.top, self.bottom = top, bottom
        full = full_range(self.model.curves, self.look.axis)
        drawn: list[DrawnCurve] = []
        if full is not None:
            self.window = self.model.view.window(full)
            columns = self.right - self.left + 1
            curves = [curve for curve in self.model.curves if len(curve.series)]
            drawn = [draw(c, self.look.axis, self.window, columns, self.look.smoothing) for c in curves]
        values = value_range(drawn, self.look.raw_of, self.look.log)
        if values is None:
            middle = (self.left + self.right) / 2, (top + bottom) / 2
            self.shapes.append(Label(middle, self.look.empty_text, self.paper.muted, anchor="middle"))
            return
        self.values = values
        self._axes()
        for drawn_curve in drawn:
            if drawn_curve.curve is self.look.raw_of:
                self._raw(drawn_curve)
        for drawn_curve in drawn:
            self._line(drawn_curve)
        for mark in self.model.marks():
            self._mark(mark)

    def _axes(self) -> None:
        ticks = log_ticks if self.look.log else linear_ticks
        for tick in ticks(*self.values, max(2, (self.bottom - self.top) // PX_PER_Y_TICK)):
            y = float(self._y(np.array([tick.value]))[0])
            self.shapes.append(PlotLine([(self.left, y), (self.right, y)], self.paper.grid))
            self.shapes.append(Label((self.left - 10, y + 4), tick.label, self.paper.muted, anchor="end"))
        choose = {Axis.STEP: whole_ticks, Axis.EPOCH: linear_ticks, Axis.TIME: time_ticks}[self.look.axis]
        base = self.bottom
        self.shapes.append(PlotLine([(self.left, base), (self.right, base)], self.paper.muted))
        for tick in choose(*self.window, max(2, (self.right - self.left) // PX_PER_X_TICK)):
            x = self._x(tick.value)
            self.shapes.append(PlotLine([(x, base), (x, base + 5)], self.paper.muted))
            self.shapes.append(Label((x, base + 20), tick.label, self.paper.muted, anchor="middle"))
        end = (self.right, base + 40)
        self.shapes.append(Label(end, self.look.axis.value, self.paper.muted, anchor="end"))

    def _raw(self, drawn_curve: DrawnCurve) -> None:
        """The measured values of a curve: a band where they are dense, else a thin line."""
        _, raw, band = curve_tones(drawn_curve.curve.colour, self.paper.background)
        if not drawn_curve.dense:
            self._polylines(drawn_curve.at, drawn_curve.raw, raw, RAW_PX)
            return
        upper, lower = self._y(drawn_curve.hi), self._y(drawn_curve.lo)
        for piece in _pieces(upper):
            x = (piece + self.left).tolist()
            points = [*zip(x, upper[piece].tolist(), strict=True)]
            points += [*zip(x[::-1], lower[piece][::-1].tolist(), strict=True)]
            self.shapes.append(PlotLine(points, band, filled=True))

    def _line(self, drawn_curve: DrawnCurve) -> None:
        colour = curve_tones(drawn_curve.curve.colour, self.paper.background)[0]
        self._polylines(drawn_curve.at, drawn_curve.line, colour, LINE_PX, drawn_curve.curve.points)
        at, values = drawn_curve.marks(self.right - self.left + 1)
        for x, y in zip((at + self.left).tolist(), self._y(values).tolist(), strict=True):
            self.shapes.append(Dot((x, y), POINT_PX, colour))

    def _polylines(
        self, at: np.ndarray, values: Floats, colour: str, width: float, dashed: bool = False
    ) -> None:
        """The pieces between values that are not finite, cut at the sides of the plot."""
        for piece in _pieces(values):
            x, y = at[piece].astype(float), values[piece]
            if len(piece) == 1 and not 0 <= x[0] <= self.right - self.left:
                continue
            if len(piece) > 1:
                ends = np.clip(x[[0, -1]], 0, self.right - self.left)
                y = np.concatenate(([np.interp(ends[0], x, y)], y[1:-1], [np.interp(ends[1], x, y)]))
                x = np.concatenate(([ends[0]], x[1:-1], [ends[1]]))
            points = [*zip((x + self.left).tolist(), self._y(y).tolist(), strict=True)]
            self.shapes.append(PlotLine(points, colour, width, dashed=dashed))

    def _mark(self, mark: Mark) -> None:
        """A triangle on the axis; a line through the plot for what went wrong."""
        if not self.window[0] <= mark.x <= self.window[1]:
            return
        x, alarm = self._x(mark.x), mark.kind in ALARMS
        colour = self.paper.alarm if alarm else self.paper.muted
        if alarm:
            self.shapes.append(
                PlotLine([(x, self.top), (x, self.bottom)], blend(self.paper.background, colour, 0.4))
            )
        corners = [(x - 4, self.bottom), (x + 4, self.bottom), (x, self.bottom - 7)]
        self.shapes.append(PlotLine(corners, colour, filled=True))

    def _x(self, x: float) -> float:
        lo, hi = self.window
        return self.left + (x - lo) / (hi - lo) * (self.right - self.left)

    def _y(self, values: Floats) -> Floats:
        rows = raster.rows_of(values, *self.values, self.bottom - self.top + 1, self.look.log)
        return np.asarray(self.top + np.clip(rows, 0, self.bottom - self.top))


def _pieces(values: Floats) -> list[np.ndarray]:
    """Indices of the runs of finite values."""
    finite = np.flatnonzero(np.isfinite(values))
    return [run for run in np.split(finite, np.flatnonzero(np.diff(finite) > 1) + 1) if len(run)]
