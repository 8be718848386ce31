"""Train: the form of a new job, or everything about one that runs or ran."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.settings import PRESETS, TrainSettings
from radtui.store import images, jobs
from radtui.tui.screens.job_screen import JOB_KEYS, JobScreen
from radtui.tui.snapshot import Snapshot
from radtui.tui.widgets.top_bar import TopBar
from radtui.tui.widgets.train_form import TrainForm

if TYPE_CHECKING:
    from radtui.tui.widgets.job_pane import JobPane

FOLLOWER = "train"
LOG_LINES = 200
FORM_ACTIONS = ("start", "preset", "memory", "ratings", "back")
PANE_ACTIONS = ("stop", "stop_now", "resume", "describe", "new", "log", "other")


class TrainScreen(JobScreen):
    """One job at a time; `n` goes to the form, escape back to the job."""

    TAB = "train"
    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", tooltip="Start training with these settings"),
        Binding("p", "preset", "Preset", tooltip="Fill in the next preset"),
        Binding("m", "memory", "Memory", tooltip="What this run would take of the memory, before it starts"),
        Binding(
            "R", "ratings", "From ratings", tooltip="Learn from rated pairs, with the job that wrote them"
        ),
        Binding("escape", "back", "Back to the job", tooltip="Back to the job that was shown"),
        *JOB_KEYS,
        Binding("L", "log", "Whole log", show=False, tooltip="The log over the whole screen"),
        Binding("o", "other", "Other job", tooltip="Show the next older training job"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._form = TrainForm()
        self._form.id = "form"
        self._pane: JobPane | None = None
        self._job: Job | None = None
        self._first_job: Job | None = None
        self._jobs: tuple[Job, ...] = ()
        self._seen_state: object = None
        self._data_seen: tuple[int, ...] = ()

    def compose_body(self) -> ComposeResult:
        """The form; the job's pane comes beside it when there is a job to show."""
        with ContentSwitcher(initial=None, classes="body"):
            yield self._form

    def on_screen_resume(self, event: object) -> None:
        """Pairs may have been rated since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.is_mounted and self._on_form:
            self._form.read_offer(self.rad.data)

    def on_mount(self) -> None:
        """Show the live job, else the newest one, else the form."""
        live = [job for job in jobs.live(self.rad.db) if job.kind is JobKind.TRAIN]
        job = live[0] if live else jobs.newest(self.rad.db, JobKind.TRAIN)
        self._read_choices()
        self._first_job = job
        if job is None:
            self._show("form")

    @property
    def chosen(self) -> Job | None:
        """The job on show."""
        return self._job

    @property
    def _on_form(self) -> bool:
        return self.query_one(ContentSwitcher).current == "form"

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what is new of the job on show."""
        self._jobs = tuple(job for job in snapshot.jobs if job.kind is JobKind.TRAIN)
        if self._pane is not None:
            self._pane.take(snapshot, snapshot.news.get(FOLLOWER))
        self._refresh_choices(snapshot)
        if self._job is not None:
            self._job = next((job for job in self._jobs if job.id == self._job.id), self._job)
        state = (self._job.id, self._job.state, self._job.stop_requested) if self._job else None
        if state != self._seen_state:
            self._seen_state = state
            self.refresh_bindings()

    @on(TopBar.Painted)
    @work(thread=True, group="pane")
    def _import_pane(self) -> None:
        """Import what draws a job after the first frame, in a thread: it takes longer than all the rest of a start."""
        import radtui.tui.widgets.job_pane  # noqa: F401

        if self._first_job is not None:
            self.app.call_from_thread(self.call_later, self._attach_first, self._first_job)

    async def _attach_first(self, job: Job) -> None:
        if self.query_one(ContentSwitcher).current is None:  # nothing was asked for meanwhile
            await self.attach(job)

    async def attach(self, job: Job) -> None:
        """Show a job from its first row on."""
        self._job = job
        if self._pane is None:
            from radtui.tui.widgets.job_pane import JobPane

            self._pane = JobPane(self.rad.data)
            self._pane.id = "job"
            await self.query_one(ContentSwitcher).mount(self._pane)
        self._pane.attach(job)
        self.rad.poller.follow(FOLLOWER, job.id, metrics=True, descriptions=True, log_lines=LOG_LINES)
        self._pane.take(self.rad.snapshot, None)
        self._show("job")

    def edit_from(self, job: Job) -> None:
        """Show the form with a job's settings."""
        self._form.take(TrainSettings.from_dict(job.settings), job.id)
        self._show("form")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the keys of the part on show."""
        if not self.is_mounted or not self.query(ContentSwitcher):
            return False
        if action in FORM_ACTIONS:
            there = {"back": self.chosen is not None, "ratings": self._form.offers_ratings}
            return self._on_form and there.get(action, True)
        if action in PANE_ACTIONS and self._on_form:
            return False
        if action == "other":
            return len(self._jobs) > 1
        return super().check_action(action, parameters)

    def action_start(self) -> None:
        """Submit the form."""
        from radtui.jobs import submit_train

        if self._form.form.refuse_invalid():
            return
        settings, parent = self._form.settings, self._form.parent_job_id

        def submit(data: DataDir, db: sqlite3.Connection) -> Job:
            if settings.learns_preferences:
                from radtui.export.rated_pairs import submit_preferences
                from radtui.export.study import scheme_for

                return submit_preferences(data, db, scheme_for(data), settings)
            return submit_train(data, db, settings, parent_job_id=parent)

        self.ask(submit, self._started, self._form.form.point_out)

    def _started(self, job: Job) -> None:
        self.call_later(self.attach, job)

    def action_preset(self) -> None:
        """Fill in the next preset."""
        self._form.next_preset()

    def action_memory(self) -> None:
        """Ask what these settings would take."""
        if not self._form.form.refuse_invalid():
            self._form.memory.ask(self.rad.data, self._form.settings)

    def action_ratings(self) -> None:
        """Fill in what is proposed for learning from rated pairs."""
        self._form.take_ratings()

    def action_back(self) -> None:
        """Back to the job."""
        self._show("job")

    async def action_other(self) -> None:
        """Show the next older training job, after the oldest the newest."""
        ids = [job.id for job in self._jobs]
        if self.chosen is not None and self.chosen.id in ids:
            await self.attach(self._jobs[(ids.index(self.chosen.id) + 1) % len(ids)])

    def _show(self, part: str) -> None:
        self.query_one(ContentSwitcher).current = part
        if part == "form":
            self._form.form.list.focus()
            self._form.read_offer(self.rad.data)
        elif self._pane is not None:
            self._pane.chart.focus()
        self.refresh_bindings()

    def _refresh_choices(self, snapshot: Snapshot) -> None:
        """Read the data sets again when an import has ended, or another one is known."""
        imports = tuple(
            job.id for job in snapshot.jobs if job.kind is JobKind.IMPORT and job.state is JobState.DONE
        )
        if imports != self._data_seen:
            self._data_seen = imports
            self._read_choices()

    @work(thread=True, exclusive=True, group="choices")
    def _read_choices(self) -> None:
        def query(db: sqlite3.Connection) -> tuple[list[images.DatasetSummary], list[str]]:
            used = [
                str(job.settings.get("model", "")) for job in jobs.all_jobs(db) if job.kind is JobKind.TRAIN
            ]
            known = [*used, *(one.model for one in PRESETS.values())]
            return images.datasets(db), list(dict.fromkeys(model for model in known if model))

        found, models = self.rad.read(query)
        self.app.call_from_thread(self._form.set_datasets, found, models)
