"""Deleting a job: what that frees and what is lost with it is said before; texts, ratings and cases always stay.

A job on which something hangs (texts, a study, another job) keeps its row, its curves, its settings and its adapter,
without which nobody could say where those texts come from: only its checkpoints and logs go.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from radtui.cluster import collect
from radtui.jobs import launch
from radtui.jobs.control import get_job
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import Job, JobKind, UserError
from radtui.store import job_removal

BYTES_UNITS = ("bytes", "kB", "MB", "GB", "TB")
TRIES, TRY_S = 20, 0.1  # others hold the lock of all starts for moments only
FREED_ALONE = ("checkpoints", "ranks")  # beside logs: what goes of a job whose row stays


@dataclass(frozen=True, slots=True)
class Removal:
    """What deleting a job does.

    Attributes:
        job: The job.
        whole: Whether the job itself goes; else only files of it.
        freed_bytes: What its files take.
        goes: What is lost, in words.
        stays: What stays, and why.
    """

    job: Job
    whole: bool
    freed_bytes: int
    goes: tuple[str, ...]
    stays: str

    @property
    def sentence(self) -> str:
        """What happens, for the question before it and the answer behind it."""
        lost = ", ".join(self.goes) if self.goes else "nothing"
        return f"Frees {bytes_text(self.freed_bytes)}. Goes: {lost}. {self.stays}"


def plan_removal(data: DataDir, db: sqlite3.Connection, job_id: int) -> Removal:
    """What deleting a job would do; changes nothing.

    Raises:
        UserError: There is no such job, it has not ended, or there is nothing to delete of it.
    """
    job = get_job(db, job_id)
    facts = job.result.get(collect.SLURM)
    if job.state.live or launch.alive(data, job_id) or (isinstance(facts, dict) and not facts.get("over")):
        raise UserError(f"Job {job_id} is at work: stop it first, with radtui jobs stop {job_id}.")
    bonds = job_removal.bonds(db, job_id)
    files = _files(data, job_id, whole=not bonds.hold)
    if bonds.hold and not files:
        raise UserError(f"Nothing of job {job_id} can be deleted: {_why(bonds)}. It can be archived.")
    goes = [*_named(files)]
    if not bonds.hold:
        goes += _rows(job, bonds)
        stays = "Imported cases, texts and ratings stay."
        if isinstance(facts, dict) and facts.get("folder"):
            stays += f" Its folder on the cluster stays: {facts['folder']}."
    else:
        stays = f"The job itself stays, archived, with its curves and any adapter: {_why(bonds)}."
    return Removal(job, not bonds.hold, sum(map(_bytes, files)), tuple(goes), stays)


def remove(data: DataDir, db: sqlite3.Connection, planned: Removal) -> Removal:
    """Delete what was planned.

    Files leave their place in one move before the row goes, so that a process killed in between leaves a job that can
    be deleted again, and never half a checkpoint.

    Raises:
        UserError: The job is another one than when that was planned: it has been started, or something hangs on it.
    """
    aside = data.root / "jobs" / ".deleted"
    for _ in range(TRIES):
        with launch.nobody_starts(data) as is_sure:  # also no resume, from here to the row's end
            if is_sure:
                now = _removed(data, db, planned, aside)
                break
        time.sleep(TRY_S)
    else:
        raise UserError("Another job is being started; try again in a moment.")
    shutil.rmtree(aside, ignore_errors=True)  # also what an earlier one left that was killed here
    return now


def _removed(data: DataDir, db: sqlite3.Connection, planned: Removal, aside: Path) -> Removal:
    """Move the files out of their place, then take out the row or say in it what is gone."""
    job_id = planned.job.id
    now = plan_removal(data, db, job_id)
    if now.whole != planned.whole:
        raise UserError(f"Job {job_id} has changed meanwhile: {now.stays} Look at it again.")
    _put_aside(_files(data, job_id, whole=now.whole), aside)
    if not now.whole:
        job_removal.freed(db, job_id, [*now.goes])
    elif not job_removal.take_out(db, job_id):
        raise UserError(f"Job {job_id} has changed meanwhile; look at it again.")
    return now


def bytes_text(count: int) -> str:
    """So many bytes as people read them: "1.2 GB"."""
    value, unit = float(count), 0
    while value >= 1000 and unit < len(BYTES_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit == 0 or value >= 10 else 1
    return f"{value:,.{digits}f} {BYTES_UNITS[unit]}"


def _files(data: DataDir, job_id: int, whole: bool) -> list[Path]:
    """What of the job's folder goes: the folder itself, or its checkpoints and logs."""
    folder = data.job(job_id)
    if whole:
        return [folder] if folder.exists() or folder.is_symlink() else []
    if folder.is_symlink():  # to a cluster's file system, which is not radtui's to tidy
        return []
    named = [folder / name for name in FREED_ALONE]
    return [path for path in [*named, *sorted(folder.glob("log*.txt"))] if path.exists()]


def _named(files: list[Path]) -> list[str]:
    """Files and folders in words, most valuable first."""
    own = [file for file in files if not file.is_symlink()]
    inside = [path for file in own for path in (file.iterdir() if file.is_dir() else [file])]
    checkpoints = sum(1 for file in own for _ in file.rglob("checkpoint-*"))
    names = {path.name for path in inside}
    adapters = sum(name.startswith("adapter") for name in names)
    words = []
    if adapters:
        words.append(
            "the adapter that it has learnt" if adapters == 1 else f"{adapters} adapters that it has learnt"
        )
    if checkpoints:
        words.append(many(checkpoints, "checkpoint"))
    if any(name.startswith("log") for name in names):
        words.append("its log")
    return words


def _rows(job: Job, bonds: job_removal.Bonds) -> list[str]:
    """What the database loses, in words."""
    counted = (
        (bonds.points, "point of its curves", "points of its curves"),
        (bonds.watched, "watched text", "watched texts"),
        (bonds.questions, "question with its answers", "questions with their answers"),
    )
    words = [
        f"{count:,} {singular if count == 1 else plural}" for count, singular, plural in counted if count
    ]
    return [*words, "its settings and results" if job.kind is not JobKind.ASK else "the job"]


def _why(bonds: job_removal.Bonds) -> str:
    """Why a row must stay."""
    parts = []
    if bonds.ratings:
        parts.append(f"{many(bonds.ratings, 'rating is', 'ratings are')} of its texts")
    elif bonds.studies:
        parts.append(f"its texts are in {', '.join(bonds.studies)}")
    elif bonds.texts:
        parts.append(f"it wrote {many(bonds.texts, 'text, which stays', 'texts, which stay')}")
    if bonds.job_ids:
        numbers = ", ".join(f"#{number}" for number in bonds.job_ids[:5])
        more = f" and {len(bonds.job_ids) - 5} more" if len(bonds.job_ids) > 5 else ""
        parts.append(f"{numbers}{more} {'comes' if len(bonds.job_ids) == 1 else 'come'} from it")
    return "; ".join(parts)


def _put_aside(files: list[Path], folder: Path) -> None:
    """Move files out of their places, each in one move on the same file system."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files):
        path.rename(folder / f"{time.time_ns()}-{number}-{path.name}")


def _bytes(path: Path) -> int:
    """What a file or folder takes; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir() or each.is_symlink())
