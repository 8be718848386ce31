"""Stopping, resuming, and keeping the job rows true to the processes."""

from __future__ import annotations

import signal
import sqlite3

from radtui.jobs import launch
from radtui.jobs.launch import alive
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.store import jobs
from radtui.store.database import can_write
from radtui.store.place import check_in_place

_FINISHED = {
    JobKind.TRAIN: "has finished its {} steps; start a new one from its settings",
    JobKind.IMPORT: "has imported everything it found; import the same again to take in what has come since",
    JobKind.GENERATE: "has described all its images; start another one to describe more",
    JobKind.ASK: "has answered what it was asked; ask again for another answer",
    JobKind.SCORE: "has scored everything; start another one for new texts",
}


def get_job(db: sqlite3.Connection, job_id: int) -> Job:
    """A job by number. Raises UserError when there is none."""
    job = jobs.get(db, job_id)
    if job is None:
        raise UserError(f"There is no job {job_id}; see radtui jobs list.")
    return job


def stop(
    data: DataDir, db: sqlite3.Connection, job_id: int, request: StopRequest = StopRequest.CHECKPOINT
) -> None:
    """Ask a job to stop: after saving a checkpoint, or now. A queued job just leaves the queue.

    Raises:
        UserError: there is no such job, or it has ended.
    """
    if jobs.leave_queue(db, job_id, "Taken out of the queue"):
        return
    job = get_job(db, job_id)
    if not job.state.live:
        raise UserError(f"Job {job_id} has ended already: it is {job.state}.")
    if job.on_cluster:
        from radtui.cluster import submit

        submit.stop(data, db, job, request)
        return
    jobs.request_stop(db, job_id, request)
    if request is StopRequest.NOW and job.pid and alive(data, job_id):
        launch.terminate(data, job_id, job.pid)  # it may be deep in a compilation that writes no row
    _settle_if_gone(data, db, job)  # nobody would read the request


def resume(data: DataDir, db: sqlite3.Connection, job_id: int) -> Job:
    """Start an ended job again: training from its last checkpoint, others with what is missing.

    Raises:
        UserError: there is no such job, it has nothing left to do, or the job it follows has left nothing yet.
    """
    job = _as_it_is(data, db, job_id)
    if not job.state.live and not job.resumable:
        raise UserError(f"Job {job_id} {_FINISHED[job.kind].format(job.total_steps)}.")
    before = jobs.get(db, job.after_job_id) if job.after_job_id else None
    if not job.state.live and before is not None and before.state not in (JobState.DONE, JobState.STOPPED):
        raise UserError(
            f"Job {job_id} needs what job {before.id} leaves, and that is {before.state}; resume job {before.id} first."
        )
    with launch.starting(data):
        if not jobs.restart(db, job_id):
            raise UserError(f"Job {job_id} is {get_job(db, job_id).state} already.")
        _launch_or_fail(data, db, job_id)
    return jobs.must_get(db, job_id)


def reconcile(data: DataDir, db: sqlite3.Connection, waits: bool = True) -> list[Job]:
    """Bring live job rows in line with the processes; returns the jobs that are still live.

    A job whose worker is gone without a word becomes `lost`; a queued one is started, or ended, as soon as
    the job it waits for has ended. Where rows can only be read they stay as they are.

    Args:
        data: The data folder.
        db: Its database.
        waits: Whether to wait for Slurm's answer, some seconds at most; else it comes with a later call.

    Raises:
        FolderGoneError: The data folder is gone; no lock is made in what lies in its place.
    """
    if not can_write(db):
        return jobs.live(db)
    check_in_place(db)
    if jobs.on_cluster(db):
        with launch.nobody_starts(data) as nobody_submits:
            pass
        # Imported here, because the first frame of an app without jobs on a cluster is not to wait for it.
        from radtui.cluster import watching

        watching.watch(data, db, nobody_submits, waits=waits)
    for job in jobs.live(db):
        if job.state is JobState.QUEUED:
            _settle_queued(data, db, job)
        else:
            _settle_if_gone(data, db, job)
    return jobs.live(db)


def start_followers(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
    """Start the queued jobs that waited for this one; the worker calls it at its end, so that no app is needed."""
    for job in jobs.followers(db, job_id):
        _settle_queued(data, db, job)


def launch_new(data: DataDir, db: sqlite3.Connection, job: Job) -> Job:
    """Start the worker of a job just created, unless it is queued. A failure is on its row too."""
    if job.state is JobState.STARTING:
        _launch_or_fail(data, db, job.id)
    return jobs.must_get(db, job.id)


def _launch_or_fail(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
    try:
        if jobs.must_get(db, job_id).on_cluster:
            from radtui.cluster import submit

            submit.hand_over(data, db, job_id)
        else:
            launch.launch(data, db, job_id)
    except UserError as error:
        jobs.end(db, job_id, JobState.FAILED, error=str(error))
        raise


def _settle_queued(data: DataDir, db: sqlite3.Connection, job: Job) -> None:
    before = jobs.get(db, job.after_job_id) if job.after_job_id else None
    if before is not None and before.state.live:
        return
    if before is not None and before.state is not JobState.DONE:
        jobs.leave_queue(db, job.id, f"#{before.id}, which it waited for, is {before.state}")
        return
    with launch.starting(data):
        if jobs.claim(db, job.id):
            _launch_or_fail(data, db, job.id)


def _as_it_is(data: DataDir, db: sqlite3.Connection, job_id: int) -> Job:
    """A job by number, with a row that is true to its worker. Raises UserError when there is none."""
    job = get_job(db, job_id)
    if job.state in (JobState.STARTING, JobState.RUNNING):
        _settle_if_gone(data, db, job)
    return get_job(db, job_id)


def _settle_if_gone(data: DataDir, db: sqlite3.Connection, job: Job) -> None:
    """Write down that a job is over whose worker is gone: locks say so, whatever times its row holds."""
    if (job.on_cluster and "slurm" in job.result) or alive(data, job.id):
        return  # whether a job of Slurm's lives, Slurm says
    with launch.nobody_starts(data) as is_sure:
        now = jobs.must_get(db, job.id)
        if is_sure and now.state in (JobState.STARTING, JobState.RUNNING) and not alive(data, job.id):
            _settle_gone(db, now)


def _settle_gone(db: sqlite3.Connection, job: Job) -> None:
    if job.stop_requested is StopRequest.NOW:  # ended while it started, before it could write so
        jobs.settle(db, job.id, JobState.STOPPED)
        return
    code = launch.exit_code(job.id)
    if code is not None and code == -signal.SIGKILL:
        why = "The worker was killed, most often for want of memory"
    else:
        why = "The worker ended without a word: it was killed, or the machine was restarted"
    jobs.settle(db, job.id, JobState.LOST, why + "; resume it, or read its log.")
