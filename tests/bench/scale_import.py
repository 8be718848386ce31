"""How much an import and its preview take, of time, processor and memory: run as commands, watched from outside."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from radtui.paths import DataDir
from radtui.records import JobKind
from radtui.store import jobs
from radtui.store.database import connect

LOOK_S = 0.1  # between looks at the processes
MEMORY_LOOK_S = 1.0  # what a process shares is summed up by the kernel, page by page
PREVIEWS = 3


@dataclass(frozen=True, slots=True)
class ImportCost:
    """What one import took; `worker_cpu_s` is of its main process, `examining_cpu_s` of those that look at images."""

    seconds: float
    command_s: float
    worker_cpu_s: float
    examining_cpu_s: float
    worker_peak_mib: float
    all_peak_mib: float


def imported(data: DataDir, source: Path, count: int, plain: dict[str, Any]) -> dict[str, Any]:
    """One import into a new data folder, and the same once more.

    Args:
        data: The data folder.
        source: The folder of images.
        count: How many there are.
        plain: What the plain loop has done.
    """
    cores = len(os.sched_getaffinity(0))
    first = import_once(data, source)
    again = import_once(data, source)
    per_s, all_cpu_s = count / first.seconds, first.worker_cpu_s + first.examining_cpu_s
    return {
        "seconds": first.seconds, "images_per_s": round(per_s, 1), "cores": cores,
        "share_of_plain_on_all_cores": round(per_s / (cores * plain["images_per_s"]), 3),
        # What the share would be with the machine to itself: it is the processor's time that binds.
        "share_by_cpu": round(count / all_cpu_s / plain["images_per_cpu_s"], 3) if all_cpu_s else None,
        "examining_cpu_ms": round(first.examining_cpu_s / count * 1e3, 3),
        "worker_cpu_ms": round(first.worker_cpu_s / count * 1e3, 3),
        "worker_peak_mib": first.worker_peak_mib, "all_processes_peak_mib": first.all_peak_mib,
        "again_s": again.seconds, "again_cpu_s": round(again.worker_cpu_s + again.examining_cpu_s, 2),
        "command_s": first.command_s,
    }  # fmt: skip


def import_once(data: DataDir, source: Path) -> ImportCost:
    """Import a folder as the command does.

    Raises:
        RuntimeError: The command failed.
    """
    command = [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "import", str(source),
               "--name", "bench"]  # fmt: skip
    began_s = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    own_mib = all_mib = looked_s = 0.0
    cpu_s: dict[int, float] = {}
    worker: psutil.Process | None = None
    while process.poll() is None:
        worker = worker or _worker(process.pid)
        if worker is not None:
            _note_cpu(worker, cpu_s)
            if time.perf_counter() - looked_s > MEMORY_LOOK_S:
                looked_s = time.perf_counter()
                own, every = _memory_mib(worker)
                own_mib, all_mib = max(own_mib, own), max(all_mib, every)
        time.sleep(LOOK_S)
    if process.returncode:
        raise RuntimeError(f"the import ended with {process.returncode}")
    command_s = time.perf_counter() - began_s
    with closing(connect(data)) as db:
        job = jobs.newest(db, JobKind.IMPORT)
        assert job is not None and isinstance(job.result["seconds"], float)
        seconds = job.result["seconds"]
    main_s = cpu_s.pop(worker.pid, 0.0) if worker is not None else 0.0
    return ImportCost(
        seconds, round(command_s, 2), round(main_s, 2), round(sum(cpu_s.values()), 2), round(own_mib, 1),
        round(all_mib, 1),
    )  # fmt: skip


def _worker(command_pid: int) -> psutil.Process | None:
    """The import's worker: a child of the command."""
    try:
        for child in psutil.Process(command_pid).children():
            if "radtui.worker" in child.cmdline():
                return child
    except psutil.Error:
        pass
    return None


def _note_cpu(worker: psutil.Process, cpu_s: dict[int, float]) -> None:
    """Note what the worker and each process below it have used so far; the last look at each counts."""
    try:
        for each in [worker, *worker.children(recursive=True)]:
            times = each.cpu_times()
            cpu_s[each.pid] = times.user + times.system
    except psutil.Error:
        pass


def _memory_mib(worker: psutil.Process) -> tuple[float, float]:
    """The most that the worker has held, and what it and its processes hold now, shared pages counted once."""
    try:
        text = Path(f"/proc/{worker.pid}/status").read_text()
        own_kib = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))
        every = [worker, *worker.children(recursive=True)]
        return own_kib / 1024, sum(each.memory_full_info().pss for each in every) / 2**20
    except (OSError, StopIteration, psutil.Error):  # it has just ended
        return 0.0, 0.0


def preview(source: Path) -> dict[str, float]:
    """Seconds until `import --dry-run` has shown whole cases, of the clock and of processors, and its memory."""
    command = [sys.executable, "-m", "radtui.cli", "import", str(source), "--dry-run"]
    spent, cpu, most = [], [], 0.0
    for _ in range(PREVIEWS):
        before = os.times()
        began_s = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        peak_mib = _polled(process)
        assert process.stdout is not None
        shown = process.stdout.read()
        spent.append(time.perf_counter() - began_s)
        if process.wait() or b"Case 1" not in shown:
            raise RuntimeError("the preview showed no case")
        after = os.times()
        cpu.append(sum(after[2:4]) - sum(before[2:4]))
        most = max(most, peak_mib)
    return {
        "first_picture_s": round(statistics.median(spent), 2), "cpu_s": round(statistics.median(cpu), 2),
        "peak_mib": round(most, 1),
    }  # fmt: skip


def _polled(process: subprocess.Popen[bytes]) -> float:
    most = 0.0
    while process.poll() is None:
        try:
            root = psutil.Process(process.pid)
            most = max(
                most, *(each.memory_info().rss / 2**20 for each in [root, *root.children(recursive=True)])
            )
        except psutil.Error:
            pass
        time.sleep(0.02)
    return most
