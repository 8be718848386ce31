"""Every GPU of the machine with what is free on it and who holds the rest; asks no GPU to do anything."""

from __future__ import annotations

import logging
import os

from radtui.estimates import DeviceMemory
from radtui.worker.memory import gpu_facts
from radtui.worker.process import memory
from radtui.worker.process.memory import GIB

log = logging.getLogger("radtui.worker")


def devices() -> tuple[DeviceMemory, ...]:
    """All GPUs in the order of their numbers; the main memory where there is none.

    `chosen` are those that a job started now would take; see `environment.prepare`, which must have run.
    """
    gpus = _gpus()
    if gpus:
        return gpus
    import psutil

    total = psutil.virtual_memory().total / GIB
    return (DeviceMemory("main memory", memory.free_gib(), total, chosen=True),)


def _gpus() -> tuple[DeviceMemory, ...]:
    try:
        import pynvml

        pynvml.nvmlInit()
        numbers = range(pynvml.nvmlDeviceGetCount())
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in numbers]
        return tuple(_device(number, handle) for number, handle in zip(numbers, handles, strict=True))
    except Exception as error:  # no library, no driver, no GPU, a container that hides them
        log.info("No GPU: %s", error)
        return ()


def _device(number: int, handle: object) -> DeviceMemory:
    import pynvml

    name = pynvml.nvmlDeviceGetName(handle)
    text = name.decode() if isinstance(name, bytes) else str(name)
    info = pynvml.nvmlDeviceGetMemoryInfo(handle)
    held = tuple(f"process {each.pid} holds {each.gib:.1f} GiB" for each in gpu_facts.holders(handle))
    chosen = str(number) in os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")
    return DeviceMemory(f"GPU {number}, {text}", info.free / GIB, info.total / GIB, "; ".join(held), chosen)
