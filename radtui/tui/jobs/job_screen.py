"""What can be done with a job, by the same keys on every screen that shows jobs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.settings import GenerateSettings
from radtui.tui import words
from radtui.tui.jobs.submitting import submit
from radtui.tui.keys import sign
from radtui.tui.screens.base import RadScreen
from radtui.tui.screens.confirm import ConfirmScreen

Made = TypeVar("Made")
STAYS = "What is in stays in; it can go on later with what is missing."
ANSWERS_STAY = "What it has answered stays; the next question starts another one."


class JobScreen(RadScreen):
    """A screen with a job that keys act on."""

    def __init__(self) -> None:
        super().__init__()
        self._drafts: dict[int, GenerateSettings] = {}  # typed for descriptions, by training job

    @property
    def chosen(self) -> Job | None:
        """The job that keys act on; none by default."""
        return None

    def shows_end(self, job: Job) -> bool:
        """The job on show is shown with its end."""
        return self.chosen is not None and self.chosen.id == job.id

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what the job's state allows."""
        job = self.chosen
        allowed: dict[str, Callable[[Job], bool]] = {
            "stop": lambda job: job.state.live and job.stop_requested is StopRequest.NONE,
            "stop_now": lambda job: (
                job.state in (JobState.STARTING, JobState.RUNNING)
                and job.stop_requested is not StopRequest.NOW
            ),
            "resume": lambda job: job.resumable,
            "describe": lambda job: job.kind is JobKind.TRAIN and job.state is JobState.DONE,
            "new": lambda job: job.kind is JobKind.TRAIN,
            "log": lambda job: True,
            "copy": lambda job: True,
        }
        return action not in allowed or (job is not None and allowed[action](job))

    def action_stop(self) -> None:
        """Stop with a checkpoint, without a question: it can go on from there."""
        job = self.chosen
        if job is not None:
            ending = (
                "It saves a checkpoint first." if job.kind is JobKind.TRAIN else "What it has done stays."
            )
            asked = (
                f"is asked to stop. {ending}" if job.state is not JobState.QUEUED else "is out of the queue."
            )
            notice = f"#{job.id} {asked} {sign('resume')} goes on with it."
            self._stop(StopRequest.CHECKPOINT, job, lambda _: self.notify(notice))

    def action_stop_now(self) -> None:
        """Ask whether to stop at once, then do."""
        steps = "Steps since the last checkpoint are lost; what was saved before stays."
        what = {JobKind.TRAIN: steps, JobKind.ASK: ANSWERS_STAY}
        lost = what.get(self.chosen.kind, STAYS) if self.chosen is not None else STAYS
        job = self.chosen
        if job is None:
            return

        def answered(sure: bool | None) -> None:
            if sure:
                self._stop(StopRequest.NOW, job)

        question = f"Stop {words.job_words(job)} now?"
        self.app.push_screen(ConfirmScreen(question, lost, "stop now"), answered)

    def action_resume(self) -> None:
        """Start an ended job again."""
        from radtui.jobs import resume

        job = self.chosen
        if job is not None:
            self.ask(lambda data, db: resume(data, db, job.id))

    def action_describe(self) -> None:
        """Choose what is to be described, then start it."""
        from radtui.tui.jobs.describe import DescribeScreen

        job = self.chosen
        if job is None:
            return
        sheet = DescribeScreen(job, self._drafts.get(job.id))

        def closed(settings: GenerateSettings | None) -> None:
            self._drafts[job.id] = settings or sheet.typed
            self._describe(settings)

        self.app.push_screen(sheet, closed)

    def action_new(self) -> None:
        """Fill the form of a training job with this one's settings."""
        if self.chosen is not None:
            self.rad.new_from(self.chosen)

    def action_copy(self) -> None:
        """Copy the path of the job's log."""
        if self.chosen is not None:
            self.rad.copy(str(self.rad.data.log(self.chosen.id)), "the path of the log")

    def action_log(self) -> None:
        """Show the whole log."""
        from radtui.tui.jobs.log import LogScreen

        if self.chosen is not None:
            self.app.push_screen(LogScreen(self.chosen))

    def ask(
        self,
        do: Callable[[DataDir, sqlite3.Connection], Made],
        then: Callable[[Made], object] | None = None,
        refused: Callable[[str], object] | None = None,
    ) -> None:
        """Do something with jobs; see `submit`."""
        submit(self, do, then, refused)

    def _stop(self, request: StopRequest, job: Job, then: Callable[[object], object] | None = None) -> None:
        from radtui.jobs import stop

        self.ask(lambda data, db: stop(data, db, job.id, request), then)

    def _describe(self, settings: GenerateSettings | None) -> None:
        from radtui.jobs import submit_generate

        if settings is not None:
            self.ask(lambda data, db: submit_generate(data, db, settings), self._describing)

    def _describing(self, job: Job) -> None:
        from radtui.store.choosing import taken_words

        taken = taken_words(job.result.get("taken"))
        self.notify(
            f"Descriptions #{job.id} started{f': {taken}' if taken else ''}."
            f" Press {sign('review')} to rate each pair as it is written."
        )
