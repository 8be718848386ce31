"""What a cluster's arithmetic needs beside the step: the gradients' exchange, small writes and large reads of files.

`python -m tests.bench.cluster allreduce GPUS` on a machine with GPUs, `python -m tests.bench.cluster files FOLDER`
anywhere; each prints JSON. What was measured stands in `assets/benchmarks/cluster.json`, and
`python -m tools.cluster_page` works out the page from it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

PARAMETERS = 67_174_400  # trainable ones of Llama 3.2 11B Vision under preset default
ROUNDS = 30
BIG = 2**30  # bytes
SMALL = 500  # bytes: a line of an event file


def all_reduce(gpus: int, transport: str, out: Path) -> None:
    """Time one exchange of all gradients, and write it to a file.

    Args:
        gpus: Processes, one for each GPU of this machine.
        transport: "nvlink" as NCCL finds it; "sockets" through the network stack, as between machines without RDMA.
        out: JSON.
    """
    import torch.multiprocessing as processes

    if transport == "sockets":
        os.environ |= {"NCCL_P2P_DISABLE": "1", "NCCL_SHM_DISABLE": "1", "NCCL_NET": "Socket"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511", "NCCL_NVLS_ENABLE": "0"}
    processes.spawn(_rank, args=(gpus, transport, out), nprocs=gpus)


def _rank(rank: int, gpus: int, transport: str, out: Path) -> None:
    import torch
    from torch import distributed

    torch.cuda.set_device(rank)
    distributed.init_process_group("nccl", rank=rank, world_size=gpus)
    times: list[float] = []
    gradients = torch.ones(PARAMETERS, device="cuda", dtype=torch.float32)
    for _ in range(ROUNDS):
        distributed.barrier()
        torch.cuda.synchronize()
        began = time.perf_counter()
        distributed.all_reduce(gradients)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    if rank == 0:
        facts = {
            "gpus": gpus, "transport": transport, "gpu": torch.cuda.get_device_name(), "mib": PARAMETERS * 4 / 2**20,
            "median_ms": round(1e3 * statistics.median(times[5:]), 2), "worst_ms": round(1e3 * max(times[5:]), 2),
        }  # fmt: skip
        out.write_text(json.dumps(facts))
    distributed.destroy_process_group()


def files(folder: Path) -> dict[str, float]:
    """How fast a folder's file system writes a line to the disk, and reads and writes a large file."""
    lines, line = [], b"x" * SMALL
    place = folder / "radtui-bench"
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for _ in range(200):
        began = time.perf_counter()
        os.write(handle, line)
        os.fsync(handle)
        lines.append(time.perf_counter() - began)
    block = os.urandom(2**24)
    began = time.perf_counter()
    for _ in range(BIG // len(block)):
        os.write(handle, block)
    os.fsync(handle)
    written_s = time.perf_counter() - began
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # so that it is read from the disk
    os.close(handle)
    began = time.perf_counter()
    with place.open("rb") as file:
        while file.read(2**24):
            pass
    read_s = time.perf_counter() - began
    place.unlink()
    lines.sort()
    gib = BIG / 2**30
    return {
        "line_ms": round(1e3 * statistics.median(lines), 2),
        "line_p99_ms": round(1e3 * lines[int(0.99 * len(lines))], 2),
        "write_gib_per_s": round(gib / written_s, 2),
        "read_gib_per_s": round(gib / read_s, 2),
    }


def main() -> None:
    """Measure what is named."""
    if sys.argv[1] == "files":
        print(json.dumps(files(Path(sys.argv[2]))))
        return
    out = Path(os.environ.get("OUT", ".")) / "allreduce.json"
    for transport in ("nvlink", "sockets"):
        import subprocess

        code = "import sys; from pathlib import Path; from tests.bench.cluster import all_reduce as a;"
        code += f" a({int(sys.argv[2])}, {transport!r}, Path({str(out)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True)
        print(out.read_text())


if __name__ == "__main__":
    main()
