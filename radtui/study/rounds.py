"""Did it get better? The texts of a round of learning from raters, against those of the adapter it went on from."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from radtui.measures.change import Change, changes_of
from radtui.measures.plain import PlainFields
from radtui.records import Job, JobKind, Study
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.study.preferences import TEST_SPLIT
from radtui.study.study import scored_texts


@dataclass(frozen=True, slots=True)
class Round(PlainFields):
    """A new arm against the one before it, over the same cases."""

    earlier: str
    later: str
    cases: int
    held_out: bool  # whether nothing of these cases may have been learnt
    changes: tuple[Change, ...]

    @property
    def title(self) -> str:
        """What is compared, for a heading."""
        where = "held-out cases" if self.held_out else "cases of a split that may be learnt from"
        return f"Did it get better? {self.later} against {self.earlier}, {self.cases:,} {where}"


def read_round(db: sqlite3.Connection, study: Study) -> Round | None:
    """The newest arm of a study against the one before, where a job that learnt from raters wrote it; else None.

    Takes seconds for hundreds of texts: call it on a thread.
    """
    job = jobs.get(db, study.job_id) if study.job_id is not None else None
    train = training_of(db, study)
    if job is None or train is None or len(study.arms) < 2:
        return None
    if not TrainSettings.from_dict(train.settings).goes_on:
        return None
    earlier, later = study.arm_names[-2:]
    texts = scored_texts(db, study)
    held_out = is_held_out(job, train)
    changes = changes_of(texts[earlier], texts[later], (earlier, later))
    return Round(earlier, later, len(texts[later]), held_out, tuple(changes))


def training_of(db: sqlite3.Connection, study: Study) -> Job | None:
    """The training job whose adapter a study's generation job describes with; None where there is none."""
    job = jobs.get(db, study.job_id) if study.job_id is not None else None
    train = jobs.get(db, job.parent_job_id) if job is not None and job.parent_job_id is not None else None
    return train if train is not None and train.kind is JobKind.TRAIN else None


def is_held_out(described: Job, train: Job) -> bool:
    """Whether a generation job is about cases that nothing may have been learnt of.

    Args:
        described: The generation job.
        train: The training job, whose split for evaluating is held out as well.
    """
    splits = {TEST_SPLIT, TrainSettings.from_dict(train.settings).eval_split.casefold()} - {""}
    return str(described.settings.get("split", "")).casefold() in splits
