"""The training loop: TRL's trainer set up from the settings, and begun again smaller when memory is full.

Import this module only after the model is loaded: unsloth must be imported before TRL, which it patches.
"""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback
from trl import SFTConfig

from radtui.records import UserError
from radtui.settings import TrainSettings
from radtui.worker.memory import fitting, gpu_facts, main_memory, shapes, shares
from radtui.worker.memory.forecast import Forecast
from radtui.worker.model import lora_products, vision_attention
from radtui.worker.process import failures
from radtui.worker.process.ranks import OutOfMemoryError
from radtui.worker.training import checkpoints
from radtui.worker.training.arguments import arguments
from radtui.worker.training.first_steps import FirstSteps
from radtui.worker.training.task import Task
from radtui.worker.training.trainer import ReferenceTrainer, WatchedTrainer


def train(task: Task, checkpoint: Path | None, forecast: Forecast) -> None:
    """Train to the last step, or until the app wants a stop.

    Args:
        task: What to train.
        checkpoint: Where to go on from, or None.
        forecast: What is known of the run.

    Raises:
        Stopped: The app wants to stop now.
        UserError: The loss is not finite, the disk is full, or the GPU cannot hold a single image.
    """
    if task.settings.batch_size > 1 and shapes.refused(
        task.model, task.processor, task.settings.trust_remote_code
    ):
        task = replace(task, settings=_of_one_shape(task, task.settings))
    settings, plan = _fitted(task, forecast)
    settings = _agreed(task, settings)
    was_full = False
    while True:
        late = looks_after_the_first_step(settings)
        task.progress.looks_late = late
        trainer = build(task, settings, eval_at_start=not (late or task.progress.looked_at_start))
        trainer.add_callback(FirstSteps(task.reporter, forecast, plan, was_full))
        if checkpoint is not None and _is_last(checkpoint):
            trainer._load_from_checkpoint(str(checkpoint))  # trained, but its end was not written
            return
        smaller = None
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            smaller, plan = _smaller(task, settings, plan, error)
        if smaller is None:
            return
        # Only here, after the except block, is its traceback gone and with it what held the activations.
        checkpoint = _saved_here(trainer)
        lora_products.let_go(task.model)
        settings, was_full = smaller, True
        if plan is not None:
            fitting.apply(task.model, plan)
        del trainer
        gc.collect()
        torch.cuda.empty_cache()


def _smaller(
    task: Task, settings: TrainSettings, plan: fitting.Fit | None, error: RuntimeError
) -> tuple[TrainSettings, fitting.Fit | None]:
    """What to go on with after a step that memory or the model's code did not take; what is no such error is raised.

    Raises:
        UserError: Not even one image goes through.
    """
    if failures.is_of_shapes(error):
        alone = _of_one_shape(task, settings, error)
        passes = alone.gradient_accumulation
        return alone, replace(plan, batch_size=1, gradient_accumulation=passes) if plan else None
    if not failures.is_out_of_memory(error):
        raise error
    plan = fitting.smaller(plan) if plan else None
    smaller = fitting.as_fitted(settings, plan) if plan else shares.halved(settings)
    if smaller is None:
        raise _too_large() from error
    if task.reporter.ranks.several:
        raise OutOfMemoryError from error  # the others are waiting in the middle of the step
    _say_smaller(task, settings, smaller)
    return smaller, plan


def _of_one_shape(task: Task, settings: TrainSettings, error: RuntimeError | None = None) -> TrainSettings:
    """The settings with one image at a time, where two do not go through the model's code together; it is said.

    Raises:
        UserError: One does not either, or other ranks are waiting in the middle of the step.
    """
    if settings.batch_size == 1:
        raise UserError(failures.PARTS_OF_TWO_SHAPES) from error
    if task.reporter.ranks.several:
        raise UserError(f"{failures.TWO_SHAPES}: set batch_size to {task.reporter.ranks.count}.") from error
    alone = shares.with_batch(settings, 1)
    passes = alone.gradient_accumulation
    text = f"{failures.TWO_SHAPES}: going on with one image at a time and {passes} passes per step"
    task.reporter.result(batch_size=1, gradient_accumulation=passes)
    task.reporter.event(task.progress.step, "warning", text, task.progress.elapsed_s)
    if task.progress.watch is not None:
        task.progress.watch.batch_size = 1
    return alone


def _agreed(task: Task, fitted: TrainSettings) -> TrainSettings:
    """The settings with the micro-batch that fits every rank, and recomputing where any rank does."""
    ranks = task.reporter.ranks
    if not ranks.several:
        return fitted
    agreed = shares.with_batch(fitted, int(ranks.least(fitted.batch_size)))
    # By this DDP looks for unused parameters or does not; ranks that differ would wait for each other in vain.
    nowhere = bool(ranks.least(float(fitted.gradient_checkpointing == "off")))
    if fitted.gradient_checkpointing == "off" and not nowhere:
        agreed = replace(agreed, gradient_checkpointing="on")
    task.reporter.result(
        batch_size=agreed.batch_size, gradient_accumulation=agreed.gradient_accumulation, gpus=ranks.count
    )
    return agreed


def looks_after_the_first_step(settings: TrainSettings) -> bool:
    """Whether the untrained model can be looked at after the first step, so that the step comes sooner.

    A warm-up begins at a rate of 0, so its first step changes nothing.
    """
    # Else that step has an evaluation of its own.
    seen_apart = settings.eval_every != 1 and settings.max_steps != 1
    return settings.warmup_steps > 0 and settings.scheduler != "constant" and seen_apart


def _fitted(task: Task, forecast: Forecast) -> tuple[TrainSettings, fitting.Fit | None]:
    """The settings with the micro-batch and recomputation this machine asks for, where left to it, and the plan."""
    settings = task.settings
    if not task.load_plan.cuda:
        return _fitted_to_main_memory(task), None
    if settings.gradient_checkpointing != "auto" or settings.learns_preferences:
        return settings, None
    task.reporter.progress(task.progress.step, 0, "Planning what fits the GPU's memory")
    plan, why = forecast.fit(vision_attention.vision_layers(task.model))
    if settings.batch_size < plan.batch_size:  # of what was found out since it was asked
        plan = replace(
            plan, batch_size=settings.batch_size, gradient_accumulation=settings.gradient_accumulation
        )
    fitting.apply(task.model, plan)
    task.reporter.event(task.progress.step, "memory", f"{plan.sentence}, {why}", task.progress.elapsed_s)
    task.reporter.result(
        batch_size=plan.batch_size, gradient_accumulation=plan.gradient_accumulation,
        planned_memory_gib=round(plan.peak_gib, 2), memory_limit_gib=round(plan.limit_gib, 2),
        recomputed_vision_layers=plan.recomputed_layers, recomputes_text=plan.recompute_text,
    )  # fmt: skip
    held_gib = lora_products.hold(task.model, plan.room_gib)
    if held_gib:
        text = f"{held_gib:.1f} GiB more for weights in 16 bits, so that no step has to unpack them from 4"
        task.reporter.event(task.progress.step, "memory", text, task.progress.elapsed_s)
        task.reporter.result(held_weights_gib=round(held_gib, 2))
    return fitting.as_fitted(settings, plan), plan


def _fitted_to_main_memory(task: Task) -> TrainSettings:
    """The settings with a micro-batch that this machine's memory holds."""
    settings = task.settings
    long = sorted(task.learnt, key=lambda each: each.length, reverse=True)[: min(settings.batch_size, 2)]
    images = task.items(long)
    items = [images[place] for place in range(len(images))]
    count = task.reporter.ranks.count
    try:
        fitted = main_memory.fitting(task.model, settings, items, task.collator(), count)
    except RuntimeError as error:
        if not failures.is_of_shapes(error):
            raise
        return _fitted_to_main_memory(replace(task, settings=_of_one_shape(task, settings, error)))
    if fitted.batch_size != settings.batch_size:
        _say_smaller(task, settings, fitted)
    return fitted


def _too_large() -> UserError:
    held = gpu_facts.held_sentence(gpu_facts.devices())
    return UserError(
        "The GPU's memory is full with one image at a time: set max_side_px, turn gradient_checkpointing or "
        f"load_in_4bit on, or free the GPU{f' ({held})' if held else ''}."
    )


def build(task: Task, settings: TrainSettings, eval_at_start: bool) -> WatchedTrainer:
    """TRL's trainer for these settings.

    Args:
        task: Model, data, callback.
        settings: As this attempt runs them; the micro-batch may be smaller than the task's.
        eval_at_start: Whether to evaluate the untrained model first.
    """
    if settings.learns_preferences:
        from radtui.worker.training import dpo

        return dpo.build(task, settings, eval_at_start)
    trainer = ReferenceTrainer(
        task.reporter,
        task.progress,
        model=task.model,
        processing_class=task.processor,
        args=arguments(
            task, settings, eval_at_start, SFTConfig,
            # Our dataset and collator do what TRL would do by default.
            max_length=None if task.collates_here else settings.max_length_tokens,
            dataset_text_field="", dataset_kwargs={"skip_prepare_dataset": True}, label_names=["labels"],
        ),
        data_collator=_padding_left_out(task, task.collator()),
        train_dataset=task.items(task.learnt),
        eval_dataset=task.items(task.evaluated) if task.evaluated else None,
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)  # the log has a line of radtui's per step
    return trainer


def _padding_left_out(task: Task, collate: Any) -> Any:
    return shares.PaddedBatches(collate) if task.reporter.ranks.several else collate


def _is_last(checkpoint: Path) -> bool:
    state = json.loads((checkpoint / checkpoints.STATE).read_text())
    return bool(state["global_step"] >= state["max_steps"])


def _saved_here(trainer: WatchedTrainer) -> Path | None:
    """A checkpoint of the last whole step, so that nothing is trained twice; None before the first one."""
    trainer.model.zero_grad(set_to_none=True)
    torch.cuda.empty_cache()
    step = trainer.state.global_step
    if not step:
        return None
    trainer._save_checkpoint(trainer.model, None)
    trainer.progress.saved(step)
    return Path(trainer.args.output_dir) / f"checkpoint-{step}"


def _say_smaller(task: Task, before: TrainSettings, after: TrainSettings) -> None:
    task.reporter.result(batch_size=after.batch_size, gradient_accumulation=after.gradient_accumulation)
    sentence = shares.smaller_sentence(before, after, task.load_plan.cuda)
    if before.batch_size == after.batch_size:
        sentence = "The GPU's memory was full: going on with more computed twice"
    task.reporter.event(task.progress.step, "memory", sentence, task.progress.elapsed_s)
