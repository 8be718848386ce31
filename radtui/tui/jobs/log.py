"""A job's log over the whole screen, followed as it grows."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from radtui.records import Job
from radtui.tui.jobs.log_tail import LogTail
from radtui.tui.screens.base import RadModal

LINES = 2_000
LOOK_S = 1.0


class LogScreen(RadModal[None]):
    """The last lines of a log; scrolling up stops following, the end takes it up again."""

    DEFAULT_CSS = """
    LogScreen .sheet { width: 96%; height: 90%; }
    LogScreen LogTail { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,l,q", "dismiss", "Close"),
        Binding("end", "end", "Newest", tooltip="To the newest line, and follow"),
        Binding("home", "start", "Oldest", tooltip="To the oldest line that is kept"),
    ]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job
        self._shown: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """The log in a box."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = f"Log of {self._job.kind} #{self._job.id}"
            sheet.border_subtitle = Content(f"{self.rad.data.log(self._job.id)} · esc closes").markup
            yield LogTail()

    def on_mount(self) -> None:
        """Read now, and again as it grows."""
        self.query_one(LogTail).focus()
        self._read()
        self.set_interval(LOOK_S, self._read)

    def action_end(self) -> None:
        """Go to the newest line."""
        self.query_one(LogTail).scroll_end(animate=False)

    def action_start(self) -> None:
        """Go to the oldest line."""
        self.query_one(LogTail).scroll_home(animate=False)

    @work(thread=True, exclusive=True, group="log", exit_on_error=False)
    def _read(self) -> None:
        from radtui.jobs import tail_log

        lines = tuple(tail_log(self.rad.data, self._job.id, LINES))
        if lines != self._shown or not lines:
            self._shown = lines
            self.app.call_from_thread(self._show)

    def _show(self) -> None:
        if self.is_mounted:
            self.query_one(LogTail).show(self._shown)
