"""How fast live jobs go and how long they will take, from the steps their rows show over time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from radtui.durations import left_text, speed_text
from radtui.records import Job, JobKind

WINDOW_S = 60.0  # a rate older than this says nothing about now
MIN_SPAN_S = 1.0  # two looks within a second would turn a burst of steps into a rate
LEAST_LEFT_S = 0.5  # with less it is late, or at what comes after its steps: nobody knows for how long
KNOWN_SPAN_S, KNOWN_SHARE = 5.0, 0.05  # measured, either of them, before a time left is more than a guess

UNITS = {JobKind.IMPORT: "image", JobKind.TRAIN: "step", JobKind.GENERATE: "text", JobKind.ASK: "question",
         JobKind.SCORE: "text"}  # fmt: skip
"""What a job of each kind counts in `step` and `total_steps`."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """A live job with how fast it goes; the speed and the time left are None until they are known."""

    job: Job
    per_s: float | None = None  # steps, images or texts per second: `UNITS`
    left_s: float | None = None

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None before the total is known, and of questions, whose total is never known."""
        if self.job.total_steps <= 0 or self.job.kind is JobKind.ASK:
            return None
        return min(1.0, self.job.step / self.job.total_steps)

    @property
    def speed(self) -> str:
        """The speed in words, "" while it is not known."""
        return speed_text(self.per_s, UNITS[self.job.kind]) if self.per_s else ""

    @property
    def left(self) -> str:
        """The time left in words, "" while it is not known, and of a job that is to stop before its end."""
        return left_text(self.left_s) if self.left_s is not None and not self.job.stop_requested else ""


class Pace:
    """Steps of one job as they are looked at; forgets what is older than a minute.

    Measuring begins with the first step of this attempt: before it, the job loads its model.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._moved = False

    def look(self, now_s: float, step: int, total: int) -> tuple[float | None, float | None]:
        """Take in a job's step at a time.

        Args:
            now_s: Any clock, s; where it is set back, measuring begins anew.
            step: Steps done.
            total: Steps in all, 0 while unknown.

        Returns:
            Steps per second, None until two have been seen; and seconds left, None until some more have, and again
            where the job should be done by now.
        """
        if self._seen and (step < self._seen[-1][1] or now_s < self._seen[-1][0]):
            self._seen.clear()  # resumed from an earlier checkpoint; or the clock was set back
            self._moved = False
        if self._seen and step != self._seen[-1][1] and not self._moved:
            self._seen.clear()
            self._moved = True
        if not self._seen or step != self._seen[-1][1]:
            self._seen.append((now_s, step))
        while len(self._seen) > 2 and now_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        if last == first or last_s - first_s < MIN_SPAN_S:
            return None, None
        per_s = (last - first) / (last_s - first_s)
        if not total or (last_s - first_s < KNOWN_SPAN_S and last - first < KNOWN_SHARE * total):
            return per_s, None
        left_s = (total - step) / per_s - (now_s - last_s)
        return per_s, left_s if left_s >= LEAST_LEFT_S else None


class Paces:
    """The pace of every live job, kept between looks."""

    def __init__(self) -> None:
        self._paces: dict[int, Pace] = {}

    def seed(self, job_id: int, total: int, samples: Iterable[tuple[float, int]]) -> None:
        """Start a job with `(at_s, step)` known from its rows, oldest first."""
        pace = self._paces.setdefault(job_id, Pace())
        for at_s, step in samples:
            pace.look(at_s, step, total)

    def look(self, job: Job, now_s: float) -> JobProgress:
        """The job with its speed and time left as of now, on any clock that only goes forward."""
        if job.pid is None or job.kind is JobKind.ASK:
            # Nobody is at work yet: steps of an earlier attempt say nothing. Questions come when somebody asks.
            return JobProgress(job)
        pace = self._paces.setdefault(job.id, Pace())
        return JobProgress(job, *pace.look(now_s, job.step, job.total_steps))

    def keep_only(self, job_ids: Iterable[int]) -> None:
        """Forget jobs that are no longer live."""
        self._paces = {job_id: self._paces[job_id] for job_id in job_ids if job_id in self._paces}
