"""The time that a rater spends on pairs, until it is on a row."""

from __future__ import annotations

from collections.abc import Callable

from radtui.study.queue import ActiveClock, Pair


class TimeSpent:
    """Active and wall seconds on each pair that are on no row yet; it runs for the pair on show.

    Args:
        clock: Monotonic seconds.
        idle_cutoff_s: A pause between keys counts as no more than this.
    """

    def __init__(self, clock: Callable[[], float], idle_cutoff_s: float) -> None:
        self._clock, self._idle_cutoff_s = clock, idle_cutoff_s
        self._pair: Pair | None = None
        self._running: ActiveClock | None = None
        self._kept: dict[Pair, tuple[float, float]] = {}

    def turn_to(self, pair: Pair | None) -> None:
        """Keep what the pair before has taken, and run for this one; for None, for nothing."""
        self.pause()
        self._pair = pair
        self.resume()

    def touch(self) -> None:
        """Note that a key was pressed: the rater is at work."""
        if self._running is not None:
            self._running.touch(self._clock())

    def pause(self) -> None:
        """Stop, because another screen is on show or the pair changes."""
        if self._pair is not None and self._running is not None:
            self._kept[self._pair] = self.unstored_s()
        self._running = None

    def resume(self) -> None:
        """Run (again) for the pair on show."""
        if self._pair is not None and self._running is None:
            self._running = ActiveClock(self._clock(), self._idle_cutoff_s)

    def unstored_s(self) -> tuple[float, float]:
        """Active and wall seconds of the pair on show."""
        active_s, wall_s = self._kept.get(self._pair, (0.0, 0.0)) if self._pair is not None else (0.0, 0.0)
        if self._running is None:
            return active_s, wall_s
        now_s = self._clock()
        return active_s + self._running.active_s(now_s), wall_s + self._running.wall_s(now_s)

    def stored(self) -> Callable[[], None]:
        """Begin anew for the pair on show: what it has taken is on a row; returns what counts it again after all."""
        pair, (active_s, wall_s) = self._pair, self.unstored_s()
        if pair is not None:
            self._kept.pop(pair, None)
            self._running = ActiveClock(self._clock(), self._idle_cutoff_s)

        def back() -> None:
            if pair is not None:
                since = self._kept.get(pair, (0.0, 0.0))
                self._kept[pair] = active_s + since[0], wall_s + since[1]

        return back
