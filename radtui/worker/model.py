"""Loading a model with its processor, through unsloth where CUDA is, through transformers elsewhere."""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from radtui.records import UserError
from radtui.settings import GenerateSettings, TrainSettings
from radtui.worker import downloads, failures, memory

log = logging.getLogger("radtui.worker")
HUB_TIMEOUT_S = 15.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
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


def plan(settings: TrainSettings | GenerateSettings) -> Plan:
    """Choose backend and precision.

    Raises:
        UserError: The settings ask for something this machine has not.
    """
    import torch

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
    return Plan(backend, cuda, settings.load_in_4bit and cuda, precision, changes)


def load(
    name: str,
    how: Plan,
    *,
    trust_remote_code: bool = False,
    checkpointing: str = "unsloth",
    max_length_tokens: int = 2048,
    say: downloads.Say | None = None,
) -> tuple[Any, Any]:
    """Load a base model and its processor.

    Args:
        name: Hub id or folder.
        how: From `plan`.
        trust_remote_code: Whether Python code that comes with the model may run.
        checkpointing: `unsloth`, `on` or `off`; unsloth must know it when it loads.
        max_length_tokens: Longest sequence, which unsloth must know too.
        say: Takes the progress of a download; without it, nothing is said.

    Raises:
        Stopped: As `say`.
        UserError: Unknown model, hub out of reach, no vision-language model, or too large for this machine.
    """
    try:
        if how.backend == "unsloth":
            if say is not None:
                downloads.fetch_for_unsloth(name, how.four_bit, say, trust_remote_code)
            model, processor = _load_unsloth(name, how, trust_remote_code, checkpointing, max_length_tokens)
        else:
            model, processor = _load_transformers(name, how, trust_remote_code, say)
    except Exception as error:  # loaders and HTTP clients raise a dozen classes for the same few mistakes
        raise _explained(error, name) from error
    _check_processor(processor, name)
    _end_network_use()
    return model, processor


def with_adapter(model: Any, how: Plan, settings: TrainSettings) -> Any:
    """The model with a fresh LoRA adapter, ready to train.

    Raises:
        UserError: The settings leave no layer to tune.
    """
    if how.backend == "transformers":
        from radtui.worker import lora

        return lora.add_adapter(model, settings)
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
        use_rslora=False,
        loftq_config=None,
        use_gradient_checkpointing=_unsloth_checkpointing(settings.gradient_checkpointing),
    )
    FastVisionModel.for_training(model)
    return model


def with_trained_adapter(model: Any, folder: str | Path, how: Plan) -> Any:
    """The model with an earlier job's adapter, ready to go on training; with the transformers backend only.

    Raises:
        UserError: The folder holds no adapter, or one of another model.
    """
    if how.four_bit:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return _adapted(model, str(folder), trainable=True)


def load_adapter(model: Any, folder: str, how: Plan, second: tuple[str, str] | None = None) -> Any:
    """The base model with a trained adapter on it, for descriptions; `disable_adapter()` gives the base back.

    Args:
        model: From `load`.
        folder: Of the adapter.
        how: From `plan`.
        second: Name and folder of another adapter, used after `set_adapter(name)`; the first is named `default`.

    Raises:
        UserError: The folder holds no adapter, or one of another model.
    """
    model = _adapted(model, folder, trainable=False)
    if second is not None:
        _add_adapter(model, *second)
    if how.backend == "unsloth":
        from unsloth import FastVisionModel

        FastVisionModel.for_inference(model)
    elif how.cuda:
        _lower_adapter(model, how)
    return model.eval()


def _adapted(model: Any, folder: str, trainable: bool) -> Any:
    from peft import PeftModel

    with _fitting(folder):
        return PeftModel.from_pretrained(model, folder, is_trainable=trainable)


def _add_adapter(model: Any, name: str, folder: str) -> None:
    with _fitting(folder):
        model.load_adapter(folder, adapter_name=name, is_trainable=False)


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


def _lower_adapter(model: Any, how: Plan) -> None:
    """LoRA matrices in the arithmetic's precision: what autocast made of them at every step of their training."""
    import torch

    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(getattr(torch, how.precision))


def _load_unsloth(
    name: str, how: Plan, trust_remote_code: bool, checkpointing: str, max_length_tokens: int
) -> tuple[Any, Any]:
    from unsloth import FastVisionModel  # before trl, transformers and peft, which it patches

    model, processor = FastVisionModel.from_pretrained(
        name,
        max_seq_length=max_length_tokens,
        load_in_4bit=how.four_bit,
        use_gradient_checkpointing=_unsloth_checkpointing(checkpointing),
        trust_remote_code=trust_remote_code,
    )
    return model, processor


def _unsloth_checkpointing(choice: str) -> str | bool:
    return "unsloth" if choice == "unsloth" else choice in ("on", "auto")


def _load_transformers(
    name: str, how: Plan, trust_remote_code: bool, say: downloads.Say | None = None
) -> tuple[Any, Any]:
    fetch = None if say is None else partial(_fetch, name, how, trust_remote_code, say)
    return _from_here_or_hub(name, lambda: _from_pretrained(name, how, trust_remote_code), fetch)


def _fetch(name: str, how: Plan, trust_remote_code: bool, say: downloads.Say) -> None:
    """Bring a model from the hub, unless its weights would not fit this machine."""
    from transformers import AutoConfig

    if not trust_remote_code:
        _check_fits(name, AutoConfig.from_pretrained(name), how)
    downloads.fetch(name, say, trust_remote_code)


def describe(name: str, trust_remote_code: bool = False) -> tuple[Any, Any]:
    """A model's configuration and processor, without its weights.

    Raises:
        UserError: As `load`.
    """
    from transformers import AutoConfig, AutoProcessor

    def read() -> tuple[Any, Any]:
        config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code)
        return config, AutoProcessor.from_pretrained(name, trust_remote_code=trust_remote_code)

    try:
        config, processor = _from_here_or_hub(name, read)
    except Exception as error:  # as in `load`
        raise _explained(error, name) from error
    _check_processor(processor, name)
    return config, processor


def _from_here_or_hub(name: str, work: Callable[[], T], fetch: Callable[[], None] | None = None) -> T:
    """Try what is on this machine first, so that a cached model loads at once and asks nobody.

    Args:
        name: Hub id or folder.
        work: Reads the model.
        fetch: Brings all of it from the hub before it is read from there.
    """
    from huggingface_hub import HfApi, constants

    constants.HF_HUB_OFFLINE = True  # local_files_only alone still asks the hub for some files
    try:
        return work()
    except OSError:
        if Path(name).is_dir() or name.startswith(("/", ".", "~")):
            raise
    log.info("Fetching %s from the hub", name)
    constants.HF_HUB_OFFLINE = False
    HfApi().model_info(name, timeout=HUB_TIMEOUT_S)  # one clear answer, before many files are tried in vain
    if fetch is not None:
        fetch()
    return work()


def _from_pretrained(name: str, how: Plan, trust_remote_code: bool) -> tuple[Any, Any]:
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code)
    quantized = getattr(config, "quantization_config", None) is not None
    if quantized and not how.cuda:
        raise UserError(f"{name} is stored in few bits, which needs a CUDA GPU: name the 16-bit model.")
    if not trust_remote_code:
        _check_fits(name, config, how)
    options: dict[str, Any] = {"dtype": getattr(torch, how.precision)}
    if how.cuda:
        options["device_map"] = {"": torch.cuda.current_device()}
    if how.four_bit and not quantized:
        options["quantization_config"] = _four_bit(options["dtype"])
    processor = AutoProcessor.from_pretrained(name, trust_remote_code=trust_remote_code)
    model = AutoModelForImageTextToText.from_pretrained(name, trust_remote_code=trust_remote_code, **options)
    return model, processor


def _four_bit(dtype: Any) -> Any:
    """QLoRA's 4-bit weights. Source: Dettmers et al., QLoRA (2023), sections 2 and 3."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def empty_model(config: Any, trust_remote_code: bool = False, dtype: Any = None) -> Any:
    """A model with parameters that have shapes and no storage.

    Args:
        config: The model's.
        trust_remote_code: Whether Python code that comes with the model may run.
        dtype: Of its floating-point parameters; None for torch's default.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype or before)
    try:
        with torch.device("meta"):
            return AutoModelForImageTextToText.from_config(config, trust_remote_code=trust_remote_code)
    finally:
        torch.set_default_dtype(before)


def _check_fits(name: str, config: Any, how: Plan) -> None:
    """Refuse a model whose weights alone are larger than the memory, before hours of download or swapping."""
    parameters = empty_model(config).num_parameters()
    # 0.6: blocks of 4-bit weights carry their scales.
    bytes_each = 0.6 if how.four_bit else {"float32": 4}.get(how.precision, 2)
    need_gib = parameters * bytes_each / memory.GIB
    free_gib = memory.free_gpu_gib() if how.cuda else memory.free_gib()
    if need_gib > free_gib:
        raise UserError(
            f"{name} needs {need_gib:.1f} GiB for its weights in {how.weights} and {free_gib:.1f} GiB are free: "
            "choose a smaller model, or a machine with more memory."
        )


def _check_processor(processor: Any, name: str) -> None:
    if getattr(processor, "image_processor", None) is None or getattr(processor, "tokenizer", None) is None:
        raise UserError(f"{name} takes no images: name a vision-language model.")
    if not processor.chat_template and getattr(processor.tokenizer, "chat_template", None):
        processor.chat_template = processor.tokenizer.chat_template
    if not processor.chat_template:
        raise UserError(f"{name} has no chat template: name its instruction-tuned version.")
    if processor.tokenizer.pad_token_id is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token


def _explained(error: Exception, name: str) -> Exception:
    """A sentence about the model for what its loading raised; what is not about the model stays as it is."""
    if isinstance(error, UserError) or failures.is_out_of_memory(error) or failures.is_disk_full(error):
        return error
    sentence = failures.hub_problem(error, name) or _model_problem(error, name)
    return UserError(sentence) if sentence else error


def _model_problem(error: Exception, name: str) -> str:
    text = str(error)
    if library := re.search(r"requires the (\S+) library", text):
        package = library[1].lower()
        return f"{name} needs {package}, which is not installed: pip install {package}."
    if "trust_remote_code" in text:
        return f"{name} comes with Python code: turn trust_remote_code on if you trust it."
    if re.search("Unrecognized|does not recognize this architecture", text) or isinstance(error, KeyError):
        return f"{name} is no vision-language model that this transformers version can load: name another."
    if isinstance(error, OSError):
        return f"The model {name} was not found or is incomplete: check its name or folder."
    return ""


def _end_network_use() -> None:
    """From here on nothing is fetched or sent: PEFT would ask the hub for a file each time it saves."""
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True
