"""What Slurm says of the jobs that were handed to it, on their rows; liveness is Slurm's, not a lock's."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from radtui.cluster import collect, slurm
from radtui.cluster.slurm import Status
from radtui.paths import DataDir
from radtui.records import Job, JobState, StopRequest
from radtui.store import jobs

ASK_S = 3.0  # between questions: Slurm's controller answers everybody
WAITS = ("PENDING", "REQUEUED", "CONFIGURING", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT", "SUSPENDED")
WHY = {
    "TIMEOUT": "Slurm's time limit was over before a checkpoint was saved: give it more time in the profile",
    "OUT_OF_MEMORY": "The memory that Slurm had given it was full: ask for more in the profile",
    "NODE_FAIL": "The machine failed, and Slurm did not start the job again",
    "PREEMPTED": "Slurm gave its machine to another job, and did not start it again",
}
REASONS = {
    "Resources": "no machine is free",
    "Priority": "others come first",
    "BeginTime": "it may not start yet",
    "Dependency": "another job comes first",
    "ReqNodeNotAvail": "the machines it may have are down or reserved",
    "PartitionDown": "its partition is down",
    "PartitionTimeLimit": "its partition allows no job of that time",
    "PartitionNodeLimit": "its partition has not as many machines",
    "JobHeldUser": "it is held, scontrol release lets it go",
    "JobHeldAdmin": "an administrator holds it",
    "launch failed": "its machine could not start it",
    "QOS": "a limit of its quality of service is reached",
    "Assoc": "a limit of its account is reached",
    "MaxJobs": "a limit of its account is reached",
}
"""What a reason of Slurm's begins with, in words. Source: squeue(1), JOB REASON CODES."""
_asked_at_s = float("-inf")


def watch(data: DataDir, db: sqlite3.Connection, nobody_submits: bool, at_once: bool = False) -> None:
    """Bring in what jobs on the cluster have written, and what Slurm says of them.

    Args:
        data: The data folder.
        db: Its database.
        nobody_submits: Whether no other process is handing a job over at this moment.
        at_once: Ask Slurm although it was asked a moment ago.
    """
    global _asked_at_s  # noqa: PLW0603 - of this process, whichever connections it has
    there = jobs.on_cluster(db)
    for job in there:
        _collect(data, db, job)
    now_s = time.monotonic()
    if not there or (now_s - _asked_at_s < ASK_S and not at_once):
        return
    _asked_at_s = now_s
    try:
        queue = slurm.queue()
    except slurm.SlurmError:  # it will answer another time; the rows stay as they are
        return
    for job in there:
        _settle(data, db, jobs.must_get(db, job.id), queue, nobody_submits)


def _collect(data: DataDir, db: sqlite3.Connection, job: Job) -> None:
    if (run := collect.folder_of(data, job)) is not None:
        collect.collect(data, db, job, run)


def _settle(
    data: DataDir, db: sqlite3.Connection, job: Job, queue: dict[int, Status], nobody_submits: bool
) -> None:
    facts = job.result[collect.SLURM]
    assert isinstance(facts, dict)
    if not facts["id"]:  # whoever handed it over was killed, or is about to write its number
        number = next((status.job for status in queue.values() if status.name == facts["name"]), 0)
        if not number and nobody_submits:
            _over(db, job, facts, "")
            jobs.settle(db, job.id, JobState.FAILED, "The job was not handed to Slurm: resume it.")
        if not number:
            return
        facts["id"] = number
        jobs.set_result(db, job.id, **{collect.SLURM: facts})
    status = queue.get(facts["id"])
    if status is None:
        _settle_gone(data, db, job, facts)
        return
    if (status.state, status.nodes) != (facts["state"], facts["nodes"]):
        facts |= {"state": status.state, "nodes": status.nodes}
        jobs.set_result(db, job.id, **{collect.SLURM: facts})
    if status.state in WAITS:
        jobs.wait_again(db, job.id, waiting_words(status))
    elif status.state == "RUNNING" and job.state is JobState.STARTING:
        jobs.wait_again(db, job.id, f"Starts on {status.nodes} as Slurm job {status.job}")


def waiting_words(status: Status) -> str:
    """Why a job waits, and until when: "Waits in Slurm as job 7: others come first (Priority), expected to start …"."""
    words = f"Waits in Slurm as job {status.job}"
    if status.reason:
        meaning = next((text for start, text in REASONS.items() if status.reason.startswith(start)), "")
        words += f": {meaning} ({status.reason})" if meaning else f" ({status.reason})"
    if status.start:
        words += f", expected to start {status.start.replace('T', ' ')[:16]}"
    return words


def cancelled_words(status: Status, by_radtui: bool) -> str:
    """Who took a job away: "Cancelled from outside by ann, in Slurm, where it was job 7"."""
    if by_radtui:
        return f"Cancelled in Slurm, where it was job {status.job}"
    who = f" by {status.by}" if status.by else ", not by radtui"
    return f"Cancelled from outside{who}, in Slurm, where it was job {status.job}"


def _settle_gone(data: DataDir, db: sqlite3.Connection, job: Job, facts: dict[str, Any]) -> None:
    """A job neither waits nor runs any more: take in what it wrote last, and how Slurm says that it ended."""
    status = slurm.ended(facts["id"])
    if not status.is_over:  # it was queued again between the two questions
        return
    _collect(data, db, job)
    job = jobs.must_get(db, job.id)
    _over(db, job, job.result[collect.SLURM], status.state)
    by_radtui = job.stop_requested is not StopRequest.NONE
    if job.state.live:
        _settle_without_word(db, job, status, by_radtui)
    elif job.state is JobState.STOPPED and status.state == slurm.CANCELLED and not by_radtui:
        _remark(db, job, cancelled_words(status, by_radtui))
    elif job.state is JobState.STOPPED and status.state == "TIMEOUT":
        _remark(db, job, WHY["TIMEOUT"])


def _settle_without_word(db: sqlite3.Connection, job: Job, status: Status, by_radtui: bool) -> None:
    if status.state == slurm.CANCELLED:
        jobs.settle(db, job.id, JobState.STOPPED)
        _remark(db, job, cancelled_words(status, by_radtui))
        return
    why = WHY.get(
        status.state, f"Slurm's job {status.job} ended ({status.state or 'no longer known'}) without a word"
    )
    jobs.settle(db, job.id, JobState.LOST, f"{why}; resume it, or read its log.")


def _over(db: sqlite3.Connection, job: Job, facts: object, state: str) -> None:
    assert isinstance(facts, dict)
    jobs.set_result(db, job.id, **{collect.SLURM: {**facts, "state": state, "over": True}})


def _remark(db: sqlite3.Connection, job: Job, words: str) -> None:
    """Say of an ended job what its worker does not know; a job that is handed over anew begins without it."""
    facts = jobs.must_get(db, job.id).result[collect.SLURM]
    assert isinstance(facts, dict)
    jobs.set_result(db, job.id, **{collect.SLURM: {**facts, "said": words}})
    jobs.remark(db, job.id, words)
