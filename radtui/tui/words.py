"""Jobs as the text a screen shows: their states, how far they are, what comes after them."""

from __future__ import annotations

from radtui.durations import clock_text
from radtui.records import Job, JobKind, JobState
from radtui.tui.keys import sign

KINDS = {JobKind.IMPORT: "Import", JobKind.TRAIN: "Training", JobKind.GENERATE: "Descriptions",
         JobKind.ASK: "Questions", JobKind.SCORE: "Scores"}  # fmt: skip
BAR_FULL, BAR_EMPTY = "━", "─"
MARKS = {
    JobState.QUEUED: "·",
    JobState.STARTING: "○",
    JobState.RUNNING: "●",
    JobState.DONE: "✓",
    JobState.STOPPED: "■",
    JobState.FAILED: "✗",
    JobState.LOST: "?",
}
BECAME = {JobState.STOPPED: "was stopped", JobState.FAILED: "has failed", JobState.LOST: "was lost"}


def job_words(job: Job) -> str:
    """A job within a sentence: "training #3"."""
    return f"{KINDS[job.kind].lower()} #{job.id}"


def bar(share: float, cells: int) -> tuple[str, str]:
    """The full and the empty part of a progress bar of so many cells."""
    full = int(max(0.0, min(1.0, share)) * cells + 0.5)
    return BAR_FULL * full, BAR_EMPTY * (cells - full)


def took(job: Job, now_s: float) -> str:
    """How long a job ran, loading included and the time between two attempts left out; "" before it started."""
    if job.started_at is None:
        return ""
    return clock_text((job.ended_at or now_s) - job.started_at)


def counted(job: Job) -> str:
    """How far a job is: "120/300"; "" before it is known."""
    if job.total_steps <= 0:
        return f"{job.step:,}" if job.step else ""
    return f"{job.step:,}/{job.total_steps:,}"


def learnt_from_readers(job: Job) -> bool:
    """Whether a training job learnt what readers preferred or corrected."""
    return job.settings.get("objective") in ("dpo", "corrections")


def of_slurm(job: Job) -> str:
    """What Slurm says of how a job ended, such as who cancelled it; "" where it says nothing."""
    facts = job.result.get("slurm")
    return str(facts.get("said", "")) if isinstance(facts, dict) else ""


def after(job: Job) -> str:
    """What to know and do when a job is done, with its key."""
    unreadable = job.result.get("unreadable")
    lacking = f"{unreadable:,} could not be read. " if unreadable else ""
    return {
        JobKind.IMPORT: f"{lacking}Press {sign('data')} to look at the images.",
        JobKind.TRAIN: f"Press {sign('train')}, then {sign('describe')} to let the models describe test images.",
        JobKind.GENERATE: f"Press {sign('review')} to rate the descriptions, {sign('alone')} there to correct them.",
        JobKind.ASK: "What was asked is kept.",
        JobKind.SCORE: f"Press {sign('jobs')} to look at it.",
    }[job.kind]
