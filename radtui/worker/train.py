"""A training job from its settings to its adapter: LoRA on a vision-language model with TRL's trainers."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from radtui.paths import DataDir
from radtui.records import Image, Job, UserError
from radtui.settings import TrainSettings
from radtui.store import images, metrics
from radtui.worker import base_files, checkpoints, downloads, memory, shares
from radtui.worker import model as models
from radtui.worker.reporter import Reporter, Stopped

log = logging.getLogger("radtui.worker")
WATCH_AMONG = 2_000  # first images of the held-out split, of which the pinned ones are chosen


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Train, from the start or from the job's last checkpoint, and leave an adapter.

    Raises:
        Stopped: The app asked to stop; with a checkpoint, the adapter as it was is left too.
        UserError: The settings, the data, the model or the machine do not allow it; says which.
    """
    settings, ranks = TrainSettings.from_dict(job.settings).check(), reporter.ranks

    # What is learnt, what is held out, and the held-out few that are watched.
    held_out = _records(db, settings, settings.eval_split, max(WATCH_AMONG, settings.eval_images))
    learnt, evaluated, doubts = _material(job, data, db, settings, held_out, reporter)

    # Where to begin; of several ranks, the launcher has made it ready.
    begun = _last(data, db, job.id) if ranks.several else start(data, db, job.id)
    checkpoint, first_step, elapsed_s = begun.checkpoint, begun.step, begun.elapsed_s

    # What this machine can't do as asked is done otherwise, and said.
    how = planned(settings)
    settings, changes = substituted(settings, how)
    eval_batch = max(1, settings.batch_size // ranks.count) if ranks.several else 0
    settings = as_last_fitted(settings, job)
    changes += doubts
    reporter.result(backend=how.backend, weights=how.weights, substitutions=changes)
    for change in changes if not checkpoint else []:
        reporter.event(0, "warning", change)

    # The model: base weights frozen, LoRA matrices added.
    reporter.progress(first_step, job.total_steps, f"Loading {settings.model}")
    model, processor = models.load(
        settings.model, how, trust_remote_code=settings.trust_remote_code,
        checkpointing=settings.gradient_checkpointing, max_length_tokens=settings.max_length_tokens,
        say=downloads.saying(reporter, first_step, job.total_steps),
    )  # fmt: skip
    base_files.keep(reporter, first_step, model, settings.model, _met_before(db, job, settings))
    if settings.learns_preferences:
        model = models.with_trained_adapter(model, data.adapter(settings.from_job), how)
    else:
        model = models.with_adapter(model, how, settings)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    reporter.result(trainable_parameters=trainable, total_parameters=_parameters(model), images=len(learnt))

    # These import TRL and transformers, which unsloth must have patched by now.
    from radtui.worker import fit, gpu_facts, vision_attention
    from radtui.worker.callback import Progress
    from radtui.worker.watch import Watch, pick

    if settings.maskless_vision:
        vision_attention.install(model)
    pinned = pick(held_out[:WATCH_AMONG], settings.watch_images)
    watches = pinned and ranks.first  # meanwhile the others wait for the next step
    watch = Watch(pinned, data, settings, processor, reporter, settings.batch_size) if watches else None
    progress = Progress(reporter, watch, bool(evaluated), first_step, elapsed_s)
    if checkpoint:
        reporter.event(first_step, "resume", f"Resumed from the checkpoint of step {first_step}", elapsed_s)

    # The loop.
    task = fit.Task(
        settings, how, model, processor, learnt, evaluated, data.checkpoints(job.id), reporter, progress,
        eval_batch,
    )  # fmt: skip
    with gpu_facts.sampler() as gpu:
        progress.facts = gpu.take
        fit.fit(task, checkpoint)

    if settings.learns_preferences:
        from radtui.worker import dpo

        dpo.drop_frozen_copy(model)

    # What is left: the adapter with its processor, and the figures of the run.
    adapter = data.adapter(job.id)
    if ranks.first:
        _save_adapter(model, processor, adapter)
    reporter.result(
        adapter=str(adapter), adapter_step=progress.step, seconds=round(progress.elapsed_s, 1),
        peak_memory_gib=round(memory.peak_gib(), 2), final_loss=progress.last.get("loss"),
        final_eval_loss=progress.last.get("eval_loss"), versions=_versions(),
    )  # fmt: skip
    what = "Stopped after" if progress.stopping else "Trained"
    reporter.progress(
        progress.step, progress.total or progress.step, f"{what} {progress.step} steps{progress.losses}"
    )
    ranks.meet()  # the launcher ends all as soon as one is stopped
    if progress.stopping:
        raise Stopped


@dataclass(frozen=True, slots=True)
class Start:
    """Where a job begins, or goes on: after a checkpoint, a step, and the time it took until then, s."""

    checkpoint: Path | None
    step: int
    elapsed_s: float


def start(data: DataDir, db: sqlite3.Connection, job_id: int) -> Start:
    """Make a job ready to go on: steps past the last checkpoint are done again, so their rows go."""
    found = _last(data, db, job_id)
    metrics.drop_after(db, job_id, found.step if found.checkpoint else -1)
    return found


def _last(data: DataDir, db: sqlite3.Connection, job_id: int) -> Start:
    checkpoint = checkpoints.newest(data.checkpoints(job_id))
    step = checkpoints.step_of(checkpoint) if checkpoint else 0
    return Start(checkpoint, step, _elapsed_at(db, job_id, step))


def _records(db: sqlite3.Connection, settings: TrainSettings, split: str, limit: int) -> list[Image]:
    """Readable images of a split that have a reference; `limit` 0 takes all of them."""
    if not split:
        return []
    return images.get_many(db, images.usable(db, settings.dataset, split, limit, with_reference=True))


def _material(
    job: Job,
    data: DataDir,
    db: sqlite3.Connection,
    settings: TrainSettings,
    held_out: list[Image],
    reporter: Reporter,
) -> tuple[Sequence[Any], Sequence[Any], list[str]]:
    """What the job learns from, what it is evaluated on, and doubts about the latter.

    Raises:
        UserError: There is nothing to learn from, or too little.
    """
    from radtui.worker import data as items

    if settings.learns_preferences:
        from radtui.worker import pairs

        chosen = pairs.frozen(job, data, db, reporter)
        learnt, evaluated = pairs.split(chosen, settings.eval_images if settings.eval_every else 0)
        return learnt, evaluated, []
    records = _records(db, settings, settings.train_split, settings.train_images)
    if not records:
        raise UserError(
            f"{settings.dataset} has no readable images with a reference in split {settings.train_split!r}: "
            "choose another train_split."
        )
    measured = held_out[: settings.eval_images] if settings.eval_every else []
    doubts = _held_out_doubts(settings, held_out, measured)
    return items.examples(records, data), items.examples(measured, data), doubts


def _held_out_doubts(settings: TrainSettings, held_out: list[Image], evaluated: list[Image]) -> list[str]:
    """What is wrong with the held-out images, a sentence each."""
    if settings.eval_split and not held_out:
        return [
            f"Split {settings.eval_split!r} of {settings.dataset} has no readable images with a reference: "
            "nothing is evaluated or watched."
        ]
    leaked = sum(each.leaked for each in evaluated)
    if not leaked:
        return []
    return [
        f"{leaked} of the {len(evaluated)} held-out images are in another split too: the held-out loss flatters "
        "the model."
    ]


def _elapsed_at(db: sqlite3.Connection, job_id: int, step: int) -> float:
    """Time the job had taken when it saved the checkpoint of a step, s."""
    saved = [e for e in metrics.events_since(db, job_id, 0) if e.kind == "checkpoint" and e.step == step]
    return saved[-1].elapsed_s if saved else 0.0


def planned(settings: TrainSettings) -> models.Plan:
    """Backend and precision of a run on this machine; preferences are learnt without unsloth.

    It rewrites TRL's trainers, and does not know the one for pairs.
    """
    return models.plan(replace(settings, backend="transformers") if settings.learns_preferences else settings)


def substituted(settings: TrainSettings, how: models.Plan) -> tuple[TrainSettings, list[str]]:
    """The settings as this machine can do them, and a sentence for each change."""
    changes = list(how.changes)
    if settings.optimizer == "adamw_8bit" and not how.cuda:
        settings = replace(settings, optimizer="adamw_torch")
        changes.append("There is no CUDA GPU, which adamw_8bit needs: adamw_torch is used.")
    if settings.gradient_checkpointing == "unsloth" and how.backend != "unsloth":
        choice = "on" if how.cuda else "off"
        settings = replace(settings, gradient_checkpointing=choice)
        changes.append(f"gradient_checkpointing unsloth comes with the unsloth backend: it is {choice}.")
    if settings.learns_preferences and settings.backend == "unsloth":
        changes.append("Preferences are learnt with the transformers backend, not with unsloth.")
    if settings.gradient_checkpointing == "auto" and not how.cuda:
        settings = replace(settings, gradient_checkpointing="off")
    if settings.gradient_checkpointing == "auto" and settings.learns_preferences:
        # DPO's trainer switches the recomputation of all layers off and on again around the frozen copy's pass.
        settings = replace(settings, gradient_checkpointing="on")
    return settings, changes


def as_last_fitted(settings: TrainSettings, job: Job) -> TrainSettings:
    """The settings with one GPU's micro-batch: what fitted before the job was stopped, so that it will again."""
    batch_size, accumulation = job.result.get("batch_size"), job.result.get("gradient_accumulation")
    if not (isinstance(batch_size, int) and isinstance(accumulation, int)):
        return shares.of_one_rank(settings, settings.gpus)
    return replace(settings, batch_size=batch_size, gradient_accumulation=accumulation)


def _met_before(db: sqlite3.Connection, job: Job, settings: TrainSettings) -> tuple[object, int]:
    """The base model's files as this job, or the one it goes on from, met them first; and which job that is."""
    own = job.result.get("base_files")
    return (own, job.id) if own else (base_files.trained_on(db, settings.from_job), settings.from_job)


def _parameters(model: Any) -> int:
    """Parameters of the model; a 4-bit weight counts as one although two share a byte."""
    counted: int = model.get_nb_trainable_parameters()[1]
    return counted


def _save_adapter(model: Any, processor: Any, folder: Path) -> None:
    """Write adapter and processor: a whole folder or none, in place of an earlier one."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    processor.save_pretrained(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _versions() -> dict[str, str]:
    """Versions of the libraries that decide what a run does."""
    names = ("torch", "transformers", "trl", "peft", "accelerate", "unsloth", "bitsandbytes")
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
