"""What fitted on this machine, and how long it took to get there: one small file in the user's cache folder.

It saves the next run its estimate, corrects one that was wrong, and says how long there is to wait. Deleting it loses
nothing else.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radtui.paths import expanded
from radtui.settings import TrainSettings
from radtui.worker.process.memory import GIB

if TYPE_CHECKING:
    from radtui.worker.model.backend import LoadPlan

log = logging.getLogger("radtui.worker")
KEY_CHARACTERS = 16  # of a key in a file's name
KEPT = 200  # runs; the oldest go first
VERSIONS_OF = ("torch", "transformers", "trl", "peft", "unsloth", "unsloth_zoo", "bitsandbytes", "radtui")
NOT_OF_MEMORY = {
    "model", "learning_rate", "scheduler", "warmup_steps", "weight_decay", "seed", "lora_seed", "lora_alpha", "epochs",
    "max_steps", "eval_split", "eval_every", "eval_images", "watch_images", "watch_tokens", "log_every",
    "checkpoint_every", "from_job", "loader_workers", "seeds", "on", "profile",
}  # fmt: skip
"""Settings that change neither what a pass holds nor what is compiled for it; the model counts by its shape."""


def run_key(settings: TrainSettings, weights: str, device: str) -> str:
    """What tells one kind of run from another: the model's shape, settings, versions and the device.

    Args:
        settings: As this machine does them.
        weights: What they are kept in.
        device: Name and memory of the GPU, or of the machine.
    """
    asked = {name: value for name, value in settings.to_dict().items() if name not in NOT_OF_MEMORY}
    facts = [asked, model_shape(settings.model), weights, device, _versions()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def model_shape(name: str) -> str:
    """The digest of a model's configuration, so that a copy in another folder counts as the same; else its name.

    Reads the file alone: transformers must not be imported before unsloth.
    """
    path = expanded(name) / "config.json"
    if not path.is_file():
        from huggingface_hub import try_to_load_from_cache

        with contextlib.suppress(ValueError):  # a folder's name is no name of a repository
            cached = try_to_load_from_cache(name, "config.json")
            path = Path(cached) if isinstance(cached, str) else path
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError):
        return name
    facts.pop("_name_or_path", None)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def key_of(settings: TrainSettings, load_plan: LoadPlan) -> tuple[str, str]:
    """Name of what trains, and the key of what is remembered of such a run on it."""
    name, total_gib = _device(load_plan.cuda)
    return name, run_key(settings, load_plan.weights, f"{name} {total_gib:.0f} GiB")


def _device(cuda: bool) -> tuple[str, float]:
    """Name and memory of what trains, GiB."""
    if not cuda:
        return "CPU", 0.0
    import torch

    card = torch.cuda.get_device_properties(torch.cuda.current_device())
    return str(card.name), card.total_memory / GIB


def recall(key: str) -> dict[str, Any]:
    """What is known of such a run; empty when there was none."""
    kept = _read().get(key)
    return dict(kept) if isinstance(kept, dict) else {}


def keep(key: str, **facts: Any) -> None:
    """Add facts of a run to what is known; a cache that cannot be written is no reason to stop a job."""
    try:
        with _locked():
            known = _read()
            known[key] = {**recall(key), **facts, "at": time.time()}
            newest = sorted(known.items(), key=lambda item: item[1].get("at", 0), reverse=True)[:KEPT]
            partial = _file().with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(dict(newest), indent=1))
            partial.replace(_file())
    except OSError as error:
        log.info("What fitted cannot be remembered: %s", error)


def know_lengths(key: str) -> None:
    """Let torch keep, under a run's key, that lengths vary, so that the next such run compiles for any length at once.

    Unless it knows, the first kernels are for the first batch's length alone: Gemma 3's layers were compiled again at
    the first other one, 61 s on an H200. What the user has set stays.
    """
    from torch.compiler import config

    if config.job_id is None:
        config.job_id = f"radtui-{key[:KEY_CHARACTERS]}"


def last_time(seconds: object) -> str:
    """How long something took, to end a message with: ", 38 s last time"; empty when that is not known."""
    return f", {seconds:.0f} s last time" if isinstance(seconds, (int, float)) and seconds >= 1 else ""


def _file() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("radtui") / "fitted.json"


def _read() -> dict[str, Any]:
    try:
        known = json.loads(_file().read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Two jobs that begin at once must not lose each other's facts."""
    _file().parent.mkdir(parents=True, exist_ok=True)
    with (_file().with_suffix(".lock")).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _versions() -> dict[str, str]:
    versions = {}
    for name in VERSIONS_OF:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions
