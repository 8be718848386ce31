"""Learning from rated pairs: TRL's DPOTrainer, begun from a trained adapter, of which a frozen copy is its bound.

Import this module only after the model is loaded: unsloth must be imported before TRL, which it patches.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer

from radtui.settings import TrainSettings
from radtui.worker.training.arguments import arguments
from radtui.worker.training.task import Task
from radtui.worker.training.trainer import WatchedTrainer

FROZEN_COPY = "ref"  # as TRL names it


class PreferenceTrainer(WatchedTrainer, DPOTrainer):
    """Learns which of two texts raters preferred.

    What DPO's authors call the reference model is a frozen copy of the adapter that the job begins with, kept beside
    the one that learns: DPO bounds how far the model moves from where it starts. The base model with its adapter off
    would be no bound but a pull back to before the references were learnt, and the first step's rewards would tell
    what the references taught, not the raters. The copy costs one adapter's memory and no second model.
    """

    def supervised(self, inputs: dict[str, Tensor]) -> int:
        """Tokens of the answers, the chosen and the rejected."""
        return int(inputs["completion_mask"].sum())

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Save without the frozen copy, which the job before has.

        With it there, transformers would take it for all there is and leave the learnt adapter out when resuming.
        """
        super()._save(output_dir, state_dict)
        shutil.rmtree(Path(output_dir or self.args.output_dir) / FROZEN_COPY, ignore_errors=True)


def build(task: Task, settings: TrainSettings, eval_at_start: bool) -> PreferenceTrainer:
    """TRL's trainer for these settings; see `fit.build`."""
    before = _taken_frozen_copy(task.model)
    trainer = PreferenceTrainer(
        task.reporter,
        task.progress,
        model=task.model,
        processing_class=task.processor,
        args=arguments(task, settings, eval_at_start, DPOConfig, beta=settings.beta, max_length=None),
        data_collator=task.pair_collator(labels=False),
        train_dataset=task.items(task.learnt),
        eval_dataset=task.items(task.evaluated) if task.evaluated else None,
    )
    if before is not None:
        from peft import set_peft_model_state_dict

        set_peft_model_state_dict(task.model, before, FROZEN_COPY)
    trainer.remove_callback(PrinterCallback)  # the log has a line of radtui's per step
    return trainer


def drop_frozen_copy(model: Any) -> None:
    """Take the copy off the model, so that the learnt adapter alone is saved."""
    if FROZEN_COPY in model.peft_config:
        model.delete_adapter(FROZEN_COPY)


def _taken_frozen_copy(model: Any) -> dict[str, Tensor] | None:
    """The copy of an earlier attempt, off the model: the trainer would make one of what was learnt meanwhile."""
    if FROZEN_COPY not in model.peft_config:
        return None
    from peft import get_peft_model_state_dict

    kept = {name: t.clone() for name, t in get_peft_model_state_dict(model, adapter_name=FROZEN_COPY).items()}
    model.delete_adapter(FROZEN_COPY)
    return kept
