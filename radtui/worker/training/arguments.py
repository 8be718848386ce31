"""The trainer's arguments from the settings: what transformers' Trainer takes whatever is learnt.

Import this module only after the model is loaded: unsloth must be imported before transformers, which it patches.
"""

from __future__ import annotations

from typing import Any, TypeVar

from transformers import TrainingArguments

from radtui.settings import TrainSettings
from radtui.worker.training.task import Task

Config = TypeVar("Config", bound=TrainingArguments)
PREFETCH_BATCHES = 4  # per loader process


def arguments(
    task: Task, settings: TrainSettings, eval_at_start: bool, kind: type[Config], **own: Any
) -> Config:
    """Arguments of one attempt.

    Args:
        task: Model, data, callback.
        settings: As this attempt runs them; the micro-batch may be smaller than the task's.
        eval_at_start: Whether to evaluate the untrained model first.
        kind: Class of the trainer's arguments.
        own: What this class alone takes.
    """
    made: Config = kind(
        output_dir=str(task.folder),
        **_course(settings),
        **_batches(task, settings),
        **_arithmetic(task, settings),
        **_rhythm(task, settings, eval_at_start),
        # Quiet, but for what the user has asked for.
        report_to=settings.report_to,
        disable_tqdm=True,
        log_level="warning",
        **own,
    )
    return made


def _course(settings: TrainSettings) -> dict[str, Any]:
    """Length and order of the run, and how it learns."""
    return {
        "max_steps": settings.max_steps or -1,
        "num_train_epochs": settings.epochs,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "optim": settings.optimizer,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.scheduler,
        "warmup_steps": settings.warmup_steps,
        "weight_decay": settings.weight_decay,
    }


def _batches(task: Task, settings: TrainSettings) -> dict[str, Any]:
    """How items come. One optimizer step: batch_size x gradient_accumulation images."""
    loaders = settings.loader_workers
    return {
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation,
        # The default of 8 may not fit where training does.
        "per_device_eval_batch_size": min(settings.batch_size, task.eval_batch or settings.batch_size),
        "remove_unused_columns": False,
        "dataloader_num_workers": loaders,
        "dataloader_prefetch_factor": PREFETCH_BATCHES if loaders else None,
        "dataloader_persistent_workers": loaders > 0,
        "dataloader_pin_memory": task.load_plan.cuda,
    }


def _arithmetic(task: Task, settings: TrainSettings) -> dict[str, Any]:
    """Arithmetic and memory."""
    recomputes = settings.gradient_checkpointing != "off"
    return {
        "use_cpu": not task.load_plan.cuda,
        "ddp_broadcast_buffers": False,  # they are constants
        # A tower's last layers may have no part in the loss. Recomputing as unsloth does can't be looked through.
        "ddp_find_unused_parameters": task.load_plan.backend != "unsloth" or not recomputes,
        "bf16": task.load_plan.precision == "bfloat16",
        "fp16": task.load_plan.precision == "float16",
        "gradient_checkpointing": recomputes,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
    }


def _rhythm(task: Task, settings: TrainSettings, eval_at_start: bool) -> dict[str, Any]:
    """When to log, evaluate, save."""
    return {
        "logging_steps": settings.log_every,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # on, a NaN would be reported as the mean of the losses before it
        "include_num_input_tokens_seen": "non_padding",
        "eval_strategy": "steps" if task.evaluated else "no",
        "eval_steps": settings.eval_every or None,
        "eval_on_start": bool(task.evaluated) and eval_at_start,
        "prediction_loss_only": True,
        "save_strategy": "steps" if settings.checkpoint_every else "no",
        "save_steps": settings.checkpoint_every or 500,
        "save_total_limit": None,  # the Trainer goes by the files' times; see checkpoints.keep_newest
    }
