"""The live loss chart: several curves, read by crosshair, zoomed and panned by keys and mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from radtui.charts.curves import Smoothing
from radtui.charts.model import ChartModel
from radtui.charts.paint import Area
from radtui.records import Event, Metric
from radtui.tui.key_uses import bindings
from radtui.tui.messages import Chosen
from radtui.tui.remembering import choices_of
from radtui.tui.widgets.canvas_strips import COMPONENTS, component_css, look_of, palette, strips_of

WHEEL_FACTOR = 0.8  # new width of the window over old, for one notch

COMMANDS: dict[str, Callable[[ChartModel], None]] = {
    "crosshair": lambda model: (
        model.move_crosshair(0, 0.0) if model.crosshair is None else model.point_at(None)
    ),
    "hide_crosshair": lambda model: model.point_at(None),
    "zoom_in": lambda model: model.zoom(0.5),
    "zoom_out": lambda model: model.zoom(2.0),
    "earlier": lambda model: model.pan(-0.25),
    "later": lambda model: model.pan(0.25),
    "show_all": lambda model: model.show_all(),
    "log": lambda model: model.relook(log=not model.look.log),
    "axis": lambda model: model.next_axis(),
    "smoothing": lambda model: model.next_smoothing(),
    "raw": lambda model: model.next_raw(),
}


class LossChart(Widget, can_focus=True):
    """Curves over steps, epochs or time, drawn as one row of segments a line.

    Points are appended with `extend`; a million of them cost no more to draw than a thousand. Nothing is
    drawn before the screen asks for it, so several calls between two frames cost one drawing.
    """

    DEFAULT_CSS = """
    LossChart { width: 1fr; height: 1fr; min-height: 5; padding: 0 1; }
    """ + component_css("LossChart")
    ALLOW_SELECT = False  # the pointer drags the window
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    BINDINGS: ClassVar[list[BindingType]] = bindings("chart")

    def __init__(
        self,
        *,
        title: str = "Loss",
        loss_note: str = "",
        empty_text: str = "No points yet",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """An empty chart.

        Args:
            title: what is measured.
            loss_note: what the loss is taken over, "answer-only loss"; shown beside the title.
            empty_text: what to say while there are no points: the state, and what comes next.
            id: as for any widget.
            classes: as for any widget.
        """
        super().__init__(id=id, classes=classes)
        self.model = ChartModel()
        self.model.relook(title=title, note=loss_note, empty_text=empty_text)
        self._strips: list[Strip] = []
        self._drawn_for: tuple[object, ...] = ()
        self._area: Area | None = None
        self._dragged_from: int | None = None  # column of the pointer while its button is down

    def on_mount(self) -> None:
        """Begin with the smoothing that was chosen last."""
        self.model.relook(smoothing=Smoothing(choices_of(self).smoothing))

    def say(self, **changes: str) -> None:
        """Change what is said: the `note` beside the title, the `empty_text` while there are no points."""
        self.model.relook(**changes)
        self.refresh()

    def add_series(self, key: str, label: str, colour: str | None = None, *, points: bool = False) -> None:
        """Add a curve, or rename and recolour the one with this key.

        Args:
            key: name for `extend`.
            label: name in the legend.
            colour: "#RRGGBB", None for the next of the palette.
            points: mark each value and don't smooth: for an evaluation loss.
        """
        self.model.add(key, label, colour, points)
        self.refresh()

    def extend(self, key: str, metrics: Sequence[Metric]) -> None:
        """Append points to the curve with this key.

        Raises:
            KeyError: there is no curve with this key.
        """
        self.model.extend(key, metrics)
        self.refresh()

    def set_events(self, marks: Sequence[Event]) -> None:
        """Replace the events that are marked under the plot."""
        self.model.set_events(marks)
        self.refresh()

    def clear(self) -> None:
        """Take out all curves and events, for another job."""
        self.model.clear()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows in a region; the chart is drawn anew when anything has changed."""
        wanted = (self.model.changes, self.has_focus, self.size, *look_of(self))
        if wanted != self._drawn_for:
            frame = self.model.compose(*self.size)
            self._area = frame.area
            colours = palette(self, [curve.colour for curve in self.model.curves])
            self._strips = strips_of(frame.canvas, colours)
            self._drawn_for = wanted
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row of the chart as it was drawn last."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a crosshair, escape is left to the screen."""
        return parameters != ("hide_crosshair",) or self.model.crosshair is not None

    def action_chart(self, command: str) -> None:
        """Carry out one of `COMMANDS`."""
        COMMANDS[command](self.model)
        self.refresh()
        if command == "smoothing":
            self.post_message(Chosen(smoothing=str(self.model.look.smoothing)))
        if command in ("crosshair", "hide_crosshair"):
            self.refresh_bindings()

    def action_crosshair(self, cells: int) -> None:
        """Move the crosshair by cells, or by points where they are further apart."""
        if self._area is not None:
            new = self.model.crosshair is None
            self.model.move_crosshair(cells, self._area.cell)
            self.refresh()
            if new:
                self.refresh_bindings()

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragged_from = event.x
        self.capture_mouse()

    async def _on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragged_from = None
        self.release_mouse()

    def _on_mouse_move(self, event: events.MouseMove) -> None:
        """Read at the pointer; with the button down the window goes along."""
        place = event.get_content_offset_capture(self)
        if self._area is None:
            return
        if self._dragged_from is not None:
            self.model.pan((self._dragged_from - event.x) / self._area.width)
            self._dragged_from = event.x
        inside = 0 <= place.x - self._area.left < self._area.width
        self.model.point_at(self._area.x_at(place.x) if inside else None)
        self.refresh()

    def _on_leave(self, event: events.Leave) -> None:
        if event.node is self:
            self.model.point_at(None)
            self.refresh()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, WHEEL_FACTOR)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1 / WHEEL_FACTOR)

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        """Zoom about the pointer, only with the focus: else the wheel scrolls the screen."""
        if self.has_focus and self._area is not None:
            event.stop()
            column = event.get_content_offset_capture(self).x
            self.model.zoom(factor, self._area.x_at(column))
            self.refresh()
