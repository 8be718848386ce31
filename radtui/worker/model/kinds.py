"""Which of transformers' classes a configuration means, and whether that class can be trained and asked here.

Nothing is known of any family: what decides is what a class's `forward` takes, so a family of tomorrow is judged by
the same few facts.
"""

from __future__ import annotations

import inspect
from typing import Any

IMAGES_AND_TEXT = "AutoModelForImageTextToText"
IMAGE_WORDS = ("pixel", "image", "patch")
"""One of them stands in the name of an input that holds a picture."""


def writer(config: Any) -> Any:
    """The configuration of what writes text: the model's own, or a part's where the whole is no more than its parts.

    Args:
        config: As transformers read it.
    """
    known = known_class(config)
    if known is None or _is_a_whole(known):
        return config
    parts = [getattr(config, name, None) for name in getattr(config, "sub_configs", {})]
    part = next((each for each in parts if each is not None and not problem(each)), config)
    if (stored := getattr(config, "quantization_config", None)) is not None:
        part.quantization_config = stored  # said of the whole
    return part


def auto_class(config: Any) -> Any:
    """Transformers' class that finds a configuration's model: that of images and text, else that of several kinds."""
    from transformers import AutoModelForImageTextToText, AutoModelForMultimodalLM

    if type(config) in AutoModelForImageTextToText._model_mapping or comes_with_code(config):
        return AutoModelForImageTextToText
    known = type(config) in AutoModelForMultimodalLM._model_mapping
    return AutoModelForMultimodalLM if known else AutoModelForImageTextToText


def comes_with_code(config: Any) -> bool:
    """Whether the class is Python code that comes with the model."""
    return type(config).__module__.startswith("transformers_modules")


def problem(config: Any) -> str:
    """What a model is that can't be trained or asked here, as the end of a sentence about it; empty for others.

    Args:
        config: From `writer`.
    """
    if comes_with_code(config):
        named = IMAGES_AND_TEXT in (getattr(config, "auto_map", None) or {})
        return "" if named else f"comes with Python code that makes no {IMAGES_AND_TEXT}"
    known = known_class(config)
    if known is None:
        return "takes no images" if _continues_text(config) else "is no model that writes about images"
    inputs = inputs_of(known)
    if getattr(config, "is_encoder_decoder", False) or "labels" not in inputs or not known.can_generate():
        return "does not write its text token by token behind the question"
    return "" if any(word in name for name in inputs for word in IMAGE_WORDS) else "takes no images"


def known_class(config: Any) -> Any:
    """The class that transformers itself has for a configuration; None without one."""
    from transformers import AutoModelForMultimodalLM

    mapping = AutoModelForMultimodalLM._model_mapping  # holds all of images and text, too
    return mapping[type(config)] if type(config) in mapping else None  # noqa: SIM401 - its `get` knows no default


def _is_a_whole(known: Any) -> bool:
    """Whether a class works as one; Qwen's that speak, too, only hold their parts."""
    import torch

    return known.forward is not torch.nn.Module.forward


def inputs_of(known: Any) -> set[str]:
    """Names of what a class's `forward` takes."""
    return set(inspect.signature(known.forward).parameters)


def _continues_text(config: Any) -> bool:
    from transformers import AutoModelForCausalLM

    return type(config) in AutoModelForCausalLM._model_mapping
