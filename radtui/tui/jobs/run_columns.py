"""The columns of Jobs: what stands in each, how wide it is, and which go first where there is no room."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rich.text import Text

from radtui.cluster.silence import short_silence
from radtui.jobs.progress import UNITS, JobProgress
from radtui.jobs.run_table import NONE, Run, f1_text, loss_text, spent_text, time_text
from radtui.percent import percent_text
from radtui.records import Job, JobState
from radtui.tui import theme, words
from radtui.tui.jobs.job_words import Saying, saying
from radtui.tui.widgets.table_columns import Column
from radtui.user_choices import UserChoices

BAR_CELLS = 8
MARKED = "◆"
SORTED = "▾"
TITLE_OF_SORT = {"newest": "#", "name": "Name", "loss": "Loss", "held-out": "Held-out", "F1": "F1", "time": "Time",
                 "state": "State"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """All that a row is made of."""

    run: Run
    progress: JobProgress | None
    now_s: float
    marked: bool
    prices: UserChoices

    @property
    def job(self) -> Job:
        """The job."""
        return self.run.job

    @property
    def saying(self) -> Saying:
        """What its state means."""
        return saying(self.job, self.progress, self.now_s)


Cell = Callable[[Line], str | Text]


def titled(columns: Sequence[Column], sort: str) -> tuple[Column, ...]:
    """The columns with a sign at the one that the rows are sorted by."""
    title = TITLE_OF_SORT[sort]
    return tuple(
        replace(column, title=f"{title}{SORTED}") if column.title == title and sort != "newest" else column
        for column in columns
    )


def colour_of(style: str) -> str:
    """A style of `Saying` as Rich has it."""
    return {"$accent": theme.ACCENT, "$muted": theme.MUTED, "$error": theme.ERROR,
            "$warning": theme.WARNING}.get(style, theme.TEXT)  # fmt: skip


def _number(line: Line) -> str | Text:
    job = line.job
    return Text(f"{MARKED}{job.id}", f"bold {theme.ACCENT}") if line.marked else str(job.id)


def _state(line: Line) -> Text:
    status = line.saying
    text = f"{words.MARKS[line.job.state]} {status.state}"
    return Text(text, colour_of(status.style))


def _name(line: Line) -> str | Text:
    return Text(line.job.name, theme.MUTED) if line.job.archived else line.job.name


def _progress(line: Line) -> Text:
    job = line.job
    if job.total_steps <= 0:
        return Text("")
    share = min(1.0, job.step / job.total_steps)
    if job.state is JobState.DONE:
        unit = UNITS[job.kind]
        return Text(f"{job.step:,} {unit if job.step == 1 else unit + 's'}", theme.MUTED)
    full, empty = words.bar(share, BAR_CELLS)
    return Text.assemble(
        (full, theme.ACCENT if job.state.live else theme.MUTED),
        (empty, theme.FAINT),
        f" {percent_text(share):>5}",
    )


def _known(text: str) -> str | Text:
    return "" if text == NONE else text


def _says(line: Line) -> Text:
    job, progress = line.job, line.progress
    if silence := short_silence(job, line.now_s):
        return Text(silence, theme.WARNING)
    if job.state is JobState.QUEUED:
        text = f"after #{job.after_job_id}"
    elif job.state is JobState.RUNNING and progress is not None:
        known = " · ".join(part for part in (progress.speed, progress.left) if part)
        text = known or job.message
    else:
        is_counted = job.state is JobState.STOPPED and job.total_steps > 0
        text = job.error or (words.of_slurm(job) if is_counted else job.message)
    return Text(text, theme.ERROR if job.error and not job.state.live else theme.MUTED)


COLUMNS: tuple[tuple[Column, Cell], ...] = (
    (Column("#", width=7, align="right"), _number),
    (Column("Kind", width=8, priority=1), lambda line: str(line.job.kind)),
    (Column("State", width=10), _state),
    (Column("Name", flex=3.0, least=16), _name),
    (Column("Progress", width=14, priority=2), _progress),
    (Column("Loss", width=7, align="right", priority=2), lambda line: _known(loss_text(line.run.figures.loss))),
    (Column("Held-out", width=9, align="right", priority=2),
     lambda line: _known(loss_text(line.run.figures.held_out))),
    (Column("F1", width=4, align="right", priority=5), lambda line: _known(f1_text(line.run.figures.f1))),
    (Column("Time", width=11, align="right", priority=4), lambda line: time_text(line.run.seconds(line.now_s))),
    (Column("Differs", flex=1.4, least=20, priority=6), lambda line: Text(line.run.differs, theme.MUTED)),
    (Column("Says", flex=1.2, least=20, priority=11), _says),
    (Column("Data", width=20, priority=7), lambda line: line.job.dataset),
    (Column("Model", width=24, priority=8), lambda line: line.run.model),
    (Column("GPU", width=20, priority=9), lambda line: line.run.gpu.removeprefix("NVIDIA ")),
    (Column("Spent", width=14, align="right", priority=10),
     lambda line: spent_text(line.job, line.run.seconds(line.now_s), line.prices)),
    (Column("Asked for", width=12, priority=12),
     lambda line: time.strftime("%d %b %H:%M", time.localtime(line.job.created_at))),
)  # fmt: skip
"""Every column with its cell; README names them for `jobs_columns`."""
