"""Loading a model to write with: its weights, its processor, its adapters, and what is said of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from radtui.jobs.adapter_files import refuse_changed
from radtui.paths import DataDir
from radtui.settings import GenerateSettings
from radtui.worker.describing import arms as job_arms
from radtui.worker.model import adapters, backend, base_files, base_weights, downloads, resolution, template
from radtui.worker.model import model as models
from radtui.worker.process import threads
from radtui.worker.process.reporter import Reporter


def loaded(
    settings: GenerateSettings,
    there: int,
    total: int,
    data: DataDir,
    db: sqlite3.Connection,
    reporter: Reporter,
) -> tuple[Any, Any]:
    """Model and processor. One load serves all: the base text comes from the same weights with the adapter off.

    Args:
        settings: Of a generation job, or of one that answers questions, which may have no adapter.
        there: Texts that the job has.
        total: Texts that it will have.
        data: The data folder.
        db: Its database.
        reporter: The job's voice.

    Raises:
        UserError: Model or adapter cannot be used; says why.
    """
    for folder in filter(None, (settings.adapter, *job_arms.further_folders(settings).values())):
        refuse_changed(data, db, Path(folder))
    name, load_plan = base_weights.choose(settings, backend.plan(settings), reporter.ranks)
    if not load_plan.cuda:
        threads.choose()
    for change in load_plan.changes if reporter.ranks.first else ():
        reporter.event(0, "warning", change)
    model, processor = models.load(
        name, load_plan, trust_remote_code=settings.trust_remote_code, say=downloads.saying(reporter, there, total),
    )  # fmt: skip
    notes = [
        models.doubt(model),
        resolution.apply(processor, settings.image_tokens, model.config),
        *template.notes(processor, settings.message_order, settings.thinking),
    ]
    for note in filter(None, notes) if reporter.ranks.first else ():
        reporter.event(0, "warning", note)
    before = base_files.trained_on(db, settings.train_job), settings.train_job
    change = base_files.keep(reporter, 0, model, name, before)
    if settings.adapter:
        model = adapters.load_adapter(model, settings.adapter, load_plan, job_arms.further_folders(settings))
    else:
        model.eval()
    reporter.result(
        backend=load_plan.backend, weights=load_plan.weights, base_model=name, template=template.template_of(processor),
        substitutions=[*load_plan.changes, *([change] if change else [])],
    )  # fmt: skip
    return model, processor
