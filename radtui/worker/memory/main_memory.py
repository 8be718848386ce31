"""How many images fit in main memory at a time, found by trying one and two."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from radtui.records import UserError
from radtui.settings import TrainSettings
from radtui.worker.process import memory

log = logging.getLogger("radtui.worker")
HEADROOM = 0.9  # of the free memory: the app and the system want some
ADAM_BYTES = 8  # per trainable parameter: two float32 averages, made in the first step


def fitting(
    model: Any, settings: TrainSettings, items: list[dict[str, Any]], collate: Any, processes: int = 1
) -> TrainSettings:
    """Make the micro-batch as small as the main memory asks for; the images of a step stay the same.

    Linux ends a process that takes too much without a word, so it must not come to that. The memory of a step
    grows linearly with its images: one forward and backward pass each of one and of two tell how much.

    Args:
        model: With its adapter, on the CPU.
        settings: What is asked for.
        items: Two items of the training set with long texts, or one if there is no more.
        collate: Items to a batch.
        processes: That train on this machine at once, and share its memory.

    Returns:
        The settings, with `batch_size` and `gradient_accumulation` changed when they must be.

    Raises:
        UserError: Not even one image fits.
    """
    from radtui.worker.memory.shares import halved

    began = memory.resident_bytes()
    of_one, of_two = _peak(model, collate(items[:1])), _peak(model, collate(items[:2]))
    room = began + HEADROOM * memory.free_gib() * memory.GIB / processes
    room -= ADAM_BYTES * sum(p.numel() for p in model.parameters() if p.requires_grad)
    each = max(of_two - of_one, 0)  # bytes
    log.info("A step takes %.2f GiB and %.3f GiB per image", (of_one - each) / memory.GIB, each / memory.GIB)
    fitted: TrainSettings | None = settings
    while fitted is not None and of_one + each * (fitted.batch_size - 1) > room:
        fitted = halved(fitted)
    if fitted is None:
        each_of = f" for each of {processes} processes" if processes > 1 else ""
        raise UserError(
            f"One image at a time takes {of_one / memory.GIB:.1f} GiB and {room / memory.GIB:.1f} GiB are"
            f" free{each_of}: set max_side_px, turn gradient_checkpointing on, or choose a smaller model."
        )
    return fitted


def _peak(model: Any, batch: dict[str, torch.Tensor]) -> int:
    """The most bytes this process held during one pass, leaving weights and random state as they were."""
    state = torch.get_rng_state()
    Path("/proc/self/clear_refs").write_text("5")  # Source: Linux, proc_pid_clear_refs(5): resets the peak
    model.train()
    model(**batch).loss.backward()
    model.zero_grad(set_to_none=True)
    torch.set_rng_state(state)
    return memory.peak_resident_bytes()
