"""How a chart is drawn, and what is marked in it."""

from __future__ import annotations

from dataclasses import dataclass

from radtui.charts.curves import Curve, Smoothing
from radtui.charts.series import Axis


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a step, at a place on the horizontal axis."""

    x: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn. `raw_of` is the curve whose measured values are shown behind the lines."""

    title: str = "Loss"
    note: str = ""
    axis: Axis = Axis.STEP
    log: bool = False
    smoothing: Smoothing = Smoothing.MEDIUM
    raw_of: Curve | None = None
    empty_text: str = "No points yet"
