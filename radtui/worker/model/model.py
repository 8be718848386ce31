"""Loading a model with its processor, through unsloth where CUDA is, through transformers elsewhere."""

from __future__ import annotations

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

from radtui.records import UserError
from radtui.worker.model import downloads, pretrained, processors, refusals, weight_names
from radtui.worker.model.backend import LoadPlan
from radtui.worker.process import failures, libraries


def load(
    name: str,
    load_plan: LoadPlan,
    *,
    trust_remote_code: bool = False,
    checkpointing: str = "unsloth",
    max_length_tokens: int = 2048,
    trains: bool = False,
    say: downloads.Say | None = None,
) -> tuple[Any, Any]:
    """Load a base model and its processor.

    Args:
        name: Hub id or folder.
        load_plan: From `backend.plan`.
        trust_remote_code: Whether Python code that comes with the model may run.
        checkpointing: `unsloth`, `on` or `off`; unsloth must know it when it loads.
        max_length_tokens: Longest sequence, which unsloth must know too.
        trains: Whether it is to be trained, and TRL is needed with it.
        say: Takes the progress of a download; without it, nothing is said.

    Raises:
        Stopped: As `say`.
        UserError: Unknown model, hub out of reach, no vision-language model, or too large for this machine.
    """
    processors.torchvision_state()  # before transformers looks for it
    refusals.check_folder(name)
    try:
        libraries.load(load_plan.backend, trains)
        note = ""
        if load_plan.backend == "unsloth":
            refusals.check_weights(name)
            if Path(name).is_dir():
                note = weight_names.check(name, pretrained.configuration(name, trust_remote_code))
            if say is not None:
                downloads.fetch_for_unsloth(name, load_plan.four_bit, say, trust_remote_code)
            model, processor = _load_unsloth(
                name, load_plan, trust_remote_code, checkpointing, max_length_tokens
            )
        else:
            model, processor, note = pretrained.load(name, load_plan, trust_remote_code, say)
    except Exception as error:  # loaders and HTTP clients raise a dozen classes for the same few mistakes
        raise _explained(error, name) from error
    processors.check(processor, name)
    _end_network_use()
    model.radtui_doubt = note
    return model, processor


def doubt(model: Any) -> str:
    """What `load` had to say of a model's weights; empty for none."""
    return str(getattr(model, "radtui_doubt", ""))


def describe(name: str, trust_remote_code: bool = False) -> tuple[Any, Any]:
    """A model's configuration and processor, without its weights.

    Raises:
        UserError: As `load`.
    """
    processors.torchvision_state()  # before transformers looks for it

    def read() -> tuple[Any, Any]:
        return pretrained.configuration(name, trust_remote_code), processors.load(name, trust_remote_code)

    refusals.check_folder(name)
    try:
        config, processor = pretrained.from_here_or_hub(name, read)
    except Exception as error:  # as in `load`
        raise _explained(error, name) from error
    processors.check(processor, name)
    from radtui.worker.model import collator

    collator.check(processor, name)
    refusals.check_weights(name, needed=False)
    return config, processor


def empty(name: str, config: Any, trust_remote_code: bool = False) -> Any:
    """A model without its weights, as `pretrained.empty_model`; what its making lacks is a sentence.

    Raises:
        UserError: As `load`.
    """
    try:
        return pretrained.empty_model(config, trust_remote_code)
    except Exception as error:  # as in `load`
        raise _explained(error, name) from error


def _load_unsloth(
    name: str, load_plan: LoadPlan, trust_remote_code: bool, checkpointing: str, max_length_tokens: int
) -> tuple[Any, Any]:
    from unsloth import FastVisionModel  # before trl, transformers and peft, which it patches

    model, processor = FastVisionModel.from_pretrained(
        name,
        max_seq_length=max_length_tokens,
        load_in_4bit=load_plan.four_bit,
        use_gradient_checkpointing=unsloth_checkpointing(checkpointing),
        trust_remote_code=trust_remote_code,
    )
    return model, processor


def unsloth_checkpointing(choice: str) -> str | bool:
    """What unsloth is to be told of a setting `gradient_checkpointing`."""
    return "unsloth" if choice == "unsloth" else choice in ("on", "auto")


def _explained(error: Exception, name: str) -> Exception:
    """A sentence about the model for what its loading raised; what is not about the model stays as it is."""
    if isinstance(error, UserError) or failures.is_out_of_memory(error) or failures.is_disk_full(error):
        return error
    sentence = failures.hub_problem(error, name) or _model_problem(error, name)
    return UserError(sentence) if sentence else error


def _model_problem(error: Exception, name: str) -> str:
    text = str(error)
    if package := failures.library_wanted(text):
        return f"{name} needs {package}, which is not installed: pip install {package}."
    if type(error).__name__.endswith("ValidationError"):  # of huggingface_hub's dataclasses
        reason = text.strip().rpartition("\n")[2].rpartition(": ")[2].rstrip(".")
        return f"{name} has a config.json that its kind does not allow ({reason}): copy it again, or name another."
    if "trust_remote_code" in text:
        return (
            f"{name} comes with Python code: turn trust_remote_code on if you trust it, or name its version made for "
            "transformers, if it has one."
        )
    if sentence := _kind_problem(error, name) or _part_problem(error, name):
        return sentence
    if isinstance(error, OSError):
        return f"The model {name} was not found or is incomplete: check its name or folder."
    return ""


def _kind_problem(error: Exception, name: str) -> str:
    """Where transformers has no class for what a model is."""
    text = str(error)
    if unknown := re.search("model type `(.+?)` but Transformers does not recognize", text):
        return (
            f"{name} is of a kind ({unknown[1]}) that transformers {metadata.version('transformers')} does not know: "
            "update transformers, or name another model."
        )
    if re.search("Unrecognized|does not recognize this architecture", text) or isinstance(error, KeyError):
        return f"{name} is no vision-language model that this transformers version can load: name another."
    return ""


def _part_problem(error: Exception, name: str) -> str:
    """Where a model lacks its tokenizer or its processor, or has weights that are not read."""
    text = str(error)
    if "ignore_mismatched_sizes" in text:
        return f"The weights of {name} do not fit its config.json: put the config.json there that was saved with them."
    if type(error).__name__ == "UnpicklingError":
        return (
            f"The weights of {name} hold more than numbers, which is not read, since it could run code: save them as "
            "model.safetensors."
        )
    if isinstance(error, json.JSONDecodeError) or re.search("backend tokenizer|tokenizer.*load", text):
        return f"The tokenizer of {name} is missing or damaged: copy {_wanted_files(name)}."
    if re.search("preprocessor_config|image processor|feature extractor", text) and Path(name).is_dir():
        wanted = _wanted_files(name)
        return f"{name} does not say how its images are prepared (preprocessor_config.json): copy {wanted}."
    return ""


def _wanted_files(name: str) -> str:
    """What is to be copied into a folder that lacks parts: its base's files, where it says what it was made from.

    A merged adapter is often saved as weights alone.
    """
    try:
        base = str(json.loads((Path(name) / refusals.CONFIG).read_text()).get("_name_or_path", ""))
    except (OSError, ValueError):
        base = ""
    if not base or Path(base).resolve() == Path(name).resolve():
        return "all of the model's files"
    return f"the tokenizer's and the processor's files of {base}, which it was made from"


def _end_network_use() -> None:
    """From here on nothing is fetched or sent: PEFT would ask the hub for a file each time it saves."""
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True
