"""The worker as a real process: whole jobs, signals, failures in one sentence, and no connection to anywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest, UserError
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics, studies
from radtui.store.database import connect

from .conftest import LIMIT_S, REPOSITORY, job_now, new_job, train_settings, wait_for, worker_command


def test_the_guard_notes_a_connection(guarded):
    script = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode and "192.0.2.1" in guarded.read_text()


def test_a_run_and_its_follower_end_without_an_app_and_without_the_network(data, mllama, guarded, worker):
    job = new_job(
        data, train_settings(mllama, max_steps=4, eval_every=2, checkpoint_every=2, loader_workers=1)
    )
    settings = GenerateSettings(
        model=str(mllama), adapter=str(data.adapter(job.id)), dataset="shapes", instruction="Describe what you see.",
        message_order="image_first", max_new_tokens=8, batch_size=4,
    )  # fmt: skip
    follower = new_job(data, settings, after_job_id=job.id)
    assert follower.state is JobState.QUEUED
    ended = worker(job)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    done = job_now(data, job)
    assert (done.state, done.error, done.step, done.pid) == (JobState.DONE, "", 4, None)
    assert "step 4/4 loss" in ended.stdout

    described = wait_for(data, follower, lambda j: not j.state.live)
    assert described.state is JobState.DONE, data.log(follower.id).read_text()
    assert len(studies.comparison_ids(connect(data), studies.of_job(connect(data), follower.id))) == 8
    assert not guarded.exists(), guarded.read_text()


@pytest.mark.slow
def test_a_cached_hub_model_needs_no_network(data, mllama, guarded, worker, tmp_path):
    cache = tmp_path / "hub" / "models--someone--tiny"
    shutil.copytree(mllama, cache / "snapshots" / "0123")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0123")
    job = new_job(data, train_settings("someone/tiny", max_steps=1, eval_every=0, watch_images=0))
    ended = worker(job, HF_HUB_CACHE=str(tmp_path / "hub"))
    assert job_now(data, job).state is JobState.DONE, ended.stdout + ended.stderr
    assert not guarded.exists(), guarded.read_text()


@pytest.mark.slow
def test_an_unknown_hub_model_without_a_network_is_one_sentence(data, guarded, worker, tmp_path):
    job = new_job(data, train_settings("someone/tiny"))
    ended = worker(job, HF_HUB_CACHE=str(tmp_path / "hub"))
    assert ended.returncode == 1
    failed = job_now(data, job)
    assert failed.state is JobState.FAILED
    assert failed.error == (
        "someone/tiny is not on this machine and the hub cannot be reached: connect to the network, "
        "or name a folder that holds it."
    )
    assert "Traceback" in ended.stdout
    assert (ended.stdout + ended.stderr).count("Retrying in") < 3


def start(data: DataDir, job: Job) -> subprocess.Popen[bytes]:
    with data.log(job.id).open("wb") as log:
        return subprocess.Popen(worker_command(data, job), cwd=REPOSITORY, stdout=log, stderr=log)


@pytest.mark.slow
def test_sigterm_ends_a_run_as_stopped(data, mllama):
    job = new_job(data, train_settings(mllama, max_steps=100_000, eval_every=0, checkpoint_every=0))
    process = start(data, job)
    wait_for(data, job, lambda j: j.step >= 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 0
    ended = job_now(data, job)
    assert (ended.state, ended.error) == (JobState.STOPPED, "")
    assert ended.ended_at is not None


@pytest.mark.slow
@pytest.mark.true_start
def test_sigterm_while_libraries_load_ends_as_stopped(data, mllama):
    job = new_job(data, train_settings(mllama))
    process = start(data, job)
    wait_for(data, job, lambda j: j.state is JobState.RUNNING)
    time.sleep(1)  # somewhere in the imports of torch and transformers
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 0
    assert job_now(data, job).state is JobState.STOPPED


@pytest.mark.slow
def test_a_stop_request_is_obeyed_within_a_step_and_a_killed_run_resumes(data, mllama):
    job = new_job(
        data, train_settings(mllama, max_steps=100_000, log_every=10, checkpoint_every=5, eval_every=0)
    )
    process = start(data, job)
    wait_for(data, job, lambda j: j.step >= 8)
    process.kill()
    process.wait()
    killed_at = job_now(data, job).step
    assert job_now(data, job).state is JobState.RUNNING  # dead without a word; telling is the app's part

    process = start(data, job)
    wait_for(data, job, lambda j: j.step > killed_at + 10)
    jobs.request_stop(connect(data), job.id, StopRequest.CHECKPOINT)
    assert process.wait(LIMIT_S) == 0
    ended = job_now(data, job)
    assert ended.state is JobState.STOPPED
    assert (data.checkpoints(job.id) / f"checkpoint-{ended.step}").is_dir()
    assert (data.adapter(job.id) / "adapter_config.json").exists()
    written = metrics.events_since(connect(data), job.id, 0)
    resumed = [e.step for e in written if e.kind == "resume"]
    assert len(resumed) == 1 and killed_at - 5 <= resumed[0] <= killed_at + 1
    elapsed = [m.elapsed_s for m in metrics.since(connect(data), job.id, 0) if m.name == "loss"]
    assert elapsed == sorted(elapsed)


@pytest.mark.slow
def test_a_failure_is_one_sentence_and_its_traceback_is_in_the_log(data, worker):
    job = new_job(data, train_settings("/nowhere/model"))
    ended = worker(job)
    assert ended.returncode == 1
    failed = job_now(data, job)
    assert failed.state is JobState.FAILED
    assert (
        failed.error == "The model /nowhere/model was not found or is incomplete: check its name or folder."
    )
    assert "Traceback" in ended.stdout


def test_a_job_that_does_not_exist_changes_nothing(data, worker):
    job = new_job(data, train_settings("/nowhere/model"))
    ended = subprocess.run(
        [*worker_command(data, job)[:-1], "99"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2 and "no job 99" in ended.stderr
    assert job_now(data, job).state is JobState.STARTING


def test_starting_the_worker_imports_nothing_heavy():
    script = (
        "import sys, radtui.worker.__main__, radtui.worker.training.train, radtui.worker.describing.generate\n"
        "print([m for m in ('torch', 'transformers', 'trl', 'peft') if m in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert ended.stdout.strip() == "[]"


def test_the_kinds_of_job_are_told_apart(data, mllama, monkeypatch):
    from radtui.worker import __main__ as main
    from radtui.worker.describing import generate
    from radtui.worker.importing import ingest
    from radtui.worker.scoring import score
    from radtui.worker.training import train

    called = []
    for module in (train, generate, ingest, score):
        monkeypatch.setattr(
            module, "run", lambda *_, name=module.__name__: called.append(name.rpartition(".")[2])
        )
    db = connect(data)
    for kind in (JobKind.IMPORT, JobKind.TRAIN, JobKind.GENERATE, JobKind.SCORE):
        job = jobs.create(db, kind, "test", "shapes", {})
        main.run(job, data, db, None)
    assert called == ["ingest", "train", "generate", "score"]
    with pytest.raises(UserError, match="cannot do jobs of kind ask"):  # it takes a reporter that streams
        main.run(jobs.create(db, JobKind.ASK, "test", "shapes", {}), data, db, None)
    assert os.environ["OMP_NUM_THREADS"] == "1"
