"""What must be in the environment before torch, transformers, TRL or unsloth are imported."""

from __future__ import annotations

import os

from radtui.paths import DataDir
from radtui.records import Job

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

OF_WANDB = ("WANDB_DISABLED", "WANDB_MODE")
OF_ONE_JOB = (
    "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "OMP_NUM_THREADS", *OF_WANDB, "TENSORBOARD_LOGGING_DIR", "WANDB_DIR",
    "WANDB_NAME", "WANDB_PROJECT",
)  # fmt: skip
"""What is set for this job alone."""

_before: dict[str, str | None] = {}


def prepare(data: DataDir, gpus: int = 1) -> None:
    """Silence what would report, take the GPUs, share the cores, keep compiled kernels for the next job.

    Compiling takes one to two minutes of a job's first step on a GPU; the caches lie in the data folder, shared
    by all jobs of a machine.

    Args:
        data: The data folder.
        gpus: How many GPUs, and so processes, the job has.
    """
    _before.update({name: os.environ.get(name) for name in OF_ONE_JOB})
    os.environ.update(QUIET)
    # Threads that sleep while they wait. Spinning ones, the default, lose their core to any other process and make
    # the rest spin on: with both cores of a machine half taken, a description took 11 to 19 s instead of 1.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if gpus > 1:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // gpus)))
    _take_gpus(gpus)
    cache = data.root / "cache"
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(cache / "unsloth"))
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache / "inductor"))
    os.environ.setdefault("TRITON_CACHE_DIR", str(cache / "triton"))


def report(data: DataDir, job: Job) -> None:
    """Let the trainer's curves go where the job's `report_to` says, after `prepare`; nowhere else unless it says so."""
    where = job.settings.get("report_to")
    if where == "tensorboard":
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(data.job(job.id) / "tensorboard")
    elif where == "wandb":
        for name in OF_WANDB:  # back to what the user's shell says: offline, say
            _set(name, _before.get(name))
        os.environ.setdefault("WANDB_PROJECT", "radtui")
        os.environ.setdefault("WANDB_NAME", f"#{job.id} {job.name}")
        os.environ.setdefault("WANDB_DIR", str(data.job(job.id)))


def restore() -> None:
    """Take back what was set for this job alone, before another is started: it may want other GPUs, or more."""
    for name, value in _before.items():
        _set(name, value)


def _set(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def as_found() -> dict[str, str]:
    """The environment without what was set for this machine's GPUs and threads: for processes of other machines."""
    own = {name: value for name, value in os.environ.items() if name not in _before}
    return own | {name: value for name, value in _before.items() if value is not None}


def named_gpus() -> str | None:
    """The user's own CUDA_VISIBLE_DEVICES; None where every GPU may be taken."""
    return _before.get("CUDA_VISIBLE_DEVICES")


def take_gpus(numbers: list[int]) -> None:
    """Let the libraries see these GPUs, after all, unless the user has named some; torch must not be imported yet."""
    if numbers and named_gpus() is None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, sorted(numbers)))


def _take_gpus(count: int) -> None:
    """Let the libraries see as many GPUs as the job has; a rank keeps what its launcher saw.

    More visible GPUs than processes would make transformers' Trainer copy the model to all of them at every step.
    """
    if "LOCAL_RANK" in os.environ:
        return
    if (named := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(named.split(",")[:count])
        return
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as the management library numbers them
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, sorted(_freest_gpus(count))))


def _freest_gpus(count: int) -> list[int]:
    """Numbers of the GPUs with the most free memory; the first ones when that cannot be told."""
    try:
        import pynvml

        pynvml.nvmlInit()
        free = {
            n: pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(n)).free
            for n in range(pynvml.nvmlDeviceGetCount())
        }
        return sorted(free, key=lambda n: -free[n])[:count]
    except Exception:  # no library, no driver, no GPU: then there is nothing to choose
        return list(range(count))
