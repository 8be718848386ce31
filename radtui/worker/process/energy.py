"""What the GPUs of a job are, and the energy they take while it runs.

NVIDIA's management library counts it; without the library, nvidia-smi's power is read every few seconds. Where there
is neither, or the GPU is shared in parts, nothing is known and nothing is written.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from radtui.records import Job
from radtui.worker.process.gpu_lock import Gpu
from radtui.worker.process.reporter import Reporter

log = logging.getLogger("radtui.worker")
EVERY_S = 5.0  # between readings of the power
ASK_S = 10.0  # nvidia-smi answers within a second, but for a GPU that has fallen off its bus
MJ_PER_WH = 3.6e6
J_PER_WH = 3600.0


@contextmanager
def measured(job: Job, reporter: Reporter, gpus: Sequence[Gpu]) -> Iterator[None]:
    """Write at the end what the job's GPUs are called and took; added to what earlier attempts took.

    Args:
        job: The job, as its row was when this attempt began.
        reporter: Its voice.
        gpus: Those that it holds; none for a job without one.
    """
    if not gpus:
        yield
        return
    names = _names(gpus)
    if names:
        reporter.result(gpu=_name_text(names))
    before_mj = _counted_mj(gpus)
    power = _Power(gpus) if before_mj is None and names else None
    try:
        if power:
            power.start()
        yield
    finally:
        energy_wh = power.stop() if power else None
        if before_mj is not None and (after_mj := _counted_mj(gpus)) is not None:
            energy_wh = (after_mj - before_mj) / MJ_PER_WH
        if energy_wh is not None:
            earlier = job.result.get("energy_wh")
            known = float(earlier) if isinstance(earlier, (int, float)) else 0.0
            reporter.result(energy_wh=round(known + energy_wh, 3))


def _name_text(names: Sequence[str]) -> str:
    """GPUs in a few words: "2x NVIDIA H100"."""
    kinds = {name: names.count(name) for name in dict.fromkeys(names)}
    return ", ".join(name if count == 1 else f"{count}x {name}" for name, count in kinds.items())


def _counted_mj(gpus: Sequence[Gpu]) -> int | None:
    """Energy of the GPUs since their driver was loaded, mJ; None where the library cannot tell."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByUUID(gpu.uuid.encode()) for gpu in gpus]
        return sum(int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in handles)
    except Exception as error:  # a missing library, an old card, a part of a GPU: energy is a bonus
        log.info("The GPUs' energy is not counted: %s", error)
        return None


def _names(gpus: Sequence[Gpu]) -> list[str]:
    """What the GPUs are called; empty where nobody knows."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByUUID(gpu.uuid.encode()) for gpu in gpus]
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except Exception as error:
        log.info("The GPUs' names are asked of nvidia-smi: %s", error)
    return [row[1] for row in _asked(gpus)]


def _asked(gpus: Sequence[Gpu]) -> list[tuple[str, str, float]]:
    """UUID, name and power in W of each GPU, from nvidia-smi; empty where it is not there or does not know one."""
    command = ["nvidia-smi", "--query-gpu=uuid,name,power.draw", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=True)
        cells = [
            [cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines() if line.strip()
        ]
        rows = {row[0]: (row[0], row[1], float(row[2])) for row in cells}
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return []
    wanted = [gpu.uuid for gpu in gpus]
    return [rows[uuid] for uuid in wanted] if all(uuid in rows for uuid in wanted) else []


class _Power(threading.Thread):
    """Adds up power over time, in trapezes between readings; a reading that fails ends the sum."""

    def __init__(self, gpus: Sequence[Gpu]) -> None:
        super().__init__(name="gpu-energy", daemon=True)
        self._gpus, self._ended = gpus, threading.Event()
        self._joules: float | None = 0.0
        self._last: tuple[float, float] | None = None  # when, and W

    def run(self) -> None:
        """Read until the end."""
        while self._read() and not self._ended.wait(EVERY_S):
            pass

    def stop(self) -> float | None:
        """End; the energy in Wh, None where it is not known for all of the time."""
        self._ended.set()
        self.join(timeout=2 * ASK_S)
        self._read()
        return None if self._joules is None else self._joules / J_PER_WH

    def _read(self) -> bool:
        rows = _asked(self._gpus)
        if not rows or self._joules is None:
            self._joules = None
            return False
        now_s, watts = time.monotonic(), sum(row[2] for row in rows)
        if self._last is not None:
            self._joules += (now_s - self._last[0]) * (watts + self._last[1]) / 2
        self._last = now_s, watts
        return True
