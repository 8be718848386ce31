"""What cannot be trained or asked here, in one sentence before anything is loaded: from files and configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from radtui.plural import many
from radtui.records import UserError
from radtui.worker.model import kinds

CONFIG, ADAPTER = "config.json", "adapter_config.json"
LFS_POINTER = b"version https://git-lfs"
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
PARTS = ("model-*-of-*.safetensors", "pytorch_model-*-of-*.bin")
WHOLE = ("model.safetensors", "pytorch_model.bin")
SMALL_FILES = (
    CONFIG,
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    *INDEXES,
)
TUNED_QUANTISATION = "bitsandbytes"
HEADER_BYTES = 2**27  # more than any safetensors header


def check_folder(name: str) -> None:
    """Refuse a folder that holds no model's configuration; what is no folder is left to the hub.

    Args:
        name: Hub id or folder.

    Raises:
        UserError: Says what is missing and what to do.
    """
    folder = Path(name).expanduser()
    if folder.is_file():
        raise UserError(f"{name} is a file: name the folder that holds the model.")
    if not folder.is_dir():
        return
    if not (folder / CONFIG).is_file():
        raise UserError(_without_config(name, folder))
    if (folder / ADAPTER).is_file():
        raise UserError(
            f"{name} holds an adapter ({ADAPTER}) beside a model, and which of the two is meant cannot be told: move "
            "the adapter's files into a folder of their own, or merge it and save that."
        )
    for file in SMALL_FILES:
        _check_json(name, folder / file)


def check_weights(name: str, needed: bool = True) -> None:
    """Refuse a folder with weights that cannot be read; to be called once it is known that the model can be used.

    Args:
        name: Hub id or folder.
        needed: Whether there must be any: what a model is can be said without them.

    Raises:
        UserError: Says what is missing and what to do.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return
    if problem := _weights_problem(name, folder):
        raise UserError(problem)
    if needed and not weight_files(folder):
        raise UserError(_without_weights(name, folder))


def _without_weights(name: str, folder: Path) -> str:
    """A sentence about what a folder holds in place of weights."""
    if (folder / "zero_to_fp32.py").is_file():
        return (
            f"{name} holds DeepSpeed's parts of weights, not the model's: run `python zero_to_fp32.py . .` in it "
            "first."
        )
    if any(folder.glob("*/*.distcp")):
        return f"{name} holds FSDP's parts of weights, not the model's: merge them with `accelerate merge-weights`."
    others = sorted(each.name for each in folder.glob("*.safetensors"))
    if others:
        return f"{name} has weights in {others[0]} and not in {WHOLE[0]}, which transformers reads: save them so."
    return f"{name} has no weights ({WHOLE[0]} or parts of it): copy all of the model's files."


def _without_config(name: str, folder: Path) -> str:
    if (folder / ADAPTER).is_file():
        base = _value(folder / ADAPTER, "base_model_name_or_path") or "the model it was trained on"
        return f"{name} is an adapter, no model: name {base}, and this folder where an adapter is asked for."
    files = [each.name for each in folder.iterdir()]
    if not files:
        return f"The folder {name} is empty: copy a model into it, or name another."
    if any(each.endswith(".gguf") for each in files):
        return _gguf(name)
    if "params.json" in files:
        return f"{name} is laid out for other programs (params.json): name the version made for transformers."
    inside = [*folder.glob(f"*/{CONFIG}"), *folder.glob(f"snapshots/*/{CONFIG}")]
    if inside:
        return f"{name} holds a model in {inside[0].parent}: name that folder."
    return f"{name} has no {CONFIG}, so it is no whole model: copy all of the model's files."


def _gguf(name: str) -> str:
    return (
        f"{name} holds GGUF weights, which are made for running, not for training: name the model that they were made "
        "from, with .safetensors files."
    )


def _check_json(name: str, file: Path) -> None:
    try:
        if file.is_file() and not isinstance(json.loads(file.read_text(encoding="utf-8")), dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise UserError(f"{file.name} of {name} cannot be read: copy it again.") from error


def weights(name: str) -> str:
    """What files of weights a folder holds, in words; empty for what is no folder."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return ""
    files = weight_files(folder)
    if not files:
        return "none in the folder: training needs them"
    size = sum(each.stat().st_size for each in files)
    counted = many(len(files), "file")
    return f"{counted}, {size / 2**30:.3g} GiB"


def weight_files(folder: Path) -> list[Path]:
    """The files with weights that transformers reads of a folder: the whole, else its parts in their order."""
    whole = [folder / each for each in WHOLE if (folder / each).is_file()]
    return whole[:1] or sorted(next(filter(None, ([*folder.glob(each)] for each in PARTS)), []))


def _weights_problem(name: str, folder: Path) -> str:
    files = weight_files(folder)
    index = next((folder / each for each in INDEXES if (folder / each).is_file()), None)
    if index is not None and not any((folder / each).is_file() for each in WHOLE):
        parts = sorted(set((_value(index, "weight_map") or {}).values()))
        if missing := [each for each in parts if not (folder / each).is_file()]:
            return f"{name} lacks {len(missing)} of {len(parts)} files of weights, such as {missing[0]}: copy them too."
    elif files and index is None and files[0].name not in WHOLE:
        of = INDEXES[0] if files[0].suffix == ".safetensors" else INDEXES[1]
        return f"{name} has its weights in {len(files)} parts and no {of}, which says what is where: copy it, too."
    if not files and any(folder.glob("*.gguf")):
        return _gguf(name)
    return next((problem for each in files if (problem := _damage(name, each))), "")


def _damage(name: str, file: Path) -> str:
    """A sentence where a file is a pointer, or shorter than it says itself."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        begun = opened.read(len(LFS_POINTER))
        if begun == LFS_POINTER:
            return f"{file.name} of {name} is a pointer of Git LFS, not the weights: run `git lfs pull` in that folder."
        if file.suffix != ".safetensors":
            return ""
        opened.seek(0)
        length = int.from_bytes(opened.read(8), "little")
        try:
            if length > min(size, HEADER_BYTES):
                raise ValueError
            header = json.loads(opened.read(length))
            ends = [tensor["data_offsets"][1] for key, tensor in header.items() if key != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"{file.name} of {name} is damaged or cut short: copy it again."
    whole = 8 + length + max(ends, default=0)
    return (
        f"{file.name} of {name} is cut short ({size:,} of {whole:,} bytes): copy it again."
        if size < whole
        else ""
    )


def _value(file: Path, key: str) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError, AttributeError):
        return None


def check_config(name: str, config: Any) -> None:
    """Refuse what is no model that looks at images and writes a text token by token, or can't be tuned as it is stored.

    Args:
        name: As the model was named.
        config: From `kinds.writer`.

    Raises:
        UserError: Says why, and what to name instead.
    """
    method = quantisation(config)
    if method not in ("", TUNED_QUANTISATION):
        raise UserError(
            f"{name} is stored in few bits ({method}), which no adapter is trained on here: name its 16-bit version; "
            "load_in_4bit makes 4 bits of that."
        )
    if problem := kinds.problem(config):
        advice = (
            "name a vision-language model"
            if "no images" in problem
            else "choose a model of radtui model list"
        )
        raise UserError(
            f"{name} ({config.model_type}) {problem}, so radtui can neither train nor ask it: {advice}."
        )


def quantisation(config: Any) -> str:
    """How a repository's weights are stored in few bits; empty for plain weights."""
    said_by = (
        config,
        getattr(config, "text_config", None),
    )  # of the whole, or of the part alone that it holds for
    stored = next(filter(None, (getattr(each, "quantization_config", None) for each in said_by)), None)
    if stored is None:
        return ""
    facts = stored if isinstance(stored, dict) else stored.to_dict()
    return str(getattr(facts.get("quant_method"), "value", facts.get("quant_method")) or TUNED_QUANTISATION)
