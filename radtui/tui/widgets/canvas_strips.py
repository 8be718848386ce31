"""Canvases of `radtui.charts` as strips in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from radtui.charts.canvas import SPACE, Canvas
from radtui.charts.palette import blend
from radtui.charts.tones import FIRST_CURVE, GROUND, PLAIN, Tone, curve_tones
from radtui.tui.widgets.ground import Ground

TEXTURE = "░"
FAINT_GREY = 0.14  # share of the text's colour in a band of grey
MIDDLE_GREY = "#808080"  # one of the 16 colours

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
class CanvasColours:
    """What the colour numbers of a canvas look like.

    `of` is the colour "#RRGGBB" of each, `bold` are those written in bold, `behind` is painted where a cell
    has no background of its own, None for the terminal's.
    """

    of: Sequence[str]
    bold: frozenset[int]
    behind: str | None
    textured: bool = False  # bands are drawn as a texture, for want of a colour that is faint enough


def palette(widget: Widget, curves: Sequence[str]) -> CanvasColours:
    """The colours of a chart on the widget's background.

    Args:
        widget: one with the component classes `COMPONENTS`.
        curves: the colour "#RRGGBB" of each curve.
    """
    ground, depth = Ground.of(widget), colour_system(widget)
    of, bold = [], set()
    for number, name in enumerate(PLAIN):
        styles = widget.get_component_styles(f"chart--{name}")
        of.append(ground.front(styles.color, _STRENGTH.get(name, 1.0)))
        if styles.text_style.bold:
            bold.add(number)
    of.append(ground.colour)
    # The palette of 256 has faint greys but no faint colours; the one of 16 has neither.
    grey = blend(ground.colour, ground.text, FAINT_GREY) if depth == "256" else MIDDLE_GREY
    for colour in curves:
        line, raw, band = curve_tones(colour, ground.colour)
        of += line, raw, band if depth == "truecolor" else grey
    return CanvasColours(of, frozenset(bold), ground.painted, textured=depth not in ("truecolor", "256"))


def colour_system(widget: Widget) -> str:
    """Rich's name for the terminal's colours: `truecolor`, `256` or `standard`; all of them for screenshots."""
    return "truecolor" if widget.app.is_headless else widget.app.console.color_system or "standard"


def look_of(widget: Widget) -> tuple[object, ...]:
    """What `palette` depends on, to be compared."""
    return widget.app.theme, widget.background_colors[1], colour_system(widget)


def texture_bands(canvas: Canvas) -> None:
    """Turn bands from background colours into a texture of characters, leaving lines as they are."""
    filled = (canvas.back > 0) & (canvas.chars == SPACE)
    edge = (canvas.front >= FIRST_CURVE) & ((canvas.front - FIRST_CURVE) % len(Tone) == Tone.BAND)
    canvas.front[filled] = canvas.back[filled]
    canvas.chars[filled | edge] = ord(TEXTURE)
    canvas.chars[canvas.front == GROUND] = SPACE  # the lower edges, which have no background any more
    canvas.back[:] = 0


def strips_of(canvas: Canvas, colours: CanvasColours) -> list[Strip]:
    """A canvas as strips; it is used up."""
    if colours.textured:
        texture_bands(canvas)
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
