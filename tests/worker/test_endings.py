"""What happens when a job has ended: the user's command, energy, and where curves were sent."""

import json
import os
import sys
import time

import pytest

from radtui.jobs import launch, submit_import, submit_train
from radtui.jobs.packages import check_report_to
from radtui.records import JobKind, JobState, UserError
from radtui.settings import ImportSettings, TrainSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.worker.process import energy, environment
from radtui.worker.process.gpu_lock import Gpu
from radtui.worker.process.reporter import Reporter
from tests.conftest import drawn_png

from .conftest import new_job, train_settings

SMI = """#!/bin/sh
echo "GPU-one, NVIDIA Test 80GB, 120.0"
echo "GPU-two, NVIDIA Test 80GB, 180.0"
"""


def ended(db, job_id):
    end = time.monotonic() + 120
    while jobs.must_get(db, job_id).state.live:
        assert time.monotonic() < end
        time.sleep(0.05)
    return jobs.must_get(db, job_id)


def test_a_command_runs_at_the_end_and_holds_no_lock(data, db, tmp_path):
    out = tmp_path / "told.json"
    words = ("JOB", "JOB_STATE", "JOB_KIND", "JOB_NAME", "JOB_SECONDS", "DATA")
    told = ", ".join(f"'{word}': os.environ['RADTUI_{word}']" for word in words)
    code = f"import json, os, time; time.sleep(1); open('{out}.part', 'w').write(json.dumps({{{told}}})); "
    code += f"os.rename('{out}.part', '{out}')"
    then = f'echo begins; {sys.executable} -c "{code}"; exit 3'
    source = tmp_path / "images"
    source.mkdir()
    (source / "one.png").write_bytes(drawn_png(1))
    job = submit_import(data, db, ImportSettings(source=str(source), then=then))
    assert ended(db, job.id).state is JobState.DONE
    end = time.monotonic() + 30
    while launch.alive(data, job.id):  # the worker leaves while the command is at work
        assert time.monotonic() < end
        time.sleep(0.02)
    while "ended with code 3" not in data.log(job.id).read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    facts = json.loads(out.read_text())
    assert facts["JOB"] == str(job.id) and facts["JOB_STATE"] == "done" and facts["JOB_KIND"] == "import"
    assert (
        facts["JOB_NAME"] == job.name and facts["DATA"] == str(data.root) and facts["JOB_SECONDS"].isdigit()
    )
    assert "begins" in data.log(job.id).read_text()


def test_a_command_runs_behind_a_job_that_failed_too(data, db, tmp_path):
    empty = tmp_path / "nothing.csv"
    empty.write_text("a,b\n")
    out = tmp_path / "told"
    job = submit_import(data, db, ImportSettings(source=str(empty), then=f'echo "$RADTUI_JOB_STATE" > {out}'))
    assert ended(db, job.id).state is JobState.FAILED
    end = time.monotonic() + 30
    while not out.exists() or not out.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert out.read_text() == "failed\n"


class Voice:
    """A reporter that keeps what it is told."""

    def __init__(self):
        self.facts = {}

    def result(self, **facts):
        self.facts |= facts


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """An nvidia-smi that knows two GPUs, and no library."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(SMI)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    return tool


def test_power_is_added_up_over_time_and_over_attempts(data, db, smi, monkeypatch):
    job = jobs.create(db, JobKind.TRAIN, "t", "d", {})
    jobs.set_result(db, job.id, energy_wh=10.0)
    clock = iter([0.0, 60.0, 120.0, 180.0, 240.0])
    monkeypatch.setattr(energy.time, "monotonic", lambda: next(clock))
    power = energy._Power([Gpu(0, "GPU-one"), Gpu(1, "GPU-two")])
    assert power._read() and power._read()
    assert power._joules == pytest.approx(300 * 60)
    voice = Voice()
    monkeypatch.setattr(energy._Power, "start", lambda self: self._read())
    monkeypatch.setattr(energy._Power, "join", lambda self, timeout: None)
    with energy.measured(jobs.must_get(db, job.id), voice, [Gpu(1, "GPU-two")]):
        pass
    assert voice.facts["gpu"] == "NVIDIA Test 80GB"
    assert voice.facts["energy_wh"] == pytest.approx(10 + 180 * 60 / 3600)


def test_a_gpu_that_nobody_knows_writes_nothing(data, db, smi):
    voice, job = Voice(), jobs.create(db, JobKind.TRAIN, "t", "d", {})
    with energy.measured(job, voice, [Gpu(0, "MIG-part")]):
        pass
    with energy.measured(job, voice, []):
        pass
    smi.unlink()
    with energy.measured(job, voice, [Gpu(0, "GPU-one")]):
        pass
    assert voice.facts == {}


def test_several_gpus_of_a_kind_are_counted():
    assert energy._name_text(["H100", "H100", "A40"]) == "2x H100, A40"


def test_a_package_that_is_not_here_is_said_before_the_start(data, db, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install wandb, or set it to none"):
        check_report_to(TrainSettings(report_to="wandb"))
    check_report_to(TrainSettings())
    check_report_to(TrainSettings(report_to="wandb", on="slurm"))


def test_curves_go_nowhere_unless_the_job_says_so(data, db, monkeypatch, tmp_path):
    for name in environment.OF_ONE_JOB:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(environment, "_before", {})
    monkeypatch.setattr(environment, "_freest_gpus", lambda count: [0])
    quiet = jobs.create(db, JobKind.TRAIN, "t", "d", TrainSettings().to_dict())
    environment.prepare(data)
    environment.report(data, quiet)
    assert os.environ["WANDB_MODE"] == "disabled" and "TENSORBOARD_LOGGING_DIR" not in os.environ
    board = jobs.create(db, JobKind.TRAIN, "t", "d", TrainSettings(report_to="tensorboard").to_dict())
    environment.report(data, board)
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == str(data.job(board.id) / "tensorboard")
    online = jobs.create(db, JobKind.TRAIN, "rank 32", "d", TrainSettings(report_to="wandb").to_dict())
    environment.report(data, online)
    assert "WANDB_MODE" not in os.environ and os.environ["WANDB_NAME"] == f"#{online.id} rank 32"
    environment.restore()
    assert "WANDB_NAME" not in os.environ and "TENSORBOARD_LOGGING_DIR" not in os.environ


def test_a_training_with_a_package_that_is_not_here_makes_no_job(data, db, add_images, monkeypatch):
    add_images(4, split="train")
    monkeypatch.setattr("radtui.jobs.packages.REPORTERS", {"wandb": ("no_such_package_here",)})
    with pytest.raises(UserError, match="report_to wandb needs a package"):
        submit_train(
            data, db, TrainSettings(dataset="drawn", model="demo-base", eval_split="", report_to="wandb")
        )
    assert jobs.total(db) == 0


BOARD = '''
import json
from pathlib import Path

class SummaryWriter:
    """Writes what it is given as lines."""

    def __init__(self, log_dir):
        Path(log_dir).mkdir(parents=True, exist_ok=True)
        self.file = (Path(log_dir) / "events.jsonl").open("a")

    def add_text(self, name, text): pass
    def add_scalar(self, name, value, step): self.file.write(json.dumps([name, value, step]) + "\\n")
    def flush(self): self.file.flush()
    def close(self): self.file.close()
'''


def test_the_trainers_own_reporter_writes_the_curves_into_the_jobs_folder(
    data, mllama, tmp_path, monkeypatch
):
    from radtui.worker.training import train

    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "tensorboardX.py").write_text(BOARD)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in environment.OF_ONE_JOB:  # put back what the job sets
        monkeypatch.setenv(name, os.environ.get(name, ""))
    job = new_job(data, train_settings(mllama, max_steps=3, eval_every=0, report_to="tensorboard"))
    db = connect(data)
    environment.report(data, job)
    train.run(job, data, db, Reporter(db, job.id))
    lines = (data.job(job.id) / "tensorboard" / "events.jsonl").read_text().splitlines()
    losses = {step: value for name, value, step in map(json.loads, lines) if name == "train/loss"}
    own = {point.step: point.value for point in metrics.since(db, job.id, 0) if point.name == "loss"}
    assert losses == pytest.approx(own, abs=1e-4) and list(losses) == [1, 2, 3]
