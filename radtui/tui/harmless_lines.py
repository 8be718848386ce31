"""The last gate before the terminal: no line of a widget holds a character that it would obey."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import ANSIToTruecolor, LineFilter

from radtui.harmless import same_width


class HarmlessLines(LineFilter):
    """Takes control characters and their like out of every line that is drawn, whichever widget made it.

    Widths stay, so that no layout breaks: what has no cell is left out, what has some becomes dots. Texts that are
    read closely say elsewhere what they held (`visible`); here it is only made sure that none is forgotten.

    Args:
        before: What gives named colours their values, in the same pass: each pass makes a strip of every line.
    """

    def __init__(self, before: ANSIToTruecolor | None = None) -> None:
        super().__init__()
        self.before = before

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line's segments, each harmless."""
        if self.before is not None:
            segments = self.before.apply(segments, background)
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.text.isprintable() else segment._replace(text=_harmless(segment.text))
            for segment in segments
        ]


@lru_cache(4096)
def _harmless(text: str) -> str:
    return same_width(text, get_character_cell_size)
