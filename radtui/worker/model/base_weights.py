"""Which of a base model's weights a generation job loads: 16 bits where they are at hand and fit, else as trained."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from radtui.settings import GenerateSettings
from radtui.worker.model.at_hand import at_hand
from radtui.worker.model.backend import LoadPlan
from radtui.worker.model.pretrained import configuration, empty_model
from radtui.worker.process import memory
from radtui.worker.process.ranks import ALONE, Ranks

WORKING_SHARE = 0.35  # of a GPU's free memory, for the images and texts of a batch


def choose(settings: GenerateSettings, load_plan: LoadPlan, ranks: Ranks = ALONE) -> tuple[str, LoadPlan]:
    """The model to load, and how.

    Training in 4 bits may have fetched a smaller, already quantised repository; the adapter names it. Where only that
    one is on this machine, it is used, and nothing is downloaded for speed's sake.

    Args:
        settings: A generation job's.
        load_plan: From `backend.plan`.
        ranks: All choose what the fullest of their GPUs has room for, since the texts are to be of one model.

    Returns:
        Name or folder, and the plan with its backend and precision.
    """
    if settings.backend == "auto":
        # Decodes with radtui's own loop, without patches.
        load_plan = replace(load_plan, backend="transformers")
    if not load_plan.four_bit:
        return settings.model, load_plan
    if at_hand(settings.model):
        if settings.prefer_16_bit and fits_in_16_bits(settings, ranks.least(memory.free_gpu_gib())):
            return settings.model, replace(load_plan, four_bit=False)
        return settings.model, load_plan
    trained_on = _base_of(settings.adapter)
    return (trained_on if trained_on and at_hand(trained_on) else settings.model), load_plan


def fits_in_16_bits(settings: GenerateSettings, free_gib: float) -> bool:
    """Whether 16-bit weights leave room to work beside them; a model stored in fewer bits has none."""
    parameters, quantised = _size(settings.model, settings.trust_remote_code)
    return not quantised and parameters * 2 / memory.GIB <= free_gib * (1 - WORKING_SHARE)


def _size(name: str, trust_remote_code: bool) -> tuple[int, bool]:
    """Parameters of a model that is on this machine, and whether they are stored quantised."""
    config = configuration(name, trust_remote_code, local_files_only=True)
    return empty_model(config, trust_remote_code).num_parameters(), getattr(
        config, "quantization_config", None
    ) is not None


def _base_of(adapter: str) -> str:
    """The model an adapter says it was trained on; empty when it does not."""
    try:
        return str(json.loads((Path(adapter) / "adapter_config.json").read_text())["base_model_name_or_path"])
    except (OSError, ValueError, KeyError):
        return ""
