"""Canvases of `radtui.charts` as strips in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from radtui.charts.canvas import Canvas
from radtui.charts.tones import PLAIN, curve_tones
from radtui.tui.widgets.ground import Ground

COMPONENTS = {f"chart--{name}" for name in PLAIN}
_CSS = {
    "text": "color: $foreground;",
    "muted": "color: $foreground 60%;",
    "grid": "color: $foreground 14%;",
    "axis": "color: $foreground 35%;",
    "title": "color: $foreground; text-style: bold;",
    "crosshair": "color: $foreground 50%;",
    "warning": "color: $warning; text-style: bold;",
}

_STRENGTH = {"muted": 0.6, "grid": 0.2, "axis": 0.4, "crosshair": 0.5}  # in themes without transparency


def component_css(widget: str) -> str:
    """Default rules of a chart widget's component classes, which a theme or a screen may change."""
    return "\n".join(f"{widget} > .chart--{name} {{ {rules} }}" for name, rules in _CSS.items())


@dataclass(frozen=True, slots=True)
class Colours:
    """What the colour numbers of a canvas look like.

    `of` is the colour "#RRGGBB" of each, `bold` are those written in bold, `behind` is painted where a cell
    has no background of its own, None for the terminal's.
    """

    of: Sequence[str]
    bold: frozenset[int]
    behind: str | None


def palette(widget: Widget, curves: Sequence[str]) -> Colours:
    """The colours of a chart on the widget's background.

    Args:
        widget: one with the component classes `COMPONENTS`.
        curves: the colour "#RRGGBB" of each curve.
    """
    ground = Ground.of(widget)
    of, bold = [], set()
    for number, name in enumerate(PLAIN):
        styles = widget.get_component_styles(f"chart--{name}")
        of.append(ground.front(styles.color, _STRENGTH.get(name, 1.0)))
        if styles.text_style.bold:
            bold.add(number)
    of.append(ground.colour)
    for colour in curves:
        of += curve_tones(colour, ground.colour)
    return Colours(of, frozenset(bold), ground.painted)


def strips_of(canvas: Canvas, colours: Colours) -> list[Strip]:
    """A canvas as strips."""
    styles: dict[tuple[int, int], Style] = {}
    strips = []
    for row in range(canvas.rows):
        segments = []
        for text, front, back in canvas.runs(row):
            style = styles.get((front, back))
            if style is None:
                behind = colours.of[back] if back else colours.behind
                style = Style(color=colours.of[front], bgcolor=behind, bold=front in colours.bold)
                styles[front, back] = style
            segments.append(Segment(text, style))
        strips.append(Strip(segments, canvas.columns))
    return strips
