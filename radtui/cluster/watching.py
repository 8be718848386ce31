"""What Slurm says of the jobs that were handed to it, on their rows; liveness is Slurm's, not a lock's."""

from __future__ import annotations

import sqlite3
from typing import Any

from radtui.cluster import collect, silence, slurm
from radtui.cluster.asking import SlurmAnswer, SlurmQuestions
from radtui.cluster.slurm import Status
from radtui.paths import DataDir
from radtui.records import Job, JobState, StopRequest
from radtui.store import jobs

ANSWERED = "answered_at"  # of what a job's result keeps of Slurm: Unix time, s
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
NOTED_S = 60.0  # between notes on a job's row of when Slurm answered, where nothing else has changed
_questions: dict[str, SlurmQuestions] = {}  # by data folder


def watch(
    data: DataDir, db: sqlite3.Connection, nobody_submits: bool, at_once: bool = False, waits: bool = True
) -> None:
    """Bring in what jobs on the cluster have written, and what Slurm says of them, or that it says nothing.

    Args:
        data: The data folder.
        db: Its database.
        nobody_submits: Whether no other process is handing a job over at this moment.
        at_once: Ask Slurm although it was asked a moment ago.
        waits: Whether to wait for Slurm's answer; else a later call has it, as what draws must not stand still.
    """
    there = jobs.on_cluster(db)
    for job in there:
        _collect(data, db, job)
    if not there:
        return
    questions = _questions.setdefault(str(data.root), SlurmQuestions())
    numbers = [number for job in there if (number := _facts(job)["id"])]
    answer = questions.answer([job.id for job in there], numbers, nobody_submits, at_once, waits)
    if answer is None:
        return
    for job in there:
        if job.id not in answer.about:
            continue
        now = jobs.must_get(db, job.id)
        if answer.trouble:
            _note_silence(db, now, answer.trouble, questions.answered_at_s)
        else:
            _settle(data, db, now, answer, nobody_submits and answer.nobody_submitted)


def _collect(data: DataDir, db: sqlite3.Connection, job: Job) -> None:
    if (run := collect.folder_of(data, job)) is not None:
        collect.collect(data, db, job, run)


def _facts(job: Job) -> dict[str, Any]:
    facts = job.result[collect.SLURM]
    assert isinstance(facts, dict)
    return dict(facts)


def _note_silence(db: sqlite3.Connection, job: Job, why: str, answered_at_s: float) -> None:
    """Say on a job's row that Slurm does not answer, and since when what is known of it is old."""
    facts = _facts(job)
    since_s = max(answered_at_s, float(facts.get(ANSWERED, 0.0))) or job.created_at
    if (facts.get(silence.SINCE), facts.get(silence.WHY)) != (since_s, why):
        jobs.set_result(db, job.id, **{collect.SLURM: facts | {silence.SINCE: since_s, silence.WHY: why}})


def _note_answer(db: sqlite3.Connection, job: Job, answer: SlurmAnswer, **changed: object) -> None:
    """Keep what Slurm said on a job's row, and now and then that it answered."""
    before = _facts(job)
    facts = {
        name: value for name, value in before.items() if name not in (silence.SINCE, silence.WHY)
    } | changed
    if facts != before or answer.at_s - float(facts.get(ANSWERED, 0.0)) >= NOTED_S:
        jobs.set_result(db, job.id, **{collect.SLURM: facts | {ANSWERED: answer.at_s}})


def _settle(
    data: DataDir, db: sqlite3.Connection, job: Job, answer: SlurmAnswer, nobody_submits: bool
) -> None:
    facts = _facts(job)
    if not facts["id"]:  # whoever handed it over was killed, or is about to write its number
        number = next((status.job for status in answer.queue.values() if status.name == facts["name"]), 0)
        if not number and nobody_submits:
            _over(db, job, facts, "")
            jobs.settle(db, job.id, JobState.FAILED, "The job was not handed to Slurm: resume it.")
        if not number:
            return
        facts["id"] = number
    status = answer.queue.get(facts["id"])
    if status is None:
        _settle_gone(data, db, job, answer)
        return
    _note_answer(db, job, answer, id=facts["id"], state=status.state, nodes=status.nodes)
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


def _settle_gone(data: DataDir, db: sqlite3.Connection, job: Job, answer: SlurmAnswer) -> None:
    """A job neither waits nor runs any more: take in what it wrote last, and how Slurm says that it ended."""
    status = answer.ended.get(_facts(job)["id"])
    if status is None:  # it was handed over since Slurm was asked
        return
    if not status.is_over:  # it was queued again between the two questions
        _note_answer(db, job, answer)
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
    kept = {name: value for name, value in facts.items() if name not in (silence.SINCE, silence.WHY)}
    jobs.set_result(db, job.id, **{collect.SLURM: {**kept, "state": state, "over": True}})


def _remark(db: sqlite3.Connection, job: Job, words: str) -> None:
    """Say of an ended job what its worker does not know; a job that is handed over anew begins without it."""
    facts = jobs.must_get(db, job.id).result[collect.SLURM]
    assert isinstance(facts, dict)
    jobs.set_result(db, job.id, **{collect.SLURM: {**facts, "said": words}})
    jobs.remark(db, job.id, words)
