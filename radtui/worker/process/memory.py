"""How much memory there is, and how much a job took."""

from __future__ import annotations

from pathlib import Path

GIB = 2**30
CGROUP = Path("/sys/fs/cgroup")


def free_gib() -> float:
    """Main memory that a new process can take, GiB; in a container, what its limit leaves."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        reclaimable = _reclaimable()
    except (OSError, ValueError):  # no cgroup v2, or its limit is "max"
        return free / GIB
    return min(free, limit - used + reclaimable) / GIB


def _reclaimable() -> int:
    """Bytes of file cache, which counts as used but makes room when asked."""
    for line in (CGROUP / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file":
            return int(value)
    return 0


def free_gpu_gib() -> float:
    """Memory of the current GPU that nobody holds, GiB."""
    import torch

    return float(torch.cuda.mem_get_info()[0]) / GIB


def room_gib() -> float:
    """What the job could still take of the current GPU: nobody's memory and its own unused, GiB."""
    import torch

    return free_gpu_gib() + float(torch.cuda.memory_reserved() - torch.cuda.memory_allocated()) / GIB


def allocated_gib() -> float:
    """What the job's tensors take on the current GPU, GiB."""
    import torch

    return float(torch.cuda.memory_allocated()) / GIB


def forget_peak() -> None:
    """Let `peak_allocated_gib` begin anew."""
    import torch

    torch.cuda.reset_peak_memory_stats()


def peak_allocated_gib() -> float:
    """The most the job's tensors took on the current GPU since `forget_peak`, GiB."""
    import torch

    return float(torch.cuda.max_memory_allocated()) / GIB


def peak_gib() -> float:
    """The most memory the job held so far: of the GPU when there is one, else of this process, GiB."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_reserved()) / GIB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB  # Linux counts in KiB


def resident_bytes() -> int:
    """What this process holds of main memory now. Source: Linux, proc_pid_status(5), VmRSS."""
    return _status("VmRSS")


def peak_resident_bytes() -> int:
    """The most this process has held of main memory since it began, or since that was reset (VmHWM)."""
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024  # written in KiB
    raise KeyError(name)
