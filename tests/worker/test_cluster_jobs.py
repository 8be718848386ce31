"""Jobs in a folder of their own, as on a cluster: event files instead of a database, collected without loss."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from radtui.cluster import collect, reading
from radtui.cluster.journal import Entry
from radtui.cluster.run_folder import RunFolder
from radtui.paths import DataDir
from radtui.records import JobState, StopRequest, UserError
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics, studies, texts
from radtui.store.database import connect
from radtui.worker.process import under_slurm

from .cluster import ended, packed, rows, rows_of_files, start
from .conftest import LIMIT_S, Worker, new_job, train_settings


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    return connect(data)


def brought_home(data: DataDir, db: sqlite3.Connection, run: RunFolder) -> int:
    return collect.collect(data, db, jobs.must_get(db, run.job_id), run)


def step_reached(run: RunFolder, step: int) -> None:
    """Wait until a worker has written a step."""
    said(run, lambda entry: entry.kind == "step" and entry.facts["step"] >= step)


def said(run: RunFolder, is_it: Callable[[Entry], bool]) -> None:
    """Wait until a worker has written an entry."""
    end, place = time.monotonic() + LIMIT_S, reading.JournalPlace()
    while not any(is_it(entry) for entry in reading.entries(run.journal, place)):
        assert time.monotonic() < end, run.data.log(run.job_id)
        time.sleep(0.05)


def losses(db: sqlite3.Connection, job_id: int) -> dict[int, float | None]:
    return series(db, job_id, "loss")


def series(db: sqlite3.Connection, job_id: int, name: str) -> dict[int, float | None]:
    points = [m for m in metrics.since(db, job_id, 0) if m.name == name]
    assert len({m.step for m in points}) == len(points)  # no step twice
    return {m.step: m.value for m in points}


@pytest.mark.slow
def test_training_in_a_folder_is_training_here(
    data: DataDir, db: sqlite3.Connection, mllama: Path, worker: Worker, tmp_path: Path
) -> None:
    here = new_job(data, train_settings(mllama))
    worker(here)
    job = new_job(data, train_settings(mllama))
    run = packed(data, job, tmp_path / "shared")
    hidden = data.root.rename(tmp_path / "hidden")  # a machine of the cluster has no way to the database
    output = ended(start(run))
    hidden.rename(data.root)
    assert brought_home(data, db, run) > 20, output
    done = jobs.must_get(db, job.id)
    assert (done.state, done.step, done.error) == (JobState.DONE, 6, ""), output
    assert losses(db, job.id) == losses(db, here.id)
    assert rows(db, job.id) == rows_of_files(run, tmp_path)
    assert done.result["adapter"] == str(data.adapter(job.id))
    # Seen through the data folder's own folder.
    assert (data.adapter(job.id) / "adapter_config.json").exists()
    assert brought_home(data, db, run) == 0 and rows(db, job.id) == rows_of_files(run, tmp_path)
    assert not list(run.root.glob("radtui.db*"))


@pytest.mark.slow
def test_several_trainings_in_a_folder_are_those_here_also_when_one_is_killed(
    data: DataDir, db: sqlite3.Connection, mllama: Path, worker: Worker, tmp_path: Path, held: Path
) -> None:
    settings = train_settings(mllama, seeds=2, watch_images=0)
    job = new_job(data, settings)
    run = packed(data, job, tmp_path / "shared")
    held.unlink()
    first = start(run)
    said(run, lambda entry: entry.kind == "again")
    held.touch()  # the second training waits after its fifth step
    step_reached(run, 11)
    brought_home(data, db, run)
    watched = jobs.must_get(db, job.id)
    assert watched.pid
    os.kill(watched.pid, signal.SIGKILL)
    first.wait()
    held.unlink()
    output = ended(start(run, restart=1))
    brought_home(data, db, run)
    done = jobs.must_get(db, job.id)
    assert (done.state, done.step, done.total_steps) == (JobState.DONE, 12, 12), output
    assert [e.step for e in metrics.events_since(db, job.id, 0) if e.kind == "resume"] == [10]
    assert rows(db, job.id) == rows_of_files(run, tmp_path)
    whole = new_job(data, settings)
    worker(whole)
    for name in ("loss", "loss, seed 2", "eval_loss", "eval_loss, seed 2"):
        assert series(db, job.id, name) == series(db, whole.id, name) != {}
    for number in range(2):
        mine, theirs = (data.adapter(each.id, number) / "adapter_model.safetensors" for each in (job, whole))
        assert mine.read_bytes() == theirs.read_bytes()
    trained, alike = (_without_times(jobs.must_get(db, each.id).result["seeds"]) for each in (job, whole))
    assert trained == [each | {"adapter": str(data.adapter(job.id, n))} for n, each in enumerate(alike)]


def _without_times(trained: object) -> list[dict[str, object]]:
    assert isinstance(trained, list)
    return [{name: value for name, value in each.items() if name != "seconds"} for each in trained]


@pytest.mark.slow
def test_a_killed_worker_goes_on_elsewhere_with_the_same_losses(
    data: DataDir, db: sqlite3.Connection, mllama: Path, worker: Worker, tmp_path: Path, held: Path
) -> None:
    settings = train_settings(mllama, max_steps=8, eval_every=0)
    job = new_job(data, settings)
    run = packed(data, job, tmp_path / "shared")
    first = start(run)
    step_reached(run, 5)
    brought_home(data, db, run)
    watched = jobs.must_get(db, job.id)
    assert watched.step == 5 and watched.pid  # watched live
    os.kill(watched.pid, signal.SIGKILL)
    first.wait()
    newest = max(run.journal.iterdir())
    with newest.open("ab") as file:
        file.write(b"01234567 {half a li")  # as a machine that lost its power leaves it
    held.unlink()
    output = ended(start(run, restart=1))
    collected = connect(data)  # another collector, which knows nothing but the rows
    brought_home(data, collected, run)
    done = jobs.must_get(db, job.id)
    assert (done.state, done.step) == (JobState.DONE, 8), output
    assert [e.step for e in metrics.events_since(db, job.id, 0) if e.kind == "resume"] == [4]
    assert rows(db, job.id) == rows_of_files(run, tmp_path)
    whole = new_job(data, settings)
    worker(whole)
    assert losses(db, job.id) == losses(db, whole.id)


@pytest.mark.slow
def test_a_file_stops_a_job_with_a_checkpoint_and_a_signal_for_want_of_time(
    data: DataDir, db: sqlite3.Connection, mllama: Path, tmp_path: Path, held: Path
) -> None:
    job = new_job(data, train_settings(mllama, max_steps=40, eval_every=0, checkpoint_every=0))
    run = packed(data, job, tmp_path / "shared")
    process = start(run)
    step_reached(run, 5)
    run.ask_to_stop(StopRequest.CHECKPOINT)
    held.unlink()
    output = ended(process)
    brought_home(data, db, run)
    stopped = jobs.must_get(db, job.id)
    assert stopped.state is JobState.STOPPED and 5 <= stopped.step < 40, output
    assert (data.checkpoints(job.id) / f"checkpoint-{stopped.step}").is_dir()
    run.ask_to_stop(StopRequest.NONE)
    held.touch()
    process = start(run, restart=1)
    said(run, lambda entry: entry.kind == "event" and entry.facts["kind"] == "resume")
    brought_home(data, db, run)
    running = jobs.must_get(db, job.id)
    assert running.pid
    os.kill(running.pid, signal.SIGUSR1)
    held.unlink()
    output = ended(process)
    brought_home(data, db, run)
    again = jobs.must_get(db, job.id)
    assert again.state is JobState.STOPPED and stopped.step <= again.step < 40, output
    assert (data.checkpoints(job.id) / f"checkpoint-{again.step}").is_dir()
    assert rows(db, job.id) == rows_of_files(run, tmp_path)


@pytest.mark.parametrize(("has_moved_on", "state"), [(True, JobState.STOPPED), (False, JobState.FAILED)])
def test_a_job_that_never_gets_anywhere_before_its_time_limit_is_not_started_for_ever(
    has_moved_on: bool, state: JobState
) -> None:
    reporter: Any = SimpleNamespace(goes_on_later=True, has_moved_on=has_moved_on)
    ended_as, error = under_slurm.ended(reporter, JobState.STOPPED, "")
    assert ended_as is state and ("more time in the profile" in error) is not has_moved_on
    assert under_slurm.ended(reporter, JobState.DONE, "") == (JobState.DONE, "")


@pytest.mark.slow
def test_describing_in_two_processes_takes_over_what_is_written(
    data: DataDir, db: sqlite3.Connection, mllama: Path, worker: Worker, tmp_path: Path
) -> None:
    train = new_job(data, train_settings(mllama, max_steps=1, eval_every=0, watch_images=0))
    worker(train)
    asked = GenerateSettings(
        model=str(mllama), adapter=str(data.adapter(train.id)), train_job=train.id, dataset="shapes",
        split="test", instruction="Describe what you see.", message_order="image_first", max_new_tokens=8,
        batch_size=2, load_in_4bit=False,
    )  # fmt: skip
    few = new_job(data, GenerateSettings(**{**asked.to_dict(), "limit": 3}))  # type: ignore[arg-type]
    worker(few)
    job = new_job(data, GenerateSettings(**{**asked.to_dict(), "gpus": 2}))  # type: ignore[arg-type]
    run = packed(data, job, tmp_path / "shared")
    output = ended(start(run))
    brought_home(data, db, run)
    done = jobs.must_get(db, job.id)
    assert (done.state, done.step, done.total_steps) == (JobState.DONE, 16, 16), output
    assert len(texts.finished(db, job.id)) == 16
    taken_over = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "data"]
    assert len(taken_over) == 1 and taken_over[0].startswith("6 texts were")
    assert len(studies.comparison_ids(db, studies.of_job(db, job.id))) == 8
    here = new_job(data, GenerateSettings(**{**asked.to_dict(), "limit": 8}))  # type: ignore[arg-type]
    worker(here)
    as_here = {(t.case_id, t.arm): t.text for t in texts.finished(db, here.id)}
    assert {(t.case_id, t.arm): t.text for t in texts.finished(db, job.id)} == as_here
    replayed = rows_of_files(run, tmp_path)
    assert sorted(rows(db, job.id)["texts"], key=repr) == sorted(replayed["texts"], key=repr)
    assert rows(db, job.id)["job"] == replayed["job"]


@pytest.mark.slow
def test_a_folder_copied_home_by_hand_is_collected(
    data: DataDir, db: sqlite3.Connection, mllama: Path, tmp_path: Path
) -> None:
    job = new_job(data, train_settings(mllama, max_steps=2, eval_every=0, watch_images=0))
    run = packed(data, job, tmp_path / "shared")
    away = Path(shutil.copytree(run.root, tmp_path / "away"))
    shutil.rmtree(run.root)
    output = ended(start(RunFolder(away, job.id)))
    done, new = collect.collect_folder(data, db, away)
    assert done.state is JobState.DONE and new > 5, output
    assert collect.collect_folder(data, db, away)[1] == 0
    assert (data.adapter(job.id) / "adapter_config.json").exists() and not data.job(job.id).is_symlink()
    with pytest.raises(UserError, match="no folder of a job"):
        collect.collect_folder(data, db, tmp_path)
    other = DataDir(tmp_path / "other").create()
    with pytest.raises(UserError, match="another data folder"):
        collect.collect_folder(other, connect(other), away)
