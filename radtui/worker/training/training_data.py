"""What a training job learns from, what it is evaluated on and watches, and doubts about these."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from radtui.paths import DataDir
from radtui.records import Case, Job, UserError
from radtui.settings import TrainSettings
from radtui.store import cases
from radtui.worker.process.reporter import Reporter

WATCH_AMONG = 2_000  # first images of the held-out split, of which the pinned ones are chosen


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The examples of a training job, or its pairs where preferences are learnt."""

    learnt: Sequence[Any]  # `examples.Example`, or `pairs.LearntPair` where preferences are learnt
    evaluated: Sequence[Any]
    watchable: list[Case]  # held out
    doubts: list[str]  # what is wrong with the held-out images, a sentence each


def gather(
    job: Job, data: DataDir, db: sqlite3.Connection, settings: TrainSettings, reporter: Reporter
) -> TrainingData:
    """Find a job's images and, where it learns from raters, freeze its pairs or texts.

    Raises:
        UserError: There is nothing to learn from, or too little.
    """
    from radtui.worker.model import examples as items

    held_out = _records(db, settings, settings.eval_split, max(WATCH_AMONG, settings.eval_images))
    watchable = held_out[:WATCH_AMONG]
    if settings.learns_preferences:
        from radtui.worker.training import pairs

        chosen = pairs.frozen(job, data, db, reporter)
        learnt, evaluated = pairs.split(chosen, settings.eval_images if settings.eval_every else 0)
        return TrainingData(learnt, evaluated, watchable, [])
    if settings.learns_corrections:
        from radtui.worker.training import corrected

        texts = corrected.frozen(job, data, db, reporter)
        taught, kept_back = corrected.split(texts) if settings.eval_every else (texts, [])
        rows = corrected.examples(taught, data, db, settings.correction_weight)
        return TrainingData(rows, corrected.examples(kept_back, data, db), watchable, [])
    records = _records(db, settings, settings.train_split, settings.train_images)
    if not records:
        raise UserError(
            f"{settings.dataset} has no readable images with a reference in split {settings.train_split!r}: "
            "choose another train_split."
        )
    measured = held_out[: settings.eval_images] if settings.eval_every else []
    doubts = _held_out_doubts(settings, held_out, measured)
    return TrainingData(items.examples(records, data), items.examples(measured, data), watchable, doubts)


def _records(db: sqlite3.Connection, settings: TrainSettings, split: str, limit: int) -> list[Case]:
    """Readable images of a split that have a reference; `limit` 0 takes all of them."""
    if not split:
        return []
    return cases.get_many(db, cases.usable(db, settings.dataset, split, limit, with_reference=True))


def _held_out_doubts(settings: TrainSettings, held_out: list[Case], evaluated: list[Case]) -> list[str]:
    """What is wrong with the held-out images, a sentence each."""
    if settings.eval_split and not held_out:
        return [
            f"Split {settings.eval_split!r} of {settings.dataset} has no readable images with a reference: "
            "nothing is evaluated or watched."
        ]
    leaked = sum(each.leaked for each in evaluated)
    if not leaked:
        return []
    return [
        f"{leaked} of the {len(evaluated)} held-out images are in another split too: the held-out loss flatters "
        "the model."
    ]
