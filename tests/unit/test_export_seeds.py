"""Every training's adapter leaves radtui: in an export's folders, alone, and in a backup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.export.adapter import export_adapter
from radtui.export.backup import back_up
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def adapter(folder: Path, value: int) -> None:
    """An adapter of one tensor of one byte."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header + bytes([value]))
    (folder / CONFIG).write_text("{}")


@pytest.fixture
def trained(tmp_path: Path) -> tuple[DataDir, Job]:
    """A job that has trained twice."""
    data = DataDir(tmp_path / "data").create()
    db = connect(data, create=True)
    job = jobs.create(db, JobKind.TRAIN, "twice", "set", TrainSettings(model="m", seeds=2).to_dict())
    jobs.begin(db, job.id, 1)
    metrics.log_step(db, job.id, 1, 4, 0.0, 1.0, {"loss": 2.0})
    metrics.log_step(db, job.id, 4, 4, 0.0, 1.0, {"loss, seed 2": 1.5})
    for number in range(2):
        adapter(data.adapter(job.id, number), number)
    jobs.set_result(db, job.id, final_loss=2.0, seeds=[{"final_loss": 2.0}, {"final_loss": 1.5}])
    jobs.end(db, job.id, JobState.DONE)
    return data, jobs.must_get(db, job.id)


def last_byte(folder: Path) -> int:
    return (folder / WEIGHTS).read_bytes()[-1]


def test_an_export_holds_the_first_and_the_others_in_folders(trained, tmp_path):
    data, job = trained
    out = export_adapter(data, connect(data), job.id, tmp_path / "out")
    assert (last_byte(out), last_byte(out / "seed-2")) == (0, 1)
    card = (out / "README.md").read_text()
    assert "trained 2 times; this is the adapter of training 1" in card and "`seed-2`" in card
    assert "| Last training loss | 2 |" in card


def test_one_training_is_exported_alone_with_its_own_figures(trained, tmp_path):
    data, job = trained
    command = ["--data-dir", str(data.root), "adapter", "export", str(job.id), "--out", str(tmp_path / "two")]
    ended = CliRunner().invoke(cli, [*command, "--seed", "2"])
    assert ended.exit_code == 0, ended.output
    assert last_byte(tmp_path / "two") == 1 and not (tmp_path / "two" / "seed-2").exists()
    card = (tmp_path / "two" / "README.md").read_text()
    assert "this is the adapter of training 2" in card and "| Last training loss | 1.5 |" in card
    assert "| 4 | 1.5000 |" in card
    with pytest.raises(UserError, match=r"Job 1 trains 2 times: there is no seed 3\."):
        export_adapter(data, connect(data), job.id, tmp_path / "three", seed=3)


def test_a_training_that_is_not_there_is_said(trained, tmp_path):
    data, job = trained
    (data.adapter(job.id, 1) / CONFIG).unlink()
    with pytest.raises(UserError, match=r"has left 1 of its 2 adapters.*or name one with --seed \(1 to 1\)"):
        export_adapter(data, connect(data), job.id, tmp_path / "out")
    assert last_byte(export_adapter(data, connect(data), job.id, tmp_path / "out", seed=1)) == 0


def test_a_backup_has_every_training_s_adapter(trained, tmp_path):
    data, job = trained
    back_up(data, connect(data), tmp_path / "copy")
    copy = DataDir(tmp_path / "copy")
    assert [last_byte(copy.adapter(job.id, number)) for number in range(2)] == [0, 1]
