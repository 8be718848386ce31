"""Imports of the libraries that models come from, which make half a million Python objects."""

from __future__ import annotations

import gc
import importlib
import sys

# With them comes nearly all of transformers.
MODELS = ("AutoConfig", "AutoModelForImageTextToText", "AutoProcessor")


def load(backend: str, trains: bool = False) -> None:
    """Import what a model is loaded with, once, while Python's collector of cycles rests.

    Nothing is let go of meanwhile, and what is loaded stays to the end: looking through it, from 700 objects to the
    next, is a fifth of the imports' CPU time, and would go on in every large collection of the run.

    Args:
        backend: "unsloth", which must come before all that it patches, or "transformers".
        trains: Whether TRL's trainers are wanted too.
    """
    if "peft" in sys.modules and ("trl" in sys.modules or not trains):
        return
    was_on = gc.isenabled()
    gc.disable()
    try:
        if backend == "unsloth":
            importlib.import_module("unsloth")
        transformers = importlib.import_module("transformers")
        for name in MODELS:
            getattr(transformers, name)
        importlib.import_module("peft")
        if trains:
            from trl import SFTConfig, SFTTrainer  # noqa: F401
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
