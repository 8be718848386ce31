"""What a worker does that Slurm started: say where it runs, heed the time limit, and have itself queued again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from types import FrameType

from radtui.records import JobState
from radtui.store import jobs, metrics
from radtui.worker.process.journal_reporter import TIME_SIGNAL, JournalReporter

log = logging.getLogger("radtui.worker")
KIND = "cluster"  # of events
REQUEUE_S = 60.0
NO_STEP = "Slurm's time limit was near before the job had done anything: give it more time in the profile."
LOST_NODES = 5  # starts after which a machine that is lost once more is no accident


def begin(reporter: JournalReporter, step: int) -> None:
    """Say where the job runs, and save and end when Slurm says that time is short."""

    def warned(number: int, frame: FrameType | None) -> None:
        reporter.out_of_time()

    signal.signal(TIME_SIGNAL, warned)
    # One that came between two trainings is taken now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {TIME_SIGNAL})
    if job := os.environ.get("SLURM_JOB_ID"):
        nodes = os.environ.get("SLURM_JOB_NODELIST", "")
        restarts = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
        again = f", start {restarts + 1}" if restarts else ""
        where = f"Runs on {nodes} as Slurm job {job}{again}"
        reporter.progress(step, jobs.must_get(reporter.db, reporter.job_id).total_steps, where)
        before = [
            event.text
            for event in metrics.events_since(reporter.db, reporter.job_id, 0)
            if event.kind == KIND
        ]
        if before[-1:] != [where]:  # it is said once, however many trainings the job has
            reporter.event(step, KIND, where)


def begin_again(reporter: JournalReporter, state: JobState) -> bool:
    """Have Slurm start the job once more where it ended for want of time or of a machine; False where it is over."""
    job = os.environ.get("SLURM_JOB_ID")
    why = _why_again(reporter, state)
    if job is None or not why:
        return False
    reporter.catch_up(ended=True)
    step = jobs.must_get(reporter.db, reporter.job_id).step
    reporter.event(step, KIND, f"{why}; Slurm starts the job again")
    try:
        subprocess.run(
            ["scontrol", "requeue", job], check=True, capture_output=True, text=True, timeout=REQUEUE_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = " ".join(str(getattr(error, "stderr", "") or error).split())[-200:].rstrip(".")
        reporter.event(step, "warning", f"Slurm did not start the job again ({reason}): resume it")
        return False
    return True


def ended(reporter: JournalReporter, state: JobState, error: str) -> tuple[JobState, str]:
    """How a job is over that is not started again; one that would never get anywhere has failed."""
    if state is JobState.STOPPED and reporter.goes_on_later and not reporter.has_moved_on:
        return JobState.FAILED, NO_STEP
    return state, error


def _why_again(reporter: JournalReporter, state: JobState) -> str:
    """Why a job is to be started again; "" where it is not."""
    if state is JobState.STOPPED and reporter.goes_on_later and reporter.has_moved_on:
        return "Saved before the time limit"
    restarts = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
    if state is JobState.FAILED and reporter.has_lost_node and restarts < LOST_NODES:
        return "A machine was lost"
    return ""
