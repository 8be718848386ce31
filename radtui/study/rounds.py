"""Did it get better? The texts of a round of learning from raters, against those of the adapter it went on from."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from radtui.measures.change import Change, changes_of
from radtui.records import JobKind, Study
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.study.preferences import TEST_SPLIT
from radtui.study.study import scored_texts


@dataclass(frozen=True, slots=True)
class Round:
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

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "earlier": self.earlier, "later": self.later, "cases": self.cases, "held_out": self.held_out,
            "changes": [change.to_dict() for change in self.changes],
        }  # fmt: skip


def read_round(db: sqlite3.Connection, study: Study) -> Round | None:
    """The newest arm of a study against the one before, where a job that learnt from raters wrote it; else None.

    Takes seconds for hundreds of texts: call it on a thread.
    """
    job = jobs.get(db, study.job_id) if study.job_id is not None else None
    train = jobs.get(db, job.parent_job_id) if job is not None and job.parent_job_id is not None else None
    if job is None or train is None or train.kind is not JobKind.TRAIN or len(study.arms) < 2:
        return None
    settings = TrainSettings.from_dict(train.settings)
    if not settings.goes_on:
        return None
    earlier, later = study.arm_names[-2:]
    texts = scored_texts(db, study)
    split = str(job.settings.get("split", "")).casefold()
    held_out = split in {TEST_SPLIT, settings.eval_split.casefold()}
    changes = changes_of(texts[earlier], texts[later], (earlier, later))
    return Round(earlier, later, len(texts[later]), held_out, tuple(changes))
