"""The pace of every live job, kept between looks."""

from __future__ import annotations

from collections.abc import Iterable

from radtui.jobs.progress import Pace
from radtui.records import Job, JobKind
from radtui.tui.snapshot import JobProgress


class Paces:
    """One `Pace` a job."""

    def __init__(self) -> None:
        self._paces: dict[int, Pace] = {}

    def seed(self, job_id: int, total: int, samples: Iterable[tuple[float, int]]) -> None:
        """Start a job with `(at_s, step)` known from its rows, oldest first."""
        pace = self._paces.setdefault(job_id, Pace())
        for at_s, step in samples:
            pace.look(at_s, step, total)

    def look(self, job: Job, now_s: float) -> JobProgress:
        """The job with its rate and time left as of now."""
        if job.pid is None or job.kind is JobKind.ASK:
            # Nobody is at work yet: steps of an earlier attempt say nothing. Questions come when somebody asks.
            return JobProgress(job)
        pace = self._paces.setdefault(job.id, Pace()).look(now_s, job.step, job.total_steps)
        return JobProgress(job, pace.rate_per_s, pace.left_s)

    def keep_only(self, job_ids: Iterable[int]) -> None:
        """Forget jobs that are no longer live."""
        self._paces = {job_id: self._paces[job_id] for job_id in job_ids if job_id in self._paces}
