"""What one training job is made of once everything is loaded, and how its data become batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radtui.settings import TrainSettings
from radtui.worker.model.backend import LoadPlan
from radtui.worker.model.collator import COMPILED_MULTIPLE, Collator
from radtui.worker.model.examples import ImageTexts
from radtui.worker.model.template import end_token_ids
from radtui.worker.process.reporter import Reporter
from radtui.worker.training.pairs import PairCollator, PairTexts

if TYPE_CHECKING:
    from radtui.worker.training.callback import ProgressCallback


@dataclass(frozen=True, slots=True)
class Task:
    """The parts of a job; attempts with a smaller micro-batch share them."""

    settings: TrainSettings
    load_plan: LoadPlan
    model: Any  # with its adapter
    processor: Any
    learnt: Sequence[Any]  # `data.Example`, or `pairs.Pair` where preferences are learnt
    evaluated: Sequence[Any]
    folder: Path  # of the checkpoints
    reporter: Reporter
    progress: ProgressCallback
    eval_batch: int = 0  # of each rank, so that all together evaluate as one process does; 0: as in training

    @property
    def collates_here(self) -> bool:
        """Whether our collator makes the batches; the report's recipe, text first and all learnt, has unsloth's."""
        as_reported = self.settings.message_order == "text_first" and self.settings.loss_on == "all"
        return not (self.load_plan.backend == "unsloth" and as_reported)

    def items(self, chosen: Sequence[Any]) -> Any:
        """The data set of images with their references, or of rated pairs."""
        order, side = self.settings.message_order, self.settings.max_side_px
        if self.settings.learns_preferences:
            return PairTexts(chosen, order, side)
        return ImageTexts(chosen, self.settings.instruction, order, side)

    def collator(self) -> Any:
        """What makes batches that the model computes a loss of by itself, as probing what fits does."""
        if self.settings.learns_preferences:
            return self.pair_collator(labels=True)
        if self.collates_here:
            settings = self.settings
            multiple = COMPILED_MULTIPLE if self.load_plan.backend == "unsloth" else 1
            return Collator(
                self.processor,
                settings.loss_on,
                settings.max_length_tokens,
                self.ends,
                settings.thinking,
                multiple,
            )
        from unsloth.trainer import UnslothVisionDataCollator

        return UnslothVisionDataCollator(self.model, self.processor)

    def pair_collator(self, labels: bool) -> PairCollator:
        """What makes batches of rated pairs, with or without labels."""
        settings = self.settings
        return PairCollator(self.processor, settings.max_length_tokens, labels, self.ends, settings.thinking)

    @property
    def ends(self) -> list[int]:
        """Tokens that end a text."""
        return end_token_ids(self.model, self.processor)
