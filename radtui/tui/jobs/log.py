"""A job's log over the whole screen, followed as it grows."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from radtui.records import Job
from radtui.tui import words
from radtui.tui.aside import aside
from radtui.tui.jobs.log_tail import LogTail
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.search_line import SearchLine

LINES = 2_000
LOOK_S = 1.0


class LogScreen(RadModal[None]):
    """The last lines of a log; scrolling up stops following, the end takes it up again."""

    DEFAULT_CSS = """
    LogScreen .sheet { width: 96%; height: 90%; }
    LogScreen LogTail { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("log screen")

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._shown: tuple[str, ...] = ()

    def compose_sheet(self) -> ComposeResult:
        """The log in a box."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = f"Log of {words.job_words(self._job)}"
            sheet.border_subtitle = Content(str(self.rad.data.log(self._job.id))).markup
            yield SearchLine("words to find in the log")
            yield LogTail()

    def on_mount(self) -> None:
        """Read now, and again as it grows."""
        self.query_one(LogTail).focus()
        self._read()
        self.set_interval(LOOK_S, self._read)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a next hit when something is searched for."""
        return action != "hit" or self.query_one(LogTail).hits > 0

    def action_search(self) -> None:
        """Type words to find."""
        self.query_one(SearchLine).open()

    @on(SearchLine.Left)
    def _to_the_log(self) -> None:
        self.query_one(LogTail).focus()

    @on(SearchLine.Searched)
    def _search(self, event: SearchLine.Searched) -> None:
        event.stop()
        self.query_one(LogTail).search(event.words)
        self._say_hits()
        self.refresh_bindings()

    def action_hit(self, by: int) -> None:
        """Go to the next line with the words, or to the one before."""
        self.query_one(LogTail).go_to_hit(by)
        self._say_hits()

    def _say_hits(self) -> None:
        place = self.query_one(LogTail).place_words
        parts = (place, str(self.rad.data.log(self._job.id)))
        self.query_one(".sheet").border_subtitle = Content(" · ".join(part for part in parts if part)).markup

    def action_copy(self) -> None:
        """Copy the log's path."""
        self.rad.copy(str(self.rad.data.log(self._job.id)), "the path of the log")

    def _read(self) -> None:
        from radtui.jobs import tail_log

        data, job_id = self.rad.data, self._job.id
        aside(self, lambda: tuple(tail_log(data, job_id, LINES)), self._take, group="log")

    def _take(self, lines: tuple[str, ...]) -> None:
        if lines != self._shown or not lines:
            self._shown = lines
            self.query_one(LogTail).show(lines)
