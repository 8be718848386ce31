"""Which layers of a vision-language model LoRA goes on, for any architecture transformers knows."""

from __future__ import annotations

import re
from typing import Any

from radtui.records import UserError

ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)


def target_modules(model: Any, *, vision: bool, language: bool, attention: bool, mlp: bool) -> list[str]:
    """Full names of the linear layers to tune.

    The text decoder is language; every other linear layer (vision tower, projector between the two) is
    vision, except the output head, which is never tuned. Within both, a layer whose path names attention is
    attention, and any other is MLP.

    Args:
        model: A transformers model for image-text-to-text, without adapters.
        vision: Whether to tune the vision side.
        language: Whether to tune the text decoder.
        attention: Whether to tune attention projections.
        mlp: Whether to tune feed-forward layers and projectors.

    Raises:
        UserError: No layer is selected.
    """
    import torch

    decoder, head = model.get_decoder(), model.get_output_embeddings()
    in_decoder = {id(module) for module in decoder.modules()} if decoder is not model else set()
    chosen = []
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear) or module is head or name.endswith("lm_head"):
            continue
        tower = language if id(module) in in_decoder else vision
        part = attention if ATTENTION.search(name) else mlp
        if tower and part:
            chosen.append(name)
    if not chosen:
        raise UserError(
            "No layer is left to tune: turn on tune_vision or tune_language, and tune_attention or tune_mlp."
        )
    return chosen


def add_adapter(model: Any, settings: Any) -> Any:
    """The model with an untrained LoRA adapter, whose output is the base model's until the first step.

    Args:
        model: A transformers model for image-text-to-text.
        settings: `TrainSettings`.
    """
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if getattr(model, "is_loaded_in_4bit", False):
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    targets = target_modules(
        model,
        vision=settings.tune_vision,
        language=settings.tune_language,
        attention=settings.tune_attention,
        mlp=settings.tune_mlp,
    )
    config = LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        bias="none",
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(settings.lora_seed)  # A is drawn here; B starts at zero
    return get_peft_model(model, config)
