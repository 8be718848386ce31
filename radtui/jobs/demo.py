"""The demo: drawn radiographs, a training job behind them, and descriptions behind that."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from radtui.jobs.submit import submit_generate, submit_import, submit_train
from radtui.paths import DataDir
from radtui.records import Job
from radtui.settings import GenerateSettings, ImportSettings, preset

GENERATE_BATCH = 50  # small images and a small model: 300 of them in six batches on two cores
MAX_NEW_TOKENS = 64  # a caption of 40 words and its end


@dataclass(frozen=True, slots=True)
class DemoJobs:
    """The three jobs of a demo, in their order; each starts when the one before is done, with or without an app."""

    drawing: Job
    training: Job
    describing: Job


def submit_demo(data: DataDir, db: sqlite3.Connection, seed: int = 0) -> DemoJobs:
    """Draw phantoms from a seed, train the small base model on them, and describe the whole test split.

    They are jobs as any others: the same import, worker, trainer and generation.
    """
    name = f"phantoms-{seed}"
    drawing = submit_import(data, db, ImportSettings(source=f"phantoms:{seed}", name=name))
    training = submit_train(
        data, db, replace(preset("demo"), dataset=name, seed=seed + 1), after_job_id=drawing.id
    )
    describe = GenerateSettings(
        train_job=training.id, split="test", batch_size=GENERATE_BATCH, max_new_tokens=MAX_NEW_TOKENS
    )
    return DemoJobs(drawing, training, submit_generate(data, db, describe, after_job_id=training.id))
