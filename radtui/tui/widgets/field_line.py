"""One field of settings as a line: its name, value, unit and range, and what is wrong with it."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style

from radtui.settings import About, Settings
from radtui.tui import theme

LABEL_CELLS = 24
VALUE_CELLS = 26
MARK_CELLS = 3


def plain() -> Style:
    """A field's text in the colours of now."""
    return Style(color=theme.TEXT)


def muted(bold: bool = False) -> Style:
    """What is less than a value: names, hints, headings."""
    return Style(color=theme.MUTED, bold=bold)


def value_cells(settings: Settings, name: str, width: int) -> int:
    """Cells for a field's value in a line of `width`: text has the rest of it."""
    room = width - MARK_CELLS - LABEL_CELLS - 2
    return max(10, room) if isinstance(getattr(settings, name), str) else VALUE_CELLS


def field_line(
    settings: Settings,
    name: str,
    width: int,
    *,
    changed: bool,
    current: bool,
    turns: bool,
    recognised: str = "",
) -> list[Segment]:
    """Draw a field.

    Args:
        settings: Whose field it is.
        name: The field.
        width: Cells of the line.
        changed: It has another value than the baseline's.
        current: It is the field that keys act on.
        turns: It has choices to go through.
        recognised: What is used while it is empty.
    """
    about, text = settings.about()[name], shown_text(settings, name)
    wrong = name in settings.problems()
    accent, fault = Style(color=theme.ACCENT, bold=True), Style(color=theme.ERROR, bold=True)
    style = fault if wrong else accent if changed else plain() if text else muted()
    if recognised and not getattr(settings, name):
        text = f"{recognised} (found)"
    shown = f"‹ {text or '—'} ›" if current and turns else text or "—"
    note = f"✗ {hint(about)}" if wrong else hint(about) if len(shown) < VALUE_CELLS else ""
    if len(note) > width - MARK_CELLS - LABEL_CELLS - VALUE_CELLS - 1:
        note = "✗" if wrong else ""  # whole or not at all: the help says it of the current field
    return [
        Segment(f"{'▸' if current else ' '}{'•' if changed else ' '} ", accent),
        Segment(f"{name.replace('_', ' '):<{LABEL_CELLS}}", plain() if current else muted()),
        Segment(f"{_cut(shown, value_cells(settings, name, width)):<{VALUE_CELLS}} ", style),
        Segment(note, fault if wrong else muted()),
    ]


def text_of(value: object) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown_text(settings: Settings, name: str) -> str:
    """A field's value as people read it: "all" where 0 stands for all."""
    value = getattr(settings, name)
    return settings.about()[name].word_of(value) or text_of(value)


def hint(about: About) -> str:
    """A field's unit and range: "images, at least 0"."""
    parts = [about.unit] if about.unit else []
    if about.low is not None and about.high is not None:
        parts.append(f"{_short(about.low)} to {_short(about.high)}")
    elif about.low is not None and about.low > 0:
        parts.append(f"at least {_short(about.low)}")
    return ", ".join(parts)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def _cut(text: str, cells: int) -> str:
    return text if len(text) <= cells else text[: cells - 1] + "…"
