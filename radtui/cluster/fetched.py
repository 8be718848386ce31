"""Whether a machine without a network finds the model that a job names: in a folder, or in the hub's cache."""

from __future__ import annotations

import json
import os
from pathlib import Path

from radtui.records import UserError

INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"


def cache_of(hf_home: str) -> Path:
    """The hub's cache where HF_HOME is this; where it is "", the one that this shell has."""
    if hf_home:
        return Path(hf_home).expanduser() / "hub"
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named)
    return Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface").expanduser() / "hub"


def missing(model: str, hf_home: str) -> str:
    """The first file of a model that a job would not find; "" where all is there.

    Args:
        model: Hub id or folder.
        hf_home: The profile's; "" for this shell's.
    """
    if Path(model).is_dir():
        return ""
    repository = cache_of(hf_home) / "--".join(["models", *model.split("/")])
    try:
        commit = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return "config.json"
    folder = repository / "snapshots" / commit
    if not (folder / "config.json").exists():
        return "config.json"
    names = [WEIGHTS]
    if (folder / INDEX).exists():
        names = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
    elif not (folder / WEIGHTS).exists():
        names = [] if list(folder.glob("pytorch_model*.bin")) else names
    return next((name for name in names if not (folder / name).exists()), "")


def check(model: str, hf_home: str) -> None:
    """Raise UserError unless a machine without a network finds a model."""
    if name := missing(model, hf_home):
        raise UserError(
            f"{name} of {model} is not in {cache_of(hf_home)}, and machines of the cluster have no network: run"
            f" radtui fetch {model} here first."
        )
