"""Small parts of the worker: pinned images, sampling, checkpoints, the reporter, machine plans."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from radtui.presets import preset
from radtui.records import Case, CaseImage, JobKind, JobState, StopRequest, Truth, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.worker.model import backend, model
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training import checkpoints, watch


def record(number: int, examination: str = "", finding: str = "") -> Case:
    truth = (Truth(finding),) if finding else ()
    images = (CaseImage("", "PNG", 1, 1, "L"),)
    return Case(number, "d", "test", number, str(number), "", "text", examination, "", "", {}, images, truth)


def test_pinned_images_show_as_many_examinations_and_findings_as_fit():
    records = [record(n, f"exam {n // 10 % 3}", f"finding {n % 5}") for n in range(60)]
    chosen = watch.pick(records, 5)
    assert len({r.examination for r in chosen}) == 3
    assert len({r.truth[0].finding for r in chosen}) == 5
    assert watch.pick(records, 5) == chosen
    assert len({r.id for r in watch.pick(records, 64)}) == 60


def test_pinned_images_without_facts_are_spread_over_the_split():
    records = [record(n) for n in range(100)]
    assert [r.id for r in watch.pick(records, 4)] == [0, 25, 50, 75]
    assert watch.pick(records, 0) == [] == watch.pick([], 4)
    assert len(watch.pick(records[:2], 4)) == 2


def test_seeded_sampling_draws_each_token_as_often_as_its_probability_says():
    import torch

    from radtui.worker.describing.describe import Decoding, SeededSampling

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, -torch.inf])
    rows = 4000
    sampling = SeededSampling(Decoding(1, temperature=1.5, min_p=0.2, seed=3), range(rows), asked=7)
    scores = sampling(torch.zeros(rows, 7, dtype=torch.long), logits.expand(rows, 5))
    drawn = scores.argmax(dim=-1)
    assert ((scores > -torch.inf).sum(dim=-1) == 1).all()
    expected = torch.softmax(logits / 1.5, dim=-1)
    expected[expected < 0.2 * expected.max()] = 0  # what min_p leaves out
    expected /= expected.sum()
    assert expected[3] == 0 or drawn.eq(3).any()
    found = torch.bincount(drawn, minlength=5) / rows
    assert torch.allclose(found, expected, atol=4 * 0.5 / rows**0.5)  # four standard errors
    again = SeededSampling(Decoding(1, temperature=1.5, min_p=0.2, seed=3), [11, 5], asked=7)
    pair = again(torch.zeros(2, 7, dtype=torch.long), logits.expand(2, 5)).argmax(dim=-1)
    assert pair.tolist() == [drawn[11], drawn[5]]


def test_only_complete_checkpoints_count_and_others_are_removed(tmp_path):
    def write(step: int, state: str) -> None:
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        for name in checkpoints.NEEDED:
            (folder / name).write_text("x")
        (folder / checkpoints.STATE).write_text(state)

    assert checkpoints.newest(tmp_path) is None
    write(90, json.dumps({"global_step": 90}))
    write(100, json.dumps({"global_step": 100}))
    write(110, '{"global_st')
    write(120, json.dumps({"global_step": 120}))
    (tmp_path / "checkpoint-120" / "optimizer.pt").unlink()
    (tmp_path / "runs").mkdir()
    newest = checkpoints.newest(tmp_path)
    assert newest is not None and checkpoints.step_of(newest) == 100
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-100", "checkpoint-90", "runs"]


def sealed(folder: Path, step: int) -> Path:
    """A checkpoint as the trainer leaves it."""
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    for name in checkpoints.NEEDED:
        (checkpoint / name).write_text(f"{name} of step {step}")
    (checkpoint / checkpoints.STATE).write_text(json.dumps({"global_step": step}))
    checkpoints.seal(checkpoint)
    return checkpoint


def test_a_checkpoint_whose_bytes_are_not_those_that_were_written_does_not_count(tmp_path):
    older, newer = sealed(tmp_path, 10), sealed(tmp_path, 20)
    assert checkpoints.newest(tmp_path) == newer
    weights = newer / "adapter_model.safetensors"
    # As after a power cut: the size is there, the bytes are not.
    weights.write_bytes(b"\0" * weights.stat().st_size)
    assert checkpoints.problem(newer) == "has a damaged adapter_model.safetensors"
    assert checkpoints.newest(tmp_path) == older and not newer.exists()


def test_a_checkpoint_without_its_marker_counts_only_where_an_older_radtui_wrote_it(data, db):
    job = jobs.create(db, JobKind.TRAIN, "test", "shapes", {})
    folder = data.checkpoints(job.id)
    (sealed(folder, 10) / checkpoints.MARKER).unlink()
    assert checkpoints.start(data, Reporter(db, job.id)).step == 10
    (sealed(folder, 20) / checkpoints.MARKER).unlink()  # killed before it was sealed
    assert checkpoints.start(data, Reporter(db, job.id)).step == 10


def test_older_checkpoints_go_by_their_steps_whatever_the_clock_says(tmp_path):
    for step in (10, 20, 30):
        os.utime(sealed(tmp_path, step), (2_000_000_000 - step, 2_000_000_000 - step))
    checkpoints.keep_newest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-20", "checkpoint-30"]


def test_a_checkpoint_that_is_written_over_does_not_count_meanwhile(tmp_path):
    older, newer = sealed(tmp_path, 10), sealed(tmp_path, 20)
    checkpoints.unseal(newer)
    (tmp_path / checkpoints.SEALED_AFTER).write_text('{"step": -1}')
    assert checkpoints.newest(tmp_path) == older


@pytest.fixture
def reporter(data) -> Reporter:
    db = connect(data)
    return Reporter(db, jobs.create(db, JobKind.TRAIN, "test", "shapes", {}).id)


def test_a_stop_request_comes_back_with_every_row(reporter):
    assert reporter.log_step(1, 9, 0.1, 1.0, {"loss": 2.0}) is StopRequest.NONE
    jobs.request_stop(reporter.db, reporter.job_id, StopRequest.CHECKPOINT)
    assert reporter.log_step(2, 9, 0.2, 2.0, {"loss": 1.0}) is StopRequest.CHECKPOINT
    assert reporter.progress(3, 9) is StopRequest.CHECKPOINT
    with pytest.raises(Stopped):
        reporter.advance(3, 9)
    reporter.advance(9, 9)  # nothing is left to stop
    reporter.terminated = True
    assert reporter.progress(4, 9) is StopRequest.NOW


def test_a_locked_database_is_tried_again(reporter, data, monkeypatch):
    from radtui.worker.process.reporter import log

    other = sqlite3.connect(data.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    reporter.db.execute("PRAGMA busy_timeout = 20")
    waits = []

    def let_go_after_two(*message):
        waits.append(message)
        if len(waits) == 2:
            other.execute("ROLLBACK")

    monkeypatch.setattr(log, "warning", let_go_after_two)
    reporter.log_step(1, 9, 0.1, 1.0, {"loss": 2.0})
    assert len(waits) == 2
    assert [m.value for m in metrics.since(reporter.db, reporter.job_id, 0)] == [2.0]


def test_an_end_is_written_as_soon_as_a_locked_database_is_free(reporter, data, monkeypatch):
    from radtui.worker.process.reporter import log

    other = sqlite3.connect(data.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    reporter.db.execute("PRAGMA busy_timeout = 20")
    monkeypatch.setattr(log, "warning", lambda *_: other.in_transaction and other.execute("ROLLBACK"))
    reporter.end(JobState.FAILED, "It broke.")
    ended = jobs.must_get(reporter.db, reporter.job_id)
    assert (ended.state, ended.error) == (JobState.FAILED, "It broke.")


def test_an_error_of_the_database_that_waiting_does_not_cure_is_raised(reporter):
    reporter.db.execute("DROP TABLE events")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        reporter.event(1, "eval", "text")


def test_a_machine_without_a_gpu_is_planned_for(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    how = backend.plan(TrainSettings(load_in_4bit=True))
    assert (how.backend, how.four_bit, how.precision, how.weights) == (
        "transformers",
        False,
        "float32",
        "float32",
    )
    assert len(how.changes) == 1 and "32 bits" in how.changes[0]
    assert backend.plan(TrainSettings(load_in_4bit=False)).changes == ()
    with pytest.raises(UserError, match="unsloth needs a CUDA GPU"):
        backend.plan(TrainSettings(backend="unsloth"))


def test_a_machine_with_a_gpu_takes_unsloth_when_it_is_there(monkeypatch):
    import importlib.util

    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    there = {"unsloth", "bitsandbytes"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in there else None)
    how = backend.plan(TrainSettings())
    assert (how.backend, how.weights, how.precision, how.changes) == ("unsloth", "4-bit", "bfloat16", ())
    assert backend.plan(TrainSettings(backend="transformers")).backend == "transformers"
    there.clear()
    with pytest.raises(UserError, match=r"4-bit weights need bitsandbytes: pip install 'radtui\[gpu\]'"):
        backend.plan(TrainSettings())
    with pytest.raises(UserError, match="unsloth is not installed"):
        backend.plan(TrainSettings(backend="unsloth"))
    assert backend.plan(TrainSettings(load_in_4bit=False)).weights == "bfloat16"


def test_a_model_larger_than_the_memory_is_refused_before_it_is_loaded(mllama, monkeypatch):
    from radtui.worker.process import memory

    how = backend.plan(TrainSettings(load_in_4bit=False))
    monkeypatch.setattr(memory, "free_gib", lambda: 0.001)
    with pytest.raises(UserError, match=r"needs 0\.0 GiB for its weights in float32 and 0\.0 GiB are free"):
        model.load(str(mllama), how)


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda folder: (folder / "chat_template.jinja").unlink(), "has no chat template"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no weights"),
        (lambda folder: (folder / "config.json").unlink(), r"has no config\.json"),
        (lambda folder: rewrite(folder, model_type="llama"), "takes no images"),
        (lambda folder: rewrite(folder, model_type="unheard_of"), r"of a kind \(unheard_of\)"),
    ],
)
def test_a_folder_that_is_no_usable_model_is_named_in_one_sentence(mllama, tmp_path, break_it, sentence):
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(mllama, folder)
    break_it(folder)
    with pytest.raises(UserError, match=sentence) as raised:
        model.load(str(folder), backend.plan(TrainSettings(load_in_4bit=False)))
    assert "\n" not in str(raised.value)


def rewrite(folder, **changes) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def test_a_smaller_micro_batch_keeps_the_images_of_a_step():
    from radtui.worker.memory.shares import halved

    start = replace(preset("default"), batch_size=12, gradient_accumulation=2)
    sizes = []
    while start is not None:
        sizes.append((start.batch_size, start.gradient_accumulation))
        start = halved(start)
    assert sizes == [(12, 2), (6, 4), (3, 8), (1, 24)]


@pytest.mark.parametrize(
    ("named", "rank", "seen"),
    [(None, None, "1"), ("2,3", None, "2"), ("", None, ""), ("2,3", "0", "2,3"), (None, "0", None)],
)
def test_a_job_sees_one_gpu_the_freest_unless_it_is_told(tmp_path, monkeypatch, named, rank, seen):
    import os
    import sys
    from types import SimpleNamespace

    from radtui.paths import DataDir
    from radtui.worker.process import environment

    free = [10, 30, 20]
    library = SimpleNamespace(
        nvmlInit=lambda: None, nvmlDeviceGetCount=lambda: 3, nvmlDeviceGetHandleByIndex=lambda n: n,
        nvmlDeviceGetMemoryInfo=lambda n: SimpleNamespace(free=free[n]),
    )  # fmt: skip
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setitem(sys.modules, "pynvml", library)
    for name, value in (("CUDA_VISIBLE_DEVICES", named), ("LOCAL_RANK", rank)):
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    environment.prepare(DataDir(tmp_path))
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == seen
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"
