"""Jobs: all of them, with what can be done about each."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from radtui.jobs.run_table import LAST_SHARE, OF_KIND, Figures
from radtui.records import Job, JobKind, JobState
from radtui.settings import Settings, value_text
from radtui.tui import words
from radtui.tui.aside import aside
from radtui.tui.jobs.job_lines import ALL, JobLines
from radtui.tui.jobs.job_screen import JobScreen
from radtui.tui.jobs.job_words import describing, saying
from radtui.tui.jobs.run_columns import COLUMNS, MARKED
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.aligned import GAP
from radtui.tui.widgets.row_text import TableAndText
from radtui.tui.widgets.search_line import SearchLine
from radtui.tui.widgets.virtual_table import VirtualTable
from radtui.user_choices import SORTS

SIGNS = f"{MARKED} marked. Loss is the mean over the last {LAST_SHARE * 100:.0f} % of the steps."
NO_JOBS = f"No jobs yet: {sign('data')} imports images, {sign('train')} trains on them."
NO_HIT = f"No job has these words; {sign('back')} shows all."
NO_KIND = f"No job is of this kind; {sign('back')} shows all."
BELOW = ("#", "Name", "State", "Says")  # columns whose text stands whole under the table, or beside it
WIDE_CELLS = 130
LEAST_VALUE_CELLS = 20  # beside its name; with less, a value stands below it
LONG_CHARACTERS = 240  # of a result, such as a chat template: more would push settings out of sight


class JobsScreen(JobScreen):
    """A table of all jobs, newest first, and the chosen one in full beside it."""

    TAB = "jobs"
    SIGNS = SIGNS
    CSS_PATH = "jobs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("jobs")

    def __init__(self) -> None:
        super().__init__()
        self._lines = JobLines()
        self._snapshot = Snapshot(0.0)
        self._seen: object = None
        self._reading = False  # whether a thread reads what came of jobs

    def compose_body(self) -> ComposeResult:
        """The table, and the chosen job."""
        yield SearchLine("words of a job: its kind, state, name, settings, note")
        yield Static(classes="narrowed", markup=False)
        with Horizontal(classes="body"):
            self._lines.prefer(self.rad.choices)
            table = VirtualTable(self._lines.columns, self._lines, empty_text=NO_JOBS)
            yield TableAndText(table, elsewhere=BELOW)
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
        shown = self._lines.jobs
        return shown[cursor] if cursor is not None and cursor < len(shown) else None

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw the rows again; the cursor stays on its job."""
        before = self.chosen
        self._snapshot = snapshot
        self._lines.show(snapshot)
        table = self.query_one(VirtualTable)
        empty = NO_HIT if self._lines.words else NO_KIND if self._lines.narrowed else NO_JOBS
        if table.empty_text != empty:
            table.empty_text = empty
        table.reload()
        narrowed = self.query_one(".narrowed", Static)
        narrowed.display = bool(self._lines.only)
        narrowed.update(
            f"{self._lines.only} · {sign('filter')} the next kind · {sign('back')} {self._lines.left_by}"
        )
        ids = [job.id for job in self._lines.jobs]
        if before is not None and before.id in ids:
            table.move_to(ids.index(before.id))
        self._show_chosen()
        self._read_figures()

    def _read_figures(self) -> None:
        """Read what came of jobs that have moved on, in a thread; the rows follow."""
        jobs = self._snapshot.jobs
        if self._reading or not self._lines.book.lacking(jobs):
            return
        self._reading = True

        def take(runs: list[tuple[Job, object, Figures]]) -> None:
            self._reading = False
            self._lines.book.take(runs)
            self.show_snapshot(self._snapshot)

        def refused(sentence: str) -> None:
            self._reading = False  # the poller says what is wrong with the database

        aside(
            self,
            lambda: self.rad.read(lambda db: self._lines.book.read(db, jobs)),
            take,
            refused,
            group="figures",
        )

    @on(VirtualTable.Highlighted)
    def _show_chosen(self) -> None:
        job = self.chosen
        if job is None:
            return
        now_s, described_by = self._snapshot.at_s or time.time(), describing(job, self._snapshot.jobs)
        status = saying(job, self._snapshot.progress(job.id), now_s, described_by)
        colour = status.style if job.state in (JobState.FAILED, JobState.LOST) else "$foreground"
        head = Content.assemble(
            Content.styled(f"{words.MARKS[job.state]} {status.state}", f"bold {status.style}"),
            Content.styled(f"  {status.text}", colour), "\n", Content.styled(status.next, "$muted"),
        )  # fmt: skip
        own = [part for part in (job.note, "archived" if job.archived else "") if part]
        whose = Content.assemble(
            (f"#{job.id} ", "$muted"), job.name, ("".join(f" · {each}" for each in own), "$muted")
        )
        self.query_one(".detail-line", Static).update(Content("\n").join([whose, head]))
        text = self.query_one(".detail-text", Static)
        text.update(detail(job, self._lines.facts(job), head, text.size.width))
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
            return self._lines.narrowed
        if action in ("search", "sort", "filter"):
            return bool(self._snapshot.jobs)
        if action == "mark" or parameters == ("archive",):
            return self.chosen is not None
        if action == "care":
            return self.chosen is not None and (parameters != ("delete",) or not self.chosen.state.live)
        if action == "overlay":
            return bool(self._lines.marked)
        return super().check_action(action, parameters)

    def action_search(self) -> None:
        """Type words to look for."""
        self.query_one(SearchLine).open()

    def action_forget(self) -> None:
        """Show all jobs again."""
        self.query_one(SearchLine).forget()
        if self._lines.kind != ALL:
            self._lines.kind = ALL
            self.show_snapshot(self._snapshot)
            self.refresh_bindings()

    def action_sort(self) -> None:
        """Sort by the next column that jobs can be sorted by."""
        sort = SORTS[(SORTS.index(self.rad.choices.jobs_sort) + 1) % len(SORTS)]
        self.rad.remember(jobs_sort=sort)
        self._lines.prefer(self.rad.choices)
        self.query_one(VirtualTable).columns = self._lines.columns  # as wide as before: one has a sign more
        self.show_snapshot(self._snapshot)
        self.notify("The newest first." if sort == "newest" else f"Sorted by {sort}.")

    def action_filter(self) -> None:
        """Show only the next kind of jobs, or archived ones too."""
        self._lines.next_kind()
        self.show_snapshot(self._snapshot)
        self.refresh_bindings()

    def action_columns(self) -> None:
        """Choose which columns the table has."""
        from radtui.tui.screens.columns import ColumnsSheet

        def show(names: str) -> None:
            self.rad.remember(jobs_columns=names)
            self._lines.prefer(self.rad.choices)
            self.query_one(VirtualTable).columns = self._lines.columns
            self.show_snapshot(self._snapshot)

        titles = [column.title for column, _ in COLUMNS]
        self.app.push_screen(ColumnsSheet(titles, self.rad.choices.jobs_columns, show))

    def action_care(self, what: str) -> None:
        """Rename, note, archive or delete the job."""
        from radtui.tui.jobs.care import CARES

        if self.chosen is not None:
            CARES[what](self, self.chosen)

    @on(SearchLine.Left)
    def _to_the_jobs(self) -> None:
        self.query_one(VirtualTable).focus()

    @on(SearchLine.Searched)
    def _search(self, event: SearchLine.Searched) -> None:
        """Leave the jobs whose rows hold all words."""
        event.stop()
        self._lines.words = event.words.casefold().split()
        self.show_snapshot(self._snapshot)
        self.refresh_bindings()

    def action_mark(self) -> None:
        """Mark the job, or take the mark off, and go on to the next one."""
        job = self.chosen
        if job is not None and job.kind is not JobKind.TRAIN:
            self.notify("Marks are for training jobs: c lays the curves of two or more over each other.")
        elif job is not None:
            self._lines.marked ^= {job.id}
            self.show_snapshot(self._snapshot)
            self.query_one(VirtualTable).action_move(1)
            self.refresh_bindings()

    def action_overlay(self) -> None:
        """Show the marked jobs together, the oldest first."""
        from radtui.tui.jobs.overlay import OverlayScreen

        marked = [job for job in reversed(self._snapshot.jobs) if job.id in self._lines.marked]
        if len(marked) < 2:
            self.notify("Mark another training job with m, then c lays their curves over each other.")
            return
        self.app.push_screen(OverlayScreen(marked))


def detail(job: Job, facts: Mapping[str, str], head: Content, columns: int) -> Content:
    """A job in full: state, results, settings; values that need more lines stay in their column."""
    parts = [
        Content.styled(f"{words.KINDS[job.kind]} #{job.id}", "bold"),
        Content(job.name),
        Content(""),
        head,
    ]
    results = {
        name: shortened(value_text(value), job.id)
        for name, value in job.result.items()
        if name != "journal" and value not in (None, "", [], {})  # the collector's cursors, and what is empty
    }
    kind = OF_KIND.get(job.kind, Settings)
    settings = {name: kind.text_of(name, value) for name, value in job.settings.items()}
    blocks = (("", facts), ("results", results), ("settings", settings))
    names = max((len(name) for _, values in blocks for name in values), default=0) + len(GAP)
    for title, values in blocks:
        if values:
            parts += [Content(""), *([Content.styled(title, "$accent")] if title else [])]
            parts += [fact(name, value_text(value), names, columns) for name, value in values.items()]
    return Content("\n").join(parts)


def fact(name: str, value: str, name_cells: int, columns: int) -> Content:
    """A name and its value, whose further lines stay in its column; where that is narrow, the value stands below."""
    room = columns - name_cells
    title, indent = f"{name.replace('_', ' '):<{name_cells}}", name_cells
    if 0 < room < min(LEAST_VALUE_CELLS, len(value)):
        title, indent = f"{name.replace('_', ' ')}\n{GAP}", len(GAP)
        room = columns - indent
    lines = textwrap.wrap(value, room if room > 0 else LEAST_VALUE_CELLS) or [""]
    return Content.assemble(Content.styled(title, "$muted"), f"\n{'':<{indent}}".join(lines))


def shortened(text: str, job_id: int) -> str:
    """A result that people read, or of one that programs read where it is whole."""
    if len(text) <= LONG_CHARACTERS:
        return text
    return f"{len(text):,} characters, whole in radtui jobs show {job_id}"
