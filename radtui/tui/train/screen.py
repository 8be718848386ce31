"""Train: the form of a new job, or everything about one that runs or ran."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import ContentSwitcher

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.setting_fields import FieldError
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.tui.aside import aside
from radtui.tui.jobs.job_screen import JobScreen
from radtui.tui.key_uses import bindings
from radtui.tui.snapshot import Snapshot
from radtui.tui.train.form import TrainForm
from radtui.tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from radtui.tui.train.job_pane import JobPane

FOLLOWER = "train"
LOG_LINES = 200
PANE_ACTIONS = ("stop", "stop_now", "resume", "describe", "new", "log", "copy", "other")


def _import_job_pane() -> None:
    import radtui.tui.train.job_pane  # noqa: F401


class TrainScreen(JobScreen):
    """One job at a time; a key goes to the form, escape back to the job."""

    TAB = "train"
    CSS_PATH = "train.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("train")

    def __init__(self) -> None:
        super().__init__()
        self._form = TrainForm(self.rad.data, id="form")
        self._pane: JobPane | None = None
        self._job: Job | None = None
        self._first_job: Job | None = None
        self._jobs: tuple[Job, ...] = ()
        self._seen_state: object = None
        self._imports: tuple[int, ...] = ()  # that the form's data sets are of

    def compose_body(self) -> ComposeResult:
        """The form; the job's pane comes beside it when there is a job to show."""
        with ContentSwitcher(initial=None, classes="body"):
            yield self._form

    def on_screen_resume(self, event: object) -> None:
        """Pairs may have been rated since."""
        super().on_screen_resume(event)  # type: ignore[arg-type]
        if self.is_mounted and self._on_form:
            self._form.read_offer()

    def on_mount(self) -> None:
        """Show the live job, else the newest one, else the form."""
        live = [job for job in jobs.live(self.rad.db) if job.kind is JobKind.TRAIN]
        job = live[0] if live else jobs.newest(self.rad.db, JobKind.TRAIN)
        self._form.read_names()
        self._first_job = job
        if job is None:
            self._show("form")

    @property
    def chosen(self) -> Job | None:
        """The job on show."""
        return self._job

    def shows_end(self, job: Job) -> bool:
        """The job on show, when it is not behind the form."""
        return not self._on_form and super().shows_end(job)

    @property
    def _on_form(self) -> bool:
        return self.query_one(ContentSwitcher).current == "form"

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw what is new of the job on show."""
        self._jobs = tuple(job for job in snapshot.jobs if job.kind is JobKind.TRAIN)
        if self._pane is not None:
            self._pane.take(snapshot, snapshot.news.get(FOLLOWER))
        self._refresh_names(snapshot)
        if self._job is not None:
            self._job = next((job for job in self._jobs if job.id == self._job.id), self._job)
        state = (self._job.id, self._job.state, self._job.stop_requested) if self._job else None
        if state != self._seen_state:
            self._seen_state = state
            self.refresh_bindings()

    @on(TopBar.Painted)
    def _import_pane(self) -> None:
        """Import what draws a job after the first frame, in a thread: it takes longer than all the rest of a start."""
        aside(self, _import_job_pane, self._attach_first, group="pane")

    async def _attach_first(self, _: None) -> None:
        nothing_yet = self.query_one(ContentSwitcher).current is None  # asked for meanwhile
        if self._first_job is not None and nothing_yet:
            await self.attach(self._first_job)

    async def attach(self, job: Job) -> None:
        """Show a job from its first row on."""
        self._job = job
        if self._pane is None:
            from radtui.tui.train.job_pane import JobPane

            self._pane = JobPane(self.rad.data)
            self._pane.id = "job"
            await self.query_one(ContentSwitcher).mount(self._pane)
        self._pane.attach(job)
        self.rad.poller.follow(FOLLOWER, job.id, metrics=True, descriptions=True, log_lines=LOG_LINES)
        self._pane.take(self.rad.snapshot, None)
        self._show("job")

    def edit_from(self, job: Job) -> None:
        """Show the form with a job's settings."""
        settings = replace(TrainSettings.from_dict(job.settings), then="")  # a command is of one job
        self._form.take(settings, job.id)
        self._show("form")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the keys of the part on show."""
        if not self.is_mounted or not self.query(ContentSwitcher):
            return False
        if action == "back":
            return self.chosen is not None
        if action in PANE_ACTIONS and self._on_form:
            return False
        if action == "other":
            return len(self._jobs) > 1
        return super().check_action(action, parameters)

    @on(TrainForm.Submitted)
    def _submit(self, event: TrainForm.Submitted) -> None:
        """Start a job; what is refused is said at the field that it is about."""
        from radtui.jobs import submit_train

        def submit(data: DataDir, db: sqlite3.Connection) -> Job | FieldError:
            try:
                return started(data, db)
            except FieldError as error:
                return error

        def started(data: DataDir, db: sqlite3.Connection) -> Job:
            if event.settings.learns_preferences:
                from radtui.study.rated_pairs import submit_preferences
                from radtui.study.study import scheme_for

                return submit_preferences(data, db, scheme_for(data), event.settings)
            if event.settings.learns_corrections:
                from radtui.study.learn_corrections import submit_corrections
                from radtui.study.study import scheme_for

                return submit_corrections(data, db, scheme_for(data), event.settings)
            return submit_train(data, db, event.settings, parent_job_id=event.parent_job_id)

        self.ask(submit, self._submitted, self._form.form.point_out)

    def _submitted(self, answer: Job | FieldError) -> None:
        if isinstance(answer, FieldError):
            self._form.form.point_out(str(answer), answer.field)
        else:
            self.call_later(self.attach, answer)

    def action_learn(self, job_id: int = 0) -> None:
        """Show the form with what is proposed for learning corrected texts of a training job, 0 for the newest."""
        self._show("form")
        self._form.propose_corrections(job_id)

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
            self.set_focus(self._form.form.list)  # at once: the next key may be on its way
            self._form.read_offer()
        elif self._pane is not None:
            self.set_focus(self._pane.chart)
        self.refresh_bindings()

    def _refresh_names(self, snapshot: Snapshot) -> None:
        """Read the data sets again when an import has ended, or another one is known."""
        imports = tuple(
            job.id for job in snapshot.jobs if job.kind is JobKind.IMPORT and job.state is JobState.DONE
        )
        if imports != self._imports:
            self._imports = imports
            self._form.read_names()
