"""TRL's trainers with an eye on the loss, the first batch and the disk.

Import this module only after the model is loaded: unsloth must be imported before TRL, which it patches.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from trl import SFTTrainer

from radtui.percent import percent_text
from radtui.records import UserError
from radtui.worker.memory import shares
from radtui.worker.model import processors
from radtui.worker.model.collator import IGNORED
from radtui.worker.process import failures
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import checkpoints
from radtui.worker.training.callback import ProgressCallback
from radtui.worker.training.upkeep import OperationCount, TrainingMode

if TYPE_CHECKING:
    from transformers import Trainer as Below
else:
    # One of TRL's trainers comes next; unsloth may have put other classes below it than are here.
    Below = object


class WatchedTrainer(Below):
    """Stops at the first loss that is not finite, says what the first batch supervises, survives a full disk.

    Stands before one of TRL's trainers among the bases of a class.

    Args:
        reporter: The job's voice.
        progress: The callback that keeps step, total and time.
        options: The trainer's own arguments.
    """

    processing_class: Any  # the trainer's own

    def __init__(self, reporter: Reporter, progress: ProgressCallback, **options: Any) -> None:
        super().__init__(callbacks=[progress], **options)
        self.reporter = reporter
        self.progress = progress
        # Tokens learnt since the count was last asked for, on the device.
        self._not_counted: Tensor | None = None
        self._mode, self._operations = TrainingMode(), OperationCount()

    def training_step(self, model: Any, inputs: dict[str, Tensor], num_items_in_batch: Any = None) -> Tensor:
        """One forward and backward pass over a micro-batch.

        Args:
            model: The model, in training mode.
            inputs: From the collator, B rows.
            num_items_in_batch: Supervised tokens of the whole optimizer step, for the mean.

        Returns:
            The micro-batch's share of the step's loss, a scalar, not waited for.

        Raises:
            UserError: Nothing in the job's first batch is supervised.
        """
        if not self.progress.counted and self.reporter.ranks.first:  # another rank's may be padding
            self._count(inputs)
        with self._mode.kept(model):
            loss: Tensor = super().training_step(model, inputs, num_items_in_batch)
        return loss

    def floating_point_ops(self, inputs: dict[str, Tensor]) -> int:
        """Operations of a pass as the trainer counts them; `inputs` are the pass's."""
        name = getattr(self.model, "main_input_name", "input_ids")
        return self._operations.of(inputs, name, super().floating_point_ops)

    def _maybe_log_save_evaluate(self, tr_loss: Tensor, *rest: Any, **named: Any) -> None:
        """Refuse a loss that is not finite before anything of its step is written.

        Here the trainer waits for the GPU anyway. A wait after every pass would keep the optimizer's many small
        kernels from being queued while the pass still runs.
        """
        written = self.control.should_log or self.control.should_save or self.control.should_evaluate
        if written and not math.isfinite(value := tr_loss.item()):
            self._refuse(value)
        if written and self._not_counted is not None:
            self.state.num_input_tokens_seen += int(self._not_counted)
            self._not_counted = None
        super()._maybe_log_save_evaluate(tr_loss, *rest, **named)

    def _track_num_input_tokens(self, inputs: dict[str, Tensor]) -> None:
        """Count a pass's tokens without asking the GPU for the number, which would wait for the whole pass."""
        if "attention_mask" not in inputs:
            super()._track_num_input_tokens(inputs)
            return
        tokens = self.accelerator.gather(inputs["attention_mask"].sum()).sum()
        self._not_counted = tokens if self._not_counted is None else self._not_counted + tokens

    def _count(self, inputs: dict[str, Tensor]) -> None:
        """Say how much of the first batch is learnt: a mask that hides everything gives a normal-looking curve."""
        self.progress.counted = True
        supervised = self.supervised(inputs)
        tokens = int(inputs["attention_mask"].sum())
        if not supervised:
            raise UserError(
                f"None of the {tokens} tokens of the first batch is learnt: max_length_tokens cuts every answer "
                "off, so raise it."
            )
        self.reporter.result(supervised_tokens=supervised, batch_tokens=tokens)
        text = (
            f"First batch: {supervised} of {tokens} tokens are learnt ({percent_text(supervised / tokens)})"
        )
        self.reporter.event(self.state.global_step, "data", text, self.progress.elapsed_s)

    def supervised(self, inputs: dict[str, Tensor]) -> int:
        """Tokens of a batch that the loss is about."""
        return int((inputs["labels"] != IGNORED).sum())

    def _refuse(self, value: float) -> None:
        step = self.state.global_step
        self.progress.log(step, self.state, {"loss": value})  # a gap on the chart, where it broke
        saved = self.progress.saved_step
        rest = f"the checkpoint of step {saved} is kept" if saved else "no checkpoint was saved before it"
        raise UserError(
            f"The loss became {value} at step {step}; {rest}. Lower learning_rate (it is "
            f"{self.args.learning_rate:g}) or look at the data, then start a new job from this one's settings."
        )

    def create_model_card(self, *arguments: Any, **named: Any) -> None:
        """Write none: TRL's is about sharing on the hub, and a checkpoint is for this job to go on from."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """Save with the processor as `processors.save` writes it: the library refuses one without its video part."""
        processor: Any = self.processing_class
        self.processing_class = None
        try:
            super()._save(output_dir, state_dict)
        finally:
            self.processing_class = processor
        processors.save(processor, output_dir or self.args.output_dir)

    def _save_rng_state(self, output_dir: str) -> None:
        """Save each rank's; the checkpoint counts as whole with the file that the first rank writes after this."""
        super()._save_rng_state(output_dir)
        self.reporter.ranks.meet()

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save and seal, or leave nothing behind: half a checkpoint would keep the disk full for nothing.

        Only then older ones go, so that there is one to go on from at every moment.
        """
        folder = Path(self.args.output_dir)
        checkpoint = folder / f"checkpoint-{self.state.global_step}"
        try:
            if self.args.should_save:
                checkpoints.unseal(checkpoint)
            super()._save_checkpoint(model, trial)
            if self.args.should_save:
                checkpoints.seal(checkpoint)
                checkpoints.keep_newest(folder)
        except Exception as error:  # each library wraps a failed write in its own class
            if not failures.is_disk_full(error):
                raise
            shutil.rmtree(checkpoint, ignore_errors=True)
            raise UserError(
                f"The disk is full: the checkpoint of step {self.state.global_step} could not be saved to {folder}. "
                "Free some space, then resume the job."
            ) from error


class ReferenceTrainer(WatchedTrainer, SFTTrainer):
    """Learns references, alone or as one of several ranks."""

    def get_train_dataloader(self) -> Any:
        """Batches in the trainer's own order, of which each rank has its share."""
        if not self.reporter.ranks.several:
            return super().get_train_dataloader()
        from accelerate.data_loader import SeedableRandomSampler, prepare_data_loader

        args, images = self.args, self.train_dataset
        order = SeedableRandomSampler(images, generator=torch.Generator(), data_seed=args.data_seed)
        loader = DataLoader(
            shares.PaddedItems(images),
            batch_sampler=shares.RankBatches(
                order, len(images), args.per_device_train_batch_size, args.gradient_accumulation_steps,
                self.reporter.ranks,
            ),
            collate_fn=self.data_collator,
            num_workers=args.dataloader_num_workers,
            prefetch_factor=args.dataloader_prefetch_factor,
            persistent_workers=args.dataloader_persistent_workers,
            pin_memory=args.dataloader_pin_memory,
        )  # fmt: skip
        # As of one process: the shares are made already.
        return prepare_data_loader(loader, self.accelerator.device, 1, 0, put_on_device=True)
