"""LoRA adapters on a loaded model: fresh, trained further, or trained and only used."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MethodType
from typing import Any

from radtui.records import UserError
from radtui.settings import TrainSettings
from radtui.worker.model import adapter_keys
from radtui.worker.model.backend import LoadPlan
from radtui.worker.model.model import unsloth_checkpointing
from radtui.worker.process import failures

UNREAD = "missing adapter keys"  # in PEFT's warning


def with_adapter(model: Any, load_plan: LoadPlan, settings: TrainSettings) -> Any:
    """The model with a fresh LoRA adapter, ready to train.

    Raises:
        UserError: The settings leave no layer to tune.
    """
    keep_statistics(model)
    if load_plan.backend == "transformers":
        from radtui.worker.model import lora

        return adapter_keys.save_as_read(lora.add_adapter(model, settings))
    from unsloth import FastVisionModel

    model = FastVisionModel.get_peft_model(
        model,
        finetune_vision_layers=settings.tune_vision,
        finetune_language_layers=settings.tune_language,
        finetune_attention_modules=settings.tune_attention,
        finetune_mlp_modules=settings.tune_mlp,
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        bias="none",
        random_state=settings.lora_seed,
        use_rslora=settings.rslora,
        loftq_config=None,
        use_gradient_checkpointing=unsloth_checkpointing(settings.gradient_checkpointing),
    )
    FastVisionModel.for_training(model)
    return adapter_keys.save_as_read(model)


def with_trained_adapter(model: Any, folder: str | Path, load_plan: LoadPlan) -> Any:
    """The model with an earlier job's adapter, ready to go on training; with the transformers backend only.

    Raises:
        UserError: The folder holds no adapter, or one of another model.
    """
    if load_plan.four_bit:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    keep_statistics(model)
    return adapter_keys.save_as_read(_adapted(model, str(folder), trainable=True))


def keep_statistics(model: Any) -> None:
    """Keep layers that would learn means and variances of their batches as they are, also in training mode.

    These belong to the base model, no adapter holds them, and a text would depend on its batch.
    """
    from torch.nn.modules.batchnorm import _NormBase

    for module in model.modules():
        if isinstance(module, _NormBase):
            module.eval()
            module.train = MethodType(_as_it_is, module)


def _as_it_is(module: Any, mode: bool = True) -> Any:
    return module


def load_adapter(
    model: Any, folder: str, load_plan: LoadPlan, further: Mapping[str, str] | None = None
) -> Any:
    """The base model with a trained adapter on it, for descriptions; `disable_adapter()` gives the base back.

    Args:
        model: From `model.load`.
        folder: Of the adapter.
        load_plan: From `backend.plan`.
        further: Folders of other adapters by name, used after `set_adapter(name)`; the first is named `default`.

    Raises:
        UserError: The folder holds no adapter, or one of another model.
    """
    model = _adapted(model, folder, trainable=False)
    for name, other in (further or {}).items():
        _add_adapter(model, name, other)
    if load_plan.backend == "unsloth":
        from unsloth import FastVisionModel

        FastVisionModel.for_inference(model)
    elif load_plan.cuda:
        _lower_adapter(model, load_plan)
    return model.eval()


def _adapted(model: Any, folder: str, trainable: bool) -> Any:
    from peft import PeftModel

    with _fitting(folder):
        with warnings.catch_warnings(record=True) as cautions:
            warnings.simplefilter("always")
            adapted = PeftModel.from_pretrained(model, folder, is_trainable=trainable)
        unread = any(UNREAD in str(each.message) for each in cautions)
        _take_as_saved(adapted, adapter_keys.FIRST_ADAPTER, folder, unread)
    return adapted


def _add_adapter(model: Any, name: str, folder: str) -> None:
    with _fitting(folder):
        unread = model.load_adapter(folder, adapter_name=name, is_trainable=False).missing_keys
        _take_as_saved(model, name, folder, bool(unread))


def _take_as_saved(model: Any, name: str, folder: str, unread: bool) -> None:
    """Give an adapter the matrices of its file by their names, where PEFT has left some as if they had never learnt.

    It renames what it reads as if it came from an older layout of the model, and where that fits nothing it only warns.

    Args:
        model: With the adapter.
        name: The adapter's.
        folder: Of its file.
        unread: Whether PEFT found nothing for some matrices.

    Raises:
        KeyError: The file has nothing for some of them by any name.
    """
    if not unread:
        return
    import torch
    from peft import get_peft_model_state_dict
    from peft.utils import load_peft_weights

    saved, held = load_peft_weights(folder, device="cpu"), get_peft_model_state_dict(model, adapter_name=name)
    if missing := held.keys() - saved.keys():
        raise KeyError(f"{len(missing)} matrices such as {min(missing)}")
    with torch.no_grad():
        for key, matrix in held.items():
            matrix.copy_(saved[key])


@contextmanager
def _fitting(folder: str) -> Iterator[None]:
    """What PEFT raises for a folder that is no adapter of this model, as a sentence."""
    if not (Path(folder) / "adapter_config.json").exists():
        raise UserError(f"There is no adapter in {folder}: a folder with adapter_config.json is wanted.")
    try:
        yield
    except (ValueError, RuntimeError, KeyError) as error:
        if failures.is_out_of_memory(error):
            raise
        raise UserError(
            f"The adapter in {folder} does not fit this model: name the model it was trained on."
        ) from error


def _lower_adapter(model: Any, load_plan: LoadPlan) -> None:
    """LoRA matrices in the arithmetic's precision: what autocast made of them at every step of their training."""
    import torch

    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(getattr(torch, load_plan.precision))
