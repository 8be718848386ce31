"""The steps of the benchmark of learning from corrections: jobs of one data folder, each done once."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from radtui.jobs import submit_generate
from radtui.jobs.control import reconcile, resume
from radtui.paths import DataDir
from radtui.records import Job, JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs

POLL_S = 0.5


class MissingStepError(RuntimeError):
    """A step is not done, and none is to be started."""


class Steps:
    """Jobs of one data folder by the names of their steps: what is done is not done again.

    Args:
        data: The data folder.
        db: Its database.
        starts: Whether a step that is missing is started; else it is an error.

    Attributes:
        seconds: From start to end of each step that was asked for.
        cpu_seconds: Of each step that was watched from its start to its end, over all its threads.
    """

    def __init__(self, data: DataDir, db: sqlite3.Connection, starts: bool = True) -> None:
        self.data, self.db, self.starts = data, db, starts
        self._file, self._cpu_file = data.root / "flywheel.json", data.root / "flywheel-cpu.json"
        self._ids: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
        self.cpu_seconds: dict[str, float] = (
            json.loads(self._cpu_file.read_text()) if self._cpu_file.exists() else {}
        )
        self.seconds: dict[str, float] = {}

    def job(self, step: str, submit: Callable[[], Job]) -> Job:
        """The job of a step once it is done: submitted now, gone on with, or done before.

        Raises:
            MissingStepError: It is not done, and nothing is to be started.
            RuntimeError: It failed.
        """
        if step not in self._ids:
            if not self.starts:
                raise MissingStepError(f"the step {step!r} has not begun")
            self._ids[step] = submit().id
            self._file.write_text(json.dumps(self._ids))
        used_s = None
        while (job := jobs.must_get(self.db, self._ids[step])).state is not JobState.DONE:
            if not self.starts:
                raise MissingStepError(f"the step {step!r} is {job.state}")
            reconcile(self.data, self.db)
            if job.state in (JobState.LOST, JobState.STOPPED):
                resume(self.data, self.db, job.id)
            elif job.state is JobState.FAILED:
                raise RuntimeError(f"{step}: {job.error}")
            used_s = (job.pid and cpu_seconds(job.pid)) or used_s
            time.sleep(POLL_S)
        if used_s is not None:
            self.cpu_seconds[step] = round(used_s, 1)
            self._cpu_file.write_text(json.dumps(self.cpu_seconds))
        self.seconds[step] = (job.ended_at or 0.0) - (job.started_at or 0.0)
        return job

    def described(self, step: str, settings: GenerateSettings) -> Job:
        """The generation job of a step, done."""
        return self.job(step, lambda: submit_generate(self.data, self.db, settings))


def cpu_seconds(pid: int) -> float | None:
    """What a running process and its ended children have used of the processors, s; None where that is not known."""
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks = sum(map(int, fields[11:15]))  # user and system, own and children's
        return ticks / os.sysconf("SC_CLK_TCK")
    return None
