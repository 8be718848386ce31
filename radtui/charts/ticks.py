"""Round numbers for axes, and numbers written short."""

from __future__ import annotations

import math
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3_600, 86_400
TIME_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * m for m in (1, 2, 5, 10, 15, 30)),
    *(HOUR * h for h in (1, 2, 3, 6, 12)),
    *(DAY * d for d in (1, 2, 5, 10, 20, 50, 100)),
)


@dataclass(frozen=True, slots=True)
class AxisTick:
    """One labelled place on an axis."""

    value: float
    label: str


def linear_ticks(lo: float, hi: float, most: int) -> list[AxisTick]:
    """At most `most` ticks at round multiples of 1, 2 or 5 times a power of ten, within [lo, hi]."""
    if not hi > lo:
        return [AxisTick(lo, number(lo))]
    rough = (hi - lo) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    for step in (power, 2 * power, 5 * power, 10 * power, 20 * power):
        first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
        if last - first + 1 <= most:
            break
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [AxisTick(k * step, _fixed(k * step, decimals)) for k in range(first, last + 1)]


def whole_ticks(lo: float, hi: float, most: int) -> list[AxisTick]:
    """Ticks at whole numbers, for steps."""
    ticks = [tick for tick in linear_ticks(lo, hi, most) if abs(tick.value - round(tick.value)) < 1e-9]
    return [AxisTick(tick.value, f"{tick.value:,.0f}" if tick.value < 1e9 else tick.label) for tick in ticks]


def log_ticks(lo: float, hi: float, most: int) -> list[AxisTick]:
    """Ticks for a logarithmic axis over 0 < lo < hi: powers of ten, with 2 and 5 or more where there is room.

    Over less than a third of a decade the round numbers of a linear axis are used, as they are nearly evenly
    spaced there.
    """
    if hi / lo < 2:
        return linear_ticks(lo, hi, most)
    bottom, top = math.floor(math.log10(lo)), math.ceil(math.log10(hi))
    best: list[float] = []
    for marks in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        values = [m * 10.0**p for p in range(bottom, top + 1) for m in marks]
        inside = [v for v in values if lo * (1 - 1e-9) <= v <= hi * (1 + 1e-9)]
        if len(inside) > most:
            break
        best = inside
    if not best:  # more decades than there is room for: every n-th power of ten
        every = -(-(top - bottom) // max(1, most - 1))
        best = [10.0**p for p in range(bottom, top + 1, every) if lo <= 10.0**p <= hi]
    return [AxisTick(value, number(value)) for value in best]


def time_ticks(lo: float, hi: float, most: int) -> list[AxisTick]:
    """Ticks at round times, seconds."""
    for step in TIME_STEPS_S:
        first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
        if last - first + 1 <= most:
            return [AxisTick(k * step, duration(k * step)) for k in range(first, last + 1)]
    return [AxisTick(lo, duration(lo)), AxisTick(hi, duration(hi))]


def number(value: float) -> str:
    """A number in about four significant digits: `1.234`, `0.0123`, `2e-04`, `12,345`."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    if size >= 10_000:
        return f"{value:,.0f}" if size < 1e9 else f"{value:.3g}"
    return f"{value:,.0f}" if size >= 1000 else f"{value:.4g}"


def measured(value: float) -> str:
    """A measured number with its trailing zeros, so that it does not jump as it changes: `1.230`, `2.00e-4`."""
    size = abs(value)
    if not math.isfinite(value) or size >= 1000:
        return number(value)
    if 0 < size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:#.4g}" if size else "0"


def duration(seconds: float) -> str:
    """A length of time as `45s`, `12m`, `12m30s`, `3h05m` or `2d04h`."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m" + (f"{whole % MINUTE:02d}s" if whole % MINUTE else "")
    if whole < DAY:
        return f"{whole // HOUR}h{whole % HOUR // MINUTE:02d}m"
    return f"{whole // DAY}d{whole % DAY // HOUR:02d}h"


def _fixed(value: float, decimals: int) -> str:
    """A tick's label: as many decimals as its axis needs, powers of ten for very small and large numbers."""
    if value == 0:
        return "0"
    if decimals > 4 or abs(value) >= 1e9:
        return number(value)
    return f"{value:,.{decimals}f}"
