"""Sheets over the data screen: which data set, and which of its images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from radtui.store.cases import CaseQuery, DatasetSummary
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.aligned import aligned
from radtui.tui.widgets.keyed import KeyedList


class DatasetSheet(RadModal[str | None]):
    """Choose a data set; dismissed with its name, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("data sets")

    def __init__(self, summaries: list[DatasetSummary], current: str) -> None:
        super().__init__()
        self._summaries, self._current = summaries, current

    def compose_sheet(self) -> ComposeResult:
        """One line a data set."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Data sets"
            yield KeyedList(*map(Option, dataset_lines(self._summaries)), markup=False)

    def on_mount(self) -> None:
        """Start on the one that is shown."""
        names = [dataset.name for dataset in self._summaries]
        if self._current in names:
            self.query_one(OptionList).highlighted = names.index(self._current)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._summaries[event.option_index].name)


def dataset_lines(summaries: Sequence[DatasetSummary]) -> list[Content]:
    """Data sets to choose from, with their counts and where they are from."""
    counts = [", ".join(f"{split} {n:,}" for split, n in each.splits.items()) for each in summaries]
    return aligned(
        [
            (
                Content.styled(each.name, "bold"),
                Content(count or "empty"),
                Content.styled(each.source, "$muted"),
            )
            for each, count in zip(summaries, counts, strict=True)
        ]
    )


@dataclass(frozen=True, slots=True)
class FilterLine:
    """One line of the filter: a field of the query and the values it steps through, "all" first."""

    title: str
    field: str
    values: tuple[tuple[str, object], ...]


def choices(values: dict[str, list[str]]) -> list[FilterLine]:
    """The lines that make sense for a data set.

    Args:
        values: The distinct values of `split`, `examination` and `finding`.
    """
    offered = [
        FilterLine(name.capitalize(), name, (("all", ""), *((value, value) for value in values[name])))
        for name in ("split", "examination", "finding")
        if len(values[name]) > 1
    ]
    for title, field, yes, no in (
        ("Rating", "rated", "rated", "not rated"),
        ("File", "unreadable", "unreadable", "readable"),
        ("Leak", "leaked", "in two splits", "in one split"),
    ):
        offered.append(FilterLine(title, field, (("all", None), (yes, True), (no, False))))
    return offered


class FilterSheet(RadModal[None]):
    """Filters, applied while they are changed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("filters")

    def __init__(
        self, query: CaseQuery, values: dict[str, list[str]], apply: Callable[[CaseQuery], None]
    ) -> None:
        super().__init__()
        self._query, self._apply = query, apply
        self._choices = choices(values)
        self._at = 0

    def compose_sheet(self) -> ComposeResult:
        """The lines in a sheet."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = "Show only"
            yield Static(markup=False)

    def on_mount(self) -> None:
        """Draw the lines."""
        self._draw()

    async def on_click(self, event: events.Click) -> None:
        """A click marks a filter; one on the marked filter takes its next value."""
        place = event.get_content_offset(self.query_one(Static))
        if place is None or not place.y < len(self._choices):
            return
        if place.y == self._at:
            self.action_change(1)
        else:
            self.action_move(place.y - self._at)

    def _draw(self) -> None:
        self.query_one(Static).update(
            Content("\n").join(self._line(at, choice) for at, choice in enumerate(self._choices))
        )

    def _line(self, at: int, choice: FilterLine) -> Content:
        here = at == self._at
        place = self._place(choice)
        value = choice.values[place][0]
        style = "bold $accent" if place else "$foreground"
        return Content.assemble(
            Content.styled("▌" if here else " ", "$accent"),
            Content.styled(f"{choice.title:<13}", "bold" if here else "$muted"),
            Content.styled("‹ " if here else "  ", "$accent"), Content.styled(value, style),
            Content.styled(" ›" if here else "", "$accent"),
        )  # fmt: skip

    def _place(self, choice: FilterLine) -> int:
        now = getattr(self._query, choice.field)
        return next((at for at, (_, value) in enumerate(choice.values) if value == now), 0)

    def action_move(self, by: int) -> None:
        """Go to another filter."""
        self._at = (self._at + by) % len(self._choices)
        self._draw()

    def action_change(self, by: int) -> None:
        """Step through a filter's values."""
        choice = self._choices[self._at]
        _, value = choice.values[(self._place(choice) + by) % len(choice.values)]
        self._set(**{choice.field: value})

    def action_clear(self) -> None:
        """Show everything; the search stays."""
        self._set(**{choice.field: choice.values[0][1] for choice in self._choices})

    def _set(self, **changes: object) -> None:
        self._query = replace(self._query, **changes)  # type: ignore[arg-type]
        self._draw()
        self._apply(self._query)
