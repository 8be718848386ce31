"""The text's causal mask, made before the vision tower is started.

transformers asks of the padding whether any of it is there, and a question about a tensor's values waits for all that
the GPU has been given: with pictures that is the whole vision tower, after which the text's many small kernels are
started one by one with the GPU idle between them. Asked first, nothing is waited for, and they queue up meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

FUNCTION = "create_causal_mask"


def install(model: Any) -> bool:
    """Let each Mllama in a model make its mask early while it learns; returns whether there was one."""
    models = [each for each in model.modules() if type(each).__name__ == "MllamaModel"]
    for each in models:
        home = _home(each.language_model)
        if home is not None and not isinstance(each.__dict__.get("forward"), partial):
            each.forward = partial(_forward, home, each, each.forward)
    return bool(models)


def uninstall(model: Any) -> None:
    """Give the model its own method back."""
    for each in model.modules():
        if type(each).__name__ == "MllamaModel" and isinstance(each.__dict__.get("forward"), partial):
            del each.forward


def _home(text: Any) -> Any | None:
    """The module whose global function makes the mask for the text's forward method, or None."""
    function = type(text).forward
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    home = sys.modules.get(function.__module__)
    return home if hasattr(home, FUNCTION) else None


def _forward(home: Any, model: Any, original: Callable[..., Any], *args: Any, **inputs: Any) -> Any:
    """The model's own forward pass, with the mask that is there already."""
    tokens, padding = inputs.get("input_ids"), inputs.get("attention_mask")
    weight = model.language_model.get_input_embeddings().weight
    learns = model.training and torch.is_grad_enabled() and not weight.is_meta
    plain = inputs.get("position_ids") is None and inputs.get("past_key_values") is None
    if not learns or not plain or tokens is None or padding is None or inputs.get("pixel_values") is None:
        return original(*args, **inputs)
    own = getattr(home, FUNCTION)
    positions = torch.arange(tokens.shape[1], device=tokens.device)[None]
    mask = own(
        config=model.language_model.config, inputs_embeds=weight.new_empty(*tokens.shape, 1), attention_mask=padding,
        past_key_values=None, position_ids=positions,
    )  # fmt: skip

    def made(**asked: Any) -> Any:
        cache = asked.get("past_key_values")
        is_fresh = cache is None or cache.get_seq_length() == 0
        return mask if is_fresh and asked.get("attention_mask") is padding else own(**asked)

    setattr(home, FUNCTION, made)
    try:
        return original(*args, **inputs)
    finally:
        setattr(home, FUNCTION, own)
