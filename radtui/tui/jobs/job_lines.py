"""The rows of Jobs: which jobs are shown, in which order, and what stands in their cells; no widget."""

from __future__ import annotations

import time
from collections.abc import Sequence

from radtui.jobs.run_table import RunBook, hidden, holds, ordered, spent_text
from radtui.records import Job, JobKind
from radtui.tui.jobs.run_columns import COLUMNS, Line, titled
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.table_columns import Column, Row, chosen_columns
from radtui.user_choices import DEFAULTS, UserChoices

ALL, ARCHIVED = "all", "archived too"
KINDS: dict[str, JobKind | None] = {
    ALL: None, "training": JobKind.TRAIN, "descriptions": JobKind.GENERATE, "imports": JobKind.IMPORT, ARCHIVED: None,
}  # fmt: skip
"""What the filter goes through; the last one alone shows what is archived."""


class JobLines:
    """The table's row source: replaced with every snapshot, by what is searched for, filtered and marked.

    Attributes:
        jobs: Those that are shown, in the order of their rows.
        words: Of a search, all of which a job's row is to hold.
        kind: One of `KINDS`.
        marked: Numbers of the marked jobs.
        book: What is known of the jobs as runs.
    """

    def __init__(self) -> None:
        self.jobs: tuple[Job, ...] = ()
        self.words: list[str] = []
        self.kind = ALL
        self.marked: set[int] = set()
        self.book = RunBook()
        self._snapshot = Snapshot(0.0)
        self._chosen = DEFAULTS
        self._rows: list[Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self, start: int, stop: int) -> Sequence[Row]:
        """Rows [start, stop)."""
        return self._rows[start:stop]

    @property
    def narrowed(self) -> bool:
        """Whether more or fewer jobs are shown than there usually are."""
        return bool(self.words) or self.kind != ALL

    @property
    def only(self) -> str:
        """What the filter leaves, which rows alone do not tell; "" without one."""
        return {ALL: "", ARCHIVED: "Archived jobs are here too"}.get(self.kind, f"Only {self.kind}")

    @property
    def left_by(self) -> str:
        """What leaving the filter does, behind the key that does it."""
        return "hides them" if self.kind == ARCHIVED else "all"

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, with a sign at the one that is sorted by."""
        columns = [column for column, _ in chosen_columns(self._chosen.jobs_columns, COLUMNS)]
        return titled(columns, self._chosen.jobs_sort)

    def prefer(self, chosen: UserChoices) -> None:
        """Go by these choices of columns, order and price."""
        self._chosen = chosen

    def show(self, snapshot: Snapshot) -> None:
        """Make the rows of a snapshot."""
        self._snapshot = snapshot
        cells = [cell for _, cell in chosen_columns(self._chosen.jobs_columns, COLUMNS)]
        entries = []
        for run in ordered(self.book.runs(snapshot.jobs), self._chosen.jobs_sort, self._now_s):
            job = run.job
            if hidden(job, self.kind == ARCHIVED) or KINDS[self.kind] not in (None, job.kind):
                continue
            line = Line(run, snapshot.progress(job.id), self._now_s, job.id in self.marked, self._chosen)
            row = tuple(cell(line) for cell in cells)
            spoken = (
                job.kind,
                line.saying.state,
                job.name,
                job.dataset,
                run.model,
                run.differs,
                job.message,
                job.error,
            )
            if holds((*row, *spoken, job.note), self.words):
                entries.append((job, row))
        self.jobs, self._rows = tuple(job for job, _ in entries), [row for _, row in entries]

    def next_kind(self) -> str:
        """Filter by the next kind of jobs; returns it."""
        names = list(KINDS)
        self.kind = names[(names.index(self.kind) + 1) % len(names)]
        return self.kind

    def facts(self, job: Job) -> dict[str, str]:
        """What there is to say of a job beside its state, by name; empty facts are left out."""
        run = next(run for run in self.book.runs(self._snapshot.jobs) if run.job.id == job.id)
        facts = {
            "note": job.note, "differs": run.differs, "GPU": run.gpu,
            "spent": spent_text(job, run.seconds(self._now_s), self._chosen),
            "archived": "archived" if job.archived else "",
        }  # fmt: skip
        return {name: fact for name, fact in facts.items() if fact}

    @property
    def _now_s(self) -> float:
        return self._snapshot.at_s or time.time()
