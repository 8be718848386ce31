"""The collector: what a job's journal says, into the database, each entry once.

How far a journal has been read is kept in the job's result, in the same transaction as the rows: a collector that is
killed anywhere, or a database taken back from a copy, goes on where its own rows end.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from radtui.cluster import reading
from radtui.cluster.journal import QUIET_KINDS, Entry
from radtui.cluster.run_folder import RunFolder
from radtui.durable import sync_tree
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.store import entries, jobs
from radtui.store.database import together
from radtui.store.place import Connection

BATCH = 500  # entries of one transaction: a few milliseconds in which nobody else can write
SLURM, JOURNAL = "slurm", "journal"  # keys of a job's result that are the collector's
LOGS = "log*.txt"


def folder_of(data: DataDir, job: Job) -> RunFolder | None:
    """The folder of a job that was handed to a cluster, if it can be reached from here."""
    facts = job.result.get(SLURM)
    if not isinstance(facts, dict):
        return None
    own = data.job(job.id)
    root = own.resolve().parents[1] if own.is_symlink() else Path(str(facts.get("folder", "")))
    run = RunFolder(root, job.id)
    return run if run.snapshot.exists() else None


def collect(data: DataDir, db: sqlite3.Connection, job: Job, run: RunFolder) -> int:
    """Bring a job's rows up to what its journal says.

    Args:
        data: The data folder.
        db: Its database.
        job: A job that was handed over with this folder.
        run: The folder.

    Returns:
        How many entries were new.
    """
    assert isinstance(db, Connection)
    new = 0
    while True:
        with together(db):  # the place is read inside: two collectors take turns
            place = reading.JournalPlace.from_dict(jobs.must_get(db, job.id).result.get(JOURNAL))
            taken = 0
            for entry in itertools.islice(reading.entries(run.journal, place), BATCH):
                _apply(data, db, job.id, entry)
                taken += 1
            if taken:
                jobs.set_result(db, job.id, **{JOURNAL: place.to_dict()})
        new += taken
        if taken < BATCH:
            return new


def _apply(data: DataDir, db: sqlite3.Connection, job_id: int, entry: Entry) -> None:
    facts = entry.facts
    if entry.kind == "result":
        facts = _as_here(data, job_id, facts)
    entries.apply(db, job_id, entry.kind, facts, entry.at)
    if entry.kind in QUIET_KINDS:
        jobs.is_running(db, job_id)


def _as_here(data: DataDir, job_id: int, facts: dict[str, Any]) -> dict[str, Any]:
    """Facts of a result with adapters where they lie for who reads them here."""
    if "adapter" in facts:
        facts = {**facts, "adapter": str(data.adapter(job_id))}
    if isinstance(trained := facts.get("seeds"), list):
        own = [{**each, "adapter": str(data.adapter(job_id, number))} for number, each in enumerate(trained)]
        facts = {**facts, "seeds": own}
    return facts


def collect_folder(data: DataDir, db: sqlite3.Connection, folder: Path) -> tuple[Job, int]:
    """Bring in a job by its folder, also one that was copied home by hand, with its log and adapter.

    Returns:
        The job as it is now, and how many entries were new.

    Raises:
        UserError: The folder is none of a job, or of a job of another data folder.
    """
    run = RunFolder.around(folder)
    job = jobs.get(db, run.job_id)
    facts = job.result.get(SLURM) if job else None
    if job is None or not isinstance(facts, dict) or facts.get("token") != run.facts.get("token"):
        raise UserError(
            f"{folder} is of a job of another data folder, {run.facts.get('name')!r}: name the one that handed it over"
            " with --data-dir."
        )
    new = collect(data, db, job, run)
    job = jobs.must_get(db, job.id)
    if not _is_same(data, run):
        bring_home(data, run)
    return job, new


def _is_same(data: DataDir, run: RunFolder) -> bool:
    """Whether the data folder's own folder of the job leads to this one."""
    return data.job(run.job_id).resolve() == run.data.job(run.job_id).resolve()


def bring_home(data: DataDir, run: RunFolder) -> None:
    """Copy a job's log and adapters into the data folder, from a folder that its own does not lead to."""
    own, theirs = data.job(run.job_id), run.data.job(run.job_id)
    if own.is_symlink() and not own.exists():
        own.unlink()  # it led to a file system that is not here
    own.mkdir(parents=True, exist_ok=True)
    for log in theirs.glob(LOGS):
        shutil.copyfile(log, own / log.name)
    for number in itertools.count():
        adapter, place = run.data.adapter(run.job_id, number), data.adapter(run.job_id, number)
        if not adapter.is_dir():
            return
        partial = place.with_name(f"{place.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(adapter, partial)
        sync_tree(partial, files=True)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)


def unread(data: DataDir, job: Job) -> str:
    """What stands in a job's journal and cannot be read, in words; "" where all has been read."""
    run = folder_of(data, job)
    if run is None:
        return ""
    return reading.missing(run.journal, reading.JournalPlace.from_dict(job.result.get(JOURNAL)))


def known_folders(data: DataDir, db: sqlite3.Connection) -> Iterator[tuple[Job, RunFolder]]:
    """The jobs that were handed to a cluster, with their folders where these can be reached."""
    for job in jobs.handed_over(db):
        if (run := folder_of(data, job)) is not None:
            yield job, run
