"""Handing a job to Slurm, and stopping it there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from subprocess import TimeoutExpired
from typing import Any

from radtui.cluster import collect, fetched, packing, profile, script, slurm
from radtui.paths import DataDir, expanded
from radtui.records import Job, JobState, StopRequest, UserError
from radtui.setting_fields import FieldError
from radtui.store import jobs

ON = "slurm"
FOLDER = "cluster"  # of jobs' folders in the data folder, where the profile names none


def check(settings: Mapping[str, object]) -> None:
    """Raise UserError where a job with these settings would not run on the cluster; before it is a row."""
    if settings.get("on") != ON:
        return
    chosen = profile.named(str(settings.get("profile", "")))
    if not slurm.is_here():
        raise FieldError("There is no sbatch on this machine: run radtui on the cluster's login node.", "on")
    gpus = settings.get("gpus", 1)
    chosen.each(gpus if isinstance(gpus, int) else 1)
    fetched.check_job(settings, chosen)


def hand_over(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
    """Give a job to Slurm, for the first time or to go on.

    What is about to be done is on the job's row before it is done: if this process is killed, a later look finds the
    job in Slurm's queue by its name.

    Raises:
        UserError: Slurm refuses it, or its folder cannot be made.
    """
    job = jobs.must_get(db, job_id)
    check(job.settings)
    chosen = profile.named(str(job.settings.get("profile", "")))
    run = collect.folder_of(data, job)
    if run is None:
        _bring_in_the_rest(data, db)
        where = expanded(chosen.folder) if chosen.folder else data.root / FOLDER
        run = packing.pack(data, db, job, where)
    before, token = _facts(job), str(run.facts["token"])
    submission = int(before.get("submission", 0)) + 1
    name = f"radtui-{job.id}-{token}"
    gpus = job.settings.get("gpus", 1)
    file = run.data.job(job.id) / script.NAME
    text = script.text(chosen, run, name, gpus if isinstance(gpus, int) else 1, submission)
    try:
        run.ask_to_stop(StopRequest.NONE)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{file} cannot be written: {error.strerror}; make room, then resume the job."
        ) from error
    facts: dict[str, Any] = {
        "id": 0, "name": name, "profile": chosen.name, "submission": submission, "state": "", "nodes": "",
        "over": False, "token": token, "folder": str(run.root),
    }  # fmt: skip
    jobs.set_result(db, job.id, **{collect.SLURM: facts})
    try:
        facts["id"] = int(slurm.submit(file))
    except slurm.SlurmSilentError as error:
        if not isinstance(error.__cause__, TimeoutExpired):  # it was not reached at all
            jobs.set_result(db, job.id, **{collect.SLURM: {**facts, "over": True}})
            raise
        # Slurm may have taken it: as after a kill of this process, a later look finds it by its name or says so.
        jobs.wait_again(
            db, job.id, f"Whether it took the job Slurm has not said ({error}) It is looked for by name"
        )
        return
    except (UserError, ValueError):
        jobs.set_result(db, job.id, **{collect.SLURM: {**facts, "over": True}})
        raise
    jobs.set_result(db, job.id, **{collect.SLURM: facts})
    jobs.wait_again(db, job.id, f"Handed to Slurm as job {facts['id']}")


def _bring_in_the_rest(data: DataDir, db: sqlite3.Connection) -> None:
    """Collect what other jobs have written, so that a new one's snapshot has it and no text is written twice."""
    for other in jobs.on_cluster(db):
        if (theirs := collect.folder_of(data, other)) is not None:
            collect.collect(data, db, other, theirs)


def stop(data: DataDir, db: sqlite3.Connection, job: Job, request: StopRequest) -> None:
    """Ask a job of Slurm's to stop: by a file that its worker looks at; one that waits leaves the queue.

    Raises:
        SlurmError: Slurm does not answer; the request is in the job's folder all the same.
    """
    jobs.request_stop(db, job.id, request)
    run = collect.folder_of(data, job)
    if run is not None:
        run.ask_to_stop(request)
    number = int(_facts(job).get("id", 0))
    try:
        status = slurm.queue().get(number)
    except slurm.SlurmSilentError as error:
        raise slurm.SlurmError(
            f"Job {job.id} is asked to stop and does so where it runs; whether it still waits Slurm does not say"
            f" ({str(error).rstrip('.')}): stop it again once Slurm answers."
        ) from error
    waits = status is not None and status.state == "PENDING"
    if waits or (status is not None and request is StopRequest.NOW):
        slurm.cancel(number)
    if waits:
        jobs.end(
            db, job.id, JobState.STOPPED, message=f"Taken out of Slurm's queue, where it was job {number}"
        )


def _facts(job: Job) -> dict[str, Any]:
    facts = job.result.get(collect.SLURM)
    return dict(facts) if isinstance(facts, dict) else {}
