"""Going on from a training job with what readers made of its texts: which job, and with which of its settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Generic, TypeVar

from radtui.records import Job, JobKind
from radtui.setting_fields import FieldError
from radtui.settings import TrainSettings
from radtui.store import jobs

# Said by the job that is gone on from, whatever is asked: another model, image size or prompt would not fit the
# adapter, or not the texts that were read.
FIXED = (
    "model", "dataset", "instruction", "max_side_px", "image_tokens", "thinking", "max_length_tokens", "lora_r",
    "lora_alpha", "lora_dropout", "lora_seed", "dora", "rslora", "tune_vision", "tune_language", "tune_attention",
    "tune_mlp", "trust_remote_code",
)  # fmt: skip
# Taken over too where settings are proposed: the machine, and what is watched.
PROPOSED = ("load_in_4bit", "loader_workers", "eval_split", "watch_images", "watch_tokens", "optimizer")

Learnable = TypeVar("Learnable")


class Search(Generic[Learnable]):
    """Looks for the newest training job of whose texts there is enough to learn from.

    Args:
        read: What can be learnt of a job's texts.
        enough: Whether that suffices.

    Attributes:
        met: The jobs that were looked at, with what there was to learn.
    """

    def __init__(self, read: Callable[[Job], Learnable], enough: Callable[[Learnable], bool]) -> None:
        self._read, self._enough = read, enough
        self.met: list[tuple[Job, Learnable]] = []

    def first(
        self, db: sqlite3.Connection, asked: TrainSettings, candidates: Callable[[], Iterable[int]]
    ) -> tuple[Job, Learnable] | None:
        """The job that is asked for, else the first of some candidates; None where there is not enough to learn.

        Raises:
            FieldError: The job that is asked for is no training job.
        """
        for job_id in [asked.from_job] if asked.from_job else candidates():
            job = training_job(db, job_id)
            learnable = self._read(job)
            if self._enough(learnable):
                return job, learnable
            self.met.append((job, learnable))
        return None


def training_job(db: sqlite3.Connection, job_id: int) -> Job:
    """The training job of this number, to go on from.

    Raises:
        FieldError: There is none.
    """
    job = jobs.get(db, job_id)
    if job is None or job.kind is not JobKind.TRAIN:
        raise FieldError(f"Job {job_id} is no training job; see radtui jobs list for from_job.", "from_job")
    return job


def continued(job: Job, asked: TrainSettings, objective: str, *more: str) -> TrainSettings:
    """The settings that are asked for, but for what the job that is gone on from says.

    Args:
        job: The one that is gone on from.
        asked: What is asked for.
        objective: What is learnt now.
        more: Names of settings that are taken over beside `FIXED`.
    """
    before = TrainSettings.from_dict(job.settings)
    return replace(
        asked, **{name: getattr(before, name) for name in (*FIXED, *more)}, objective=objective, from_job=job.id,
        message_order=before.asking_order, describe_order="as_trained",  # as the texts were asked for
    )  # fmt: skip


def rate_after(job: Job, share: float) -> float:
    """The learning rate to go on with.

    Args:
        job: The one that is gone on from.
        share: Of the rate that references were learnt with; a job that went on itself has it already.
    """
    before = TrainSettings.from_dict(job.settings)
    return float(f"{before.learning_rate * (1 if before.goes_on else share):.3g}")
