"""How fast jobs go, from when their steps were seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from radtui.records import Job
from radtui.tui.snapshot import Progress

SAMPLES = 64
WINDOW_S = 120.0
LEAST_SAMPLES = 4  # kept however old they are: a step may take minutes


class RateMeter:
    """Speed of each live job over its last two minutes, or its last few steps where those take longer."""

    def __init__(self) -> None:
        self._samples: dict[int, deque[tuple[float, int]]] = {}

    def seed(self, job_id: int, samples: Iterable[tuple[float, int]]) -> None:
        """Start a job with `(at_s, step)` known from its rows, oldest first."""
        for at_s, step in samples:
            self._add(job_id, at_s, step)

    def knows(self, job_id: int) -> bool:
        """Whether the job has been seen."""
        return job_id in self._samples

    def forget_others(self, job_ids: set[int]) -> None:
        """Drop jobs that are no longer live."""
        for job_id in self._samples.keys() - job_ids:
            del self._samples[job_id]

    def progress(self, job: Job, now_s: float) -> Progress:
        """The job with its rate and time left as of now."""
        at_s = job.heartbeat_at or now_s
        if job.pid is not None:
            self._add(job.id, at_s, job.step)
        per_s = self._rate(job.id)
        left_s = None
        if per_s and job.total_steps > job.step:
            left_s = max(0.0, (job.total_steps - job.step) / per_s - max(0.0, now_s - at_s))
        return Progress(job, per_s, left_s)

    def _add(self, job_id: int, at_s: float, step: int) -> None:
        samples = self._samples.setdefault(job_id, deque(maxlen=SAMPLES))
        if samples and (step < samples[-1][1] or at_s < samples[-1][0]):
            samples.clear()  # a resumed job repeats steps
        if samples and step == samples[-1][1]:
            return
        samples.append((at_s, step))
        while len(samples) > LEAST_SAMPLES and samples[0][0] < at_s - WINDOW_S:
            samples.popleft()

    def _rate(self, job_id: int) -> float | None:
        samples = self._samples.get(job_id)
        if not samples or len(samples) < 2:
            return None
        (first_s, first), (last_s, last) = samples[0], samples[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else None
