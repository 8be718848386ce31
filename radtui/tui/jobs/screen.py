"""Jobs: all of them, with what can be done about each."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from radtui.percent import percent_text
from radtui.records import Job, JobKind, JobState
from radtui.settings import value_text
from radtui.tui import theme, words
from radtui.tui.jobs.job_screen import JobScreen
from radtui.tui.jobs.job_words import saying
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.snapshot import JobProgress, Snapshot
from radtui.tui.widgets.search_line import SearchLine
from radtui.tui.widgets.virtual_table import Column, Row, VirtualTable

COLUMNS = (
    Column("#", width=5, align="right"),
    Column("Kind", width=8),
    Column("State", width=10),
    Column("Progress", width=14, priority=1),
    Column("Time", width=12, align="right", priority=2),
    Column("Job", flex=1.0, least=14),
    Column("Says", flex=1.6, least=20, priority=3),
    Column("Asked for", width=12, priority=4),
)
NO_JOBS = f"No jobs yet: {sign('data')} imports images, {sign('train')} trains on them."
NO_HIT = f"No job has these words; {sign('back')} shows all."
NAME_CELLS = 24  # of the names of settings
BAR_CELLS = 8
MARKED = "◆"
WIDE_CELLS = 130
COLOURS = {"$accent": theme.ACCENT, "$muted": theme.MUTED, "$error": theme.ERROR, "$warning": theme.WARNING}


class JobRows:
    """The table's rows; replaced with every snapshot."""

    def __init__(self) -> None:
        self.rows_now: list[Row] = []

    def __len__(self) -> int:
        return len(self.rows_now)

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Rows [start, stop)."""
        return self.rows_now[start:stop]


class JobsScreen(JobScreen):
    """A table of all jobs, newest first, and the chosen one in full beside it."""

    TAB = "jobs"
    CSS_PATH = "jobs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("jobs")

    def __init__(self) -> None:
        super().__init__()
        self._rows = JobRows()
        self._jobs: tuple[Job, ...] = ()
        self._snapshot = Snapshot(0.0)
        self._seen: object = None
        self._marked: set[int] = set()
        self._words: list[str] = []  # of a search, all of which a job's row is to hold

    def compose_body(self) -> ComposeResult:
        """The table, and the chosen job."""
        yield SearchLine("words of a job: its kind, state, name, what it says")
        with Horizontal(classes="body"):
            yield VirtualTable(COLUMNS, self._rows, empty_text=NO_JOBS)
            with VerticalScroll(classes="detail", can_focus=False):
                yield Static(classes="detail-text")
        yield Static(classes="detail-line")

    def on_mount(self) -> None:
        """Show what is known."""
        self.query_one(VirtualTable).focus()
        self.show_snapshot(self.rad.snapshot)

    def on_resize(self) -> None:
        """The chosen job beside the table where there is room, else in lines below it."""
        self.set_class(self.size.width >= WIDE_CELLS, "-wide")

    @property
    def chosen(self) -> Job | None:
        """The job under the cursor."""
        if not self.is_mounted:
            return None
        cursor = self.query_one(VirtualTable).cursor
        return self._jobs[cursor] if cursor is not None and cursor < len(self._jobs) else None

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw the rows again; the cursor stays on its job."""
        before = self.chosen
        self._snapshot = snapshot
        now_s = snapshot.at_s or time.time()
        rows = [
            (job, row_of(job, snapshot.progress(job.id), now_s, job.id in self._marked))
            for job in snapshot.jobs
        ]
        hits = [(job, row) for job, row in rows if _holds(row, self._words)]
        self._jobs, self._rows.rows_now = tuple(job for job, _ in hits), [row for _, row in hits]
        table = self.query_one(VirtualTable)
        if bool(self._words) != (table.empty_text == NO_HIT):
            table.empty_text = NO_HIT if self._words else NO_JOBS
        table.reload()
        ids = [job.id for job in self._jobs]
        if before is not None and before.id in ids:
            table.move_to(ids.index(before.id))
        self._show_chosen()

    @on(VirtualTable.Highlighted)
    def _show_chosen(self) -> None:
        job = self.chosen
        if job is None:
            return
        status = saying(job, self._snapshot.progress(job.id), self._snapshot.at_s or time.time())
        colour = status.style if job.state in (JobState.FAILED, JobState.LOST) else "$foreground"
        head = Content.assemble(
            Content.styled(f"{words.MARKS[job.state]} {status.state}", f"bold {status.style}"),
            Content.styled(f"  {status.text}", colour), "\n", Content.styled(status.next, "$muted"),
        )  # fmt: skip
        self.query_one(".detail-line", Static).update(head)
        text = self.query_one(".detail-text", Static)
        text.update(detail(job, head, text.size.width))
        seen = (job.id, job.state, job.stop_requested)
        if seen != self._seen:
            self._seen = seen
            self.refresh_bindings()

    @on(VirtualTable.Selected)
    def _open(self) -> None:
        if self.chosen is not None:
            self.rad.show_job(self.chosen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Jobs can be marked, and marked ones overlaid; what is lacking for it is said."""
        if action == "forget":
            return bool(self._words)
        if action == "search":
            return bool(self._snapshot.jobs)
        if action == "mark":
            return self.chosen is not None
        if action == "overlay":
            return bool(self._marked)
        return super().check_action(action, parameters)

    def action_search(self) -> None:
        """Type words to look for."""
        self.query_one(SearchLine).open()

    def action_forget(self) -> None:
        """Show all jobs again."""
        self.query_one(SearchLine).forget()

    @on(SearchLine.Left)
    def _to_the_jobs(self) -> None:
        self.query_one(VirtualTable).focus()

    @on(SearchLine.Searched)
    def _search(self, event: SearchLine.Searched) -> None:
        """Leave the jobs whose rows hold all words."""
        event.stop()
        self._words = event.words.casefold().split()
        self.show_snapshot(self._snapshot)
        self.refresh_bindings()

    def action_mark(self) -> None:
        """Mark the job, or take the mark off, and go on to the next one."""
        job = self.chosen
        if job is not None and job.kind is not JobKind.TRAIN:
            self.notify("Marks are for training jobs: c lays the curves of two or more over each other.")
        elif job is not None:
            self._marked ^= {job.id}
            self.show_snapshot(self._snapshot)
            self.query_one(VirtualTable).action_move(1)
            self.refresh_bindings()

    def action_overlay(self) -> None:
        """Show the marked jobs together, the oldest first."""
        from radtui.tui.jobs.overlay import OverlayScreen

        marked = [job for job in reversed(self._snapshot.jobs) if job.id in self._marked]
        if len(marked) < 2:
            self.notify("Mark another training job with m, then c lays their curves over each other.")
            return
        self.app.push_screen(OverlayScreen(marked))


def _holds(row: Row, words: Sequence[str]) -> bool:
    """Whether a row holds all words, whichever column they stand in."""
    text = " ".join(str(cell) for cell in row).casefold()
    return all(word in text for word in words)


def row_of(job: Job, progress: JobProgress | None, now_s: float, marked: bool = False) -> Row:
    """One job as the texts of `COLUMNS`."""
    status = saying(job, progress, now_s)
    style = COLOURS.get(status.style, theme.TEXT)
    return (
        Text(f"{MARKED}{job.id}", f"bold {theme.ACCENT}") if marked else str(job.id),
        str(job.kind),
        Text(f"{words.MARKS[job.state]} {status.state}", style),
        _progress(job),
        words.took(job, now_s),
        job.name,
        Text(_says(job, progress), theme.ERROR if job.error and not job.state.live else theme.MUTED),
        time.strftime("%d %b %H:%M", time.localtime(job.created_at)),
    )


def _says(job: Job, progress: JobProgress | None) -> str:
    if job.state is JobState.QUEUED:
        return f"after #{job.after_job_id}"
    if job.state is JobState.RUNNING and progress is not None:
        known = " · ".join(part for part in (words.speed(progress), words.left(progress)) if part)
        return known or job.message
    if job.state is JobState.STOPPED and job.total_steps:
        return job.error or words.of_slurm(job)
    return job.error or job.message


def _progress(job: Job) -> Text:
    if job.total_steps <= 0:
        return Text("")
    share = min(1.0, job.step / job.total_steps)
    if job.state is JobState.DONE:
        unit = words.UNITS[job.kind]
        return Text(f"{job.step:,} {unit if job.step == 1 else unit + 's'}", theme.MUTED)
    full, empty = words.bar(share, BAR_CELLS)
    return Text.assemble(
        (full, theme.ACCENT if job.state.live else theme.MUTED),
        (empty, theme.FAINT),
        f" {percent_text(share):>5}",
    )


def detail(job: Job, head: Content, columns: int) -> Content:
    """A job in full: state, results, settings; values that need more lines stay in their column."""
    room = max(20, columns - NAME_CELLS)
    parts = [
        Content.styled(f"{words.KINDS[job.kind]} #{job.id}", "bold"),
        Content(job.name),
        Content(""),
        head,
    ]
    results = {
        name: value for name, value in job.result.items() if name != "journal"
    }  # the collector's cursors
    for title, values in (("results", results), ("settings", job.settings)):
        if values:
            parts += [Content(""), Content.styled(title, "$accent")]
            parts += [
                Content.assemble(
                    Content.styled(f"{name.replace('_', ' '):<{NAME_CELLS}}", "$muted"),
                    f"\n{'':<{NAME_CELLS}}".join(textwrap.wrap(value_text(value), room) or [""]),
                )
                for name, value in values.items()
            ]
    return Content("\n").join(parts)
