"""How large a micro-batch, and how much recomputation, the GPU's memory asks for.

A probe says what one forward and backward pass holds; `footprint` runs it on empty tensors, so that it takes no GPU
and nothing of what a backend compiles for the real passes. One with every activation
recomputed says whether the micro-batch fits; where it doesn't, it is halved. Two over a few images, one keeping all
activations and one none, say what keeping a layer costs. As many layers as fit then keep theirs, since computing them
twice takes a quarter of a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from radtui.plural import many
from radtui.settings import TrainSettings
from radtui.worker.model import vision_attention

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
    peak_gib: float  # of the probe of the whole, or from those of its parts; 0 where nothing was estimated
    limit_gib: float

    @property
    def checkpointing(self) -> str:
        """What the trainer is to know of it: `on` would let it recompute text layers; vision layers are set here."""
        return "on" if self.recompute_text else "off"

    @property
    def recomputes(self) -> bool:
        """Whether anything is computed twice."""
        return self.recompute_text or self.recomputed_layers > 0

    @property
    def room_gib(self) -> float:
        """What is left beside it; 0 where something is computed twice, which room would spare, or nothing is known."""
        if self.recomputes or not self.peak_gib:
            return 0.0
        return max(self.limit_gib * (1 - SPARE_SHARE) - SPARE_GIB - self.peak_gib, 0.0)

    @property
    def sentence(self) -> str:
        """For the job's events."""
        kept = self.vision_layers - self.recomputed_layers
        layers = (
            f", {kept} of {self.vision_layers} vision layers keep their activations"
            if self.vision_layers
            else ""
        )
        images = f"{many(self.batch_size, 'image')} at a time"
        takes = f"take{'s' * (self.batch_size == 1)} {self.peak_gib:.1f} of {self.limit_gib:.1f} GiB"
        if not self.peak_gib:
            takes = f"{'is' if self.batch_size == 1 else 'are'} tried with {self.limit_gib:.1f} GiB"
        return (
            f"{images} {takes}{layers}"
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


def _verified(fit: Fit, probe: Probe, keep: Callable[[int, bool], None], allowed: float) -> Fit:
    """Probe what is planned as a whole; while it takes more than was estimated, recompute some more."""
    while True:
        keep(fit.recomputed_layers, fit.recompute_text)
        try:
            peak = probe(fit.batch_size)
        except torch.OutOfMemoryError:
            peak = float("inf")
        if peak <= allowed or (fit.recompute_text and fit.recomputed_layers == fit.vision_layers):
            return replace(fit, peak_gib=peak)
        more = min(fit.recomputed_layers + max(fit.vision_layers // 10, 1), fit.vision_layers)
        fit = replace(fit, recomputed_layers=more, recompute_text=fit.recomputed_layers == fit.vision_layers)


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
        batch = _half(batch)


def _half(batch: int) -> int:
    """Half a micro-batch, or its next smaller divisor."""
    return next(size for size in range(batch // 2, 0, -1) if batch % size == 0)


def apply(model: Any, chosen: Fit) -> None:
    """Let a model that is ready to train recompute what was chosen."""
    keeper(model)(chosen.recomputed_layers, chosen.recompute_text)


def most_recomputed(settings: TrainSettings, layers: int, limit_gib: float) -> Fit:
    """As many images at a time as were asked for, everything recomputed: where nothing can be estimated."""
    return Fit(settings.batch_size, settings.gradient_accumulation, layers, layers, True, 0.0, limit_gib)


def smaller(tried: Fit) -> Fit | None:
    """What to try where memory was full; None at one image.

    Half the kept vision layers recomputed too, then everything, then half as many images.
    """
    kept = tried.vision_layers - tried.recomputed_layers
    if kept > 1 and tried.peak_gib:  # the first try was planned
        return replace(tried, recomputed_layers=tried.recomputed_layers + (kept + 1) // 2, peak_gib=0.0)
    if kept or not tried.recompute_text:
        return replace(tried, recomputed_layers=tried.vision_layers, recompute_text=True, peak_gib=0.0)
    if tried.batch_size == 1:
        return None
    batch = _half(tried.batch_size)
    passes = tried.gradient_accumulation * tried.batch_size // batch
    return replace(tried, batch_size=batch, gradient_accumulation=passes, peak_gib=0.0)


def keeper(model: Any) -> Callable[[int, bool], None]:
    """What sets how many of a model's vision layers are recomputed, and whether its text layers are."""
    if not any(hasattr(module, "_gradient_checkpointing_func") for module in model.modules()):
        model.gradient_checkpointing_enable({"use_reentrant": False})  # gives layers what they recompute with
        model.disable_input_require_grads()  # of use to the other kind alone; the first layers would keep more

    def keep(recomputed: int, text: bool) -> None:
        checkpoint_layers(model, text)
        vision_attention.recompute(model, recomputed)

    return keep


def as_fitted(settings: TrainSettings, fit: Fit) -> TrainSettings:
    """The settings with what was found."""
    return replace(
        settings, batch_size=fit.batch_size, gradient_accumulation=fit.gradient_accumulation,
        gradient_checkpointing=fit.checkpointing,
    )  # fmt: skip


def checkpoint_layers(model: Any, on: bool) -> None:
    """Whether layers that transformers or unsloth can recompute do so; vision layers have their own way."""
    if hasattr(model, "_unsloth_gradient_checkpointing"):
        model._unsloth_gradient_checkpointing = on  # its trainer sets the layers from this before training
    for module in model.modules():
        if hasattr(module, "gradient_checkpointing"):
            module.gradient_checkpointing = on and hasattr(module, "_gradient_checkpointing_func")
