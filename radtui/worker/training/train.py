"""A training job from its settings to its adapter: LoRA on a vision-language model with TRL's trainers."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radtui.durable import sync_folder, synced_facts
from radtui.jobs import adapter_files
from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, Job
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.worker.memory import remembered, shares
from radtui.worker.memory.forecast import Forecast
from radtui.worker.model import adapters, backend, base_files, downloads, processors, resolution, template
from radtui.worker.model import model as models
from radtui.worker.process import memory, threads
from radtui.worker.process.reporter import Reporter, Stopped
from radtui.worker.training import checkpoints, seeds, training_data

if TYPE_CHECKING:
    from radtui.worker.training.callback import ProgressCallback


@dataclass(frozen=True, slots=True)
class _Run:
    """A job as this process does it: all that is known before its model is loaded."""

    job: Job
    data: DataDir
    db: sqlite3.Connection
    reporter: Reporter
    settings: TrainSettings  # as this machine can do them
    load_plan: backend.LoadPlan
    begun: checkpoints.Start
    training_data: training_data.TrainingData
    eval_batch: int  # see `task.Task`
    part: seeds.Part


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Train, from the start or from the job's last checkpoint, and leave an adapter.

    Raises:
        Stopped: The app asked to stop; with a checkpoint, the adapter as it was is left too.
        UserError: The settings, the data, the model or the machine do not allow it; says which.
    """
    part = seeds.part_of(job)
    if part.count > 1:
        # Of several ranks, one that is not the first has a reporter that writes nothing.
        reporter = seeds.SeedReporter(reporter, part) if reporter.ranks.first else reporter
        job = seeds.as_one(job, part)
    this = _prepared(job, data, db, reporter, part)
    if not this.load_plan.cuda:
        reporter.result(threads=threads.choose(before=job.result.get("threads")))
    with Forecast(data, this.settings, this.load_plan) as forecast:
        _trained(this, forecast)


def _trained(this: _Run, forecast: Forecast) -> None:
    """Load, train, and write what is left: the adapter with its processor, and the figures of the run."""
    job, data, reporter = this.job, this.data, this.reporter
    model, processor = _loaded(this, forecast)

    # These import TRL and transformers, which unsloth must have patched by now.
    from radtui.worker.memory import gpu_facts
    from radtui.worker.model import adapter_keys, vision_attention
    from radtui.worker.training import first_steps, loop
    from radtui.worker.training.best import Best
    from radtui.worker.training.harm import Harm
    from radtui.worker.training.task import Task

    if this.settings.maskless_vision:
        vision_attention.install(model)
    progress = _progress(this, processor)
    learnt, evaluated = _shown(this, processor, reporter)
    task = Task(
        this.settings, this.load_plan, model, processor, learnt, evaluated,
        data.checkpoints(job.id, this.part.number), reporter, progress, this.eval_batch,
    )  # fmt: skip
    best = Best(task.folder, this.settings, reporter, this.begun.step)
    progress.best = best if this.settings.keep_best or this.settings.stop_after else None
    progress.harm = Harm(this.settings.beta, reporter) if this.settings.learns_preferences else None
    progress.of_speed = partial(first_steps.rates, forecast)
    with gpu_facts.sampler() as gpu:
        progress.facts = gpu.take
        loop.train(task, this.begun.checkpoint, forecast)

    if this.settings.learns_preferences:
        from radtui.worker.training import dpo

        dpo.drop_frozen_copy(model)
    kept_step = best.step if best.restore(model) else progress.step
    files = {}
    if reporter.ranks.first:
        files = _save_adapter(model, processor, data.adapter(job.id, this.part.number))
        reporter.result(plain_peft=bool(adapter_keys.read_names(model)))
    _report(this, progress, kept_step, files)
    reporter.ranks.meet()  # the launcher ends all as soon as one is stopped
    if progress.stopping:
        raise Stopped


def _prepared(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter, part: seeds.Part) -> _Run:
    """Choose images, checkpoint, backend and micro-batch; what is done otherwise than asked is said."""
    settings, ranks = TrainSettings.from_dict(job.settings).check(), reporter.ranks
    chosen = training_data.gather(job, data, db, settings, reporter)
    # Of several ranks, the launcher has made it ready.
    begun = checkpoints.last(data, db, job.id) if ranks.several else checkpoints.start(data, reporter)
    load_plan = backend.training_plan(settings)
    settings, changes = backend.substituted(settings, load_plan)
    eval_batch = max(1, settings.batch_size // ranks.count) if ranks.several else 0
    settings = shares.as_last_fitted(settings, job)
    changes += chosen.doubts
    reporter.result(backend=load_plan.backend, weights=load_plan.weights, substitutions=changes)
    for change in changes if not begun.checkpoint else []:
        reporter.event(0, "warning", change)
    return _Run(job, data, db, reporter, settings, load_plan, begun, chosen, eval_batch, part)


def _loaded(this: _Run, forecast: Forecast) -> tuple[Any, Any]:
    """The model, base weights frozen and LoRA matrices added, and its processor."""
    settings, reporter, step = this.settings, this.reporter, this.begun.step
    took = remembered.last_time(forecast.known.get("load_s"))
    reporter.progress(step, this.job.total_steps, f"Loading {settings.model}{took}")
    began = time.monotonic()
    if this.load_plan.backend == "unsloth":
        remembered.know_lengths(forecast.key)
    model, processor = models.load(
        settings.model, this.load_plan, trust_remote_code=settings.trust_remote_code,
        checkpointing=settings.gradient_checkpointing, max_length_tokens=settings.max_length_tokens, trains=True,
        say=downloads.saying(reporter, step, this.job.total_steps),
    )  # fmt: skip
    _prepare_processor(this, model, processor)
    base_files.keep(reporter, step, model, settings.model, _met_before(this.db, this.job, settings))
    if settings.goes_on:
        adapter_files.refuse_changed(this.data, this.db, this.data.adapter(settings.from_job))
        model = adapters.with_trained_adapter(model, this.data.adapter(settings.from_job), this.load_plan)
    else:
        model = adapters.with_adapter(model, this.load_plan, settings)
    remembered.keep(forecast.key, load_s=round(time.monotonic() - began, 1))
    reporter.result(
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        total_parameters=_parameters(model), images=len(this.training_data.learnt),
        template=template.template_of(processor),
    )  # fmt: skip
    return model, processor


def _prepare_processor(this: _Run, model: Any, processor: Any) -> None:
    """Set how finely images are seen, count all cases, and say what is otherwise than asked."""
    from radtui.worker.training import lengths

    settings = this.settings
    kept = resolution.apply(processor, settings.image_tokens, model.config)
    notes = [models.doubt(model), kept, *template.notes(processor, settings.message_order, settings.thinking)]
    learnt, evaluated = _shown(this, processor)
    losses, figures = lengths.check(
        processor, settings, template.end_token_ids(model, processor), learnt, evaluated
    )
    if this.reporter.ranks.first and not this.begun.checkpoint:
        for note in filter(None, [*notes, *losses]):
            this.reporter.event(this.begun.step, "warning", note)
    this.reporter.result(**figures)


def _shown(
    this: _Run, processor: Any, reporter: Reporter | None = None
) -> tuple[Sequence[Any], Sequence[Any]]:
    """What is learnt and evaluated, with the images that this model is shown; the reporter hears what is left out."""
    from radtui.worker.model import examples
    from radtui.worker.training import pairs

    learnt, evaluated = this.training_data.learnt, this.training_data.evaluated
    shown = pairs.as_shown if this.settings.learns_preferences else examples.as_shown
    items = shown([*learnt, *evaluated], processor, reporter, this.begun.step)
    return items[: len(learnt)], items[len(learnt) :]


def _progress(this: _Run, processor: Any) -> ProgressCallback:
    """What writes the steps, with the watch over a few held-out images."""
    from radtui.worker.model import examples
    from radtui.worker.training.callback import ProgressCallback
    from radtui.worker.training.watch import Watch, pick

    settings, reporter, begun = this.settings, this.reporter, this.begun
    pinned = pick(this.training_data.watchable, settings.watch_images)
    watches = pinned and reporter.ranks.first  # meanwhile the others wait for the next step
    watch = None
    if watches:
        shown = examples.as_shown(examples.examples(pinned, this.data), processor)
        watch = Watch(shown, _watched_arm(this), settings, processor, reporter, settings.batch_size)
    if begun.checkpoint:
        reporter.event(
            begun.step, "resume", f"Resumed from the checkpoint of step {begun.step}", begun.elapsed_s
        )
    return ProgressCallback(reporter, watch, bool(this.training_data.evaluated), begun.step, begun.elapsed_s)


def _watched_arm(this: _Run) -> Arm:
    """Whose texts the watched ones are: the model with what this job learns."""
    from radtui.worker.describing.arms import TUNED, size_text, weights_text

    settings, job_id = this.settings, this.job.id
    weights = weights_text(jobs.must_get(this.db, job_id).result)
    arm = Arm(
        0, TUNED, ArmKind.MODEL, settings.model, weights, f"job {job_id}", settings.instruction,
        size_text(settings.max_side_px, settings.image_tokens), f"greedy, at most {settings.watch_tokens} tokens",
    )  # fmt: skip
    return this.reporter.give_arms([arm])[0]


def _report(this: _Run, progress: ProgressCallback, kept_step: int, files: Mapping[str, object]) -> None:
    """Write the figures of the run, and how it ended."""
    adapter = str(this.data.adapter(this.job.id, this.part.number))
    seconds, final = round(progress.elapsed_s, 1), progress.last
    # Of several trainings, the first is what describing takes unless it is told otherwise.
    if not this.part.number:
        this.reporter.result(
            adapter=adapter, adapter_step=kept_step, seconds=seconds, peak_memory_gib=round(memory.peak_gib(), 2),
            final_loss=final.get("loss"), final_eval_loss=final.get("eval_loss"), versions=_versions(),
            **{adapter_files.KEY: files},
        )  # fmt: skip
    if this.part.count > 1 and this.reporter.ranks.first and not progress.stopping:
        facts: dict[str, object] = {
            "seed": this.settings.seed, "adapter": adapter, "adapter_step": kept_step, "seconds": seconds,
            "final_loss": final.get("loss"), "final_eval_loss": final.get("eval_loss"), adapter_files.KEY: files,
        }  # fmt: skip
        seeds.finished(this.reporter, this.db, this.part, facts)
    what = "Stopped after" if progress.stopping else "Trained"
    kept = ""
    if kept_step != progress.step:
        kept = f"; the adapter is that of step {kept_step}, with the least held-out loss"
        if not kept_step:
            kept = "; none lowered the held-out loss, so the adapter is the one it began with"
    this.reporter.progress(
        progress.step, progress.total or progress.step, f"{what} {progress.step} steps{progress.losses}{kept}"
    )


def _met_before(db: sqlite3.Connection, job: Job, settings: TrainSettings) -> tuple[object, int]:
    """The base model's files as this job, or the one it goes on from, met them first; and which job that is."""
    own = job.result.get("base_files")
    return (own, job.id) if own else (base_files.trained_on(db, settings.from_job), settings.from_job)


def _parameters(model: Any) -> int:
    """Parameters of the model; a 4-bit weight counts as one although two share a byte."""
    counted: int = model.get_nb_trainable_parameters()[1]
    return counted


def _save_adapter(model: Any, processor: Any, folder: Path) -> dict[str, dict[str, object]]:
    """Write adapter and processor: a whole folder on the disk or none, in place of an earlier one; its files' facts."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    processors.save(processor, partial)
    files = synced_facts(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    sync_folder(folder.parent)
    return files


def _versions() -> dict[str, str]:
    """Versions of the libraries that decide what a run does."""
    names = ("torch", "transformers", "trl", "peft", "accelerate", "unsloth", "bitsandbytes")
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
