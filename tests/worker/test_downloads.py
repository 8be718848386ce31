"""A job that fetches its model or data set from a hub says how many bytes have come, and can be stopped meanwhile."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image as Pillow

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.settings import ImportSettings
from radtui.sources.hub_download import Download, dataset_files, model_files
from radtui.store import jobs
from radtui.store.database import connect
from tests.unit.fake_hub import hub
from tests.unit.source_files import mini_rows, write_parquet
from tests.worker.conftest import REPOSITORY, new_job, train_settings, worker_command


def test_progress_is_in_bytes_with_speed_and_time_left(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    blobs = tmp_path / "models--acme--rays" / "blobs"
    blobs.mkdir(parents=True)
    mib = 2**20
    download = Download("acme/rays", "model", {"aa": 64 * mib, "bb": 192 * mib})
    assert download.sentence(0.0) == "Downloading acme/rays: 0.0 of 256.0 MiB"
    (blobs / "aa").write_bytes(b"x")  # complete as soon as it has its name
    part = blobs / "bb.1234.incomplete"
    part.write_bytes(bytes(32 * mib))
    assert download.sentence(3.0) == "Downloading acme/rays: 96.0 of 256.0 MiB, 32.0 MiB/s, 5 s left"
    (blobs / "unwanted").write_bytes(bytes(8 * mib))
    part.rename(blobs / "bb")
    assert download.complete and download.sentence(6.0).startswith(
        "Downloading acme/rays: 256.0 of 256.0 MiB"
    )


def test_space_set_aside_is_not_taken_for_bytes_that_came(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    blobs = tmp_path / "datasets--acme--rays" / "blobs"
    blobs.mkdir(parents=True)
    with (blobs / "aa.incomplete").open("wb") as file:
        file.truncate(2**24)
    assert Download("acme/rays", "dataset", {"aa": 2**24}).done() < 2**20


def test_only_what_loading_reads_is_fetched():
    names = [
        "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "tokenizer.model",
        "model.safetensors.index.json", "consolidated.safetensors", "pytorch_model.bin", "original/params.json",
        "modeling_x.py", "README.md", "onnx/model.onnx", "chat_template.jinja",
    ]  # fmt: skip
    wanted = model_files(names)
    assert wanted == [
        "chat_template.jinja", "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "model.safetensors.index.json", "tokenizer.model",
    ]  # fmt: skip
    assert set(model_files(names, with_code=True)) - set(wanted) == {"modeling_x.py"}
    assert model_files(["config.json", "pytorch_model.bin"]) == ["config.json", "pytorch_model.bin"]
    assert dataset_files(["a.parquet", "README.md"]) == ["a.parquet"] and dataset_files(["a.csv"]) == [
        "a.csv"
    ]


def watched(data: DataDir, job: Job, address: str, home: Path, stop: bool = False) -> tuple[Job, list[str]]:
    """Run a job's worker with a hub at an address; its row at the end and every message on the way."""
    data.job(job.id).mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        environment.pop(name, None)
    db, said = connect(data), [""]
    with (data.job(job.id) / "out").open("wb") as out:
        process = subprocess.Popen(
            worker_command(data, job), env=environment, cwd=REPOSITORY, stdout=out, stderr=out
        )
        while process.poll() is None:
            message = jobs.must_get(db, job.id).message
            if message != said[-1]:
                said.append(message)
            if stop and "MiB/s" in message:
                jobs.request_stop(db, job.id, StopRequest.NOW)
            time.sleep(0.02)
    return jobs.must_get(db, job.id), said


LARGE = bytes(48 * 2**20)  # the hub library writes 10 MB at a time


def model_on_hub(mllama: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in mllama.iterdir() if path.is_file()}
    return files | {"model-more.safetensors": LARGE}  # fetched, and not read


def growing(said: list[str]) -> list[float]:
    """The amounts that were said on the way, MiB."""
    lines = [line for line in said if line.startswith("Downloading acme/rays: ") and line.endswith(" left")]
    return [float(line.split()[2]) for line in lines]


@pytest.mark.slow
def test_a_training_job_says_how_much_of_its_model_has_come(data, mllama, tmp_path):
    job = new_job(data, train_settings("acme/rays", max_steps=1, eval_every=0, watch_images=0))
    with hub(model_on_hub(mllama), kind="model", bytes_per_s=len(LARGE) / 4) as address:
        done, said = watched(data, job, address, tmp_path / "home")
    assert done.state is JobState.DONE, (done.error, (data.job(job.id) / "out").read_text()[-2000:])
    amounts = growing(said)
    assert len(set(amounts)) >= 2 and amounts == sorted(amounts) and 0 < amounts[0] < len(LARGE) / 2**20
    assert done.result["base_files"]["source"] == "acme/rays"  # type: ignore[index]


@pytest.mark.slow
def test_a_download_hears_a_stop(data, mllama, tmp_path):
    job = new_job(data, train_settings("acme/rays", max_steps=1))
    with hub(model_on_hub(mllama), kind="model", bytes_per_s=len(LARGE) / 3600) as address:
        ended, said = watched(data, job, address, tmp_path / "home", stop=True)
    assert ended.state is JobState.STOPPED  # the whole of it would take an hour
    assert any("MiB/s" in line for line in said)


def noise() -> bytes:
    """A PNG of 4 MB."""
    file = io.BytesIO()
    Pillow.effect_noise((2048, 2048), 60).save(file, "PNG", compress_level=0)
    return file.getvalue()


@pytest.mark.slow
def test_an_import_says_how_much_of_its_data_set_has_come(data, tmp_path):
    pytest.importorskip("datasets")
    rows = mini_rows(6)
    for row in rows:
        row["image"]["bytes"] = noise()
    parquet = write_parquet(tmp_path / "a", rows).read_bytes()
    settings = ImportSettings(source="acme/rays", name="rays", hold_out=0)
    job = jobs.create(connect(data), JobKind.IMPORT, "rays", "rays", settings.to_dict())
    with hub({"data/train-00000-of-00001.parquet": parquet}, bytes_per_s=len(parquet) / 4) as address:
        done, said = watched(data, job, address, tmp_path / "home")
    assert done.state is JobState.DONE, (done.error, (data.job(job.id) / "out").read_text()[-2000:])
    assert growing(said)
    assert done.message == "6 images: 6 train"
    shutil.rmtree(tmp_path / "home")


def test_the_app_side_imports_no_hub_library():
    code = "import sys, radtui.sources.hub_download, radtui.sources.hub; sys.exit('huggingface_hub' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
