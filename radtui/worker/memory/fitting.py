"""How large a micro-batch, and how much recomputation, the GPU's memory asks for: probed before the run, not guessed.

A probe is one forward and backward pass over the longest texts, and its measured peak. One with every activation
recomputed says whether the micro-batch fits; where it doesn't, it is halved. Two over a few images, one keeping all
activations and one none, say what keeping a layer costs. As many layers as fit then keep theirs, since computing them
twice takes a quarter of a step.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from radtui.settings import TrainSettings
from radtui.worker.memory.memory import GIB
from radtui.worker.model import vision_attention
from radtui.worker.process import failures

log = logging.getLogger("radtui.worker")
PROBED_IMAGES = 2  # for the cost of a layer; its activations grow evenly with the images
SPARE_SHARE = 0.06  # of what is there: fragments, longer texts than the probed ones
SPARE_GIB = 1.0  # the optimizer's state, made at the first step
Probe = Callable[[int], float]
"""Images at a time -> the most memory a forward and backward pass held, GiB. Raises torch.OutOfMemoryError."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was found to fit."""

    batch_size: int
    gradient_accumulation: int
    recomputed_layers: int  # vision layers whose activations are computed twice
    vision_layers: int
    recompute_text: bool
    peak_gib: float  # of the probe of the whole, or estimated from those of its parts
    limit_gib: float

    @property
    def checkpointing(self) -> str:
        """`on` when anything is recomputed, else `off`."""
        return "on" if self.recompute_text or self.recomputed_layers else "off"

    @property
    def sentence(self) -> str:
        """For the job's events."""
        kept = self.vision_layers - self.recomputed_layers
        layers = (
            f", {kept} of {self.vision_layers} vision layers keep their activations"
            if self.vision_layers
            else ""
        )
        return (
            f"{self.batch_size} images at a time take {self.peak_gib:.1f} of {self.limit_gib:.1f} GiB{layers}"
            + ("" if self.recompute_text or self.recomputed_layers else ", nothing is computed twice")
        )  # fmt: skip


def fit(
    settings: TrainSettings, probe: Probe, keep: Callable[[int, bool], None], layers: int, limit_gib: float
) -> Fit:
    """Find the largest micro-batch and the least recomputation that fit.

    Args:
        settings: Wanted batch and accumulation; their product stays.
        probe: Measures a batch; called with the model as `keep` left it.
        keep: Sets how many vision layers are recomputed, and whether the text layers are.
        layers: Vision layers that can be set one by one.
        limit_gib: What the job may hold.

    Raises:
        torch.OutOfMemoryError: Not even one image fits.
    """
    allowed = limit_gib * (1 - SPARE_SHARE) - SPARE_GIB
    keep(layers, True)
    batch, least = _largest(settings.batch_size, probe, allowed)
    accumulation = settings.gradient_accumulation * settings.batch_size // batch
    text_gib, all_gib = _costs(probe, keep, layers, batch)
    room = allowed - least
    if all_gib <= room:
        return Fit(batch, accumulation, 0, layers, False, least + all_gib, limit_gib)
    # The text layers first: they are many small kernels, so computing them twice costs more time for a GiB.
    recompute_text = text_gib > room
    if not recompute_text:
        room -= text_gib
    each = (all_gib - text_gib) / max(layers, 1)
    kept = min(max(int(room / each), 0), layers) if layers and each > 0 else 0
    keep(layers - kept, recompute_text)
    return _verified(
        Fit(batch, accumulation, layers - kept, layers, recompute_text, 0.0, limit_gib), probe, keep, allowed
    )


def _costs(probe: Probe, keep: Callable[[int, bool], None], layers: int, batch: int) -> tuple[float, float]:
    """What keeping the text layers' activations, and all, takes more than recomputing all of them, GiB.

    Measured with a few images, whose probe with all recomputed comes first; infinite where they do not fit.
    """
    few = min(batch, PROBED_IMAGES)
    nothing_kept = probe(few)

    def more(recomputed: int) -> float:
        keep(recomputed, False)
        try:
            return (probe(few) - nothing_kept) * batch / few
        except torch.OutOfMemoryError:
            return float("inf")

    return more(layers), more(0)


def _verified(found: Fit, probe: Probe, keep: Callable[[int, bool], None], allowed: float) -> Fit:
    """Probe what is planned as a whole; while it takes more than was estimated, recompute some more."""
    while True:
        keep(found.recomputed_layers, found.recompute_text)
        try:
            peak = probe(found.batch_size)
        except torch.OutOfMemoryError:
            peak = float("inf")
        if peak <= allowed or (found.recompute_text and found.recomputed_layers == found.vision_layers):
            return replace(found, peak_gib=peak)
        more = min(found.recomputed_layers + max(found.vision_layers // 10, 1), found.vision_layers)
        found = replace(
            found, recomputed_layers=more, recompute_text=found.recomputed_layers == found.vision_layers
        )


def _largest(wanted: int, probe: Probe, allowed: float) -> tuple[int, float]:
    """The largest divisor of a batch that fits, and what it takes, GiB."""
    batch = wanted
    while True:
        try:
            peak = probe(batch)
        except torch.OutOfMemoryError:
            peak = float("inf")
        if peak <= allowed or batch == 1:
            if peak == float("inf"):
                raise torch.OutOfMemoryError("CUDA out of memory with one image")
            return batch, peak
        batch = next(size for size in range(batch // 2, 0, -1) if wanted % size == 0)


def fit_gpu(
    model: Any, settings: TrainSettings, collate: Callable[[list[Any]], dict[str, Tensor]], data: Any,
    lengths: Sequence[int], dtype: torch.dtype, limit_gib: float = 0.0,
) -> Fit:  # fmt: skip
    """Probe the model on this GPU, leave it set to recompute what has to be, and its gradients empty.

    Args:
        model: With its adapter, ready to train.
        settings: As wanted.
        collate: Makes batches of the data's items.
        data: Items by index.
        lengths: Length of each item's text in any unit: the longest are probed.
        dtype: Of the arithmetic.
        limit_gib: What the job may hold; 0 for what is free.
    """
    longest = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    layers = vision_attention.vision_layers(model)

    def probe(count: int) -> float:
        return _peak(model, collate([data[longest[place % len(longest)]] for place in range(count)]), dtype)

    model.train()
    free = torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved()
    limit = min(limit_gib or float("inf"), free / GIB)
    state = torch.random.get_rng_state(), torch.cuda.get_rng_state()
    found = fit(settings, probe, keeper(model), layers, limit)
    torch.random.set_rng_state(state[0])
    torch.cuda.set_rng_state(state[1])
    log.info("%s", found.sentence)
    return found


def keeper(model: Any) -> Callable[[int, bool], None]:
    """What sets how many of a model's vision layers are recomputed, and whether its text layers are."""
    if not any(hasattr(module, "_gradient_checkpointing_func") for module in model.modules()):
        model.gradient_checkpointing_enable({"use_reentrant": False})  # gives layers what they recompute with
        model.disable_input_require_grads()  # of use to the other kind alone; the first layers would keep more

    def keep(recomputed: int, text: bool) -> None:
        checkpoint_layers(model, text)
        vision_attention.recompute(model, recomputed)

    return keep


def as_fitted(settings: TrainSettings, found: Fit) -> TrainSettings:
    """The settings with what was found."""
    return replace(
        settings, batch_size=found.batch_size, gradient_accumulation=found.gradient_accumulation,
        gradient_checkpointing=found.checkpointing,
    )  # fmt: skip


def checkpoint_layers(model: Any, on: bool) -> None:
    """Whether layers that transformers or unsloth can recompute do so; vision layers have their own way."""
    if hasattr(model, "_unsloth_gradient_checkpointing"):
        model._unsloth_gradient_checkpointing = on  # its trainer sets the layers from this before training
    for module in model.modules():
        if hasattr(module, "gradient_checkpointing"):
            module.gradient_checkpointing = on and hasattr(module, "_gradient_checkpointing_func")


def _peak(model: Any, batch: dict[str, Tensor], dtype: torch.dtype) -> float:
    """The most memory a forward and backward pass held, GiB; raises torch.OutOfMemoryError."""
    try:
        return _pass(model, batch, dtype)
    except RuntimeError as error:
        if not failures.is_out_of_memory(error):
            raise
        raise torch.OutOfMemoryError("CUDA out of memory") from None
    finally:
        model.zero_grad(set_to_none=True)
        gc.collect()
        torch.cuda.empty_cache()


def _pass(model: Any, batch: dict[str, Tensor], dtype: torch.dtype) -> float:
    device = next(model.parameters()).device
    placed = {name: value.to(device) for name, value in batch.items()}
    torch.cuda.reset_peak_memory_stats()
    with torch.autocast(device.type, dtype):
        loss = model(**placed).loss
    loss.backward()
    return float(torch.cuda.max_memory_allocated()) / GIB
