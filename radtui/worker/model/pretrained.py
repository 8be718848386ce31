"""Model and processor as transformers reads them: from this machine if they are here, else from the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from radtui.records import UserError
from radtui.worker.model import downloads, kinds, processors, refusals, weight_names
from radtui.worker.model.backend import LoadPlan
from radtui.worker.process import memory

log = logging.getLogger("radtui.worker")
HUB_TIMEOUT_S = 15.0
T = TypeVar("T")


def load(
    name: str, load_plan: LoadPlan, trust_remote_code: bool, say: downloads.Say | None = None
) -> tuple[Any, Any, str]:
    """Model, processor and a doubt about its weights, see `weight_names`; what is not here is fetched, and `say` told.

    Raises:
        UserError: It is stored in few bits and there is no GPU, or its weights are larger than the memory.
    """
    fetch = None if say is None else partial(_fetch, name, load_plan, trust_remote_code, say)
    return from_here_or_hub(name, lambda: _from_pretrained(name, load_plan, trust_remote_code), fetch)


def _fetch(name: str, load_plan: LoadPlan, trust_remote_code: bool, say: downloads.Say) -> None:
    """Bring a model from the hub, unless its weights would not fit this machine."""
    config = configuration(name, trust_remote_code)
    if not trust_remote_code:
        _check_fits(name, config, load_plan)
    downloads.fetch(name, say, trust_remote_code)


def configuration(name: str, trust_remote_code: bool, **options: Any) -> Any:
    """The configuration of what writes text in a model: its own, or a part's where it also speaks.

    Args:
        name: Hub id or folder.
        trust_remote_code: Whether Python code that comes with the model may run.
        options: What else reading it takes.

    Raises:
        UserError: It is no model that can be trained and asked here.
    """
    from transformers import AutoConfig

    config = kinds.writer(AutoConfig.from_pretrained(name, trust_remote_code=trust_remote_code, **options))
    refusals.check_config(name, config)
    return config


def from_here_or_hub(name: str, work: Callable[[], T], fetch: Callable[[], None] | None = None) -> T:
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


def _from_pretrained(name: str, load_plan: LoadPlan, trust_remote_code: bool) -> tuple[Any, Any, str]:
    import torch
    from transformers.utils import logging as transformers_logging

    from radtui.worker.model import collator

    transformers_logging.disable_progress_bar()
    config = configuration(name, trust_remote_code)
    quantized = bool(refusals.quantisation(config))
    if quantized and not load_plan.cuda:
        raise UserError(f"{name} is stored in few bits, which needs a CUDA GPU: name the 16-bit model.")
    processor = processors.load(name, trust_remote_code)
    processors.check(processor, name)  # before gigabytes are read
    collator.check(processor, name)
    if not trust_remote_code:
        _check_fits(name, config, load_plan)
    refusals.check_weights(name)
    doubt = weight_names.check(name, config)
    options: dict[str, Any] = {"dtype": getattr(torch, load_plan.precision)}
    if load_plan.cuda:
        options["device_map"] = {"": torch.cuda.current_device()}
    if load_plan.four_bit and not quantized:
        options["quantization_config"] = _four_bit(options["dtype"])
    model, report = kinds.auto_class(config).from_pretrained(
        name, config=config, trust_remote_code=trust_remote_code, output_loading_info=True, **options
    )
    if not quantized and (kinds.comes_with_code(config) or not Path(name).is_dir()):  # not judged before
        doubt = weight_names.judged(name, model, report)
    return model, processor, doubt


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

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype or before)
    try:
        with torch.device("meta"):
            return kinds.auto_class(config).from_config(config, trust_remote_code=trust_remote_code)
    finally:
        torch.set_default_dtype(before)


def _check_fits(name: str, config: Any, load_plan: LoadPlan) -> None:
    """Refuse a model whose weights alone are larger than the memory, before hours of download or swapping."""
    parameters = empty_model(config).num_parameters()
    # 0.6: blocks of 4-bit weights carry their scales.
    bytes_each = 0.6 if load_plan.four_bit else {"float32": 4}.get(load_plan.precision, 2)
    need_gib = parameters * bytes_each / memory.GIB
    free_gib = memory.free_gpu_gib() if load_plan.cuda else memory.free_gib()
    if need_gib > free_gib:
        raise UserError(
            f"{name} needs {need_gib:.1f} GiB for its weights in {load_plan.weights} and {free_gib:.1f} GiB are free: "
            "choose a smaller model, or a machine with more memory."
        )
