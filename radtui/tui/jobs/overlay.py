"""Training jobs over each other: their loss curves in one chart, and the settings in which they differ."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType

from radtui.charts.palette import job_colours, readable
from radtui.measures.loss_words import loss_note
from radtui.records import Job
from radtui.settings import TrainSettings
from radtui.tui import theme
from radtui.tui.jobs.job_differences import curve_key, differing_settings, outcomes
from radtui.tui.key_uses import bindings
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import News, Snapshot
from radtui.tui.widgets.chart import LossChart
from radtui.tui.widgets.ground import Ground
from radtui.tui.widgets.row_text import TableAndText
from radtui.tui.widgets.virtual_table import Column, ListSource, Row, VirtualTable

LABELS = {"loss": "train", "eval_loss": "held-out"}
NOT_COMPARABLE = "losses of different tokens: not to be compared"
NAME_CELLS = 22
SAME = "All settings are the same."


class OverlayScreen(RadScreen):
    """Curves and a table of some training jobs; live ones go on growing.

    Args:
        jobs: The jobs, in the order of the table's columns.
    """

    TAB = "jobs"
    DEFAULT_CSS = """
    OverlayScreen LossChart { height: 3fr; }
    OverlayScreen TableAndText { max-height: 45%; border-top: hkey $faint; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("overlay")

    def __init__(self, jobs: Sequence[Job]) -> None:
        super().__init__()
        self._jobs = list(jobs)
        self._colours = job_colours(job.id for job in jobs)
        self._shown: list[Row] = []
        notes = {loss_note(TrainSettings.from_dict(job.settings)) for job in jobs}
        self._note = notes.pop() if len(notes) == 1 else NOT_COMPARABLE

    def compose_body(self) -> ComposeResult:
        """The chart over the table."""
        yield LossChart(loss_note=self._note, empty_text="None of these jobs has a loss yet.")
        columns = [Column(f"#{job.id}", flex=1.0, least=12, priority=at) for at, job in enumerate(self._jobs)]
        table = VirtualTable([Column("", width=NAME_CELLS), *columns])
        yield TableAndText(table, lead=0, sized=True)

    def on_mount(self) -> None:
        """Follow all jobs from their first points on."""
        chart = self.query_one(LossChart)
        chart.focus()
        for job in self._jobs:
            chart.add_series(curve_key(job.id, "loss"), f"#{job.id} {LABELS['loss']}", self._colours[job.id])
            self.rad.poller.follow(self._follower(job), job.id, metrics=True)
        self._show_table()

    def on_unmount(self) -> None:
        """Follow nothing any more."""
        for job in self._jobs:
            self.rad.poller.unfollow(self._follower(job))

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Take in points and states."""
        now = {job.id: job for job in snapshot.jobs}
        self._jobs = [now.get(job.id, job) for job in self._jobs]
        for job in self._jobs:
            news = snapshot.news.get(self._follower(job))
            if news is not None:
                self._take(news)
        self._show_table(snapshot.at_s)

    def action_back(self) -> None:
        """Back to the jobs."""
        self.dismiss()

    def _follower(self, job: Job) -> str:
        return f"overlay {job.id}"

    def _take(self, news: News) -> None:
        chart, job = self.query_one(LossChart), news.job
        for name, points in news.metrics.items():
            if name in LABELS:
                key = curve_key(job.id, name)
                if chart.model.curve(key) is None:
                    chart.add_series(key, f"#{job.id} {LABELS[name]}", self._colours[job.id], points=True)
                chart.extend(key, points)

    def _show_table(self, now_s: float = 0.0) -> None:
        """Draw the table when anything in it has changed; what came of the jobs first, then their settings."""
        curves = {curve.key: curve for curve in self.query_one(LossChart).model.curves}
        differing = differing_settings(self._jobs)
        ground = Ground.of(self).colour
        signs = [Text(f"━━ {job.name}", readable(self._colours[job.id], ground)) for job in self._jobs]
        rows: list[Row] = [("", *signs)]
        for name, values in [*outcomes(self._jobs, curves, now_s or time.time()), *differing]:
            rows.append((Text(name, theme.MUTED), *values))
        if not differing:
            rows.append((Text("settings", theme.MUTED), SAME))
        if rows != self._shown:
            self._shown = rows
            table = self.query_one(VirtualTable)
            cursor = table.cursor or 0
            table.set_source(ListSource(rows), cursor)
