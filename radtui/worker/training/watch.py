"""A few held-out images, described again and again while a model learns."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from radtui.paths import DataDir
from radtui.records import Image, Variant
from radtui.settings import TrainSettings
from radtui.store.descriptions import NewDescription
from radtui.worker.describing import describe
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import data as images_of

log = logging.getLogger("radtui.worker")


def pick(records: Sequence[Image], count: int) -> list[Image]:
    """Images to pin: as many examinations and findings as fit, else spread evenly; always the same ones.

    Args:
        records: A split, in its order.
        count: How many at most.
    """
    if count <= 0 or not records:
        return []
    kinds = {(_finding(record), record.examination) for record in records}
    if len(kinds) == 1:
        stride = max(1, len(records) // count)
        return list(records[::stride][:count])
    chosen: list[Image] = []
    findings: Counter[str] = Counter()
    examinations: Counter[str] = Counter()
    left = list(records)
    while left and len(chosen) < count:
        # The examination and finding shown least so far; min() keeps the first, so the choice never changes.
        best = min(left, key=lambda r: (examinations[r.examination], findings[_finding(r)]))
        left.remove(best)
        chosen.append(best)
        examinations[best.examination] += 1
        findings[_finding(best)] += 1
    return chosen


def _finding(record: Image) -> str:
    return record.truth[0].finding if record.truth else ""


class Watch:
    """Describes the pinned images with the model as it is, greedily, and stores each text with its step.

    Args:
        records: The pinned images.
        data: The data folder.
        settings: Instruction, order and size to ask with.
        processor: The model's.
        reporter: Where the texts go.
        batch_size: Images at once.
    """

    def __init__(
        self,
        records: Sequence[Image],
        data: DataDir,
        settings: TrainSettings,
        processor: Any,
        reporter: Reporter,
        batch_size: int,
    ) -> None:
        self.items = images_of.examples(records, data)
        self.settings = settings
        self.processor = processor
        self.reporter = reporter
        self.batch_size = max(1, batch_size)

    def describe(self, model: Any, step: int) -> None:
        """Describe every pinned image; before the first step this is the base model's text.

        Args:
            model: In any mode; it is put back into it.
            step: Optimizer steps done.
        """
        was_training = model.training
        _inference(model, True)
        try:
            for start in range(0, len(self.items), self.batch_size):
                self._describe_batch(model, step, self.items[start : start + self.batch_size])
        finally:
            _inference(model, not was_training)

    def _describe_batch(self, model: Any, step: int, items: Sequence[images_of.Example]) -> None:
        asked = self.settings
        pictures = [images_of.open_image(item, asked.max_side_px) for item in items]
        inputs = describe.prepare(
            self.processor, pictures, asked.instruction, asked.asking_order, asked.thinking
        )
        decoding = describe.Decoding(asked.watch_tokens)
        texts = describe.describe(model, self.processor, inputs, decoding, [item.image_id for item in items])
        self.reporter.described(
            [
                NewDescription(
                    item.image_id, Variant.TUNED, text.text, asked.instruction, "greedy", text.tokens, text.seconds,
                    text.truncated, step,
                )
                for item, text in zip(items, texts, strict=True)
            ]
        )  # fmt: skip
        for item, text in zip(items, texts, strict=True):
            log.info("step %d, %s: %s", step, item.name, text.text)


def _inference(model: Any, on: bool) -> None:
    """Switch between training and describing; unsloth has its own switch, found on its models."""
    switch = getattr(model, "for_inference" if on else "for_training", None)
    if callable(switch):
        switch()
    model.train(not on)
