"""A job on several GPUs: one process for each under torch's own launcher, the one `torchrun` runs.

The job's worker is the launcher. It holds the job's lock, passes stop signals on, and writes how the job ended; its
ranks do the work.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

from radtui.paths import DataDir
from radtui.records import Job, JobKind, StopRequest, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.worker.process.ranks import log_name
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training import checkpoints, seeds

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

log = logging.getLogger("radtui.worker")
HERE = "127.0.0.1"  # all ranks are on this machine; its name need not be known to anybody
LOOK_S = 0.2  # between looks at the ranks
SHOWN_LINES = 60  # of a failed rank's log, in the job's
ECHO = re.compile(
    "gloo|nccl|connection (closed|reset|refused)|broken pipe|Dist(Backend|Network|Store)"
    f"|^Signal {signal.SIGTERM:d} ",  # so the launcher ends the ranks that are left
    re.IGNORECASE,
)
"""What is said of a rank that ended because another one was gone."""


def wanted(job: Job) -> int:
    """How many processes a job asks for."""
    count = job.settings.get("gpus", 1)
    return count if isinstance(count, int) else 1


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Do a job in as many processes as it asks for, and wait until all have ended.

    Raises:
        Stopped: The job was asked to stop.
        UserError: There are fewer GPUs, or a rank failed; says why.
    """
    from torch.distributed.elastic.multiprocessing import SignalException

    check_gpus(wanted(job))
    if job.kind is JobKind.TRAIN:
        checkpoints.start(data, reporter)
    try:
        while (problem := _launched(job, data)) is not None or seeds.are_left(db, job.id):
            reporter.catch_up(ended=True)  # what the ranks found out is in the job's result
            if problem is not None:
                _settle(job, data, db, reporter, problem)
            elif reporter.asked() is not StopRequest.NONE:
                raise Stopped
            else:
                checkpoints.start(data, reporter)  # of the next training
            job = jobs.must_get(db, job.id)
    except SignalException as signalled:
        raise Stopped from signalled


def check_gpus(count: int) -> None:
    """Raise UserError when there are fewer GPUs than a job asks for."""
    import torch

    # Without a GPU the ranks compute on the CPU, as many as were asked for.
    there = torch.cuda.device_count() if torch.cuda.is_available() else count
    if count > there:
        raise UserError(
            f"The job asks for {count} GPUs and there {'is' if there == 1 else 'are'} {there}: lower gpus."
        )


def _launched(job: Job, data: DataDir) -> ProcessFailure | None:
    """Run all ranks to their end; None when all went well, else what went wrong first."""
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher import LaunchConfig, elastic_launch

    files = data.job(job.id) / "ranks"  # the launcher's own, of what raised
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=wanted(job), run_id=f"job-{job.id}", role="rank",
        rdzv_backend="c10d", rdzv_endpoint=f"{HERE}:0", local_addr=HERE, max_restarts=0, monitor_interval=LOOK_S,
        logs_specs=DefaultLogsSpecs(log_dir=str(files)),
    )  # fmt: skip
    whose = ["--data-dir", str(data.root), "--launcher", str(os.getpid()), str(job.id)]
    try:
        elastic_launch(config, sys.executable)("-P", "-m", "radtui.worker", *whose)
    except ChildFailedError as error:
        return min(error.failures.values(), key=_place)
    finally:
        shutil.rmtree(files, ignore_errors=True)
    return None


def _place(failure: ProcessFailure) -> tuple[bool, int]:
    """Sorts what went wrong: causes before what only followed, then by time."""
    # The exit code tells them apart no better: one that has raised may be ended by a signal on its way out.
    return bool(ECHO.search(_raised(failure))), failure.timestamp


def _raised(failure: ProcessFailure) -> str:
    """Class and words of what a rank raised; the launcher's own words where it was killed."""
    message: object = failure.message  # a str by its annotation, a dict where the rank has written its file
    return str(message["message"] if isinstance(message, dict) else message)


def _settle(
    job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter, problem: ProcessFailure
) -> None:
    """Make the job ready to be launched again after what went wrong, where that helps.

    Raises:
        Stopped: Nothing went wrong, the rank stopped as it was asked to.
        UserError: It is no use.
    """
    kind, _, sentence = _raised(problem).partition(": ")
    if kind == "Stopped" or reporter.asked() is StopRequest.NOW:
        raise Stopped
    if kind == "OutOfMemoryError" and job.kind is JobKind.TRAIN:
        _halve(job, data, db, reporter)
        return
    name = log_name(problem.local_rank)
    own_log = data.job(job.id) / name
    if not own_log.exists():
        name = log_name(0)  # it ended before it had one: what it said then is in the job's
    elif problem.local_rank:
        lines = own_log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        log.error("The end of %s:\n%s", name, "\n".join(lines))
    if kind == "UserError":
        raise UserError(sentence)
    ending = (
        f"was ended by {signal.Signals(-problem.exitcode).name}" if problem.exitcode < 0 else "ended early"
    )
    why = ", most often for want of memory" if problem.exitcode == -signal.SIGKILL else ""
    raise UserError(
        f"Process {problem.local_rank + 1} of {wanted(job)}, one per GPU, {ending}{why}; read {name}, then"
        " resume the job."
    )


def _halve(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Let every rank take half as many images at a time, from the last checkpoint on.

    A rank whose memory is full leaves the others in the middle of an exchange that can't be finished, so all begin
    anew.
    """
    from radtui.worker.memory import shares
    from radtui.worker.model import backend

    before = backend.as_last_fitted(TrainSettings.from_dict(job.settings), jobs.must_get(db, job.id))
    after = shares.halved(before)
    if after is None:
        raise UserError("The GPU's memory is full with one image at a time; read the job's log.")
    reporter.result(batch_size=after.batch_size, gradient_accumulation=after.gradient_accumulation)
    start = checkpoints.start(data, reporter)
    reporter.event(start.step, "memory", shares.smaller_sentence(before, after, True), start.elapsed_s)
