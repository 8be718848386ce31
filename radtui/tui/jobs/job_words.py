"""What a job's state means to its user: a sentence and the next key; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from radtui.cluster.silence import silence_words
from radtui.durations import clock_text
from radtui.jobs.progress import UNITS, JobProgress
from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.tui import words
from radtui.tui.keys import sign

STOP, NOW, RESUME, AGAIN, LOG = map(sign, ("stop", "stop_now", "resume", "again", "log"))
SEEN_ANYHOW = ("Training", "Describing")  # messages that say no more than kind, count and speed do


@dataclass(frozen=True, slots=True)
class Saying:
    """A state in words. `style` is a colour of the theme; `next` names keys."""

    state: str
    text: str
    next: str
    style: str = "$accent"


def saying(job: Job, progress: JobProgress | None, now_s: float, described_by: Job | None = None) -> Saying:
    """What to say of a job.

    Args:
        job: Any.
        progress: Of a live one.
        now_s: The time.
        described_by: The newest job that describes images with a training's models, as `describing` has it.
    """
    if silence := silence_words(job, now_s):
        known = (
            _stopping(job) if job.stop_requested is not StopRequest.NONE else _of_state(job, progress, now_s)
        )
        return replace(known, text=" · ".join(filter(None, (silence, known.text))), style="$warning")
    if job.state.live and job.stop_requested is not StopRequest.NONE:
        return _stopping(job)
    status = _of_state(job, progress, now_s)
    if job.state is JobState.DONE and described_by is not None and not words.learnt_from_readers(job):
        return replace(status, next=_after_describing(described_by) or status.next)
    return status


def _of_state(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    return {
        JobState.QUEUED: _queued, JobState.STARTING: _starting, JobState.RUNNING: _running,
        JobState.DONE: _done, JobState.STOPPED: _stopped, JobState.FAILED: _failed, JobState.LOST: _lost,
    }[job.state](job, progress, now_s)  # fmt: skip


def describing(job: Job, jobs: Iterable[Job]) -> Job | None:
    """The newest job that describes images with a training's models; None where there is none.

    Args:
        job: The training.
        jobs: All jobs, newest first.
    """
    return next(
        (each for each in jobs if each.kind is JobKind.GENERATE and each.parent_job_id == job.id), None
    )


def _stopping(job: Job) -> Saying:
    if job.stop_requested is StopRequest.NOW:
        return Saying("stopping", "It ends as soon as it can.", "", "$warning")
    if job.kind is JobKind.TRAIN:
        return Saying(
            "stopping",
            "It finishes this step, saves a checkpoint and ends.",
            f"{NOW} stops it at once",
            "$warning",
        )
    return Saying(
        "stopping", "It finishes what it has in hand and ends.", f"{NOW} stops it at once", "$warning"
    )


def _queued(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    return Saying(
        "queued",
        f"Waits for #{job.after_job_id} to be done.",
        f"{STOP} takes it out of the queue",
        "$muted",
    )


def _starting(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    waited = clock_text(max(0.0, now_s - max(job.created_at, job.heartbeat_at or 0.0)))
    return Saying("starting", f"{job.message or 'Starting the worker'} · {waited}", f"{STOP} stops it")


def _running(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    parts = []
    if job.total_steps:
        parts.append(f"{UNITS[job.kind]} {words.counted(job)}")
    elif job.started_at is not None:
        parts += [job.message or "Starting", clock_text(now_s - job.started_at)]
    if progress is not None:
        parts += [text for text in (progress.speed, progress.left) if text]
    if job.total_steps and job.message and job.message not in SEEN_ANYHOW:
        parts.append(job.message)
    keep = f"{STOP} stops and keeps a checkpoint" if job.kind is JobKind.TRAIN else f"{STOP} stops it"
    return Saying("running", " · ".join(parts), keep)


def _done(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    facts = [
        f"{words.counted(job)} {UNITS[job.kind]}s" if job.total_steps else "",
        words.took(job, now_s),
    ]
    text = " · ".join(part for part in [*facts, job.message] if part)
    then = {
        JobKind.IMPORT: f"{sign('data')} looks at the images · {sign('train')} trains on them",
        JobKind.TRAIN: _after_training(job),
        JobKind.GENERATE: f"{sign('review')} rates the descriptions, {sign('alone')} there corrects them",
        JobKind.ASK: "enter looks at its last question",
        JobKind.SCORE: "enter looks at it",
    }[job.kind]
    return Saying("done", text, then)


def _after_training(job: Job) -> str:
    describe = sign("describe")
    if not words.learnt_from_readers(job):
        return f"{describe} lets the models describe test images · {AGAIN} starts another"
    return (
        f"{describe} lets the models describe: split test says whether it got better"
        f" ({sign('review')}, {sign('totals')}), split train is the next round ({sign('review')}, {sign('alone')})"
        f" · {AGAIN} starts another"
    )


def _after_describing(job: Job) -> str:
    """The next keys after a training whose models describe or have described images; "" where that came to nothing."""
    if job.state.live:
        rates = f"{sign('review')} rates what #{job.id} writes already"
    elif job.state is JobState.DONE:
        rates = f"{sign('review')} rates what #{job.id} wrote"
    else:
        return ""
    return f"{rates} · {sign('describe')} describes other images · {AGAIN} starts another"


def _stopped(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    text = job.message or "Stopped."
    if job.total_steps:
        text = f"Stopped at {UNITS[job.kind]} {words.counted(job)}"
        text += f" · {remark}" if (remark := words.of_slurm(job)) else ""
    return Saying("stopped", text, _again(job), "$muted")


def _failed(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    edits = f"{AGAIN} edits the settings and starts again · " if job.kind is JobKind.TRAIN else ""
    then = f"{sign('ask')} on an image asks anew" if job.kind is JobKind.ASK else f"{RESUME} tries once more"
    return Saying("failed", job.error, f"{LOG} shows the log · {edits}{then}", "$error")


def _lost(job: Job, progress: JobProgress | None, now_s: float) -> Saying:
    return Saying("lost", job.error, f"{_again(job)} · {LOG} shows the log", "$warning")


def _again(job: Job) -> str:
    if job.kind is JobKind.ASK:
        return f"enter looks at its last question · {sign('ask')} on an image asks anew"
    if job.kind is JobKind.TRAIN:
        where = "a checkpoint, if any" if job.state is JobState.LOST else "the last checkpoint"
        return f"{RESUME} goes on from {where} · {AGAIN} starts another"
    return f"{RESUME} goes on with what is missing"
