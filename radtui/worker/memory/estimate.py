"""`python -m radtui.worker.memory.estimate --data-dir DIR`: what a run would take, before any weight is loaded.

Settings come as JSON on stdin; the last line of stdout is `{"estimate": ...}` or `{"error": "one sentence"}`. A process
of its own, so that who asks need not import torch.
"""

from __future__ import annotations

import argparse
import json
import math
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from radtui.estimates import DeviceMemory, MemoryEstimate
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import UserError
from radtui.settings import TrainSettings, steps_of
from radtui.store import cases
from radtui.store.blobs import image_bytes
from radtui.store.database import connect
from radtui.worker.process import environment, failures

# What CUDA and its libraries take beside torch's tensors. Source: assets/benchmarks/gpu.json
CONTEXT_GIB = 1.0
LOOKED_AT = 20_000  # images whose size and text are compared
SIDES_PX = (1024, 768, 512, 384, 256, 128)  # tried where pictures are too large
LOW_RANK = 8


def main(arguments: list[str] | None = None) -> int:
    """Print the estimate; returns 0, or 1 with a sentence instead."""
    parser = argparse.ArgumentParser(prog="python -m radtui.worker.memory.estimate")
    parser.add_argument("--data-dir", required=True, type=Path)
    data = DataDir(parser.parse_args(arguments).data_dir)
    settings = TrainSettings.from_dict(json.loads(sys.stdin.read()))
    environment.prepare(data, settings.gpus)
    try:
        answer: dict[str, Any] = {"estimate": asdict(estimate(settings.check(), data, connect(data)))}
    except Exception as error:  # whatever it is, the caller shows one sentence
        answer = {"error": failures.sentence(error, data, settings.model)}
    print(json.dumps(answer), flush=True)
    return int("error" in answer)


def estimate(settings: TrainSettings, data: DataDir, db: sqlite3.Connection) -> MemoryEstimate:
    """Estimate a run on this machine as it is now.

    Raises:
        UserError: No such images, fewer GPUs than asked for, or the model's description is neither here nor on a hub
            that can be reached.
    """
    from radtui.worker.memory import gpu_memory, shares
    from radtui.worker.model import backend, resolution, template
    from radtui.worker.model import model as models
    from radtui.worker.process import torch_launcher

    devices = gpu_memory.devices()  # before CUDA takes its own part
    torch_launcher.check_gpus(settings.gpus)
    item = largest(settings, data, db)
    load_plan = backend.training_plan(settings)
    settings, changes = backend.substituted(shares.of_one_rank(settings, settings.gpus), load_plan)
    config, processor = models.describe(settings.model, settings.trust_remote_code)
    kept = resolution.apply(processor, settings.image_tokens, config)
    changes += filter(None, [kept, *template.notes(processor, settings.message_order, settings.thinking)])
    lengths = of_lengths(settings, processor, data, db)
    estimator = Estimator(settings, load_plan, config, processor, item)
    made = estimator.estimate(devices, tuple(changes), lengths)
    return replace(made, time=of_time(estimator, db)) if made.fits else made


def of_time(estimator: Estimator, db: sqlite3.Connection) -> str:
    """How long the run would take, in words."""
    from radtui.worker.memory import hours, remembered
    from radtui.worker.process import threads

    settings, load_plan = estimator.settings, estimator.load_plan
    name, key = remembered.key_of(settings, load_plan)
    learnt = len(
        cases.usable(db, settings.dataset, settings.train_split, settings.train_images, with_reference=True)
    )
    steps = steps_of(settings, math.ceil(learnt / settings.gpus)) * settings.seeds
    evaluated = 0
    if settings.eval_every and settings.eval_split:
        held_out = cases.usable(
            db, settings.dataset, settings.eval_split, settings.eval_images, with_reference=True
        )
        # Before the first step, and after the last.
        evaluated = len(held_out) * (steps // settings.eval_every + 2)
    work = hours.Work(steps, settings.effective_batch, evaluated, estimator.flops())

    def measure() -> float:
        threads.choose()
        return hours.cpu_rate(estimator.footprint, estimator.footprint.batch(settings.batch_size))

    known = remembered.recall(key).get("image_s")
    known_s = float(known) if isinstance(known, (int, float)) else None
    return hours.sentence(work, known_s, name if load_plan.cuda else "", measure)


def of_lengths(
    settings: TrainSettings, processor: Any, data: DataDir, db: sqlite3.Connection
) -> tuple[str, ...]:
    """What an image of the data set takes, and which answers would be cut; every case is counted."""
    from radtui.worker.model import counting
    from radtui.worker.model.collator import Collator
    from radtui.worker.model.examples import sizes_of, takes_several

    ids = cases.usable(db, settings.dataset, settings.train_split, settings.train_images, with_reference=True)
    several = takes_several(processor)
    counted = [
        counting.Counted(
            sizes_of(each)[: None if several else 1],
            each.question or settings.instruction,
            each.reference.strip(),
        )
        for each in cases.get_many(db, ids)
    ]
    collate = Collator(processor, settings.loss_on, settings.max_length_tokens, thinking=settings.thinking)
    lengths = counting.count(collate, counted, settings.message_order, settings.max_side_px)
    loss = lengths.loss(settings.max_length_tokens)
    return tuple(filter(None, [f"an image takes {lengths.images}", loss]))


def largest(settings: TrainSettings, data: DataDir, db: sqlite3.Connection) -> dict[str, Any]:
    """The data set's largest pictures, unshrunk, with its longest reference.

    Returns:
        `image` and `text`, the `others` that a batch would hold beside the largest, and `usual`, an item in the middle.

    Raises:
        UserError: There is nothing to learn from.
    """
    from radtui.imaging.decode import training_image

    ids = cases.usable(db, settings.dataset, settings.train_split, LOOKED_AT, with_reference=True)
    if not ids:
        raise UserError(
            f"{settings.dataset or 'The data set'} has no readable images with a reference in split "
            f"{settings.train_split!r}: import one, or choose another train_split."
        )
    records = cases.get_many(db, ids)
    readable = (image for case in records for image in case.images if not image.error)
    by_size = sorted(readable, key=lambda image: image.width_px * image.height_px, reverse=True)
    texts = sorted((each.reference.strip() for each in records), key=len)
    first, *others = (
        training_image(image_bytes(data, each.sha256)) for each in by_size[: settings.batch_size]
    )
    middle = training_image(image_bytes(data, by_size[len(by_size) // 2].sha256))
    usual = {"image": middle, "text": texts[len(texts) // 2]}
    return {"image": first, "text": texts[-1], "others": others, "usual": usual}


class Estimator:
    """One run estimated on one machine.

    Args:
        settings: One device's share, as the machine would do it.
        load_plan: Backend and precision.
        config: The model's.
        processor: The model's.
        item: From `largest`.
        share: See `Footprint`.
    """

    def __init__(
        self, settings: TrainSettings, load_plan: Any, config: Any, processor: Any, item: dict[str, Any],
        share: float = 1.0,
    ) -> None:  # fmt: skip
        from radtui.worker.model.collator import Collator

        self.settings, self.load_plan, self.config, self.processor, self.item = (
            settings, load_plan, config, processor, item,
        )  # fmt: skip
        self.collate = Collator(
            processor, settings.loss_on, settings.max_length_tokens, thinking=settings.thinking
        )
        self.footprint = self.footprint_of(settings.max_side_px, share)

    def footprint_of(self, side_px: int, share: float = 1.0) -> Any:
        """The run's footprint with pictures of this longest side; 0 leaves them as they are."""
        from radtui.worker.memory.footprint import Footprint

        text = self.item["text"]
        item, *others = (
            self._conversation(side_px, image, text)
            for image in (self.item["image"], *self.item.get("others", ()))
        )
        return Footprint(self.config, self.settings, self.load_plan, self.collate, item, others, share)

    def flops(self) -> float:
        """Floating-point operations that learning one usual image needs."""
        usual = self.item["usual"]
        return float(
            self.footprint.flops(self._conversation(self.settings.max_side_px, usual["image"], usual["text"]))
        )

    def _conversation(self, side_px: int, image: Any, text: str) -> dict[str, Any]:
        from radtui.worker.model import prompt

        question = prompt.question(self.settings.instruction, self.settings.message_order)
        return {"messages": [question, prompt.answer(text)], "images": [prompt.shrink(image, side_px)]}

    def estimate(
        self, devices: tuple[DeviceMemory, ...], changes: tuple[str, ...] = (), lengths: tuple[str, ...] = ()
    ) -> MemoryEstimate:
        """What the job would do with what is free on its devices."""
        import torch

        from radtui.worker.model.collator import image_token_ids

        chosen = [each for each in devices if each.chosen] or list(devices)
        limit = min(self._limit(each) for each in chosen)
        try:
            batch, passes, sentence = self._fitted(limit)
            fits = True
        except torch.OutOfMemoryError:
            batch, passes, fits = 1, self.settings.effective_batch, False
            sentence = self._too_large(limit, devices)
        parts = self.footprint
        pixels = torch.tensor(sorted(image_token_ids(self.processor)))
        activations = parts.activations_gib(batch)
        image_tokens, text_tokens = parts.tokens(pixels)
        return MemoryEstimate(
            fits, self._of_each(sentence), self.load_plan.weights, batch, passes, parts.weights_gib, parts.adapter_gib,
            parts.optimizer_gib, activations, limit, image_tokens, text_tokens, parts.trainable, devices, changes,
            self.settings.gpus, lengths,
        )  # fmt: skip

    def _of_each(self, sentence: str) -> str:
        count = self.settings.gpus
        if count == 1:
            return sentence
        processes = "GPUs" if self.load_plan.cuda else "processes"
        return f"On each of {count} {processes}: {sentence[0].lower()}{sentence[1:]}"

    def _limit(self, device: DeviceMemory) -> float:
        """What the job may plan with, GiB."""
        from radtui.worker.memory import main_memory
        from radtui.worker.process import memory

        if not self.load_plan.cuda:
            share = device.free_gib * main_memory.HEADROOM / self.settings.gpus
            return max(share - memory.resident_bytes() / memory.GIB, 0.0)
        return min(device.free_gib - CONTEXT_GIB, self.settings.memory_gib or float("inf"))

    def _fitted(self, limit_gib: float) -> tuple[int, int, str]:
        """Images at a time, passes per step, and how it fits; raises torch.OutOfMemoryError when nothing does."""
        import torch

        from radtui.worker.memory import shares

        settings, parts = self.settings, self.footprint
        if settings.gradient_checkpointing == "auto":
            fit = self.fit(limit_gib)
            return fit.batch_size, fit.gradient_accumulation, fit.sentence + "."
        self._as_asked()
        smaller: TrainSettings | None = settings
        while smaller is not None:
            try:
                taken = parts.probe(limit_gib - parts.optimizer_gib)(smaller.batch_size) + parts.optimizer_gib
            except torch.OutOfMemoryError:
                smaller = shares.halved(smaller)
                continue
            takes = many(smaller.batch_size, "image at a time takes", "images at a time take")
            sentence = f"{takes} {taken:.1f} of {limit_gib:.1f} GiB."
            return smaller.batch_size, smaller.gradient_accumulation, sentence
        raise torch.OutOfMemoryError("CUDA out of memory")

    def fit(self, limit_gib: float) -> Any:
        """The `fitting.Fit` within so much memory; raises torch.OutOfMemoryError when nothing fits."""
        import torch

        from radtui.worker.memory import fitting

        parts = self.footprint
        fit = fitting.fit(self.settings, parts.probe(limit_gib), parts.recompute, parts.layers, limit_gib)
        if fit.peak_gib > limit_gib:
            raise torch.OutOfMemoryError("CUDA out of memory")
        parts.recompute(fit.recomputed_layers, fit.recompute_text)
        return fit

    def _as_asked(self) -> None:
        """Recompute what the settings say. transformers itself never recomputes Llama 3.2's vision layers."""
        on = self.settings.gradient_checkpointing != "off"
        self.footprint.recompute(
            self.footprint.layers if on and self.load_plan.backend == "unsloth" else 0, on
        )

    def _least(self, parts: Any) -> float:
        """What one image at a time takes with as much recomputed as can be, GiB."""
        parts.recompute(parts.layers if self.load_plan.cuda else 0, True)
        return float(parts.weights_gib + parts.adapter_gib + parts.optimizer_gib + parts.activations_gib(1))

    def _too_large(self, limit_gib: float, devices: tuple[DeviceMemory, ...]) -> str:
        """What would fit, as far as these settings and this machine's devices go."""
        from radtui.worker.memory import fitting

        need = self._least(self.footprint)
        spare = fitting.SPARE_GIB + limit_gib * fitting.SPARE_SHARE if self.load_plan.cuda else 0.0
        ways: dict[str, str] = {}  # of each setting the mildest change
        for name, value, taken in self._ways(need):
            if taken <= limit_gib - spare and name not in ways:
                ways[name] = f"{name} {value}"
        able = [each for each in devices if self._limit(each) >= need + spare]
        others = [each.name for each in able if not each.chosen and len(able) >= self.settings.gpus]
        device = next(iter(devices), None)
        place = "GPU" if self.load_plan.cuda else "machine"
        held = "; ".join(each.held for each in devices if each.chosen and each.held)
        sentence = (
            f"One image at a time takes {need:.1f} GiB and {max(limit_gib, 0):.1f} GiB can be planned with"
        )
        sentence += f" ({held})" if held else ""
        if ways or others:
            return f"{sentence}: it would fit with {' or '.join([*ways.values(), *others])}."
        # Processes that have one memory between them.
        sharing = 1 if self.load_plan.cuda else self.settings.gpus
        more = f"a {place} with {math.ceil(sharing * (need + spare))} GiB free" if device else "more memory"
        return f"{sentence}: it needs {more}, or a smaller model."

    def _with_side(self, side_px: int) -> float:
        """What the least takes with pictures of this longest side, GiB."""
        return self._least(self.footprint_of(side_px))

    def _ways(self, need: float) -> Iterator[tuple[str, object, float]]:
        """Settings that may take less than these: a field, its value, and what it takes then, GiB."""
        parts, asked = self.footprint, self.settings
        if self.load_plan.cuda and not self.load_plan.four_bit:
            yield "load_in_4bit", "on", need - parts.weights_gib + parts.weights_4bit_gib
        if asked.gradient_checkpointing == "off":
            yield "gradient_checkpointing", "on", need  # the least was estimated so
        side = max(self.footprint.item["images"][0].size)
        sides = [each for each in SIDES_PX if each < side]
        if sides and self._with_side(sides[-1]) < need - 0.01 * need:  # tiles of a fixed size gain nothing
            yield from (("max_side_px", each, self._with_side(each)) for each in sides)
        if asked.lora_r > LOW_RANK:
            share = 1 - LOW_RANK / asked.lora_r
            yield "lora_r", LOW_RANK, need - share * (parts.adapter_gib + parts.optimizer_gib)


if __name__ == "__main__":
    sys.exit(main())
