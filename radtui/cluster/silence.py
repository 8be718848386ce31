"""That Slurm does not answer, in words: since when what is shown of a job is old, and what happens next; pure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from radtui.plural import listed
from radtui.records import Job

# Of what a job's result keeps of Slurm: Unix time, s, and a sentence.
SINCE, WHY = ("silent_since", "silent_why")


def is_silent(job: Job) -> bool:
    """Whether Slurm did not answer when it was last asked about a live job."""
    return job.state.live and SINCE in _facts(job)


def silence_words(job: Job, now_s: float) -> str:
    """What to know of a job about which Slurm is silent; "" where it is not."""
    if not is_silent(job):
        return ""
    return (
        f"{short_silence(job, now_s)}: this state is of then, and Slurm is asked again every few seconds;"
        f" what the job itself writes still comes in ({_why(job)})"
    )


def short_silence(job: Job, now_s: float) -> str:
    """The same in some words: "Slurm silent since 14:03"; "" where it is not."""
    return f"Slurm silent since {_clock(_since_s(job), now_s)}" if is_silent(job) else ""


def silence_of_all(jobs: Iterable[Job], now_s: float) -> str:
    """One sentence about all jobs about which Slurm is silent; "" where there is none."""
    silent = [job for job in jobs if is_silent(job)]
    if not silent:
        return ""
    since_s = min(map(_since_s, silent))
    numbers = listed([str(job.id) for job in sorted(silent, key=lambda job: job.id)])
    what = f"job {numbers} is" if len(silent) == 1 else f"jobs {numbers} are"
    return (
        f"Slurm has not answered since {_clock(since_s, now_s)} ({_why(silent[0])}): {what} shown as of then, but for"
        " what the job itself has written. The next command asks again; the open app does so every few seconds."
    )


def _facts(job: Job) -> dict[str, Any]:
    facts = job.result.get("slurm")
    return facts if isinstance(facts, dict) else {}


def _since_s(job: Job) -> float:
    return float(_facts(job)[SINCE])


def _why(job: Job) -> str:
    return str(_facts(job).get(WHY, "")).rstrip(".") or "no reason is known"


def _clock(at_s: float, now_s: float) -> str:
    at, now = time.localtime(at_s), time.localtime(now_s)
    return time.strftime("%H:%M" if at[:3] == now[:3] else "%d %b %H:%M", at)
