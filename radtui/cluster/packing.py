"""A job's folder on the shared file system: all that its machines need, written once and never changed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from radtui import __version__, durable
from radtui.cluster.run_folder import FACTS, RunFolder
from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import blobs, cases, job_snapshot, jobs, texts
from radtui.store.choosing import taken_by
from radtui.store.job_snapshot import HERE

WATCHED_AMONG = 2_000  # held-out cases of which a training job chooses some to describe
SCHEME = "scheme.toml"


def pack(data: DataDir, db: sqlite3.Connection, job: Job, where: Path) -> RunFolder:
    """Make a job's folder, and let the data folder's own folder of the job lead there.

    Args:
        data: The data folder.
        db: Its database; the job's row is committed.
        job: The job.
        where: The folder that jobs' folders are made in.

    Raises:
        UserError: The folder cannot be written, or something that the job needs is gone.
    """
    token = secrets.token_hex(4)
    run = RunFolder(where / f"{job.id:04d}-{token}", job.id)
    try:
        run.root.mkdir(parents=True, mode=0o700)
        own = run.data.job(job.id)
        own.mkdir(parents=True)
        settings = _with_adapters(data, run, job)
        case_ids = _cases(db, job)
        job_snapshot.write(data.database, run.snapshot, job, case_ids, settings)
        _bring_images(data, run, db, case_ids)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(data.root / SCHEME, run.root / SCHEME)
        facts = {
            "job_id": job.id, "token": token, "kind": job.kind.value, "name": job.name, "dataset": job.dataset,
            "cases": len(case_ids), "radtui": __version__, "snapshot": durable.digest(run.snapshot),
        }  # fmt: skip
        durable.write_synced(run.root / FACTS, json.dumps(facts, indent=1))
        _lead_there(data.job(job.id), own)
    except (OSError, sqlite3.OperationalError) as error:  # SQLite has words of its own for a full disk
        shutil.rmtree(run.root, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"Cannot make the job's folder in {where}: {reason}; name another folder in the profile, or make room."
        ) from error
    return run


def _cases(db: sqlite3.Connection, job: Job) -> list[int]:
    """Ids of the cases that a job works with."""
    if job.kind is JobKind.GENERATE:
        describes = GenerateSettings.from_dict(job.settings)
        if listed := texts.work_list(db, job.id):
            return listed
        taken = taken_by(db, describes, job.id)
        if taken.words:  # the machine has these cases alone, and cannot say what they were chosen from
            jobs.set_result(db, job.id, taken=taken.to_dict())
        return list(taken.cases)
    learns = TrainSettings.from_dict(job.settings)
    if learns.goes_on:  # from what readers said of any case
        splits = cases.distinct(db, job.dataset, "split")
        return [case_id for split in splits for case_id in cases.usable(db, job.dataset, split)]
    learnt = cases.usable(db, job.dataset, learns.train_split, learns.train_images, with_reference=True)
    if not learns.eval_split:
        return learnt
    held_out = max(WATCHED_AMONG, learns.eval_images)
    evaluated = cases.usable(db, job.dataset, learns.eval_split, held_out, with_reference=True)
    return sorted({*learnt, *evaluated})


def _with_adapters(data: DataDir, run: RunFolder, job: Job) -> dict[str, object]:
    """The job's settings with its adapters in the folder, where they are brought."""
    if job.kind is JobKind.TRAIN:
        learns = TrainSettings.from_dict(job.settings)
        if learns.goes_on:
            _bring_folder(data.adapter(learns.from_job), run.data.adapter(learns.from_job))
        return dict(job.settings)
    describes = GenerateSettings.from_dict(job.settings)
    further = [f"{name}={_brought(data, run, folder)}" for name, folder in describes.further_adapters.items()]
    return {
        **job.settings,
        "adapter": _brought(data, run, describes.adapter) if describes.adapter else "",
        "more_adapters": "; ".join(further),
    }


def _brought(data: DataDir, run: RunFolder, folder: str) -> str:
    """Bring an adapter; returns where it lies, as settings of a snapshot say it."""
    path = Path(folder).resolve()
    job_id = Path(folder).parent.name
    if job_id.isdigit() and path.parent == data.job(int(job_id)).resolve():
        place = run.data.job(int(job_id)) / path.name
    else:
        place = run.root / "adapters" / _short_name(path) / path.name
    _bring_folder(path, place)
    return f"{HERE}/{place.relative_to(run.root)}"


def _short_name(path: Path) -> str:
    """A name for a folder of any path, the same each time."""
    from hashlib import sha256

    return sha256(str(path).encode()).hexdigest()[:12]


def _bring_folder(source: Path, place: Path) -> None:
    if place.exists():
        return
    place.mkdir(parents=True)
    for file in source.iterdir():
        if file.is_file():
            _bring(file, place / file.name)


def _bring_images(data: DataDir, run: RunFolder, db: sqlite3.Connection, case_ids: list[int]) -> None:
    for stored in blobs.located(data, db, list(_digests(db, case_ids))):
        place = run.data.blob(stored.sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        if stored.link is not None:  # the user's own file, which may change: only what was imported is taken
            place.write_bytes(stored.read_bytes())
            continue
        if problem := stored.problem:
            raise UserError(problem)
        _bring(stored.path, place)


def _digests(db: sqlite3.Connection, case_ids: list[int]) -> Iterable[str]:
    records = cases.get_many(db, case_ids)
    return dict.fromkeys(image.sha256 for case in records for image in case.images if not image.error)


def _bring(source: Path, place: Path) -> None:
    """A hard link, which takes no room and outlives the removal of the other name; a copy on another file system."""
    try:
        os.link(source.resolve(), place)
    except OSError:
        shutil.copyfile(source, place)


def _lead_there(name: Path, own: Path) -> None:
    """Let the job's folder in the data folder be a link: log, checkpoints and adapter are seen there as ever."""
    with contextlib.suppress(FileNotFoundError):
        if not name.is_symlink():
            name.rmdir()  # made before it was known where the job runs; not empty, it stays and this fails
    name.parent.mkdir(parents=True, exist_ok=True)
    name.unlink(missing_ok=True)
    # Relative where both lie in the data folder, which may be moved.
    inside = own.is_relative_to(name.parents[1])
    name.symlink_to(os.path.relpath(own, name.parent) if inside else own)
