"""Losses of a job that trains several times: one line a training, laid over each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from radtui.records import Metric

BETWEEN = ", seed "


def series_of(name: str) -> tuple[str, int]:
    """A series' own name and its training, the first being 1: "loss, seed 2" is ("loss", 2)."""
    own, _, number = name.partition(BETWEEN)
    return (own, int(number)) if number.isdigit() else (name, 1)


def own_steps(points: Iterable[Metric], training: int, steps: int) -> list[Metric]:
    """Points of one training with its steps counted from 0.

    Args:
        points: As stored, where the steps of all trainings are counted on.
        training: From 1.
        steps: Of one training.
    """
    return [replace(point, step=point.step - (training - 1) * steps) for point in points]


def steps_each(total_steps: int, seeds: object) -> int:
    """Steps of one training of a job."""
    return total_steps // seeds if isinstance(seeds, int) and seeds > 1 else total_steps
