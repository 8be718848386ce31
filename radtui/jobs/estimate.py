"""Asking what a training run would take before it starts, in a process that may import torch."""

from __future__ import annotations

import sqlite3

from radtui.estimates import DeviceMemory, MemoryEstimate
from radtui.jobs.asked_process import AskedProcess
from radtui.jobs.submit import resolved_train
from radtui.paths import DataDir
from radtui.plural import many
from radtui.settings import TrainSettings


class Estimating:
    """An estimate that is being made; whoever asked cancels it when nobody waits any more.

    Args:
        data: The data folder.
        settings: As `resolved_train` gives them.

    Raises:
        UserError: No process could be started.
    """

    def __init__(self, data: DataDir, settings: TrainSettings) -> None:
        module = "radtui.worker.memory.estimate"
        self._asked = AskedProcess("the estimate", module, data, request=settings.to_dict())

    def result(self) -> MemoryEstimate:
        """Wait for the answer; from a thread, in the app.

        Raises:
            UserError: The model's description, the data or the machine do not allow one, or it was cancelled.
        """
        values = self._asked.answer("start the job all the same: it tries what fits")["estimate"]
        values["devices"] = tuple(DeviceMemory(**each) for each in values["devices"])
        values |= {name: tuple(values.get(name, ())) for name in ("changes", "lengths")}
        return MemoryEstimate(**values)

    def cancel(self) -> None:
        """End it; `result` then raises."""
        self._asked.cancel()


def estimate(data: DataDir, db: sqlite3.Connection, settings: TrainSettings) -> MemoryEstimate:
    """What `submit_train` would start, and what it would take.

    Raises:
        UserError: As `submit_train`, or what `Estimating` says.
    """
    asked = Estimating(data, resolved_train(data, db, settings))
    try:
        return asked.result()
    finally:
        asked.cancel()


def estimate_lines(memory: MemoryEstimate) -> list[tuple[str, str]]:
    """An estimate in words: what takes memory, how much, and what is free; without the verdict."""
    images = f"{many(memory.images, 'image')} at a time"
    lines = [("gpus", f"{memory.gpus}, each takes what follows")] if memory.gpus > 1 else []
    lines += [
        ("weights", f"{size_text(memory.weights_gib)} in {memory.precision}"),
        (
            "adapter",
            f"{size_text(memory.adapter_gib)}, {memory.trainable_parameters:,} parameters with gradients",
        ),
        ("optimizer", size_text(memory.optimizer_gib)),
        (
            "activations",
            f"{size_text(memory.activations_gib)}, {images}, {memory.passes} pass{'es' * (memory.passes != 1)} a step",
        ),
        ("an image", f"{memory.image_tokens:,} image tokens; longest text {memory.text_tokens:,} tokens"),
    ]
    lines += [("lengths", sentence) for sentence in memory.lengths]
    lines += [("time", memory.time)] if memory.time else []
    lines += [device_line(device) for device in memory.devices]
    return lines + [("otherwise", change) for change in memory.changes]


def device_line(device: DeviceMemory) -> tuple[str, str]:
    """A device's name, and what is free on it and who holds the rest."""
    held = f", {device.held}" if device.held else ""
    unused = "" if device.chosen else ", not used"
    return device.name, f"{device.free_gib:.1f} of {device.total_gib:.1f} GiB free{unused}{held}"


def size_text(gib: float) -> str:
    """An amount of memory: "54.4 GiB", or below one "514 MiB"."""
    return f"{gib:.1f} GiB" if gib >= 0.95 else f"{gib * 1024:.0f} MiB"
