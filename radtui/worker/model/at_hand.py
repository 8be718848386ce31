"""Whether a model is on this machine already."""

from __future__ import annotations

from pathlib import Path


def at_hand(name: str) -> bool:
    """Whether a model's weights are on this machine: a folder, or in the hub's cache."""
    if Path(name).is_dir():
        return True
    from huggingface_hub import try_to_load_from_cache

    files = ("model.safetensors", "model.safetensors.index.json")
    return any(isinstance(try_to_load_from_cache(name, file), str) for file in files)
