"""The loss chart of training jobs, as the screen draws it, for picture files and reports."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from radtui.charts.model import ChartModel
from radtui.charts.palette import EVAL, TRAIN, job_colours
from radtui.charts.seeds import own_steps, series_of, steps_each
from radtui.measures.loss_words import loss_words
from radtui.records import Job, JobKind, Metric, UserError
from radtui.settings import TrainSettings
from radtui.store import metrics


def loss_model(db: sqlite3.Connection, jobs: Sequence[Job]) -> ChartModel:
    """The chart of some training jobs: one job in the colours of train and eval, several in one colour each.

    Raises:
        UserError: a job does not train, or has no points yet.
    """
    model = ChartModel()
    colours = job_colours(job.id for job in jobs)
    for job in jobs:
        if job.kind is not JobKind.TRAIN:
            raise UserError(
                f"Job {job.id} ({job.kind}) has no loss; name a training job, see radtui jobs list."
            )
        points = _points(db, job)
        if not points:
            raise UserError(f"Job {job.id} has no points yet; wait for its first step.")
        for name in sorted(points, key=lambda each: (series_of(each)[1], series_of(each)[0] != "loss")):
            own, _ = series_of(name)
            colour = TRAIN if own == "loss" else EVAL
            if points[name]:
                words = name.replace("eval_loss", "held-out loss")
                label = words if len(jobs) == 1 else f"#{job.id} {words}"
                key = f"{job.id}.{name}"
                model.add(
                    key, label, colour if len(jobs) == 1 else colours[job.id], points=own == "eval_loss"
                )
                model.extend(key, points[name])
    if len(jobs) == 1:
        model.set_events(metrics.events_since(db, jobs[0].id, 0))
    title = jobs[0].name if len(jobs) == 1 else "Loss"
    kinds = {loss_words(TrainSettings.from_dict(job.settings)) for job in jobs}
    apart = "losses are not comparable: " + " and ".join(sorted(kinds))
    model.relook(title=title, note=kinds.pop() if len(kinds) == 1 else apart)
    return model


def _points(db: sqlite3.Connection, job: Job) -> dict[str, list[Metric]]:
    """Losses by series; of a job that trains several times each with its own steps."""
    by_name: dict[str, list[Metric]] = {}
    cursor = 0
    while batch := metrics.since(db, job.id, cursor):
        for metric in batch:
            if series_of(metric.name)[0] in ("loss", "eval_loss"):
                by_name.setdefault(metric.name, []).append(metric)
        cursor = batch[-1].id
    each = steps_each(job.total_steps, job.settings.get("seeds"))
    return {name: own_steps(points, series_of(name)[1], each) for name, points in by_name.items()}
