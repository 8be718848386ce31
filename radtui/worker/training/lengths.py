"""Before the first step: which cases would lose tokens of their answer, said while it can still be changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

from radtui.records import UserError
from radtui.settings import TrainSettings
from radtui.worker.model import counting
from radtui.worker.model.collator import Collator


def check(
    processor: Any, settings: TrainSettings, ends: Sequence[int], learnt: Sequence[Any], evaluated: Sequence[Any]
) -> tuple[list[str], dict[str, object]]:  # fmt: skip
    """Count every case of a training job.

    Args:
        processor: The model's, its resolution set.
        settings: As this machine can do them.
        ends: Tokens that end a text.
        learnt: `data.Example`, or `pairs.Pair` where preferences are learnt.
        evaluated: The same, held out.

    Returns:
        A sentence for each group that loses answers, and figures for the job's result.

    Raises:
        UserError: Every case would lose its whole answer.
    """
    collate = Collator(
        processor, settings.loss_on, settings.max_length_tokens, ends, thinking=settings.thinking
    )
    sentences: list[str] = []
    figures: dict[str, object] = {}
    for what, group in (("training cases", learnt), ("held-out cases", evaluated)):
        cases = [case for item in group for case in _counted(item, settings.instruction)]
        if not cases:
            continue
        lengths = counting.count(collate, cases, settings.message_order, settings.max_side_px)
        loss = lengths.loss(settings.max_length_tokens, what)
        if loss:
            sentences.append(loss)
        if group is learnt:
            if lengths.lost == lengths.cases:
                raise UserError(loss)
            figures = {
                "image_tokens": lengths.images, "longest_tokens": lengths.longest_tokens,
                "answers_cut": lengths.cut, "answers_lost": lengths.lost,
            }  # fmt: skip
    return sentences, figures


def _counted(item: Any, instruction: str) -> list[counting.Counted]:
    """What is counted of an example, or of a pair's two texts."""
    if hasattr(item, "chosen"):
        sizes = tuple(_size_px(image) for image in item.images)
        return [counting.Counted(sizes, item.instruction, text) for text in (item.chosen, item.rejected)]
    return [counting.Counted(item.sizes_px, item.asked(instruction), item.reference)]


def _size_px(image: Path) -> tuple[int, int]:
    """Width and height, from the file's header alone."""
    with Pillow.open(image) as picture:
        return picture.size
