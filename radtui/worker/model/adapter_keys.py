"""Names under which an adapter's matrices are saved, so that PEFT alone finds each one's place again.

PEFT renames what it reads as transformers renames a published checkpoint of the same family. Where a rule meets a
name of today as if it were one of then, matrices find no place and stay as if they had never learnt, with a warning
at most. Saved under the published names, they are read as what they are.
"""

from __future__ import annotations

from pathlib import Path
from types import MethodType
from typing import Any

from radtui.jobs.adapter_files import WEIGHTS

FIRST_ADAPTER = "default"  # PEFT's name of the adapter that a model is loaded with


def save_as_read(model: Any) -> Any:
    """The model, which from now on saves its adapter under names that PEFT reads, where its own are none.

    Args:
        model: With an adapter of that name.
    """
    if (names := read_names(model)) and any(own != name for own, name in names.items()):
        save = model.save_pretrained

        def save_renamed(self: Any, folder: str | Path, *rest: Any, **options: Any) -> None:
            save(folder, *rest, **options)
            for file in Path(folder).rglob(WEIGHTS):
                _rename(file, names)

        model.save_pretrained = MethodType(save_renamed, model)
    return model


def put_back(model: Any, folder: Path) -> None:
    """Give a model the matrices of an adapter that it saved itself, by name: nothing is renamed or left out.

    Args:
        model: With an adapter of that name.
        folder: Of the saved adapter.

    Raises:
        ValueError: It holds others than the model has.
        OSError, SafetensorError: It cannot be read.
    """
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file

    saved = load_file(folder / WEIGHTS)
    held = get_peft_model_state_dict(model, adapter_name=FIRST_ADAPTER)
    names = {name: name for name in held} if saved.keys() == held.keys() else read_names(model)
    if not held or {names.get(name) for name in held} != saved.keys():
        raise ValueError(f"{folder / WEIGHTS} holds other matrices than the model")
    with torch.no_grad():
        for name, matrix in held.items():
            matrix.copy_(saved[names[name]])


def read_names(model: Any) -> dict[str, str]:
    """The name to save each matrix under, by its own; empty where PEFT reads it under neither.

    Args:
        model: With an adapter.
    """
    from peft import get_peft_model_state_dict

    held = get_peft_model_state_dict(model, adapter_name=FIRST_ADAPTER)
    if _reads(model, held, held):
        return {name: name for name in held}
    names = {name: _published(model, name) for name in held}
    renamed = {names[name]: matrix for name, matrix in held.items()}
    return names if len(renamed) == len(held) and _reads(model, renamed, held) else {}


def _reads(model: Any, saved: dict[str, Any], held: dict[str, Any]) -> bool:
    """Whether PEFT makes of what was saved what the model holds."""
    import torch

    try:
        from peft.utils.transformers_weight_conversion import convert_peft_adapter_state_dict_for_transformers
    except ImportError:  # earlier versions rename nothing
        return saved is held
    read = convert_peft_adapter_state_dict_for_transformers(
        model=model,
        peft_config=model.peft_config[FIRST_ADAPTER],
        adapter_state_dict=dict(saved),
        adapter_name=FIRST_ADAPTER,
    )
    if read.keys() != held.keys():
        return False
    return saved is held or all(torch.equal(read[name], matrix) for name, matrix in held.items())


def _published(model: Any, name: str) -> str:
    """A matrix's name as the family's published checkpoints would have it."""
    from transformers.conversion_mapping import get_model_conversion_mapping
    from transformers.core_model_loading import WeightRenaming, rename_source_key

    rules = get_model_conversion_mapping(model.get_base_model())
    back = [rule.reverse_transform() for rule in reversed(rules) if isinstance(rule, WeightRenaming)]
    return str(rename_source_key(name, back, [])[0])


def _rename(file: Path, names: dict[str, str]) -> None:
    from safetensors.torch import load_file, save_file

    partial = file.with_name(file.name + ".partial")
    save_file({names.get(own, own): matrix for own, matrix in load_file(file).items()}, partial)
    partial.replace(file)
