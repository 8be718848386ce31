"""The colour numbers of a chart's canvas; the widget gives each its colour."""

from __future__ import annotations

from enum import IntEnum

from radtui.charts.palette import blend, readable

PLAIN = ("text", "muted", "grid", "axis", "title", "crosshair", "warning")
TEXT, MUTED, GRID, AXIS, TITLE, CROSSHAIR, WARNING = range(len(PLAIN))
GROUND = len(PLAIN)  # the chart's background, as a foreground colour
FIRST_CURVE = GROUND + 1

RAW_SHARE, BAND_SHARE = 0.45, 0.2  # of the curve's colour, on the background


class Tone(IntEnum):
    """The three strengths of a curve's colour: its line, its measured values, the band behind."""

    LINE = 0
    RAW = 1
    BAND = 2


def tone(curve: int, strength: Tone) -> int:
    """Colour number of the curve with this index."""
    return FIRST_CURVE + len(Tone) * curve + strength


def curve_tones(colour: str, background: str) -> tuple[str, str, str]:
    """The three colours of a curve on a background, all "#RRGGBB", in the order of `Tone`."""
    line = readable(colour, background)
    return line, blend(background, line, RAW_SHARE), blend(background, line, BAND_SHARE)
