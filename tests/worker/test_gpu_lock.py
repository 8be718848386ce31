"""One GPU, one job: who waits for whom, who does not, and what is said meanwhile; on a CPU, with made-up UUIDs."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from radtui.jobs import launch
from radtui.paths import DataDir
from radtui.records import JobState, StopRequest
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.worker.process import environment, gpu_lock
from radtui.worker.process.reporter import Reporter, Stopped
from tests.worker.conftest import LIMIT_S, REPOSITORY, new_job, train_settings


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two GPUs, and a folder of locks of their own."""
    folder = tmp_path / "locks"
    monkeypatch.setenv(gpu_lock.FOLDER_VARIABLE, str(folder))
    monkeypatch.setenv(gpu_lock.UUIDS_VARIABLE, "GPU-aaaa,GPU-bbbb")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv(launch.NOW_VARIABLE, raising=False)
    monkeypatch.setattr(gpu_lock, "LOOK_S", 0.02)
    monkeypatch.setattr(environment, "_before", {"CUDA_VISIBLE_DEVICES": None})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    return folder


class Voice(Reporter):
    """A reporter that a test can hear at once."""

    def __init__(self, data: DataDir, job_id: int) -> None:
        super().__init__(connect(data), job_id)
        self.heard: list[str] = []

    def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
        if message is not None:
            self.heard.append(message)
        return super().progress(step, total, message)


def hold(data: DataDir, count: int = 1, settings: TrainSettings | GenerateSettings | None = None):
    """The lock of a new job, not taken yet, and its voice."""
    job = new_job(data, settings or TrainSettings(dataset="shapes", model="m"))
    jobs.begin(connect(data), job.id, os.getpid())
    voice = Voice(data, job.id)
    return gpu_lock.held(job, data, voice, count), voice


def test_jobs_take_different_gpus_and_the_environment_says_which(data, machine):
    (first, _), (second, _) = hold(data), hold(data)
    with first:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
        with second:
            assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert sorted(path.name for path in machine.iterdir()) == ["GPU-aaaa.lock", "GPU-bbbb.lock"]
    assert stat.S_IMODE(machine.stat().st_mode) == 0o1777
    assert {stat.S_IMODE(path.stat().st_mode) for path in machine.iterdir()} == {0o666}
    assert {path.read_bytes() for path in machine.iterdir()} == {b""}  # nobody is named who holds nothing


def test_a_third_job_waits_and_says_for_whom_then_takes_what_is_free(data, monkeypatch):
    (first, _), (second, _), (third, voice) = hold(data), hold(data), hold(data)
    first.__enter__()
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            first.__exit__(None, None, None)  # job 1 ends while job 3 waits

    monkeypatch.setattr(gpu_lock.time, "sleep", sleep)
    with second, third:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    (message,) = voice.heard  # said once, however long it waits
    where = f"of {data.root}, user "
    assert (
        message.startswith(f"Waits for GPU 0, held by job 1 {where}")
        and f"; GPU 1, held by job 2 {where}" in message
    )
    assert jobs.must_get(connect(data), 3).message == message


def test_a_job_of_two_gpus_takes_both_or_none(data, machine, monkeypatch):
    (one, _), (both, voice), (other, _) = hold(data), hold(data, 2), hold(data)

    def stopped(seconds: float) -> None:
        with other:  # nothing is held while waiting
            assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
        raise TimeoutError

    monkeypatch.setattr(gpu_lock.time, "sleep", stopped)
    with one, pytest.raises(TimeoutError), both:
        pass
    assert "GPU 0" in voice.heard[0]
    whole, _ = hold(data, 2)
    with whole:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"


def test_a_waiting_job_can_be_stopped(data, monkeypatch):
    (first, _), (second, _), (third, voice) = hold(data), hold(data), hold(data)
    with first, second:
        jobs.request_stop(connect(data), voice.job_id, StopRequest.CHECKPOINT)
        with pytest.raises(Stopped), third:
            pass


@pytest.mark.parametrize("variable", ["SLURM_JOB_ID", launch.NOW_VARIABLE])
def test_under_slurm_and_with_now_nobody_waits(data, monkeypatch, variable):
    (first, _), (second, _), (third, voice) = hold(data), hold(data), hold(data)
    with first, second:
        monkeypatch.setenv(variable, "1")
        with third:
            assert voice.heard == []


def test_the_users_own_choice_of_gpus_is_kept(data, monkeypatch):
    monkeypatch.setattr(environment, "_before", {"CUDA_VISIBLE_DEVICES": "GPU-bb,0"})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-bb")
    (first, _), (second, voice) = hold(data), hold(data)

    def stopped(seconds: float) -> None:
        raise TimeoutError

    monkeypatch.setattr(gpu_lock.time, "sleep", stopped)
    with first:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-bb"
        with pytest.raises(TimeoutError), second:
            pass
    assert voice.heard[0].startswith("Waits for GPU 1, held by job 1")


def test_without_a_gpu_or_for_an_import_nothing_is_locked(data, machine, monkeypatch):
    monkeypatch.setenv(gpu_lock.UUIDS_VARIABLE, "")
    lock, _ = hold(data)
    with lock:
        assert not machine.exists()


def test_a_folder_or_file_that_cannot_be_trusted_locks_nothing_and_is_said(data, machine, tmp_path):
    machine.mkdir()
    machine.chmod(0o777)  # anybody could take another's lock away
    lock, voice = hold(data)
    with lock:
        pass
    machine.chmod(0o1777)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (machine / "GPU-aaaa.lock").symlink_to(precious)
    (machine / "GPU-bbbb.lock").hardlink_to(precious)
    other, second = hold(data)
    with other:
        pass
    said = [[e.text for e in metrics.events_since(voice.db, each.job_id, 0)] for each in (voice, second)]
    assert "No GPU is locked for this job" in said[0][0] and "GPU 0 is not locked" in said[1][0]
    assert precious.read_text() == "mine"


def test_what_strangers_write_into_a_lock_is_shown_as_plain_text(machine):
    machine.mkdir()
    (machine / "GPU-aaaa.lock").write_text(json.dumps({"job": 7, "data": "/d\x1b[2J", "user": "eve"}))
    (machine / "GPU-bbbb.lock").write_text("nonsense")
    first, second = gpu_lock.Gpu(0, "GPU-aaaa"), gpu_lock.Gpu(1, "GPU-bbbb")
    assert gpu_lock._holder(machine, first) == "job 7 of /d[2J, user eve"
    assert gpu_lock._holder(machine, second) == "another job"


@pytest.mark.true_start  # a forked one would have the libraries that it is not to load yet
def test_two_workers_of_two_data_folders_take_turns(data, mllama, tmp_path, monkeypatch):
    """The second worker's row says that it waits; when the first one's lock falls, it trains, before any app looks."""
    monkeypatch.setenv(gpu_lock.UUIDS_VARIABLE, "GPU-aaaa")
    (first, _) = hold(data)
    job = new_job(data, train_settings(mllama, max_steps=1, eval_every=0, watch_images=0))
    command = [sys.executable, "-m", "radtui.worker", "--data-dir", str(data.root), str(job.id)]
    with first:
        worker = subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert worker.stdout is not None
        for line in worker.stdout:
            if "Waits for GPU 0, held by job 1 of" in line:
                break
        else:
            pytest.fail("the worker did not wait")
        assert jobs.must_get(connect(data), job.id).state is JobState.RUNNING
        assert not any(
            name in Path(f"/proc/{worker.pid}/maps").read_text() for name in ("libtorch", "libcuda")
        )
    output, _ = worker.communicate(timeout=LIMIT_S)
    assert worker.returncode == 0, output[-2000:]
    assert jobs.must_get(connect(data), job.id).state is JobState.DONE
