"""The state of a chart on a screen: its curves, its events and what the user has chosen to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from radtui.charts.curves import Curve, Smoothing, convert, full_range
from radtui.charts.frame import Frame, compose
from radtui.charts.look import Look, Mark
from radtui.charts.palette import PALETTE
from radtui.charts.series import Axis
from radtui.charts.view import AxisView
from radtui.records import Event, Metric

LEAST_POINTS = 4  # in a window: closer is nothing to see


class ChartModel:
    """Everything that decides how a chart looks; changed by plain calls, drawn by `compose`.

    `changes` counts the calls that changed something, so that a widget knows when to draw anew.
    """

    def __init__(self) -> None:
        self.curves: list[Curve] = []
        self.view = AxisView()
        self.look = Look()
        self.crosshair: float | None = None
        self.changes = 0
        self._events: tuple[Event, ...] = ()
        self._raw_chosen = False

    def add(self, key: str, label: str, colour: str | None = None, points: bool = False) -> Curve:
        """Add a curve, or rename and recolour the one with this key; without a colour the next free one."""
        self.changes += 1
        curve = self.curve(key)
        if curve is None:
            curve = Curve(key, label, PALETTE[len(self.curves) % len(PALETTE)], points)
            self.curves.append(curve)
        curve.label, curve.points, curve.colour = label, points, colour or curve.colour
        self._choose_raw()
        return curve

    def curve(self, key: str) -> Curve | None:
        """The curve with this key."""
        return next((curve for curve in self.curves if curve.key == key), None)

    def extend(self, key: str, metrics: Sequence[Metric]) -> None:
        """Append points to a curve.

        Raises:
            KeyError: there is no curve with this key.
        """
        curve = self.curve(key)
        if curve is None:
            raise KeyError(f"no curve {key!r}; add it first")
        curve.series.extend(metrics)
        self.changes += 1

    def set_events(self, events: Sequence[Event]) -> None:
        """Replace the events that are marked on the axis."""
        self._events = tuple(events)
        self.changes += 1

    def clear(self) -> None:
        """Take out all curves and events; the choices of the user stay, the window does not."""
        self.curves.clear()
        self._events = ()
        self._raw_chosen = False
        self.look = replace(self.look, raw_of=None)
        self.view.reset()
        self.crosshair = None
        self.changes += 1

    def relook(self, **changes: object) -> None:
        """Change fields of the look: `title`, `note`, `log`, `smoothing`, `empty_text`."""
        self.look = replace(self.look, **changes)  # type: ignore[arg-type]
        self.changes += 1

    def next_axis(self) -> None:
        """Step, epoch, time and round again, showing the same part of the run."""
        axes = list(Axis)
        old, new = self.look.axis, axes[(axes.index(self.look.axis) + 1) % len(axes)]
        full = full_range(self.curves, old)
        if full is not None and not self.view.whole:
            lo, hi = convert(self.curves, self.view.window(full), old, new)
            new_full = full_range(self.curves, new)
            if new_full is not None and hi > lo:
                self.view.show(new_full, (lo, hi))
            else:
                self.view.reset()
        if self.crosshair is not None:
            self.crosshair = next(iter(convert(self.curves, [self.crosshair], old, new)), None)
        self.relook(axis=new)

    def next_smoothing(self) -> None:
        """Off, light, medium, heavy and round again."""
        kinds = list(Smoothing)
        self.relook(smoothing=kinds[(kinds.index(self.look.smoothing) + 1) % len(kinds)])

    def next_raw(self) -> None:
        """Show the measured values of the next curve, or of none after the last."""
        choices = [None, *(curve for curve in self.curves if not curve.points)]
        index = choices.index(self.look.raw_of)
        self._raw_chosen = True
        self.relook(raw_of=choices[(index + 1) % len(choices)])

    def zoom(self, factor: float, about: float | None = None) -> None:
        """Make the window `factor` times as wide, about an x, the crosshair, or the newest point in view."""
        full = full_range(self.curves, self.look.axis)
        if full is None or not full[1] > full[0]:
            return
        window = self.view.window(full)
        if about is None:
            about = self.crosshair if self.crosshair is not None else window[1]
        most = max(len(curve.series) for curve in self.curves)
        self.view.zoom(full, factor, about, (full[1] - full[0]) * min(1.0, LEAST_POINTS / most))
        self.changes += 1

    def pan(self, share: float) -> None:
        """Move the window by a share of its width, to the right when positive."""
        full = full_range(self.curves, self.look.axis)
        if full is not None:
            self.view.pan(full, share)
            self.changes += 1

    def show_all(self) -> None:
        """Show the whole run."""
        self.view.reset()
        self.changes += 1

    def point_at(self, x: float | None) -> None:
        """Put the crosshair at an x, or take it away."""
        self.crosshair = x
        self.changes += 1

    def move_crosshair(self, cells: int, cell: float) -> None:
        """Move the crosshair by cells, at least to the next point of the longest curve, within the window.

        Args:
            cells: how many, negative to the left; from no crosshair to the newest point in view.
            cell: width of a cell in units of x.
        """
        axis = self.look.axis
        full = full_range(self.curves, axis)
        longest = max(self.curves, key=lambda curve: len(curve.series), default=None)
        if full is None or longest is None:
            return
        lo, hi = self.view.window(full)
        if self.crosshair is None:
            return self.point_at(hi)
        x = self.crosshair + cells * cell
        xs, index = longest.series.x(axis), longest.series.nearest(axis, self.crosshair)
        if index is not None and longest.series.nearest(axis, x) == index:
            index = min(max(index + (1 if cells > 0 else -1), 0), len(xs) - 1)
            x = float(xs[index])
        if not lo <= x <= hi and not self.view.whole:
            self.view.pan(full, (x - hi if x > hi else x - lo) / (hi - lo))
        self.point_at(min(max(x, full[0]), full[1]))

    def marks(self) -> list[Mark]:
        """The events, on the axis that is shown."""
        axis, steps = self.look.axis, [float(event.step) for event in self._events]
        places = steps if axis is Axis.STEP else convert(self.curves, steps, Axis.STEP, axis)
        return [Mark(x, event.kind, event.text) for x, event in zip(places, self._events, strict=False)]

    def compose(self, columns: int, rows: int) -> Frame:
        """Draw the chart into so many cells."""
        return compose(self.curves, self.marks(), self.view, self.look, (columns, rows), self.crosshair)

    def _choose_raw(self) -> None:
        """Until the user chooses: measured values behind a single line, none behind several."""
        if not self._raw_chosen:
            lines = [curve for curve in self.curves if not curve.points]
            self.look = replace(self.look, raw_of=lines[0] if len(lines) == 1 else None)
