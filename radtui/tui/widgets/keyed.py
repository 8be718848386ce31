"""Textual's lists and scrolling boxes, with the map's keys beside their own."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.strip import Strip
from textual.widgets import OptionList, SelectionList

from radtui.tui.key_uses import bindings


class KeyedList(OptionList):
    """Lines to choose one from."""

    DEFAULT_CSS = """
    KeyedList { border: none; background: $surface; padding: 0; height: auto; }
    KeyedList:focus { border: none; background-tint: $foreground 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("options")


class MarkList(SelectionList[str]):
    """Lines to mark any of; marks are ticks, which are seen without colours too, where Textual has an X in all."""

    DEFAULT_CSS = """
    MarkList { border: none; background: $surface; padding: 0; height: auto; }
    MarkList:focus { border: none; background-tint: $foreground 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("marks")

    def render_line(self, y: int) -> Strip:
        """A line with its tick, or room for one."""
        strip, row = super().render_line(y), self.scroll_offset.y + y
        if row >= self.option_count:
            return strip
        button = 3  # segments of Textual's
        _, gap, *words = list(strip)[button - 1 :]
        tick = "✓ " if self.get_option_at_index(row).value in self.selected else "  "
        style = (gap.style or Style()) + Style(meta={"option": row})  # what a click marks
        return Strip([Segment(tick, style), *words]).adjust_cell_length(strip.cell_length, gap.style)


class KeyedScroll(VerticalScroll):
    """A box that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("scroll")
