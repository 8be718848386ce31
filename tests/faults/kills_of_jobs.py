"""SIGKILL of workers: training, describing and importing go on with what is missing, and come out the same."""

from __future__ import annotations

import contextlib
import hashlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings
from radtui.store import jobs
from radtui.store.database import connect
from tests.conftest import drawn_png
from tests.faults.harness import Facts
from tests.faults.workers import forked_workers, killed_to_its_end, run_to_end, tiny_adapter, tiny_model
from tests.worker.conftest import fill, train_settings

KILLS_OF_A_JOB = 8  # then it may end, and the next job is killed
LOSSES = "SELECT step, name, value FROM metrics WHERE name IN ('loss', 'eval_loss') ORDER BY step, name"
TEXTS = (
    "SELECT c.source_key, a.name, t.text FROM arm_texts x JOIN cases c ON c.id = x.case_id"
    " JOIN arms a ON a.id = x.arm_id JOIN texts t ON t.id = x.text_id WHERE x.step IS NULL ORDER BY 1, 2"
)
CASES = "SELECT source_key, split, reference, sha256 FROM cases JOIN case_images ON case_id = cases.id ORDER BY 1, 4"
Settings = TrainSettings | GenerateSettings | ImportSettings


def kills_of_training(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of training: it resumes, and its losses are those of a run that nobody killed."""
    settings = train_settings(tiny_model(), max_steps=8, checkpoint_every=2)
    return _killed(scratch, rounds, JobKind.TRAIN, settings, LOSSES, fill)


def kills_of_describing(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of describing: each text is there once, the same as without kills."""
    settings = GenerateSettings(
        model=str(tiny_model()), adapter=str(tiny_adapter()), dataset="shapes", message_order="image_first",
        instruction="Describe what you see.", max_new_tokens=24, batch_size=2, load_in_4bit=False, split="train",
    )  # fmt: skip
    return _killed(scratch, rounds, JobKind.GENERATE, settings, TEXTS, fill)


def kills_of_imports(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of an import: every case is there once, every image's bytes are whole."""
    source = scratch / "source"
    source.mkdir()
    for number in range(400):
        (source / f"chest-{number:04d}.png").write_bytes(drawn_png(number))
    settings = ImportSettings(source=str(source), name="drawn", hold_out=20)
    return _killed(scratch, rounds, JobKind.IMPORT, settings, CASES, lambda data: None)


def _killed(
    scratch: Path,
    rounds: int,
    kind: JobKind,
    settings: Settings,
    sql: str,
    prepare: Callable[[DataDir], None],
) -> Facts:
    """Kill jobs of one kind again and again; what they leave must be what one left that nobody killed."""
    chance, kills, killed_jobs = random.Random(8), 0, 0
    with forked_workers():
        data, job = new_job(scratch / "unharmed", kind, settings, prepare)
        with contextlib.closing(connect(data)) as db:
            whole_s = run_to_end(data, db, job.id)
        expected = _rows(data, sql)
        assert expected
        while kills < rounds:
            killed_jobs += 1
            data, job = new_job(scratch / str(killed_jobs), kind, settings, prepare)
            kills += killed_to_its_end(data, job.id, min(KILLS_OF_A_JOB, rounds - kills), whole_s, chance)
            assert _rows(data, sql) == expected
            _check_blobs(data)
    return {
        "kills": kills,
        "jobs": killed_jobs,
        "one job takes s": round(whole_s, 2),
        "rows": len(expected),
        "lost": 0,
    }


def new_job(
    root: Path, kind: JobKind, settings: Settings, prepare: Callable[[DataDir], None]
) -> tuple[DataDir, Job]:
    """A data folder with a job that has a row and was never at work."""
    data = DataDir(root).create()
    with contextlib.closing(connect(data)) as db:
        prepare(data)
        dataset = settings.name if isinstance(settings, ImportSettings) else settings.dataset
        ids = None
        if kind is JobKind.GENERATE:
            ids = [row[0] for row in db.execute("SELECT id FROM cases WHERE split = 'train' ORDER BY id")]
        job = jobs.create(db, kind, "to be killed", dataset, settings.to_dict(), case_ids=ids)
        data.job(job.id).mkdir(parents=True, exist_ok=True)
        jobs.settle(db, job.id, JobState.LOST, "It was never started.")
    return data, job


def _rows(data: DataDir, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(data.database)) as db:
        return db.execute(sql).fetchall()


def _check_blobs(data: DataDir) -> None:
    with contextlib.closing(sqlite3.connect(data.database)) as db:
        wanted = {row[0] for row in db.execute("SELECT DISTINCT sha256 FROM images WHERE sha256 <> ''")}
    for sha256 in wanted:
        assert hashlib.sha256(data.blob(sha256).read_bytes()).hexdigest() == sha256
