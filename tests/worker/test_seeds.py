"""One job that trains several times: each as a job of its own would, resumable at any moment, an adapter each."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from radtui.jobs.submit import submit_generate
from radtui.records import JobState, StopRequest
from radtui.settings import GenerateSettings
from radtui.store import jobs
from radtui.store.database import connect
from radtui.worker.describing.arms import adapter_text
from radtui.worker.process.reporter import Stopped
from radtui.worker.training import seeds

from .conftest import new_job, train_settings
from .test_train import adapter, run, series


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_each_training_is_what_a_job_with_its_seeds_would_be(data, mllama):
    job = new_job(data, train_settings(mllama, seeds=2))
    run(data, job)
    assert seeds.are_left(connect(data), job.id)
    run(data, job)
    assert not seeds.are_left(connect(data), job.id)
    settings = train_settings(mllama)
    alone = [
        new_job(data, train_settings(mllama, seed=settings.seed + n, lora_seed=settings.lora_seed + n))
        for n in range(2)
    ]
    for number, single in enumerate(alone):
        run(data, single)
        assert same(adapter(data, job, number), adapter(data, single))
        end = seeds.series_end(number)
        for name, steps in (("loss", range(1, 7)), ("eval_loss", (0, 3, 6))):
            shifted = {step + 6 * number: value for step, value in series(data, single, name).items()}
            assert series(data, job, name + end) == shifted and [s - 6 * number for s in shifted] == list(
                steps
            )
    assert not same(adapter(data, job), adapter(data, job, 1))
    done = jobs.must_get(connect(data), job.id)
    assert (done.step, done.total_steps) == (12, 12) and done.message.startswith(
        "Seed 2 of 2: Trained 6 steps"
    )
    trained: Any = done.result["seeds"]
    assert [each["seed"] for each in trained] == [settings.seed, settings.seed + 1]
    assert done.result["adapter"] == str(data.adapter(job.id))


def test_a_job_stopped_in_any_training_goes_on_to_the_same_adapters(data, mllama):
    whole = new_job(data, train_settings(mllama, seeds=2))
    for _ in range(2):
        run(data, whole)
    for at_step, how in ((4, StopRequest.CHECKPOINT), (7, StopRequest.NOW), (10, StopRequest.CHECKPOINT)):
        cut = new_job(data, train_settings(mllama, seeds=2))
        if at_step > 6:
            run(data, cut)
        with pytest.raises(Stopped):
            run(data, cut, at_step, how)
        jobs.end(connect(data), cut.id, JobState.STOPPED)
        while seeds.are_left(connect(data), cut.id):
            run(data, cut)
        for number in range(2):
            assert same(adapter(data, cut, number), adapter(data, whole, number))
            for name in ("loss", "eval_loss"):
                end = name + seeds.series_end(number)
                assert series(data, cut, end) == series(data, whole, end)


def test_one_job_does_all_of_them_in_processes_of_their_own(data, mllama, worker):
    job = new_job(data, train_settings(mllama, seeds=2, max_steps=2, eval_every=0, watch_images=1))
    ended = worker(job)
    assert ended.returncode == 0, ended.stdout[-2000:]
    done = jobs.must_get(connect(data), job.id)
    assert done.state is JobState.DONE and (done.step, done.total_steps) == (4, 4)
    assert len(done.result["seeds"]) == 2 and all((data.adapter(job.id, n)).exists() for n in range(2))


@pytest.mark.slow
def test_several_processes_do_all_of_them_too(data, mllama, worker):
    job = new_job(data, train_settings(mllama, seeds=2, gpus=2, max_steps=2, eval_every=0, watch_images=0))
    ended = worker(job)
    assert ended.returncode == 0, ended.stdout[-2000:]
    done = jobs.must_get(connect(data), job.id)
    assert done.state is JobState.DONE and len(done.result["seeds"]) == 2
    assert not same(adapter(data, job), adapter(data, job, 1))
    assert list(series(data, job, "loss, seed 2")) == [3, 4]


def test_describing_takes_each_training_as_an_arm_where_it_is_asked_to(data, mllama, launched):
    job = new_job(data, train_settings(mllama, seeds=3, instruction="Look."))
    for number in range(3):
        folder = data.adapter(job.id, number)
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({}))
        (folder / "adapter_model.safetensors").write_bytes(bytes([number]))
    db = connect(data)
    jobs.end(db, job.id, JobState.DONE)
    plain = submit_generate(data, db, GenerateSettings(train_job=job.id))
    assert plain.settings["more_adapters"] == ""
    every = submit_generate(data, db, GenerateSettings(train_job=job.id, every_seed=True))
    named = GenerateSettings.from_dict(every.settings).further_adapters
    assert named == {f"seed {n + 1}": str(data.adapter(job.id, n)) for n in (1, 2)}
    texts = [adapter_text(str(data.adapter(job.id, n)), data).rpartition(", ")[0] for n in range(3)]
    assert texts == [f"job {job.id:04d}", f"job {job.id:04d}, seed 2", f"job {job.id:04d}, seed 3"]
