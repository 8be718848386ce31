"""One field of settings as a line: its name, value, unit and range, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from radtui.settings import About, Settings
from radtui.tui import theme

MARK_CELLS = 3
LEAST_VALUE_CELLS = 12  # room to type a number in
MOST_VALUE_CELLS = 26
TURN_CELLS = 4  # of the signs around a value that has choices to go through


@dataclass(frozen=True, slots=True)
class FieldColumns:
    """Cells that names and values of a form take: as many as the longest needs, so that units and ranges have room."""

    label: int = 24
    value: int = MOST_VALUE_CELLS

    @classmethod
    def of(cls, settings: Settings, names: Collection[str]) -> FieldColumns:
        """Those of a form's fields, with the values that it has now; what has no unit or range goes on behind them."""
        if not names:
            return cls()
        about = settings.about()
        noted = [name for name in names if hint(about[name])]
        values = [len(choice) + TURN_CELLS for name in noted for choice in about[name].choices]
        widest = max([LEAST_VALUE_CELLS, *values, *(len(shown_text(settings, name)) for name in noted)])
        return cls(max(map(len, names)) + 1, min(MOST_VALUE_CELLS, widest))

    @property
    def value_at(self) -> int:
        """Where values begin."""
        return MARK_CELLS + self.label


def plain() -> Style:
    """A field's text in the colours of now."""
    return Style(color=theme.TEXT)


def muted(bold: bool = False) -> Style:
    """What is less than a value: names, hints, headings."""
    return Style(color=theme.MUTED, bold=bold)


def value_cells(settings: Settings, name: str, width: int, columns: FieldColumns) -> int:
    """Cells for a field's value in a line of `width`: one without unit or range has the rest of it."""
    room = width - columns.value_at - 2
    return columns.value if hint(settings.about()[name]) else max(10, room)


def field_line(
    settings: Settings,
    name: str,
    width: int,
    columns: FieldColumns,
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
        columns: Of the form's lines.
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
    room = value_cells(settings, name, width, columns)
    note = f"✗ {hint(about)}".rstrip() if wrong else hint(about)
    behind = width - columns.value_at - 1  # for the value and what is said of it
    if len(note) > behind - min(len(shown), room):
        note = "✗" if wrong else ""  # whole or not at all: the help says it of the current field
    value_width = max(len(_cut(shown, room)), min(columns.value, behind - len(note)))
    return [
        Segment(f"{'▸' if current else ' '}{'•' if changed else ' '} ", accent),
        Segment(f"{name.replace('_', ' '):<{columns.label}}", plain() if current else muted()),
        Segment(f"{_cut(shown, room):<{value_width}} ", style),
        Segment(note, fault if wrong else muted()),
    ]


def choices_of(settings: Settings, name: str, offered: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What left and right go through: a field's choices, yes and no, or what is offered for it."""
    if isinstance(getattr(settings, name), bool):
        return ("yes", "no")
    return settings.about()[name].choices or offered.get(name, ())


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
