"""`python -m radtui.worker --data-dir DIR JOB_ID`: do one job, write rows, end."""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import os
import signal
import sqlite3
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import NoReturn

from radtui.paths import DataDir, expanded
from radtui.records import Job, JobKind, JobState, UserError
from radtui.store import jobs
from radtui.store.place import FolderGoneError
from radtui.worker import launcher, rank_process
from radtui.worker.process import (
    ending,
    energy,
    environment,
    failures,
    gpu_lock,
    stopping,
    under_slurm,
    workplace,
)
from radtui.worker.process.journal_reporter import JournalReporter
from radtui.worker.process.nodes import LostNodeError
from radtui.worker.process.reporter import AskReporter, Reporter, Stopped
from radtui.worker.process.workplace import Workplace

log = logging.getLogger("radtui.worker")


def main(arguments: list[str] | None = None) -> int:
    """Run one job to its end.

    Returns:
        0 when it is done or was stopped, 1 when it failed, 2 when there is no such job.
    """
    parser = argparse.ArgumentParser(
        prog="python -m radtui.worker", description="Do one job of a data folder."
    )
    parser.add_argument("--data-dir", required=True, type=Path)
    # Of a rank: the process that launched it.
    parser.add_argument("--launcher", type=int, help=argparse.SUPPRESS)
    parser.add_argument("job_id", type=int)
    options = parser.parse_args(arguments)
    data = DataDir(expanded(options.data_dir).resolve())
    if options.launcher is not None:
        rank_process.begin(data, options.job_id, options.launcher)
    place = workplace.opened(data, options.job_id, is_rank=options.launcher is not None)
    try:
        return _done(data, place, is_rank=options.launcher is not None)
    finally:
        place.close()


def _done(data: DataDir, place: Workplace, is_rank: bool) -> int:
    """Do the job, or a rank's part of it; returns the exit code."""
    db = place.db
    if (job := jobs.get(db, place.job_id)) is None:
        print(f"There is no job {place.job_id} in {data.database}.", file=sys.stderr)
        return 2
    environment.prepare(data, launcher.wanted(job))
    environment.report(data, job)
    _log_to_stdout()
    if is_rank:
        rank_process.work(job, data, place)
        return 0
    reporter = place.reporter(job.kind)
    state, error = _attempt(job, data, db, reporter)
    log.info("job %d is %s%s", job.id, state, f": {error}" if error else "")
    if isinstance(reporter, JournalReporter):
        if under_slurm.begin_again(reporter, state):
            return 0
        state, error = under_slurm.ended(reporter, state, error)
    try:
        reporter.end(state, error)
    except FolderGoneError as gone:
        log.error("how the job ended could not be written: %s", gone)
        return 1
    environment.restore()
    if state is JobState.DONE and place.run is None:
        from radtui.jobs import start_followers

        with contextlib.suppress(UserError):  # why a follower could not be started is on its own row
            start_followers(data, db, job.id)
    now = jobs.must_get(db, job.id)
    took_s = time.time() - now.started_at if now.started_at is not None else None
    ending.run_then(now, data, state, error, took_s, wait=place.run is not None)
    return 1 if state is JobState.FAILED else 0


def _attempt(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> tuple[JobState, str]:
    """Run the job; whatever happens, it ends in a state, and a failure in one sentence with its log."""
    log.info("job %d: %s %s", job.id, job.kind, job.name)
    try:
        # Before the row says that it runs: whoever reads that may send a signal.
        stopping.stop_on_signals(reporter)
        reporter.begin(os.getpid())
        if isinstance(reporter, JournalReporter):
            under_slurm.begin(reporter, job.step)
        with (
            gpu_lock.held(job, data, reporter, launcher.wanted(job)) as locks,
            energy.measured(job, reporter, gpu_lock.used(job, locks, launcher.wanted(job))),
        ):
            run(job, data, db, reporter, locks)
    except BaseException as error:  # a worker must never die without a row that says why
        # A library may have turned the Stopped that a signal raised into an error of its own.
        if isinstance(error, Stopped) or reporter.terminated:
            return JobState.STOPPED, ""
        log.error("failed", exc_info=True)
        if isinstance(reporter, JournalReporter):
            reporter.has_lost_node = isinstance(error, LostNodeError)
        again = "ask again" if job.kind is JobKind.ASK else "resume the job"
        return JobState.FAILED, failures.sentence(error, data, again=again)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # the end must be written in peace
    return JobState.DONE, ""


def run(
    job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter, gpus: gpu_lock.Locks | None = None
) -> None:
    """Do what the job's kind says; `gpus` are those it holds.

    Raises:
        Stopped: The job was asked to stop.
        UserError: It cannot go on, and the user can do something about it.
    """
    if launcher.wanted(job) > 1:
        launcher.run(job, data, db, reporter)
    elif job.kind is JobKind.IMPORT:
        from radtui.worker.importing import ingest

        ingest.run(job, data, db, reporter)
    elif job.kind is JobKind.TRAIN:
        from radtui.worker.training import seeds, train

        train.run(job, data, db, reporter)
        if seeds.are_left(db, job.id):
            seeds.go_on(job, data, reporter)
    elif job.kind is JobKind.GENERATE:
        from radtui.worker.describing import generate

        generate.run(job, data, db, reporter)
    elif job.kind is JobKind.SCORE:
        from radtui.worker.scoring import score

        score.run(job, data, db, reporter)
    elif job.kind is JobKind.ASK and isinstance(reporter, AskReporter):
        from radtui.worker.asking import serve

        serve.run(job, data, db, reporter, gpus or gpu_lock.Locks())
    else:
        raise UserError(f"This radtui cannot do jobs of kind {job.kind}: update radtui.")


def _log_to_stdout() -> None:
    """Stdout is the job's log file: whole lines, each with its time."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="replace")
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"
    )
    logging.captureWarnings(True)
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch|transformers")


def _leave(code: int) -> NoReturn:
    """End the process now that all is written, whatever goes on in a thread of a library's."""
    # Python waits for a pool's threads whatever their kind, and a download may have an hour to go.
    waits = any(each.name.startswith("ThreadPoolExecutor") for each in threading.enumerate())
    # A thread of gloo's that asks for the interpreter while it is taken down aborts a rank, and so a job that is done.
    # Source: https://github.com/pytorch/pytorch/issues/190489
    if waits or "LOCAL_RANK" in os.environ:
        for child in multiprocessing.active_children():  # loaders, which Python would end
            child.terminate()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    _leave(main())
