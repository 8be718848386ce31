"""What must be in the environment before torch, transformers, TRL or unsloth are imported."""

from __future__ import annotations

import os

from radtui.paths import DataDir

QUIET = {
    "UNSLOTH_DISABLE_STATISTICS": "1",  # unsloth counts its runs by a download
    "HF_HUB_DISABLE_TELEMETRY": "1",  # TRL's trainers ping the hub otherwise
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # the log is a file: bars would fill it
    "DO_NOT_TRACK": "1",
    "WANDB_DISABLED": "true",
    "WANDB_MODE": "disabled",
    "COMET_MODE": "DISABLED",
    "TOKENIZERS_PARALLELISM": "false",  # tokenizers' threads and forked loader workers deadlock
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
"""Set whatever the user's shell says: nothing is sent, nothing animates."""


def prepare(data: DataDir) -> None:
    """Silence what would report, take one GPU, share the cores, keep compiled kernels for the next job.

    Compiling takes one to two minutes of a job's first step on a GPU; the caches lie in the data folder, shared
    by all jobs of a machine.

    Args:
        data: The data folder.
    """
    os.environ.update(QUIET)
    # Threads that sleep while they wait. Spinning ones, the default, lose their core to any other process and make
    # the rest spin on: with both cores of a machine half taken, a description took 11 to 19 s instead of 1.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _take_one_gpu()
    cache = data.root / "cache"
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(cache / "unsloth"))
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache / "inductor"))
    os.environ.setdefault("TRITON_CACHE_DIR", str(cache / "triton"))


def _take_one_gpu() -> None:
    """Let the libraries see one GPU, unless a launcher of several processes has given each its own.

    Several visible GPUs would make transformers' Trainer copy the model to all of them at every step.
    """
    if "LOCAL_RANK" in os.environ:
        return
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = named.split(",")[0]
        return
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as the management library numbers them
    os.environ["CUDA_VISIBLE_DEVICES"] = str(_freest_gpu())


def _freest_gpu() -> int:
    """The number of the GPU with the most free memory; 0 when that cannot be told."""
    try:
        import pynvml

        pynvml.nvmlInit()
        numbers = range(pynvml.nvmlDeviceGetCount())
        return max(
            numbers, key=lambda n: pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(n)).free
        )
    except Exception:  # no library, no driver, no GPU: then there is nothing to choose
        return 0
