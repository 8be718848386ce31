"""How fast a live job goes and how long it will take, from the steps its row shows over time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_S = 60.0  # a rate older than this says nothing about now
MIN_SPAN_S = 1.0  # two looks within a second would turn a burst of steps into a rate


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a job is. `rate_per_s` and `left_s` are None until two steps have been seen."""

    step: int
    total: int
    rate_per_s: float | None = None
    left_s: float | None = None

    @property
    def share(self) -> float:
        """Done, 0..1; 0 while the total is unknown."""
        return min(1.0, self.step / self.total) if self.total > 0 else 0.0


class Pace:
    """Steps of one job as they are looked at; forgets what is older than a minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def look(self, now_s: float, step: int, total: int) -> Progress:
        """Take in a job's step at a time and say where it is.

        Args:
            now_s: Any clock that only goes forward, s.
            step: Steps done.
            total: Steps in all, 0 while unknown.
        """
        if self._seen and step < self._seen[-1][1]:
            self._seen.clear()  # resumed from an earlier checkpoint
        if not self._seen or step != self._seen[-1][1]:
            self._seen.append((now_s, step))
        while len(self._seen) > 2 and now_s - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        if last == first or last_s - first_s < MIN_SPAN_S:
            return Progress(step, total)
        rate = (last - first) / (last_s - first_s)
        left = max(0.0, (total - step) / rate - (now_s - last_s)) if total else None
        return Progress(step, total, rate, left)
