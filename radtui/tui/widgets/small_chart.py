"""A small chart beside the large one: learning rate, gradient norm, tokens a second, memory of the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from radtui.charts.palette import TRAIN
from radtui.charts.series import Series
from radtui.charts.spark import SparkLook, compose_spark
from radtui.records import Metric
from radtui.tui.widgets.canvas_strips import COMPONENTS, component_css, look_of, palette, strips_of


class SmallChart(Widget):
    """A title, the newest value with its unit, and the course of the whole run in one to three rows."""

    DEFAULT_CSS = """
    SmallChart { width: 1fr; height: 3; padding: 0 1; }
    """ + component_css("SmallChart")
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS

    def __init__(
        self,
        title: str,
        *,
        unit: str = "",
        colour: str = TRAIN,
        floor: float | None = None,
        ceiling: float | None = None,
        empty_text: str = "–",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """A small chart without points.

        Args:
            title: what is measured.
            unit: of the values, "GiB".
            colour: "#RRGGBB" of the line.
            floor: lower end of the scale, None for the least value.
            ceiling: upper end of the scale, shown beside the value, None for the greatest value.
            empty_text: what to say in place of the value while there is none.
            id: as for any widget.
            classes: as for any widget.
        """
        super().__init__(id=id, classes=classes)
        self.look = SparkLook(title, unit, floor, ceiling, empty_text)
        self.colour = colour
        self.series = Series()
        self._changes = 0
        self._strips: list[Strip] = []
        self._drawn_for: tuple[object, ...] = ()

    @property
    def value(self) -> float | None:
        """The newest value; NaN when it was not finite, None without points."""
        return float(self.series.values[-1]) if len(self.series) else None

    def extend(self, metrics: Sequence[Metric]) -> None:
        """Append points."""
        self.series.extend(metrics)
        self._changed()

    def clear(self) -> None:
        """Take out all points."""
        self.series = Series()
        self._changed()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in a region; the chart is drawn anew when anything has changed."""
        wanted = (self._changes, self.size, *look_of(self))
        if wanted != self._drawn_for:
            canvas = compose_spark(self.series, self.look, *self.size)
            self._strips = strips_of(canvas, palette(self, [self.colour]))
            self._drawn_for = wanted
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row of the chart as it was drawn last."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)

    def _changed(self) -> None:
        self._changes += 1
        self.refresh()
