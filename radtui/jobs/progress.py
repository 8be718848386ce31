"""How fast a live job goes and how long it will take, from the steps its row shows over time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_S = 60.0  # a rate older than this says nothing about now
MIN_SPAN_S = 1.0  # two looks within a second would turn a burst of steps into a rate
KNOWN_SPAN_S, KNOWN_SHARE = 5.0, 0.05  # measured, either of them, before a time left is more than a guess


@dataclass(frozen=True, slots=True)
class StepProgress:
    """Where a job is. `rate_per_s` is None until two steps have been seen, `left_s` until some more have."""

    step: int
    total: int
    rate_per_s: float | None = None
    left_s: float | None = None

    @property
    def share(self) -> float:
        """Done, 0..1; 0 while the total is unknown."""
        return min(1.0, self.step / self.total) if self.total > 0 else 0.0


class Pace:
    """Steps of one job as they are looked at; forgets what is older than a minute.

    Measuring begins with the first step of this attempt: before it, the job loads its model.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._moved = False

    def look(self, now_s: float, step: int, total: int) -> StepProgress:
        """Take in a job's step at a time and say where it is.

        Args:
            now_s: Any clock, s; where it is set back, measuring begins anew.
            step: Steps done.
            total: Steps in all, 0 while unknown.
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
            return StepProgress(step, total)
        rate = (last - first) / (last_s - first_s)
        if not total or (last_s - first_s < KNOWN_SPAN_S and last - first < KNOWN_SHARE * total):
            return StepProgress(step, total, rate)
        return StepProgress(step, total, rate, max(0.0, (total - step) / rate - (now_s - last_s)))
