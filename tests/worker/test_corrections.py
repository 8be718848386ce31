"""Training on corrected and accepted texts: what is learnt, held back and kept, and a stopped run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobState, StopRequest, UserError
from radtui.settings import TrainSettings
from radtui.store import cases, jobs
from radtui.store.database import connect
from radtui.study.learn_corrections import offer_corrections
from radtui.study.scheme_file import default_scheme
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training import corrected
from tests.unit.corrected_texts import EDITED, described, judge

from .conftest import fill, new_job, train_settings
from .test_train import adapter, events, run, series

INSTRUCTION = "Describe what you see."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A data folder for the whole module; each test makes jobs of its own."""
    made = DataDir(tmp_path_factory.mktemp("corrections")).create()
    fill(made)
    return made


@pytest.fixture(scope="module")
def read(folder: DataDir, mllama: Path) -> Job:
    """A finished training job whose 24 texts were read: eight corrected, sixteen accepted.

    It has learnt such texts: for a random model none can become less likely than it is.
    """
    job = new_job(
        folder, train_settings(mllama, max_steps=25, watch_images=0, eval_every=0, checkpoint_every=0)
    )
    run(folder, job)
    db = connect(folder)
    jobs.end(db, job.id, JobState.DONE)
    job = jobs.must_get(db, job.id)
    listed = cases.usable(db, "shapes", "train", 0)
    study = described(db, job, listed)
    for place, case_id in enumerate(listed):
        judge(db, study, case_id, **({"accepted": 1} if place % 3 else {"corrected": EDITED}))
    return job


def after(data: DataDir, read: Job, **changes: object) -> Job:
    """A job that goes on from the one whose texts were read, as a submission leaves it."""
    asked = TrainSettings(**(preset("corrections").to_dict() | {"from_job": read.id}))
    proposed = offer_corrections(connect(data), default_scheme(), asked).settings
    return new_job(data, TrainSettings(**(proposed.to_dict() | changes)), parent_job_id=read.id)


def test_a_run_learns_the_texts_and_keeps_the_adapter_that_does_best_on_the_held_back_ones(folder, read):
    job = after(folder, read, epochs=2.0, learning_rate=2e-3)
    run(folder, job)

    done = jobs.must_get(connect(folder), job.id)
    assert (done.result["corrected"], done.result["accepted"], done.result["texts_left_out"]) == (8, 16, {})
    texts = corrected.frozen(job, folder, connect(folder), Reporter(connect(folder), job.id))
    learnt, kept_back = corrected.split(texts)
    assert len(kept_back) == 2 and {one.case_id for one in learnt}.isdisjoint(
        one.case_id for one in kept_back
    )
    assert {one.corrected for one in kept_back} == {True, False}
    held_out = series(folder, job, "eval_loss")
    best = min(held_out, key=lambda step: held_out[step])
    assert done.result["adapter_step"] == best > 0 and held_out[best] < held_out[0]
    weighted = sum(4 if one.corrected else 1 for one in learnt)
    assert done.result["images"] == weighted
    before, now = adapter(folder, read), adapter(folder, job)
    assert before.keys() == now.keys() and any(not torch.equal(before[name], now[name]) for name in before)


def test_a_run_that_harms_stops_itself_and_leaves_the_adapter_it_began_with(folder, read):
    job = after(folder, read, epochs=40.0, learning_rate=0.5, eval_every=1, stop_after=2)
    run(folder, job)
    done = jobs.must_get(connect(folder), job.id)
    assert done.result["adapter_step"] == 0 and done.step < 40
    (stopped,) = [text for _, text in events(folder, job, "eval") if text.startswith("Stopped")]
    assert "2 evaluations without a held-out loss below" in stopped
    assert "the adapter is the one it began with" in done.message
    before, now = adapter(folder, read), adapter(folder, job)
    assert all(torch.equal(before[name], now[name]) for name in before)


def test_a_resumed_run_learns_what_it_began_with_whatever_readers_do_meanwhile(folder, read):
    changes = {"max_steps": 6, "checkpoint_every": 2, "batch_size": 4, "eval_every": 2}
    whole, parts = after(folder, read, **changes), after(folder, read, **changes)
    run(folder, whole)
    with pytest.raises(Stopped):
        run(folder, parts, at_step=3, how=StopRequest.CHECKPOINT)
    db = connect(folder)
    study = described(db, read, cases.usable(db, "shapes", "train", 4))
    judge(db, study, cases.usable(db, "shapes", "train", 1)[0], corrected="Something else was seen.")
    run(folder, parts)
    assert series(folder, parts, "loss") == series(folder, whole, "loss")
    expected, resumed = adapter(folder, whole), adapter(folder, parts)
    assert all(torch.equal(expected[name], resumed[name]) for name in expected)


def test_too_few_texts_are_refused_when_the_job_starts(folder, read):
    job = new_job(folder, TrainSettings(**(
        preset("corrections").to_dict() | {"model": "m", "dataset": "shapes", "from_job": read.id + 10_000}
    )))  # fmt: skip
    with pytest.raises(UserError, match="name its job as from_job"):
        corrected.frozen(job, folder, connect(folder), Reporter(connect(folder), job.id))
