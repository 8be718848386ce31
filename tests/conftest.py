"""What tests share: a temporary data folder, drawn images, rows made through the store."""

from __future__ import annotations

import fcntl
import gc
import io
import os
import random
import signal
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import hypothesis
import numpy as np
import pytest
from PIL import Image as PillowImage

from radtui.jobs import launch
from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, Job, JobKind, JobState, NewCase, NewCaseImage, Truth
from radtui.settings import GenerateSettings, TrainSettings
from radtui.sources import identity
from radtui.store import arms, cases, jobs, schema, studies, texts
from radtui.store.database import connect
from tests import blobs

# No example is judged by the wall clock: on a busy machine it says nothing of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Workers that tests start remember what fitted, and how long it took, in the user's cache folder; what is opened is
# remembered in that of the user's state.
_CACHE = tempfile.TemporaryDirectory(prefix="radtui-cache-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name
os.environ["XDG_STATE_HOME"] = f"{_CACHE.name}/state"

# A shell without job control starts background jobs with ctrl+c ignored, and so would be all that these tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


DRAW = int(os.environ.get("RADTUI_TEST_DRAW", "0"))
"""What tests draw from, salts and random weights; one that passes with one number and fails with another has luck."""

gc.disable()  # until all is collected: a quarter of that time


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: collections need not walk through it, nor come after 700 objects.

    They took a third of an app's start.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def new_databases() -> Iterator[None]:
    """A new database is a copy of one that the migrations made, at a sixth of their CPU time; older ones migrate."""
    made = sqlite3.connect(":memory:", check_same_thread=False)
    by_migrations = schema.migrate
    by_migrations(made)

    def migrate(db: sqlite3.Connection) -> None:
        if db.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
            made.backup(db)
        else:
            by_migrations(db)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "migrate", migrate)
        yield


@pytest.fixture(autouse=True)
def own_preferences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the choices of whoever runs it, nor those of another test."""
    monkeypatch.setenv("RADTUI_CONFIG", str(tmp_path / "radtui-config" / "config.toml"))


@pytest.fixture(autouse=True)
def same_salts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's data folders have the same salts each time, and so the same keys, splits and order."""
    drawn = random.Random(DRAW)
    monkeypatch.setattr(identity, "secrets", SimpleNamespace(token_bytes=drawn.randbytes))


SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def real_data(name: str) -> Path:
    """A folder of real images, which licences keep out of the repository; the test is skipped without it."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"real images are not here: no folder {name} of test data beside the checkout")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """An empty data folder."""
    return DataDir(tmp_path / "data").create()


@pytest.fixture
def db(data: DataDir) -> Iterator[sqlite3.Connection]:
    """A connection to the data folder's database."""
    connection = connect(data)
    yield connection
    connection.close()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Jobs that were launched; no process is started for them, but their locks are held as by a worker."""
    ids: list[int] = []
    held: list[IO[bytes]] = []

    def launch_nothing(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
        ids.append(job_id)
        data.job(job_id).mkdir(parents=True, exist_ok=True)
        held.append(data.lock(job_id).open("ab"))
        with suppress(BlockingIOError):  # held since it was launched before
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)

    monkeypatch.setattr(launch, "launch", launch_nothing)
    yield ids
    for lock in held:
        lock.close()


def drawn_png(seed: int, side_px: int = 64) -> bytes:
    """A noisy grey image with a bright disc; another seed gives other bytes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side_px, 0:side_px]
    cy, cx = rng.uniform(0.25, 0.75, 2) * side_px
    disc = ((x - cx) ** 2 + (y - cy) ** 2) < (side_px / 8) ** 2
    grey = np.clip(60 + rng.normal(0, 12, (side_px, side_px)) + 140 * disc, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    PillowImage.fromarray(grey).save(out, "PNG")
    return out.getvalue()


def kept_case(split: str, source_key: str, probe: cases.Probe, **values: Any) -> cases.KeptCase:
    """A case of one image as an import keeps it, for `cases.add`; `values` are those of `NewCase`."""
    image = NewCaseImage(name=source_key, error=probe.error)
    return cases.KeptCase(NewCase(split, source_key, (image,), **values), (probe,))


def give_arms(
    db: sqlite3.Connection, job: Job, *names: str, instruction: str = "Describe."
) -> dict[str, Arm]:
    """Make model arms of these names a job's, and open its study, as a generation's worker does; by name."""
    made = arms.give_job(
        db, job.id, [Arm(0, name, ArmKind.MODEL, model="tiny", adapter="" if name == "base" else name,
                         instruction=instruction, decoding="greedy") for name in names],
    )  # fmt: skip
    studies.open_for_job(db, job)
    return {arm.name: arm for arm in made}


def new_text(case_id: int, arm: Arm, text: str, tokens: int = 9, **values: Any) -> texts.NewText:
    """A text of an arm about a case, on its way into the store."""
    known: dict[str, Any] = {"prompt": arm.instruction, "seconds": 0.2, "truncated": False}
    return texts.NewText(case_id, arm.id, text=text, tokens=tokens, **(known | values))


@pytest.fixture
def add_images(data: DataDir, db: sqlite3.Connection) -> Callable[..., list[int]]:
    """Put drawn images into the store, blobs included; returns their ids."""

    def add(count: int = 4, dataset: str = "drawn", split: str = "test", start: int = 0) -> list[int]:
        cases.ensure_dataset(db, dataset, "drawn by a test")
        batch = []
        for n in range(start, start + count):
            content = drawn_png(n)
            sha256 = blobs.keep(data, content)
            side = "right" if n % 2 else "left"
            batch.append(kept_case(
                split, f"{split}-{n:03d}.png", cases.Probe(sha256, "PNG", 64, 64, "L"),
                reference=f"Chest radiograph shows a {side} nodule, number {n}.", examination="chest PA",
                facts={"modality": "DX"}, truth=(Truth("nodule", side, "upper"),),
            ))  # fmt: skip
        cases.add(db, dataset, batch)
        return cases.find(db, cases.CaseQuery(dataset, split))

    return add


@pytest.fixture
def reviewed_job(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """A finished generation job with six comparisons, after a finished training job."""
    ids = add_images(6)
    train = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", TrainSettings(dataset="drawn").to_dict())
    jobs.end(db, train.id, JobState.DONE)
    settings = GenerateSettings(dataset="drawn", train_job=train.id, model="tiny", adapter="adapter")
    job = jobs.create(
        db, JobKind.GENERATE, "job 1 on drawn/test", "drawn", settings.to_dict(), parent_job_id=train.id,
        case_ids=ids,
    )  # fmt: skip
    arm = give_arms(db, job, "base", "tuned")
    for case_id in ids:
        texts.add(db, job.id, [
            new_text(case_id, arm["base"], f"A radiograph of the chest. {case_id}"),
            new_text(case_id, arm["tuned"], f"Nodule in the left upper lobe. {case_id}", 8),
        ])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    return jobs.must_get(db, job.id)


@pytest.fixture
def third_job(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """A finished generation job of thirty training images with three texts each."""
    ids = add_images(30, split="train")
    sft = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", TrainSettings(dataset="drawn").to_dict())
    dpo = jobs.create(
        db, JobKind.TRAIN, "tiny on drawn, preferences of job 1", "drawn",
        TrainSettings(dataset="drawn", objective="dpo", from_job=sft.id).to_dict(), parent_job_id=sft.id,
    )  # fmt: skip
    jobs.set_result(db, dpo.id, pairs=24)
    settings = GenerateSettings(
        dataset="drawn", train_job=dpo.id, model="tiny", adapter="a", more_adapters="dpo=b"
    )
    job = jobs.create(
        db,
        JobKind.GENERATE,
        "job 2 on drawn/train",
        "drawn",
        settings.to_dict(),
        parent_job_id=dpo.id,
        case_ids=ids,
    )
    names = ("base", "tuned", "dpo")
    arm = give_arms(db, job, *names)
    for case_id in ids:
        texts.add(db, job.id, [
            new_text(case_id, arm[name], f"{name} writes about {case_id}." + " more" * number)
            for number, name in enumerate(names)
        ])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    return jobs.must_get(db, job.id)
