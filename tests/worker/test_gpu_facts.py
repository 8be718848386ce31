"""GPU facts, with NVIDIA's library stood in for: a machine of two cards, one of which can't tell its power."""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from radtui.worker.memory import gpu_facts

GIB = 2**30
OTHERS = (2**22 + 1, 2**22 + 2)  # no process here can have these numbers


class NVMLError(Exception):
    pass


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    def power(handle: str) -> int:
        if handle == "b":
            raise NVMLError("not supported")
        return 312_500  # mW

    def processes(handle: str) -> list[SimpleNamespace]:
        held = [
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=9 * GIB),
            SimpleNamespace(pid=OTHERS[1], usedGpuMemory=1 * GIB),
            SimpleNamespace(pid=OTHERS[0], usedGpuMemory=20 * GIB),
        ]
        return held if handle == "a" else []

    stand_in = SimpleNamespace(
        NVMLError=NVMLError, NVML_TEMPERATURE_GPU=0,
        nvmlDeviceGetMemoryInfo=lambda h: SimpleNamespace(used=(12 if h == "a" else 3) * GIB),
        nvmlDeviceGetUtilizationRates=lambda h: SimpleNamespace(gpu=97),
        nvmlDeviceGetPowerUsage=power, nvmlDeviceGetTemperature=lambda h, sensor: 61,
        nvmlDeviceGetComputeRunningProcesses=processes,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "pynvml", stand_in)
    return stand_in


def test_each_gpu_has_its_series(library):
    values = gpu_facts.read(["a", "b"])
    assert values == {
        "gpu0.memory_gib": 12.0, "gpu0.utilisation_pct": 97.0, "gpu0.power_w": 312.5, "gpu0.temperature_c": 61.0,
        "gpu1.memory_gib": 3.0, "gpu1.utilisation_pct": 97.0, "gpu1.temperature_c": 61.0,
    }  # fmt: skip


def test_values_are_taken_once_and_come_again(library):
    with gpu_facts.Sampler(["a"], every_s=0.02) as sampler:
        first, deadline = {}, time.monotonic() + 5
        while not first and time.monotonic() < deadline:
            first = sampler.take()
        assert first["gpu0.memory_gib"] == 12
        library.nvmlDeviceGetMemoryInfo = lambda h: SimpleNamespace(used=13 * GIB)
        later = {}
        while later.get("gpu0.memory_gib") != 13 and time.monotonic() < deadline:
            later = sampler.take() or later
        assert later["gpu0.memory_gib"] == 13


def test_other_processes_are_named_and_this_one_is_not(library):
    assert gpu_facts.held_sentence(["a", "b"]) == (
        f"process {OTHERS[0]} holds 20.0 GiB of GPU 0; process {OTHERS[1]} holds 1.0 GiB of GPU 0"
    )


def test_without_a_gpu_there_is_nothing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with gpu_facts.sampler() as sampler:
        assert sampler.take() == {} and not sampler._thread.is_alive()


def test_without_the_library_there_is_nothing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu_facts.devices() == []
