"""Whether an adapter's files are still those that its training wrote: sizes and digests stand in the job's result."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from radtui.durable import first_changed
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, UserError
from radtui.store import jobs

KEY = "adapter_files"  # in a job's result, and in each of its trainings there
WEIGHTS = "adapter_model.safetensors"  # as PEFT names it


def changed_adapters(data: DataDir, db: sqlite3.Connection) -> tuple[int, list[str]]:
    """How many adapters of ended jobs could be compared, and a line for each that is not as it was written."""
    count, problems = 0, []
    for job in jobs.all_jobs(db):
        for number, files in _written(job):
            count += 1
            if damaged := first_changed(data.adapter(job.id, number), files):
                which = f", seed {number + 1}" if number else ""
                problems.append(
                    f"job {job.id}, adapter{which}: {damaged} is missing or not as it was written"
                )
    return count, problems


def unknown_adapters(data: DataDir, db: sqlite3.Connection) -> list[int]:
    """The training jobs with an adapter of which it is not known how it was written.

    An older radtui trained them, or they were killed.
    """
    known = {(job.id, number) for job in jobs.all_jobs(db) for number, _ in _written(job)}
    return [
        job.id
        for job in jobs.all_jobs(db)
        if job.kind is JobKind.TRAIN and not job.state.live
        if any(
            data.adapter(job.id, number).is_dir() and (job.id, number) not in known
            for number in range(len(_trainings(job)))
        )
    ]


def _trainings(job: Job) -> list[object]:
    """What is known of each of a job's trainings."""
    seeds = job.result.get("seeds")
    return seeds if isinstance(seeds, list) and seeds else [job.result]


def refuse_changed(data: DataDir, db: sqlite3.Connection, folder: Path) -> None:
    """Raise UserError where an adapter of a job here has other weights than its training wrote.

    Nothing is known of other folders, of jobs of an older radtui and of those that were killed.
    """
    job = jobs.get(db, int(folder.parent.name)) if folder.parent.name.isdigit() else None
    if job is None or folder.parent.resolve() != data.job(job.id).resolve():
        return
    for number, files in _written(job):
        weights = {name: facts for name, facts in files.items() if name == WEIGHTS}
        if data.adapter(job.id, number).name == folder.name and first_changed(folder, weights):
            raise UserError(
                f"The adapter of job {job.id} is not as it was written ({folder / WEIGHTS}): put it back from a backup,"
                " or train it again."
            )


def _written(job: Job) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The files of each adapter that a job has left, by the number of its training.

    A killed job may have been between an adapter and its row.
    """
    if job.kind is not JobKind.TRAIN or job.state not in (JobState.DONE, JobState.STOPPED):
        return
    for number, training in enumerate(_trainings(job)):
        files = training.get(KEY) if isinstance(training, Mapping) else None
        if isinstance(files, Mapping) and files:
            yield number, files
