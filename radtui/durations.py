"""Times and speeds in words: what was measured to the second, estimates as a person rounds them; pure."""

from __future__ import annotations

# Below so many s, rounded to so many s.
ESTIMATE_STEPS = ((120, 1), (600, 10), (7200, 60), (float("inf"), 300))


def clock_text(seconds: float) -> str:
    """A measured time: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = max(0, round(seconds))  # clocks of two machines differ
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def estimate_text(seconds: float) -> str:
    """A time that nobody knows to the second: `95 s`, `3 min 20 s`, `24 min`, `2 h 40 min`."""
    step = next(step for below, step in ESTIMATE_STEPS if seconds < below)
    whole = round(seconds / step) * step
    if whole < 120:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600) if whole >= 7200 else (0, whole)
    parts = (hours, "h"), (rest // 60, "min"), (rest % 60, "s")
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def left_text(seconds: float) -> str:
    """How long something will still take: `3 min 20 s left`."""
    return f"{estimate_text(seconds)} left"


def speed_text(per_s: float, unit: str) -> str:
    """A speed, whichever way round is easier to read: `3.1 s/step` or `12 steps/s`; "" for none."""
    if per_s <= 0:
        return ""
    if per_s < 1:
        return f"{_figure(1 / per_s)} s/{unit}"
    figure = _figure(per_s)
    return f"{figure} {unit}{'' if figure == '1' else 's'}/s"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 10 else f"{value:.2g}"
