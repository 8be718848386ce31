"""The training loop: TRL's trainer set up from the settings, and begun again smaller when memory is full.

Import this module only after the model is loaded: unsloth must be imported before TRL, which it patches.
"""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import PrinterCallback, TrainingArguments
from trl import SFTConfig

from radtui.records import UserError
from radtui.settings import TrainSettings
from radtui.worker import checkpoints, failures, fitting, gpu_facts, main_memory, shares
from radtui.worker.callback import Progress
from radtui.worker.collator import Collator
from radtui.worker.data import ImageTexts
from radtui.worker.model import Plan
from radtui.worker.pairs import PairCollator, PairTexts
from radtui.worker.rank_process import OutOfMemoryError
from radtui.worker.reporter import Reporter
from radtui.worker.trainer import ReferenceTrainer, WatchedTrainer

log = logging.getLogger("radtui.worker")
Config = TypeVar("Config", bound=TrainingArguments)
PREFETCH_BATCHES = 4  # per loader process
KEPT_CHECKPOINTS = 2  # the newest may be cut short by a kill


@dataclass(frozen=True, slots=True)
class Task:
    """What one training job is made of, once everything is loaded."""

    settings: TrainSettings
    how: Plan
    model: Any  # with its adapter
    processor: Any
    learnt: Sequence[Any]  # `data.Example`, or `pairs.Pair` where preferences are learnt
    evaluated: Sequence[Any]
    folder: Path  # of the checkpoints
    reporter: Reporter
    progress: Progress
    eval_batch: int = 0  # of each rank, so that all together evaluate as one process does; 0: as in training


def fit(task: Task, checkpoint: Path | None) -> None:
    """Train to the last step, or until the app wants a stop.

    Args:
        task: What to train.
        checkpoint: Where to go on from, or None.

    Raises:
        Stopped: The app wants to stop now.
        UserError: The loss is not finite, the disk is full, or the GPU cannot hold a single image.
    """
    settings = _agreed(task, _fitted(task))
    while True:
        trainer = build(task, settings, eval_at_start=not task.progress.looked_at_start)
        if checkpoint is not None and _is_last(checkpoint):
            trainer._load_from_checkpoint(str(checkpoint))  # trained, but its end was not written
            return
        smaller = None
        try:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            if not failures.is_out_of_memory(error):
                raise
            smaller = shares.halved(settings)
            if smaller is None:
                raise _too_large() from error
            if task.reporter.ranks.several:
                raise OutOfMemoryError from error  # the others are waiting in the middle of the step
        if smaller is None:
            return
        # Only here, after the except block, is its traceback gone and with it what held the activations.
        checkpoint = _saved_here(trainer)
        _say_smaller(task, settings, smaller)
        settings = smaller
        del trainer
        gc.collect()
        torch.cuda.empty_cache()


def _agreed(task: Task, fitted: TrainSettings) -> TrainSettings:
    """The settings with the micro-batch that fits every rank."""
    ranks = task.reporter.ranks
    if not ranks.several:
        return fitted
    agreed = shares.with_batch(fitted, int(ranks.least(fitted.batch_size)))
    task.reporter.result(
        batch_size=agreed.batch_size, gradient_accumulation=agreed.gradient_accumulation, gpus=ranks.count
    )
    return agreed


def _fitted(task: Task) -> TrainSettings:
    """The settings with the micro-batch and recomputation this GPU asks for, where left to it."""
    settings = task.settings
    if not task.how.cuda:
        return _fitted_to_main_memory(task)
    if settings.gradient_checkpointing != "auto":
        return settings
    task.reporter.progress(task.progress.step, 0, "Trying what fits the GPU's memory")
    images = _items(settings, task.learnt)
    try:
        found = fitting.fit_gpu(
            task.model, settings, _collator(task, settings), images, [each.length for each in task.learnt],
            getattr(torch, task.how.precision), settings.memory_gib,
        )  # fmt: skip
    except torch.OutOfMemoryError as error:
        raise _too_large() from error
    task.reporter.event(task.progress.step, "memory", found.sentence, task.progress.elapsed_s)
    task.reporter.result(
        batch_size=found.batch_size, gradient_accumulation=found.gradient_accumulation,
        probed_memory_gib=round(found.peak_gib, 2), memory_limit_gib=round(found.limit_gib, 2),
        recomputed_vision_layers=found.recomputed_layers, recomputes_text=found.recompute_text,
    )  # fmt: skip
    return fitting.as_fitted(settings, found)


def _fitted_to_main_memory(task: Task) -> TrainSettings:
    """The settings with a micro-batch that this machine's memory holds."""
    settings = task.settings
    long = sorted(task.learnt, key=lambda each: each.length, reverse=True)[:2]
    images = _items(settings, long)
    items = [images[place] for place in range(len(images))]
    fitted = main_memory.fitting(
        task.model, settings, items, _collator(task, settings), task.reporter.ranks.count
    )
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
        from radtui.worker import dpo

        return dpo.build(task, settings, eval_at_start)
    trainer = ReferenceTrainer(
        task.reporter,
        task.progress,
        model=task.model,
        processing_class=task.processor,
        args=arguments(
            task, settings, eval_at_start, SFTConfig,
            # Our dataset and collator do what TRL would do by default.
            max_length=None if _collates_here(task, settings) else settings.max_length_tokens,
            dataset_text_field="", dataset_kwargs={"skip_prepare_dataset": True}, label_names=["labels"],
        ),
        data_collator=_padding_left_out(task, _collator(task, settings)),
        train_dataset=_items(settings, task.learnt),
        eval_dataset=_items(settings, task.evaluated) if task.evaluated else None,
    )  # fmt: skip
    trainer.remove_callback(PrinterCallback)  # the log has a line of radtui's per step
    return trainer


def arguments(
    task: Task, settings: TrainSettings, eval_at_start: bool, kind: type[Config], **own: Any
) -> Config:
    """The trainer's arguments: what transformers' Trainer takes whatever is learnt, and `own` ones of its kind."""
    cuda, loaders = task.how.cuda, settings.loader_workers
    return kind(
        output_dir=str(task.folder),
        # Length and order of the run.
        max_steps=settings.max_steps or -1,
        num_train_epochs=settings.epochs,
        seed=settings.seed,
        data_seed=settings.seed,
        # One optimizer step: batch_size x gradient_accumulation images.
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        # The default of 8 may not fit where training does.
        per_device_eval_batch_size=min(settings.batch_size, task.eval_batch or settings.batch_size),
        optim=settings.optimizer,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        # Arithmetic and memory.
        use_cpu=not cuda,
        ddp_broadcast_buffers=False,  # they are constants
        # A tower's last layers may have no part in the loss. Recomputing as unsloth does can't be looked through.
        ddp_find_unused_parameters=task.how.backend != "unsloth" or settings.gradient_checkpointing == "off",
        bf16=task.how.precision == "bfloat16",
        fp16=task.how.precision == "float16",
        gradient_checkpointing=settings.gradient_checkpointing != "off",
        gradient_checkpointing_kwargs={"use_reentrant": False},
        # How items come.
        remove_unused_columns=False,
        dataloader_num_workers=loaders,
        dataloader_prefetch_factor=PREFETCH_BATCHES if loaders else None,
        dataloader_persistent_workers=loaders > 0,
        dataloader_pin_memory=cuda,
        # When to log, evaluate, save.
        logging_steps=settings.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # on, a NaN would be reported as the mean of the losses before it
        include_num_input_tokens_seen="non_padding",
        eval_strategy="steps" if task.evaluated else "no",
        eval_steps=settings.eval_every or None,
        eval_on_start=bool(task.evaluated) and eval_at_start,
        prediction_loss_only=True,
        save_strategy="steps" if settings.checkpoint_every else "no",
        save_steps=settings.checkpoint_every or 500,
        save_total_limit=KEPT_CHECKPOINTS,
        # Quiet.
        report_to="none",
        disable_tqdm=True,
        log_level="warning",
        **own,
    )


def _collates_here(task: Task, settings: TrainSettings) -> bool:
    """Whether our collator makes the batches; the report's recipe, text first and every token learnt, has unsloth's."""
    as_reported = settings.message_order == "text_first" and settings.loss_on == "all"
    return not (task.how.backend == "unsloth" and as_reported)


def _items(settings: TrainSettings, chosen: Sequence[Any]) -> Any:
    """The data set of images with their references, or of rated pairs."""
    order, side = settings.message_order, settings.max_side_px
    if settings.learns_preferences:
        return PairTexts(chosen, order, side)
    return ImageTexts(chosen, settings.instruction, order, side)


def _collator(task: Task, settings: TrainSettings) -> Any:
    """What makes batches of the data set that the model computes a loss of by itself, as trying what fits does."""
    if settings.learns_preferences:
        return PairCollator(task.processor, settings.max_length_tokens, labels=True)
    if _collates_here(task, settings):
        return Collator(task.processor, settings.loss_on, settings.max_length_tokens)
    from unsloth.trainer import UnslothVisionDataCollator

    return UnslothVisionDataCollator(task.model, task.processor)


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
    task.reporter.event(
        task.progress.step,
        "memory",
        shares.smaller_sentence(before, after, task.how.cuda),
        task.progress.elapsed_s,
    )
