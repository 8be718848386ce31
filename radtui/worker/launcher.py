"""A job on several GPUs: one process for each under torch's own launcher, the one `torchrun` runs.

The job's worker holds the job's lock, passes stop signals on, and writes how the job ended; its ranks do the work. On
one machine it is their launcher too, on several each machine has one.
"""

from __future__ import annotations

import logging
import signal
import sqlite3

from radtui.paths import DataDir
from radtui.records import Job, JobKind, StopRequest, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.worker.process import nodes, torch_launcher
from radtui.worker.process.ranks import log_name
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.process.torch_launcher import LaunchProblem, Machine
from radtui.worker.training import checkpoints, seeds

log = logging.getLogger("radtui.worker")
SHOWN_LINES = 60  # of a failed rank's log, in the job's


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
    if nodes.count() == 1:
        torch_launcher.check_gpus(wanted(job))
    if job.kind is JobKind.TRAIN:
        checkpoints.start(data, reporter)
    while True:
        problem = _launched(job, data)
        reporter.catch_up(ended=True)  # what the ranks found out is in the job's result
        if problem is None and not seeds.are_left(db, job.id):
            return
        if problem is not None:
            _settle(job, data, db, reporter, problem)
        elif reporter.asked() is not StopRequest.NONE:
            raise Stopped
        else:
            checkpoints.start(data, reporter)  # of the next training
        job = jobs.must_get(db, job.id)


def _launched(job: Job, data: DataDir) -> LaunchProblem | None:
    """Run all ranks to their end; None when all went well, else what went wrong first."""
    if nodes.count() > 1:
        return nodes.launch(data, job.id, wanted(job))
    return torch_launcher.launch(data, job.id, Machine(wanted(job), data.job(job.id) / "ranks"))


def _settle(
    job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter, problem: LaunchProblem
) -> None:
    """Make the job ready to be launched again after what went wrong, where that helps.

    Raises:
        Stopped: Nothing went wrong, the rank stopped as it was asked to.
        UserError: It is no use.
    """
    kind, _, sentence = problem.message.partition(": ")
    if kind == "Stopped" or reporter.asked() is StopRequest.NOW:
        raise Stopped
    if kind == "OutOfMemoryError" and job.kind is JobKind.TRAIN:
        _halve(job, data, db, reporter)
        return
    name = log_name(max(0, problem.rank))
    own_log = data.job(job.id) / name
    if not own_log.exists():
        name = log_name(0)  # it ended before it had one: what it said then is in the job's
    elif problem.rank > 0:
        lines = own_log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        log.error("The end of %s:\n%s", name, "\n".join(lines))
    if kind == "UserError":
        raise UserError(sentence)
    ending = (
        f"was ended by {signal.Signals(-problem.exitcode).name}" if problem.exitcode < 0 else "ended early"
    )
    why = ", most often for want of memory" if problem.exitcode == -signal.SIGKILL else ""
    raise UserError(
        f"Process {problem.rank + 1} of {wanted(job)}, one per GPU, {ending}{why}; read {name}, then resume the job."
    )


def _halve(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Let every rank take half as many images at a time, from the last checkpoint on.

    A rank whose memory is full leaves the others in the middle of an exchange that can't be finished, so all begin
    anew.
    """
    from radtui.worker.memory import shares

    before = shares.as_last_fitted(TrainSettings.from_dict(job.settings), jobs.must_get(db, job.id))
    after = shares.halved(before)
    if after is None:
        raise UserError("The GPU's memory is full with one image at a time; read the job's log.")
    reporter.result(batch_size=after.batch_size, gradient_accumulation=after.gradient_accumulation)
    start = checkpoints.start(data, reporter)
    reporter.event(start.step, "memory", shares.smaller_sentence(before, after, True), start.elapsed_s)
