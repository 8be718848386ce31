"""Rows for the app's tests, written through the store as a worker writes them."""

from __future__ import annotations

import io
import math
import os
import sqlite3

from PIL import Image

from radtui.paths import DataDir
from radtui.presets import PRESETS
from radtui.records import Arm, ArmKind, Job, JobKind, JobState
from radtui.store import arms, cases, jobs, metrics, texts
from tests import blobs
from tests.conftest import kept_case, new_text


def add_images(
    data: DataDir, db: sqlite3.Connection, name: str = "chests", train: int = 12, test: int = 4
) -> None:
    """A data set of small drawn pictures, each with a reference."""
    cases.ensure_dataset(db, name, "drawn")
    batch = []
    for split, count in (("train", train), ("test", test)):
        for n in range(count):
            buffer = io.BytesIO()
            Image.radial_gradient("L").resize((64, 80)).point(lambda v, n=n: (v + 9 * n) % 256).save(
                buffer, "PNG"
            )
            content = buffer.getvalue() + f"{split}{n}".encode()
            key = blobs.keep(data, content)
            batch.append(kept_case(
                split, f"{split}-{n:03d}.png", cases.Probe(key, "PNG", 64, 80, "L"),
                reference=f"A round opacity of size {n}.", examination="chest PA",
            ))  # fmt: skip
    cases.add(db, name, batch)


def add_train(
    db: sqlite3.Connection,
    steps: int = 120,
    total: int = 300,
    state: JobState = JobState.RUNNING,
    dataset: str = "chests",
    error: str = "",
) -> Job:
    """A training job with metrics, events and watched descriptions up to a step."""
    settings = {**PRESETS["demo"].to_dict(), "dataset": dataset}
    job = jobs.create(db, JobKind.TRAIN, f"demo-base on {dataset}", dataset, settings)
    if state is JobState.STARTING:
        return job
    jobs.begin(db, job.id, os.getpid())
    for step in range(1, steps + 1):
        values = {
            "loss": 1.6 + 2.4 * math.exp(-step / 60) + 0.12 * math.sin(step * 1.7),
            "learning_rate": 3e-3 * 0.5 * (1 + math.cos(math.pi * step / total)),
            "grad_norm": 0.8 + 0.3 * math.sin(step / 3),
            "tokens_per_s": 2100 + 80 * math.sin(step / 5),
        }
        if step % 40 == 0:
            values["eval_loss"] = 1.7 + 2.2 * math.exp(-step / 60)
        metrics.log_step(db, job.id, step, total, step / 100, step * 0.4, values)
    add_watched(db, job, [0, *range(40, steps + 1, 40)])
    metrics.add_event(db, job.id, min(steps, 100), 40.0, "checkpoint", "checkpoint-100")
    if not state.live:
        jobs.end(db, job.id, state, error)
    return jobs.must_get(db, job.id)


def add_watched(db: sqlite3.Connection, job: Job, steps: list[int]) -> None:
    """What the model wrote about the first two test images at some steps."""
    (arm,) = arms.give_job(
        db, job.id, [Arm(0, "tuned", ArmKind.MODEL, "demo-base", adapter=f"job {job.id}", instruction="ask")]
    )
    for step in steps:
        texts.add(db, job.id, [
            new_text(case_id, arm, f"Text of image {case_id} at step {step}.", prompt="ask", step=step)
            for case_id in cases.usable(db, job.dataset, "test", 2)
        ])  # fmt: skip
