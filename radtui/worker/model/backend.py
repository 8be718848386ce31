"""What of a job's settings this machine can do: backend and precision, and what is done otherwise than asked."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace

from radtui.records import UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.worker.model import processors


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How a model is loaded on this machine; `changes` says, a sentence each, what settings could not be kept."""

    backend: str  # "unsloth" or "transformers"
    cuda: bool
    four_bit: bool
    precision: str  # "float32", "bfloat16" or "float16": of weights, or of the arithmetic when they are 4-bit
    changes: tuple[str, ...] = ()

    @property
    def weights(self) -> str:
        """What the weights are kept in, as people say it."""
        return "4-bit" if self.four_bit else self.precision


def plan(settings: TrainSettings | GenerateSettings) -> LoadPlan:
    """Choose backend and precision.

    Raises:
        UserError: The settings ask for something this machine has not.
    """
    import torch

    processors.torchvision_state()  # before transformers looks for it
    cuda = torch.cuda.is_available()
    has_unsloth = importlib.util.find_spec("unsloth") is not None
    if settings.backend == "unsloth" and not cuda:
        raise UserError("Backend unsloth needs a CUDA GPU and there is none: set backend to auto.")
    if settings.backend == "unsloth" and not has_unsloth:
        raise UserError(
            "Backend unsloth is not installed: pip install 'radtui[gpu]', or set backend to auto."
        )
    backend = "unsloth" if cuda and has_unsloth and settings.backend != "transformers" else "transformers"
    if cuda and settings.load_in_4bit and importlib.util.find_spec("bitsandbytes") is None:
        raise UserError(
            "4-bit weights need bitsandbytes: pip install 'radtui[gpu]', or turn load_in_4bit off."
        )
    changes: tuple[str, ...] = ()
    if settings.load_in_4bit and not cuda:
        changes = ("There is no CUDA GPU, which 4-bit weights need: the weights are kept in 32 bits.",)
    precision = "float32"
    if cuda:
        precision = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    return LoadPlan(backend, cuda, settings.load_in_4bit and cuda, precision, changes)


def training_plan(settings: TrainSettings) -> LoadPlan:
    """Backend and precision of a training run on this machine; some things are learnt without unsloth.

    It rewrites TRL's trainers and does not know the one for pairs, puts LoRA on by itself, where an earlier job's is to
    be gone on with, and its kernels compute plain LoRA, not DoRA.
    """
    without = settings.goes_on or settings.dora
    return plan(replace(settings, backend="transformers") if without else settings)


def substituted(settings: TrainSettings, load_plan: LoadPlan) -> tuple[TrainSettings, list[str]]:
    """A training run's settings as this machine can do them, and a sentence for each change."""
    changes = list(load_plan.changes)
    if settings.optimizer == "adamw_8bit" and not load_plan.cuda:
        settings = replace(settings, optimizer="adamw_torch")
        changes.append("There is no CUDA GPU, which adamw_8bit needs: adamw_torch is used.")
    if settings.gradient_checkpointing == "unsloth" and load_plan.backend != "unsloth":
        choice = "on" if load_plan.cuda else "off"
        settings = replace(settings, gradient_checkpointing=choice)
        changes.append(f"gradient_checkpointing unsloth comes with the unsloth backend: it is {choice}.")
    if settings.goes_on and settings.backend == "unsloth":
        what = "Preferences" if settings.learns_preferences else "Corrections"
        changes.append(f"{what} are learnt with the transformers backend, not with unsloth.")
    if settings.dora and settings.backend == "unsloth":
        changes.append("DoRA is learnt with the transformers backend, not with unsloth.")
    if settings.gradient_checkpointing == "auto" and not load_plan.cuda:
        settings = replace(settings, gradient_checkpointing="off")
    if settings.gradient_checkpointing == "auto" and settings.learns_preferences:
        # DPO's trainer switches the recomputation of all layers off and on again around the frozen copy's pass.
        settings = replace(settings, gradient_checkpointing="on")
    return settings, changes
