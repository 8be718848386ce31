"""Preferences, acceptability and errors as SVG: every bar with its numbers written beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from radtui.charts.plot import DARK, LIGHT, Paper
from radtui.charts.svg import FONTS
from radtui.charts.ticks import linear_ticks
from radtui.harmless import printable
from radtui.measures.intervals import Estimate
from radtui.study.round_lines import RoundLine
from radtui.study.round_words import FIRST, scale_of

WIDTH_PX = 960
LABEL_PX, FIGURES_PX = 214, 200  # beside the bars, left and right
ROW_PX, BAR_PX = 38, 22
FONT_PX = 13


@dataclass(frozen=True, slots=True)
class Tones:
    """Colours of a drawing: the paper, and each arm's strong and faint tone.

    Blue and orange, as the screens have them, are told apart with any colour vision (Okabe and Ito, 2008).
    """

    paper: Paper
    earlier: str
    earlier_faint: str
    later: str
    later_faint: str
    even: str
    on_strong: str


LIGHT_TONES = Tones(LIGHT, "#c26a00", "#f2c58b", "#1d6fb8", "#a5cdf0", "#d5dade", "#ffffff")
DARK_TONES = Tones(DARK, "#e39a3b", "#7a5424", "#5aa9ea", "#2b5578", "#3d464f", "#0d1013")


@dataclass(frozen=True, slots=True)
class Leaning:
    """One row of the preference plot: answers from -2 to +2, and what is written beside it."""

    label: str
    counts: tuple[int, int, int, int, int]
    figures: str


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One row of an error plot: both arms' figures with intervals."""

    label: str
    earlier: Estimate
    later: Estimate


def preference_svg(rows: Sequence[Leaning], tones: Tones, arms: tuple[str, str]) -> str:
    """Bars that lean towards the arm preferred, the middle of the ties on the centre line.

    Args:
        rows: The preference first, then the dimensions.
        tones: Light or dark.
        arms: Names of the earlier and the later.
    """
    colours = (tones.earlier, tones.earlier_faint, tones.even, tones.later_faint, tones.later)
    left, right, top = LABEL_PX, WIDTH_PX - FIGURES_PX, 44
    middle = (left + right) / 2
    scale = (right - left) / 2 / max((reach for row in rows for reach in _reach(row.counts)), default=1.0)
    height = top + ROW_PX * len(rows) + 8
    names = (f"{arms[0]} much better", "slightly", "equal", "slightly", f"{arms[1]} much better")
    parts = [_legend(list(zip(names, colours, strict=True)), tones)]
    parts.append(_line(middle, top - 6, middle, height - 10, tones.paper.muted))
    for number, row in enumerate(rows):
        y = top + ROW_PX * number
        parts.append(_text(left - 14, y + 16, row.label, tones.paper.text, "end", bold=number == 0))
        total = sum(row.counts)
        x = middle - scale * _reach(row.counts)[0]
        for count, colour in zip(row.counts, colours, strict=True):
            width = scale * count / max(total, 1)
            parts.append(_bar(x, y, width, colour))
            if width > 18:
                strong = colour in (tones.earlier, tones.later)
                parts.append(
                    _text(
                        x + width / 2,
                        y + 16,
                        str(count),
                        tones.on_strong if strong else tones.paper.text,
                        "middle",
                    )
                )
            x += width
        parts.append(_text(right + 14, y + 16, row.figures, tones.paper.muted))
    return _svg(height, f"Preferences, {arms[0]} to {arms[1]}", parts)


def _reach(counts: Sequence[int]) -> tuple[float, float]:
    """How far a row goes to the left and to the right of the middle of its ties, in shares of its answers."""
    total = max(sum(counts), 1)
    return (sum(counts[:2]) + counts[2] / 2) / total, (sum(counts[3:]) + counts[2] / 2) / total


def errors_svg(rows: Sequence[ErrorRow], tones: Tones, unit: str, arms: tuple[str, str]) -> str:
    """Two bars a row with their 95 % intervals as lines.

    Args:
        rows: One for each kind of error.
        tones: Light or dark.
        unit: What is counted, written under the axis.
        arms: Names of the earlier and the later.
    """
    left, right, top, row_px, bar_px = LABEL_PX + 60, WIDTH_PX - 96, 44, 46, 15
    limits = [
        value
        for row in rows
        for estimate in (row.earlier, row.later)
        for value in (estimate.value, estimate.high)
        if value
    ]
    ticks = linear_ticks(0.0, max(limits, default=1.0), 5)
    most = max([tick.value for tick in ticks] + limits)
    height = top + row_px * len(rows) + 40
    parts = [_legend([(arms[0], tones.earlier), (arms[1], tones.later)], tones)]
    for tick in ticks:
        x = left + (right - left) * tick.value / most
        colour = tones.paper.grid if tick.value else tones.paper.muted
        parts.append(_line(x, top - 8, x, height - 34, colour))
        parts.append(_text(x, height - 16, tick.label, tones.paper.muted, "middle"))
    parts.append(_text(right + 26, height - 16, unit, tones.paper.muted))
    for number, row in enumerate(rows):
        y = top + row_px * number
        parts.append(_text(left - 14, y + 20, row.label, tones.paper.text, "end"))
        for place, (estimate, colour) in enumerate(((row.earlier, tones.earlier), (row.later, tones.later))):
            parts += _bar_with_interval(
                estimate, colour, left, y + place * (bar_px + 2), (right - left) / most, tones
            )
    return _svg(height, f"Errors per report, {arms[0]} and {arms[1]}", parts)


def rounds_svg(lines: Sequence[RoundLine], tones: Tones) -> str:
    """A point a round with its interval, all on one axis, and the verdict against the round before beside it.

    Args:
        lines: The rounds, the first one on top.
        tones: Light or dark.
    """
    left, right, top = LABEL_PX, WIDTH_PX - FIGURES_PX - 60, 20
    low, high = scale_of(lines)
    ticks = linear_ticks(low, high, 5)
    scale = (right - left) / (high - low or 1.0)
    height = top + ROW_PX * len(lines) + 44
    parts = []
    for tick in ticks:
        x = left + scale * (tick.value - low)
        parts.append(_line(x, top - 8, x, height - 38, tones.paper.grid))
        parts.append(_text(x, height - 18, tick.label, tones.paper.muted, "middle"))
    for number, line in enumerate(lines):
        y = top + ROW_PX * number + 12
        parts.append(_text(left - 14, y + 4, line.label, tones.paper.text, "end"))
        if line.value is not None and line.value.value is not None:
            ends = (line.value.value if end is None else end for end in (line.value.low, line.value.high))
            first, last = (left + scale * (end - low) for end in ends)
            parts.append(_line(first, y, last, y, tones.later, 2))
            x = left + scale * (line.value.value - low)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{tones.later}"/>')
        verdict = line.change.verdict if line.change is not None else FIRST
        parts.append(_text(right + 26, y + 4, verdict, tones.paper.muted))
    return _svg(height, f"{lines[0].score.name} by round", parts)


def _bar_with_interval(
    estimate: Estimate, colour: str, left: float, y: float, scale: float, tones: Tones
) -> list[str]:
    if estimate.value is None:
        return [_text(left + 6, y + 12, "-", tones.paper.muted)]
    end = left + estimate.value * scale
    parts = [_bar(left, y, estimate.value * scale, colour, 15)]
    if estimate.low is not None and estimate.high is not None and estimate.high > estimate.low:
        low, high = left + estimate.low * scale, left + estimate.high * scale
        parts.append(_line(low, y + 7.5, high, y + 7.5, tones.paper.text, 1.4))
        parts += [_line(x, y + 4, x, y + 11, tones.paper.text, 1.4) for x in (low, high)]
        end = max(end, high)
    return [*parts, _text(end + 8, y + 12, f"{estimate.value:.2f}", tones.paper.muted)]


def _legend(entries: Sequence[tuple[str, str]], tones: Tones) -> str:
    x, parts = 16.0, []
    for name, colour in entries:
        parts.append(f'<rect x="{x:.1f}" y="9" width="14" height="14" rx="3" fill="{colour}"/>')
        parts.append(_text(x + 20, 20.5, name, tones.paper.muted))
        x += 20 + 7.4 * len(name) + 18
    return "".join(parts)


def _bar(x: float, y: float, width: float, colour: str, height: float = BAR_PX) -> str:
    if width <= 0:
        return ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, words: str, colour: str, anchor: str = "start", bold: bool = False) -> str:
    look = f'font-size="{FONT_PX}" fill="{colour}"' + (' font-weight="600"' if bold else "")
    where = f'x="{x:.1f}" y="{y:.1f}"' + ("" if anchor == "start" else f' text-anchor="{anchor}"')
    return f"<text {where} {look}>{escape(printable(words))}</text>"


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    box = f'viewBox="0 0 {WIDTH_PX} {height:.0f}" width="{WIDTH_PX}" height="{height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" font-family="{escape(FONTS, {chr(34): "&quot;"})}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>\n"
    )
