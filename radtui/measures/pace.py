"""Answers whose time is out of the ordinary: marked for whoever reads them, and counted like all others."""

from __future__ import annotations

from radtui.records import Rating

TOO_FAST, LONG_IDLE = "too fast", "long idle"
TOO_FAST_S = 2.0  # of active time: two texts and an image are not read in less
LONG_IDLE_S = 300.0  # of wall time beyond active time: another patient, or lunch


def pace_mark(rating: Rating) -> str:
    """`too fast`, `long idle` or "", of a rating that judges something."""
    if rating.empty or rating.skipped:
        return ""
    if rating.active_s < TOO_FAST_S:
        return TOO_FAST
    return LONG_IDLE if rating.wall_s - rating.active_s > LONG_IDLE_S else ""
