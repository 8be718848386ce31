"""The rounds of learning as lines of characters, the same in the app and on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.words import brief
from radtui.plural import many
from radtui.study.round_lines import RoundLine

BAR_CELLS = 28
LINE, POINT = "─", "●"
FIRST = "where the rounds begin"


def rounds_title(lines: Sequence[RoundLine]) -> str:
    """What the rounds are measured by, for a heading."""
    return f"Rounds: {lines[0].score.name} on held-out cases, each against the round before"


def scale_words(lines: Sequence[RoundLine]) -> str:
    """What the ends of the drawn lines stand for: "The lines reach from 0.62 to 0.83; intervals are 95 %."."""
    low, high = scale_of(lines)
    digits = lines[0].score.digits
    return f"The lines reach from {low:.{digits}f} to {high:.{digits}f}; intervals are 95 %."


def scale_of(lines: Sequence[RoundLine]) -> tuple[float, float]:
    """The least and the greatest end of all intervals."""
    ends = [end for line in lines if line.value is not None for end in _ends(line.value)]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def drawn(value: Proportion | Estimate | None, scale: tuple[float, float], cells: int = BAR_CELLS) -> str:
    """A figure with its interval on a line of characters: "   ───●──    ".

    Args:
        value: The figure; nothing is drawn where there is none.
        scale: What the first and the last character stand for.
        cells: How many characters.
    """
    if value is None:
        return " " * cells
    reach = scale[1] - scale[0] or 1.0
    low, at, high = (round((end - scale[0]) / reach * (cells - 1)) for end in _ends(value))
    return (" " * low + LINE * (at - low) + POINT + LINE * (high - at)).ljust(cells)


def _ends(value: Proportion | Estimate) -> tuple[float, float, float]:
    """Lower end, figure and upper end; the figure thrice where there is no interval."""
    assert value.value is not None
    low, high = (value.value if end is None else end for end in (value.low, value.high))
    return low, value.value, high


def figure_row(line: RoundLine, scale: tuple[float, float], label_cells: int) -> str:
    """One round: its name, drawn interval and figure."""
    figure = brief(line.value, line.score.digits) if line.value is not None else "-"
    return f"{line.label:<{label_cells}}  {drawn(line.value, scale)}  {figure}, {many(line.cases, 'case')}"


def change_rows(line: RoundLine) -> list[str]:
    """What changed from the round before, verdict first; what blind readers say stands below."""
    rows = [line.change.sentence if line.change is not None else FIRST]
    return rows + ([f"readers: {line.readers}"] if line.readers else [])
