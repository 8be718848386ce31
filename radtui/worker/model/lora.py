"""Which layers of a vision-language model LoRA goes on, for any architecture transformers knows."""

from __future__ import annotations

import re
from typing import Any

from radtui.records import UserError

POOLING = "MultiheadAttentionPoolingHead"
INDEXER = "Indexer"
ROUTER = re.compile(r"Router|TopKGate")
OTHER_SENSES = re.compile(r"audio|speech|^generation_|^video_tower$|^vqmodel$")
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
    from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

    idle = [*unused_layers(model), *routers(model)]
    decoder, head = model.get_decoder(), model.get_output_embeddings()
    in_decoder = {id(module) for module in decoder.modules()} if decoder is not model else set()
    chosen = []
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear) or module is head or name.endswith("lm_head"):
            continue
        # torch's own attention calls the weight of its last layer, not the layer, and so no adapter on it.
        if isinstance(module, NonDynamicallyQuantizableLinear):
            continue
        if any(f".{each}." in f".{name}." for each in idle):
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


def routers(model: Any) -> list[str]:
    """Names of the layers that choose experts: tuned, they would send tokens to experts that never learnt them."""
    return [name for name, module in model.named_modules() if _is_router(name, module)]


def _is_router(name: str, module: Any) -> bool:
    last = name.rpartition(".")[2]
    return bool(ROUTER.search(type(module).__name__)) or (last in ("gate", "router") and "mlp" in name)


def expert_parameters(model: Any) -> list[str]:
    """Names of experts' weights that are parameters of three dimensions, which no linear layer holds."""
    return [
        name
        for name, parameter in model.named_parameters()
        if parameter.dim() == 3 and "experts" in name and not name.endswith("bias")
    ]


def unused_layers(model: Any) -> list[str]:
    """Names of a vision tower's layers that have no part in what the model writes, and so never get a gradient.

    Some families take a tower's features before its last layers, and none takes what SigLIP pools for its own end; what
    hears, watches videos, draws, chooses tokens to attend to, or gives a picture as numbers of a code has no gradient.
    """
    config = model.config
    idle = [
        name for name, module in model.named_modules() if type(module).__name__.endswith((POOLING, INDEXER))
    ]
    idle += [name for name, _ in model.named_modules() if OTHER_SENSES.search(name.rpartition(".")[2])]
    taken = getattr(config, "vision_feature_layer", getattr(config, "vision_feature_layers", None))
    if taken is None:
        return idle
    places = taken if isinstance(taken, (list, tuple)) else [taken]
    for name, module in model.named_modules():
        layers = re.search(r"(vision|image).*\.layers$", name)
        if layers and hasattr(module, "__len__"):
            count = len(module)  # feature 0 is what goes into the first layer
            last = max(place + count + 1 if place < 0 else place for place in places)
            idle += [f"{name}.{number}" for number in range(last, count)]
    return idle


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
    experts = expert_parameters(model) if settings.tune_language and settings.tune_mlp else []
    if experts and settings.lora_dropout:
        raise UserError("LoRA on expert weights knows no dropout: set lora_dropout 0, or turn tune_mlp off.")
    config = LoraConfig(
        r=settings.lora_r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        bias="none",
        target_modules=targets,
        target_parameters=experts or None,
        use_dora=settings.dora,
        use_rslora=settings.rslora,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(settings.lora_seed)  # A is drawn here; B starts at zero
    return get_peft_model(model, config)
