"""For tests: texts of a training job's adapter, and what readers made of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from radtui.records import Arm, ArmKind, Job, JobKind, JobState, Rating, Study
from radtui.settings import GenerateSettings
from radtui.store import arms, jobs, ratings, studies, texts
from tests.conftest import new_text
from tests.unit.test_store import rating

WRITTEN = "A bright disc on the right."
EDITED = "A bright disc on the left."


def described(db: sqlite3.Connection, train: Job, case_ids: Sequence[int], split: str = "train") -> Study:
    """The study of a finished generation job of base and tuned, the latter with the training job's adapter."""
    settings = GenerateSettings(dataset=train.dataset, train_job=train.id, split=split)
    job = jobs.create(
        db, JobKind.GENERATE, "g", train.dataset, settings.to_dict(), parent_job_id=train.id,
        case_ids=list(case_ids),
    )  # fmt: skip
    told = str(train.settings["instruction"])
    made = arms.give_job(db, job.id, [
        Arm(0, name, ArmKind.MODEL, "tiny", "", adapter, told, decoding="greedy")
        for name, adapter in (("base", ""), ("tuned", f"job {train.id:04}, 0123456789ab"))
    ])  # fmt: skip
    for case_id in case_ids:
        texts.add(db, job.id, [
            new_text(case_id, made[0], "An image."), new_text(case_id, made[1], f"{WRITTEN} {case_id}"),
        ])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    return studies.open_for_job(db, job)


def judge(
    db: sqlite3.Connection, study: Study, case_id: int, corrected: str = "", arm: str = "tuned",
    preference: int | None = None, **answers: int,
) -> Rating:  # fmt: skip
    """One reader's judgement: a correction of an arm's text, or answers by their kind, such as `accepted=1`."""
    given = {f"{kind}.{arm}": value for kind, value in answers.items()}
    earlier, later = study.arm_names
    row = rating(study.id, case_id, preference, earlier_arm=earlier, later_arm=later)
    return ratings.add(
        db, replace(row, answers=given, corrections={arm: corrected} if corrected else {}, blinded=False)
    )
