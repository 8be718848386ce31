"""A base model whose files have changed since an adapter was trained on them is noticed, and said."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from radtui.paths import DataDir
from radtui.records import Job
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.worker.describing import generate
from radtui.worker.model import base_files
from radtui.worker.process.ranks import Ranks
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import train
from tests.worker.conftest import new_job, train_settings


@pytest.fixture
def base(mllama: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(mllama, tmp_path / "base"))


def change_weights(folder: Path) -> None:
    """One tensor's numbers, as further training would: names, shapes and sizes stay."""
    file = next(folder.glob("*.safetensors"))
    content = bytearray(file.read_bytes())
    content[-4000:] = bytes(value ^ 1 for value in content[-4000:])
    file.write_bytes(content)


def run(kind, data: DataDir, db: sqlite3.Connection, job: Job) -> Job:
    jobs.begin(db, job.id, 1)
    kind.run(jobs.must_get(db, job.id), data, db, Reporter(db, job.id))
    return jobs.must_get(db, job.id)


def warnings(db: sqlite3.Connection, job: Job) -> list[str]:
    return [e.text for e in metrics.events_since(db, job.id, 0) if "have changed since" in e.text]


def test_the_fingerprint_is_of_the_files_and_not_of_their_place(base, tmp_path):
    first = base_files.of_folder(base)
    assert first["files"] >= 2 and first["gib"] > 0
    shutil.copytree(base, tmp_path / "elsewhere")
    assert base_files.of_folder(tmp_path / "elsewhere") == first
    (base / "tokenizer_config.json").write_text("{}")
    (base / "README.md").write_text("x")
    assert base_files.of_folder(base) == first  # no part of the weights
    change_weights(base)
    assert base_files.of_folder(base)["digest"] != first["digest"]


def test_large_files_are_sampled(base, monkeypatch):
    monkeypatch.setattr(base_files, "WHOLE_BYTES", 4096)
    first = base_files.of_folder(base)
    change_weights(base)
    assert base_files.of_folder(base)["digest"] != first["digest"]


def test_generation_on_changed_weights_says_so(data, base):
    db = connect(data)
    trained = run(
        train, data, db, new_job(data, train_settings(base, max_steps=2, eval_every=0, watch_images=0))
    )
    assert trained.result["base_files"]["source"] == str(base) and not warnings(db, trained)
    settings = GenerateSettings(
        train_job=trained.id, model=str(base), adapter=str(data.adapter(trained.id)), dataset="shapes", limit=2,
        instruction="Describe what you see.", message_order="image_first", max_new_tokens=4, load_in_4bit=False,
    )  # fmt: skip
    same = run(generate, data, db, new_job(data, settings))
    assert not warnings(db, same)
    assert same.result["base_files"] == trained.result["base_files"]
    change_weights(base)
    other = run(generate, data, db, new_job(data, settings))
    (said,) = warnings(db, other)
    assert f"since job {trained.id} was trained on them" in said and said in other.result["substitutions"]


def test_a_resume_on_changed_weights_says_so(data, base):
    db = connect(data)
    job = new_job(data, train_settings(base, max_steps=4, checkpoint_every=2, eval_every=0, watch_images=0))
    run(train, data, db, job)
    assert not warnings(db, job)
    change_weights(base)
    run(train, data, db, job)
    (said,) = warnings(db, job)
    assert str(base) in said and "restore them, or train anew" in said


def test_what_cannot_be_compared_says_nothing():
    now = {"source": "a/b", "digest": "1" * 64}
    for before in (None, {}, {"source": "a/b-4bit", "digest": "2" * 64}, now):
        assert base_files.changed(before, now, "job 1") == ""
    assert base_files.changed(now, {}, "job 1") == ""


def test_of_several_processes_one_says_it(data, base):
    job = new_job(data, train_settings(base))
    db = connect(data)
    model = SimpleNamespace(config=SimpleNamespace(_name_or_path=str(base)))
    before = base_files.fingerprint(model, str(base))
    change_weights(base)
    for number in range(2):
        reporter = Reporter(db, job.id, Ranks(number, 2))
        assert base_files.keep(reporter, 0, model, str(base), (before, 7))
    assert len(warnings(db, job)) == 1
