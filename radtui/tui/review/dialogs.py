"""Sheets over the review screen: which study, which pairs, which words."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from radtui.plural import many
from radtui.records import Job, Study
from radtui.study.queue import Filter
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.aligned import aligned
from radtui.tui.widgets.keyed import KeyedList
from radtui.tui.widgets.path_input import PathInput
from radtui.tui.widgets.typed_line import TypedLine


class PickSheet(RadModal[int | None]):
    """Choose one line of several; dismissed with its index, or None."""

    DEFAULT_CSS = """
    PickSheet .sheet { width: 76; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("sheet")

    def __init__(
        self,
        title: str,
        options: list[Content],
        current: int,
        closed: Collection[int] = (),
        closes: str = "",
    ) -> None:
        """See the class.

        Args:
            title: In the frame.
            options: The lines.
            current: Index of the line to start on.
            closed: Indices of lines that stand there but cannot be chosen.
            closes: The keys that brought the sheet, comma-separated, which close it as well.
        """
        super().__init__()
        self._title, self._lines, self._current, self._shut = title, options, current, closed
        if closes:
            self._bindings.bind(closes, "dismiss(None)", "Close", show=False)

    def compose_sheet(self) -> ComposeResult:
        """The lines in a sheet."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = self._title
            options = (Option(line, disabled=at in self._shut) for at, line in enumerate(self._lines))
            yield KeyedList(*options, markup=False)

    def on_mount(self) -> None:
        """Start on the current one."""
        self.query_one(OptionList).highlighted = self._current

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)


def study_lines(studies: list[Study], counts: dict[int, int], live: Collection[Job]) -> list[Content]:
    """Studies to choose from, with their numbers of comparisons.

    Args:
        studies: In the order of the lines; a generation job's is called by its job's number.
        counts: Study id -> cases that can be rated.
        live: Jobs that are at work.
    """
    running = {job.id for job in live}
    numbers = [f"#{study.job_id}" if study.job_id is not None else f"study {study.id}" for study in studies]
    return aligned(
        [
            (
                Content.styled(number, "bold"),
                Content(study.name),
                Content.styled(
                    f"{many(counts[study.id], 'case')}{', still running' if study.job_id in running else ''}",
                    "$muted",
                ),
            )
            for number, study in zip(numbers, studies, strict=True)
        ]
    )


def filter_lines(counts: dict[Filter, int], notes: dict[Filter, str]) -> list[Content]:
    """Filters to choose from, with how many pairs each leaves, or with a note why that is not known."""
    widest = max((len(f"{n:,}") for n in counts.values()), default=0)
    return aligned(
        [
            (
                Content.styled(which.value.capitalize(), "bold" if n else "$muted"),
                Content.styled(notes.get(which, f"{n:>{widest},}"), "$muted"),
            )
            for which, n in counts.items()
        ]
    )


class AskSheet(RadModal[str | None]):
    """Ask for one line of text; dismissed with it, or None."""

    DEFAULT_CSS = "AskSheet .sheet { width: 60; }"
    BINDINGS: ClassVar[list[BindingType]] = bindings("typing")

    def __init__(
        self,
        title: str,
        placeholder: str,
        restrict: str | None = None,
        value: str = "",
        *,
        path: bool = False,
    ) -> None:
        """See the class; `path` says that a path is typed, which tab completes."""
        super().__init__()
        self._title, self._placeholder, self._restrict, self._value = title, placeholder, restrict, value
        self._path = path

    def compose_sheet(self) -> ComposeResult:
        """One line to type in."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = self._title
            made = PathInput if self._path else TypedLine
            yield made(self._value, placeholder=self._placeholder, restrict=self._restrict, compact=True)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
