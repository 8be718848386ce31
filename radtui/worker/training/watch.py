"""A few held-out cases, described again and again while a model learns."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from radtui.records import Arm, Case
from radtui.settings import TrainSettings
from radtui.store.texts import NewText
from radtui.worker.describing import describe
from radtui.worker.model import examples as images_of
from radtui.worker.process.reporter import Reporter

log = logging.getLogger("radtui.worker")


def pick(records: Sequence[Case], count: int) -> list[Case]:
    """Cases to pin: as many examinations and findings as fit, else spread evenly; always the same ones.

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
    chosen: list[Case] = []
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


def _finding(record: Case) -> str:
    return record.truth[0].finding if record.truth else ""


class Watch:
    """Describes the pinned cases with the model as it is, greedily, and stores each text with its step.

    Args:
        items: The pinned cases.
        arm: Whose texts these are.
        settings: Instruction, order and size to ask with.
        processor: The model's.
        reporter: Where the texts go.
        batch_size: Images at once.
    """

    def __init__(
        self,
        items: Sequence[images_of.Example],
        arm: Arm,
        settings: TrainSettings,
        processor: Any,
        reporter: Reporter,
        batch_size: int,
    ) -> None:
        self.items = list(items)
        self.arm = arm
        self.settings = settings
        self.processor = processor
        self.reporter = reporter
        self.batch_size = max(1, batch_size)

    def describe(self, model: Any, step: int) -> None:
        """Describe every pinned case; before the first step this is the base model's text.

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
        pictures = [images_of.open_images(item, asked.max_side_px) for item in items]
        prompts = [
            describe.asked(
                self.processor,
                item.asked(asked.instruction),
                asked.asking_order,
                len(item.blobs),
                asked.thinking,
            )
            for item in items
        ]
        inputs = describe.prepare(self.processor, pictures, prompts)
        decoding = describe.Decoding(asked.watch_tokens)
        texts = describe.describe(model, self.processor, inputs, decoding, [item.case_id for item in items])
        self.reporter.described(
            [
                NewText(
                    item.case_id,
                    self.arm.id,
                    rendered,
                    text.text,
                    text.tokens,
                    text.seconds,
                    text.truncated,
                    step,
                    text.reasoning,
                )
                for item, rendered, text in zip(items, prompts, texts, strict=True)
            ]
        )
        for item, text in zip(items, texts, strict=True):
            log.info("step %d, %s: %s", step, item.name, text.text)


def _inference(model: Any, on: bool) -> None:
    """Switch between training and describing; unsloth has its own switch, found on its models."""
    switch = getattr(model, "for_inference" if on else "for_training", None)
    if callable(switch):
        switch()
    model.train(not on)
