"""Whether a folder's weights are those of the model that its configuration names, before any of them is loaded.

The loader only warns where it finds nothing for a layer, and fills it with random numbers. That is how a checkpoint
comes out that was saved with what wrapped the model (PEFT's, DDP's), without a part of it, or beside another
configuration: it trains, and what it writes is noise. Names and shapes stand in the beginnings of the files, so the
loader itself is asked with tensors that hold nothing, which takes a fraction of a second.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from radtui.records import UserError
from radtui.worker.model import kinds, refusals

log = logging.getLogger("radtui.worker")
LOST_SHARE = 0.01  # of the parameters; below, it is said: parts that nothing uses are left out by some
WRAPPED = ("lora_A", "base_layer", "modules_to_save")  # in names that PEFT gives
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


def check(name: str, config: Any) -> str:
    """Refuse weights that are not the model's.

    Args:
        name: Folder, or hub id, of which nothing is asked.
        config: The model's.

    Returns:
        A sentence about a few that are missing; empty where none is, or where it cannot be told.

    Raises:
        UserError: So much is missing, or has another shape, that the model would not be what its files hold.
    """
    folder = Path(name).expanduser()
    known = kinds.known_class(config)
    if not folder.is_dir() or known is None or refusals.quantisation(config):
        return ""
    try:
        if not (stored := _stored(folder)):
            return ""
        model, report = _asked(known, config, stored)
    except Exception as error:  # an old file, or a conversion that wants numbers: the load itself will say
        log.info("The names of the weights of %s could not be compared: %s", name, error)
        return ""
    return judged(name, model, report)


def judged(name: str, model: Any, report: Mapping[str, Any]) -> str:
    """What a loader's report on a model's weights means; of a hub's model it is only said, as others use it so.

    Args:
        name: Folder or hub id.
        model: What was loaded.
        report: The loader's, with `missing_keys`, `unexpected_keys` and `mismatched_keys`.

    Returns:
        As `check`.

    Raises:
        UserError: As `check`.
    """
    if mismatched := sorted(report["mismatched_keys"]):
        key, has, wants = mismatched[0]
        raise UserError(
            f"The weights of {name} do not fit its config.json ({key} is {_shape(has)}, not {_shape(wants)}): put the "
            "config.json there that was saved with them, or save the model again."
        )
    sizes = {key: each.numel() for key, each in model.named_parameters()}
    missing = sorted(key for key in report["missing_keys"] if key in sizes)
    if not missing:
        return ""
    lack = (
        f"The files of {name} lack {len(missing)} of the model's {len(sizes)} weights, such as {missing[0]}"
    )
    few = sum(sizes[key] for key in missing) < LOST_SHARE * sum(sizes.values())
    if few or not Path(name).expanduser().is_dir():
        return f"{lack}, which are random: if that part counts, copy all of the model's files."
    raise UserError(lack + _advice(sorted(report["unexpected_keys"])))


def _advice(unexpected: list[str]) -> str:
    """The rest of a sentence about missing weights: what the files have in their place, and what to do."""
    if any(part in key for key in unexpected for part in WRAPPED):
        return (
            ", but have PEFT's names: merge the adapter (merge_and_unload) and save that, or name base model and "
            "adapter apart."
        )
    if unexpected:
        return (
            f", but have others such as {unexpected[0]}: save the model itself, not what it was wrapped in, with the "
            "transformers version that is to read it."
        )
    return ": copy all of the model's files, or save it whole."


def _shape(sizes: Any) -> str:
    return " x ".join(str(each) for each in sizes)


def _asked(known: Any, config: Any, stored: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A model without storage, and what the loader says of tensors of these names."""
    from transformers.utils import logging as of_transformers

    before = of_transformers.get_verbosity()
    of_transformers.set_verbosity_error()  # its table of what is missing is for people who read logs
    try:
        model, report = known.from_pretrained(
            None, config=config, state_dict=stored, device_map={"": "meta"}, output_loading_info=True,
            ignore_mismatched_sizes=True,
        )  # fmt: skip
    finally:
        of_transformers.set_verbosity(before)
    return model, report


def _stored(folder: Path) -> dict[str, Any]:
    """Tensors without storage for all that a folder's files hold."""
    stored: dict[str, Any] = {}
    for file in refusals.weight_files(folder):
        stored |= _header(file) if file.suffix == ".safetensors" else _pickled(file)
    return stored


def _header(file: Path) -> dict[str, Any]:
    """Source: the safetensors format."""
    import torch

    with file.open("rb") as opened:
        facts = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return {
        key: torch.empty(
            each["shape"], dtype=getattr(torch, DTYPES.get(each["dtype"], "float32")), device="meta"
        )
        for key, each in facts.items()
        if key != "__metadata__"
    }


def _pickled(file: Path) -> dict[str, Any]:
    import torch

    return dict(torch.load(file, map_location="meta", mmap=True, weights_only=True))
