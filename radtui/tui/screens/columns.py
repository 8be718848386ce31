"""Which columns a list shows, and in which order; each change is seen behind at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.keyed import KeyedList
from radtui.tui.widgets.table_columns import chosen_titles

SHOWN, HIDDEN = "✓", " "


class ColumnsSheet(RadModal[None]):
    """The columns of a list, those shown first.

    Args:
        titles: Of all columns, in their usual order.
        names: Titles of those shown with commas between, "" for all.
        take: Takes such names after each change.
    """

    DEFAULT_CSS = """
    ColumnsSheet .sheet { width: 26; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("columns", priority=True)

    def __init__(self, titles: Sequence[str], names: str, take: Callable[[str], None]) -> None:
        super().__init__()
        self._titles, self._take = list(titles), take
        wanted = chosen_titles(names, titles)
        self._visible = set(wanted)
        self._order = [*wanted, *(title for title in titles if title not in self._visible)]

    def compose_sheet(self) -> ComposeResult:
        """A line a column."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Columns"
            yield KeyedList(*map(Option, self._lines()), markup=False)

    def _lines(self) -> list[Content]:
        return [
            Content.assemble(
                (f"{SHOWN if title in self._visible else HIDDEN} ", "$accent"),
                (title, "$foreground" if title in self._visible else "$muted"),
            )
            for title in self._order
        ]

    @on(OptionList.OptionSelected)
    def action_turn(self) -> None:
        """Show the marked column, or hide it; the last one stays."""
        at = self.query_one(KeyedList).highlighted
        if at is None:
            return
        if self._visible == {self._order[at]}:
            self.notify("A list has one column at least.")
            return
        self._visible ^= {self._order[at]}
        self._tell(at)

    def action_shift(self, by: int) -> None:
        """Move the marked column among the others."""
        at = self.query_one(KeyedList).highlighted
        if at is not None and 0 <= at + by < len(self._order):
            self._order.insert(at + by, self._order.pop(at))
            self._tell(at + by)

    def action_reset(self) -> None:
        """Show all columns in their usual order."""
        self._order, self._visible = list(self._titles), set(self._titles)
        self._tell(0)

    def _tell(self, at: int) -> None:
        """Draw the lines again, and hand on what is shown."""
        lines = self.query_one(KeyedList)
        for place, line in enumerate(self._lines()):
            lines.replace_option_prompt_at_index(place, line)
        lines.highlighted = at
        names = [title for title in self._order if title in self._visible]
        self._take("" if names == self._titles else ", ".join(names))
