"""Why there is no pair to rate, and what to do about it, in words."""

from __future__ import annotations

import sqlite3

from radtui.records import Job, JobKind, JobState
from radtui.store import cases, jobs
from radtui.study.session import ReviewSession
from radtui.study.study import label_of
from radtui.tui.jobs.job_words import saying
from radtui.tui.keys import sign
from radtui.tui.words import BECAME

NOTHING = "Nothing to review yet."


def nothing_text(db: sqlite3.Connection) -> str:
    """Why there is no pair to rate, and what to do about it."""
    live = [job for job in jobs.live(db) if job.kind is JobKind.GENERATE]
    if live:
        when = f"once #{live[0].after_job_id} is done" if live[0].state is JobState.QUEUED else "now"
        return f"#{live[0].id} describes the images {when}; the first pair appears here by itself."
    ended = jobs.newest(db, JobKind.GENERATE)
    if ended is not None and ended.state is not JobState.DONE:
        return _ended_text(db, ended)
    trainings = [job for job in jobs.all_jobs(db) if job.kind is JobKind.TRAIN]
    if trainings:
        return f"{NOTHING} {_after_training(trainings)}"
    if cases.any_dataset(db):
        return f"{NOTHING} Press {sign('train')} to train a model; then both models describe the test images."
    return f"{NOTHING} Press {sign('data')}, then {sign('import')} to import images first."


def _after_training(trainings: list[Job]) -> str:
    """How training leads to pairs, by how far it has come; `trainings` are not none, newest first."""
    ways = f"{sign('train')}, then {sign('describe')}"
    if any(job.state is JobState.DONE for job in trainings):
        return f"Press {ways} to let both models describe the test images."
    newest = trainings[0]
    if newest.state.live:
        return f"Once training #{newest.id} is done, {ways} lets both models describe the test images."
    return f"Training #{newest.id} {BECAME[newest.state]}: {sign('train')} shows it, with what can be done."


def all_tied_text(session: ReviewSession, came_tied: int, more_of_job: int | None) -> str:
    """Why a study with texts asks a reader for nothing, with the next keys.

    Args:
        session: Of the study, with no pair to show.
        came_tied: Pairs that read the same and came since it was opened.
        more_of_job: The job that still writes texts, or None.
    """
    sitting = session.sitting
    tied = came_tied + (len(sitting.drawn.identical) if sitting.drawn is not None else len(sitting.left_out))
    count = "the only pair" if tied == 1 else f"all {tied:,} pairs"
    what = (
        f"{label_of(sitting.study)}. In {count} so far both texts read the same. They count as ties, and nobody is"
        " asked."
    )
    if more_of_job is not None:
        return f"{what}\n\n#{more_of_job} writes more; the first pair that differs appears here by itself."
    summary = session.scheme.keys.get("summary", "T")
    return f"{what}\n\nPress {summary} for the summary, or {sign('other')} for another study."


def _ended_text(db: sqlite3.Connection, job: Job) -> str:
    """Why a job that was to describe images left no pair: what it waited for ended early, or it did itself."""
    before = jobs.get(db, job.after_job_id) if job.after_job_id else None
    if before is not None and before.state is not JobState.DONE:
        began = f"#{job.id} describes no images, because #{before.id}, which it waited for,"
    else:
        began, before = f"#{job.id}, which was to describe images,", job
    why = f": {before.error}" if before.error else "."
    then = saying(before, None, 0.0).next
    became = BECAME.get(before.state, f"is {before.state}")
    return f"{began} {became}{why}\n\nPress {sign('jobs')} and choose #{before.id}: {then}"
