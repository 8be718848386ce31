"""What its user says of a job, by keys: its name, a note, out of sight, gone."""

from __future__ import annotations

from collections.abc import Callable

from radtui.jobs.removal import Removal, bytes_text, plan_removal, remove
from radtui.records import Job
from radtui.store import jobs
from radtui.tui import words
from radtui.tui.jobs.job_screen import JobScreen
from radtui.tui.jobs.line_sheet import LineSheet
from radtui.tui.keys import sign
from radtui.tui.screens.confirm import ConfirmScreen


def rename(screen: JobScreen, job: Job) -> None:
    """Type another name."""

    def keep(name: str | None) -> None:
        if name and name != job.name:
            screen.ask(lambda data, db: jobs.say_of(db, job.id, name=name))

    screen.app.push_screen(LineSheet(f"Name of job #{job.id}", job.name, "a name of your own"), keep)


def note(screen: JobScreen, job: Job) -> None:
    """Type a note."""

    def keep(text: str | None) -> None:
        if text is not None and text != job.note:
            screen.ask(lambda data, db: jobs.say_of(db, job.id, note=text))

    screen.app.push_screen(
        LineSheet(f"Note on job #{job.id}", job.note, "what you want to remember of it"), keep
    )


def archive(screen: JobScreen, job: Job) -> None:
    """Take a job out of sight, or back; nothing is lost, so nothing is asked."""
    archived = not job.archived
    screen.ask(lambda data, db: jobs.say_of(db, job.id, archived=archived))
    if archived:
        screen.notify(
            f"#{job.id} is archived: {sign('filter')} shows archived jobs, {sign('archive')} takes it back."
        )


def delete(screen: JobScreen, job: Job) -> None:
    """Say what deleting would do, ask once, and do it."""

    def ask(planned: Removal) -> None:
        what = "Delete" if planned.whole else "Delete files of"
        question = f"{what} {words.job_words(job)}, {job.name}?"
        screen.app.push_screen(
            ConfirmScreen(question, planned.sentence, "delete"), lambda sure: answered(sure, planned)
        )

    def answered(sure: bool | None, planned: Removal) -> None:
        if sure:
            screen.ask(lambda data, db: remove(data, db, planned), gone)

    def gone(done: Removal) -> None:
        what = f"#{job.id} is deleted" if done.whole else f"Checkpoints and logs of #{job.id} are deleted"
        screen.notify(f"{what}; {bytes_text(done.freed_bytes)} are free.")

    screen.ask(lambda data, db: plan_removal(data, db, job.id), ask)


CARES: dict[str, Callable[[JobScreen, Job], None]] = {
    "rename": rename, "note": note, "archive": archive, "delete": delete,
}  # fmt: skip
"""By the names that rows of `key_uses` have for them."""
