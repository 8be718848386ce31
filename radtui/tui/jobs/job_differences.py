"""Training jobs side by side: the settings in which they differ, and what came of them; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from radtui.charts.curves import Curve
from radtui.charts.series import Axis
from radtui.durations import clock_text, speed_text
from radtui.jobs.progress import UNITS
from radtui.jobs.run_table import LAST_SHARE, NONE, loss_text
from radtui.records import Job, JobKind
from radtui.settings import TrainSettings
from radtui.tui import words

Fact = tuple[str, list[str]]  # its name, and its value for each job


def differing_settings(jobs: Sequence[Job]) -> list[Fact]:
    """The settings that are not the same for all jobs, in the order of the form."""
    all_settings = [TrainSettings.from_dict(job.settings).to_dict() for job in jobs]
    return [
        (name.replace("_", " "), [TrainSettings.text_of(name, settings[name]) for settings in all_settings])
        for name in TrainSettings.about()
        if len({repr(settings[name]) for settings in all_settings}) > 1
    ]


def outcomes(jobs: Sequence[Job], curves: Mapping[str, Curve], now_s: float) -> list[Fact]:
    """State, losses, speed and times of jobs; rows that would be empty are left out.

    Args:
        jobs: Training jobs.
        curves: Their curves, by `curve_key`.
        now_s: Unix seconds.
    """
    train = [curves.get(curve_key(job.id, "loss")) for job in jobs]
    held_out = [curves.get(curve_key(job.id, "eval_loss")) for job in jobs]
    facts = [
        ("state", [f"{words.MARKS[job.state]} {job.state} {words.counted(job)}".rstrip() for job in jobs]),
        ("train loss, last 5 %", [_loss(_final_mean(curve)) for curve in train]),
        ("held-out loss, last", [_loss(_values(curve)[-1:]) for curve in held_out]),
        ("held-out loss, lowest", [_lowest(curve) for curve in held_out]),
        ("speed", [_speed(curve) for curve in train]),
        ("training loop", [_loop_time(job) for job in jobs]),
        ("start to end", [words.took(job, now_s) or NONE for job in jobs]),
        ("peak memory", [_memory(job) for job in jobs]),
    ]
    return [fact for fact in facts if any(value != NONE for value in fact[1])]


def curve_key(job_id: int, name: str) -> str:
    """What a job's curve is kept under."""
    return f"{job_id}.{name}"


def _values(curve: Curve | None) -> list[float]:
    """The finite values of a curve."""
    return [value for value in curve.series.values.tolist() if math.isfinite(value)] if curve else []


def _final_mean(curve: Curve | None) -> list[float]:
    if curve is None or not len(curve.series):
        return []
    count = max(1, round(len(curve.series) * LAST_SHARE))
    last = [value for value in curve.series.values[-count:].tolist() if math.isfinite(value)]
    return [sum(last) / len(last)] if last else []


def _loss(values: Sequence[float]) -> str:
    return loss_text(values[0]) if values else NONE


def _lowest(curve: Curve | None) -> str:
    values = _values(curve)
    if curve is None or not values:
        return NONE
    all_values = curve.series.values
    at = next(i for i, value in enumerate(all_values.tolist()) if value == min(values))
    return f"{loss_text(min(values))} at {int(curve.series.x(Axis.STEP)[at]):,}"


def _speed(curve: Curve | None) -> str:
    """Steps over the time they took, from the first point on: loading the model is no step."""
    if curve is None or len(curve.series) < 2:
        return NONE
    steps, seconds = curve.series.x(Axis.STEP), curve.series.x(Axis.TIME)
    took_s = float(seconds[-1] - seconds[0])
    return speed_text(float(steps[-1] - steps[0]) / took_s, UNITS[JobKind.TRAIN]) if took_s > 0 else NONE


def _loop_time(job: Job) -> str:
    """Time in the training loop: without loading, and without a pause before the job was resumed."""
    seconds = job.result.get("seconds")
    return clock_text(float(seconds)) if isinstance(seconds, (int, float)) else NONE


def _memory(job: Job) -> str:
    peak = job.result.get("peak_memory_gib")
    return f"{peak:.1f} GiB" if isinstance(peak, (int, float)) else NONE
