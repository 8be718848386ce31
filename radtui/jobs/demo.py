"""The demo: drawn radiographs, a training job behind them, and descriptions behind that."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from radtui.jobs.control import reconcile, resume
from radtui.jobs.submit import submit_generate, submit_import, submit_train
from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobKind, JobState
from radtui.settings import GenerateSettings, ImportSettings
from radtui.store import jobs

GENERATE_BATCH = 50  # small images and a small model: 300 of them in six batches on two cores
MAX_NEW_TOKENS = 64  # a caption of 40 words and its end
GUIDE = """\
Phantoms are being drawn; then a small model learns while you watch.
All of it takes about five minutes; it goes on when you leave.
t  watch the loss fall and the texts change    n N  step through time
d  look at the phantoms    J  all three jobs of the demo
r  rate base against tuned, blind, once pairs are there    ?  every key"""
"""What somebody who has just started the demo may want to know, for a box over the app."""


@dataclass(frozen=True, slots=True)
class DemoJobs:
    """The three jobs of a demo, in their order; each starts when the one before is done, with or without an app."""

    drawing: Job
    training: Job
    describing: Job

    @property
    def ids(self) -> tuple[int, int, int]:
        """Their numbers, in their order."""
        return self.drawing.id, self.training.id, self.describing.id


def submit_demo(data: DataDir, db: sqlite3.Connection, seed: int = 0) -> DemoJobs:
    """Draw phantoms from a seed, train the small base model on them, and describe the whole test split.

    They are jobs as any others: the same import, worker, trainer and generation.
    """
    name = _dataset(seed)
    drawing = submit_import(data, db, ImportSettings(source=f"phantoms:{seed}", name=name))
    training = submit_train(
        data, db, replace(preset("demo"), dataset=name, seed=seed + 1), after_job_id=drawing.id
    )
    describe = GenerateSettings(
        train_job=training.id, split="test", batch_size=GENERATE_BATCH, max_new_tokens=MAX_NEW_TOKENS
    )
    return DemoJobs(drawing, training, submit_generate(data, db, describe, after_job_id=training.id))


def find_demo(db: sqlite3.Connection, seed: int) -> DemoJobs | None:
    """The newest demo of a seed, as far as it has come; None where there was none."""
    for training in jobs.all_jobs(db):
        if training.kind is JobKind.TRAIN and training.dataset == _dataset(seed) and training.after_job_id:
            behind = jobs.children(db, training.id, JobKind.GENERATE)
            describing = next((job for job in behind if job.after_job_id == training.id), None)
            drawing = jobs.get(db, training.after_job_id)
            if drawing and describing:
                return DemoJobs(drawing, training, describing)
    return None


def go_on(data: DataDir, db: sqlite3.Connection, job_id: int) -> Job:
    """Start a job of the demo again that was stopped, failed or lost; one that is done or at work is left.

    Raises:
        UserError: it cannot be started.
    """
    reconcile(data, db)
    job = jobs.must_get(db, job_id)
    return job if job.state.live or job.state is JobState.DONE else resume(data, db, job_id)


def _dataset(seed: int) -> str:
    return f"phantoms-{seed}"
