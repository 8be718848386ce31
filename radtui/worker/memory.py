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


def peak_gib() -> float:
    """The most memory the job held so far: of the GPU when there is one, else of this process, GiB."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_reserved()) / GIB
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB  # Linux counts in KiB
