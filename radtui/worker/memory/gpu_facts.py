"""What the GPUs of a job do while it runs, and who else holds their memory, through NVIDIA's management library.

Without an NVIDIA GPU, or without the library, there is nothing: no rows, and so no charts.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radtui.worker.process.memory import GIB

log = logging.getLogger("radtui.worker")
EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A process of another job or user that holds GPU memory."""

    pid: int
    gib: float


class Sampler:
    """Reads all GPUs this process may use every few seconds; the newest values wait until they are taken.

    The thread touches no database: whoever writes the job's rows takes the values along.

    Args:
        devices: Handles of the library, in the order of the job's device numbers.
        every_s: Time between readings.
    """

    def __init__(self, devices: list[Any], every_s: float = EVERY_S) -> None:
        self.devices = devices
        self.every_s = every_s
        self._newest: dict[str, float] = {}
        self._lock = threading.Lock()  # one thread reads while another takes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gpu-facts", daemon=True)

    def __enter__(self) -> Sampler:
        if self.devices:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self.every_s)

    def take(self) -> dict[str, float]:
        """The newest values by series, such as `gpu0.power_w`; empty when they have been taken already."""
        with self._lock:
            taken, self._newest = self._newest, {}
        return taken

    def _run(self) -> None:
        while True:
            values = read(self.devices)
            with self._lock:
                self._newest = values
            if self._ended.wait(self.every_s):
                return


def sampler() -> Sampler:
    """A sampler of the GPUs this process sees; one that never has a value where there are none."""
    return Sampler(devices())


def devices() -> list[Any]:
    """The library's handles of the GPUs torch sees, in torch's order; empty without GPU or library."""
    import torch

    if not torch.cuda.is_available():
        return []
    try:
        import pynvml

        pynvml.nvmlInit()
        uuids = [torch.cuda.get_device_properties(i).uuid for i in range(torch.cuda.device_count())]
        return [pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}".encode()) for uuid in uuids]
    except Exception as error:
        # A missing library, an old driver, a container that hides it: facts are a bonus.
        log.info("No GPU facts: %s", error)
        return []


def read(handles: list[Any]) -> dict[str, float]:
    """Memory, load, power and temperature of each GPU by series, such as `gpu0.memory_gib`.

    What one of them cannot tell is left out.
    """
    import pynvml

    readers: dict[str, Callable[[Any], float]] = {
        "memory_gib": lambda h: pynvml.nvmlDeviceGetMemoryInfo(h).used / GIB,
        "utilisation_pct": lambda h: float(pynvml.nvmlDeviceGetUtilizationRates(h).gpu),
        "power_w": lambda h: pynvml.nvmlDeviceGetPowerUsage(h) / 1000,
        "temperature_c": lambda h: float(pynvml.nvmlDeviceGetTemperature(h, pynvml.NVML_TEMPERATURE_GPU)),
    }
    values: dict[str, float] = {}
    for number, handle in enumerate(handles):
        for name, reader in readers.items():
            try:
                values[f"gpu{number}.{name}"] = reader(handle)
            except pynvml.NVMLError:  # "not supported" on some cards, in some containers
                continue
    return values


def holders(handle: Any) -> list[Holder]:
    """Other processes that hold this GPU's memory, the largest first."""
    import pynvml

    try:
        processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except pynvml.NVMLError:
        return []
    others = [
        Holder(each.pid, (each.usedGpuMemory or 0) / GIB) for each in processes if each.pid != os.getpid()
    ]
    return sorted(others, key=lambda holder: -holder.gib)


def held_sentence(handles: list[Any]) -> str:
    """Who else holds the job's GPUs, for messages about memory; empty when nobody does."""
    parts = [
        f"process {holder.pid} holds {holder.gib:.1f} GiB of GPU {number}"
        for number, handle in enumerate(handles)
        for holder in holders(handle)
    ]
    return "; ".join(parts)
