"""Jobs in a folder of their own, as on a cluster, that learn what readers corrected or preferred."""

from __future__ import annotations

from pathlib import Path

import pytest

from radtui.cluster import collect
from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobState
from radtui.settings import TrainSettings
from radtui.store import cases, jobs, ratings
from radtui.store.database import connect
from radtui.study.learn_corrections import offer_corrections
from radtui.study.rated_pairs import offer
from radtui.study.scheme_file import default_scheme
from tests.unit.corrected_texts import EDITED, described, judge
from tests.unit.test_store import rating

from .cluster import ended, packed, rows, rows_of_files, start
from .conftest import Worker, new_job, train_settings

pytestmark = pytest.mark.slow


def read_by_readers(data: DataDir, mllama: Path, worker: Worker, learnt: str) -> Job:
    """A finished training job whose 24 texts were corrected (eight) and accepted (sixteen), or else all preferred."""
    job = new_job(data, train_settings(mllama, max_steps=1, watch_images=0, eval_every=0))
    worker(job)
    db = connect(data)
    study = described(db, job, listed := cases.usable(db, "shapes", "train", 0))
    for place, case_id in enumerate(listed):
        if learnt == "preferences":
            ratings.add(db, rating(study.id, case_id, 2))
            continue
        judged = {"accepted": 1} if place % 3 else {"corrected": EDITED}
        judge(db, study, case_id, **judged)  # type: ignore[arg-type]
    db.close()
    return jobs.must_get(connect(data), job.id)


@pytest.mark.parametrize("learnt", ["corrections", "preferences"])
def test_what_readers_said_is_learnt_from_a_snapshot(
    data: DataDir, mllama: Path, worker: Worker, tmp_path: Path, learnt: str
) -> None:
    read = read_by_readers(data, mllama, worker, learnt)
    db = connect(data)
    asked = TrainSettings(**(preset(learnt).to_dict() | {"from_job": read.id, "max_steps": 3}))
    offered = offer if learnt == "preferences" else offer_corrections
    proposed = offered(db, default_scheme(), asked).settings
    settings = TrainSettings(**(proposed.to_dict() | {"watch_images": 0, "max_steps": 3, "batch_size": 2}))
    here = new_job(data, settings, parent_job_id=read.id)
    worker(here)
    job = new_job(data, settings, parent_job_id=read.id)
    run = packed(data, job, tmp_path / "shared")
    output = ended(start(run))
    collect.collect(data, db, jobs.must_get(db, job.id), run)
    done, alone = jobs.must_get(db, job.id), jobs.must_get(db, here.id)
    assert (done.state, done.step, done.error) == (JobState.DONE, 3, ""), output
    for what in ("corrected", "accepted", "pairs", "final_loss"):
        assert done.result.get(what) == alone.result.get(what)
    assert done.result["corrected" if learnt == "corrections" else "pairs"] in (8, 24)
    assert rows(db, job.id) == rows_of_files(run, tmp_path)
