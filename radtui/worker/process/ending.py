"""What a user wants done when a job has ended: a command of their own, which outlives the worker."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys

from radtui.paths import DataDir
from radtui.records import Job, JobState

log = logging.getLogger("radtui.worker")
# The shell says how the command ended, since nobody waits for it: a worker that did would keep the job's lock.
SCRIPT = '(eval "$RADTUI_THEN"); code=$?; echo "the command behind the job ended with code $code"; exit $code'


def run_then(job: Job, data: DataDir, state: JobState, error: str, seconds: float | None, wait: bool) -> None:
    """Run the command of a job's `then`, if any, once its end is written; what it prints goes to the job's log.

    Args:
        job: The job.
        data: Its data folder.
        state: How it ended.
        error: Why it failed, else "".
        seconds: How long it ran.
        wait: Whether to wait for its end: where whoever started the worker ends all that is left behind.
    """
    command = str(job.settings.get("then", "")).strip()
    if not command:
        return
    facts = {
        "RADTUI_THEN": command, "RADTUI_JOB": str(job.id), "RADTUI_JOB_STATE": state.value,
        "RADTUI_JOB_KIND": job.kind.value, "RADTUI_JOB_NAME": job.name, "RADTUI_JOB_ERROR": error,
        "RADTUI_JOB_FOLDER": str(data.job(job.id)), "RADTUI_DATA": str(data.root),
        "RADTUI_JOB_SECONDS": "" if seconds is None else f"{seconds:.0f}",
    }  # fmt: skip
    log.info("then: %s", command)
    sys.stdout.flush()
    # All is written; what is ignored here would be so in the command.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        child = subprocess.Popen(
            ["/bin/sh", "-c", SCRIPT], env={**os.environ, **facts}, stdin=subprocess.DEVNULL,
            cwd=data.job(job.id), start_new_session=True,
        )  # fmt: skip
    except OSError as problem:
        log.error("then: the command could not be started: %s", problem)
        return
    if wait:
        child.wait()
