"""Mllama's vision attention computed exactly, but without its mask.

Every image is padded to four tiles, and every tile of 1,601 tokens to 1,608. The model's mask is an outer product:
it removes padding x padding pairs alone, so real tokens do attend to padding, and padding tiles can't be dropped.
Masked attention is slow (no flash kernel takes a mask). Two calls without a mask compute the same: real queries
against all keys, padding queries against the real keys. For that, tokens are put in another order once per
forward pass, real ones first, and put back after the encoder; attention does not care, since positions are added
to the tokens before.

Source: `_prepare_aspect_ratio_attention_mask` and `MllamaVisionModel.forward` in transformers' modeling_mllama.py.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils import checkpoint

from radtui.worker.model import early_mask, text_layer, vision_layer
from radtui.worker.model.attention_kernels import Group

log = logging.getLogger("radtui.worker")
MASK_FUNCTION = "_prepare_aspect_ratio_attention_mask"


@dataclass(frozen=True, slots=True)
class AttentionOrder:
    """In which order a batch's tokens are attended; it travels through the encoder in place of the mask.

    `order` (B * T,) int64 says which token of the flattened batch comes at each place: rows by their number of
    real tokens, in each row real tokens first. `inverse` undoes it.
    """

    order: Tensor
    inverse: Tensor
    groups: tuple[Group, ...]

    def sorted(self, hidden: Tensor) -> Tensor:
        """Put tokens (B, T, C) in the plan's order."""
        return _Reorder.apply(hidden, self.order, self.inverse)

    def restored(self, hidden: Tensor) -> Tensor:
        """Put tokens (B, T, C) back."""
        return _Reorder.apply(hidden, self.inverse, self.order)


class _Reorder(torch.autograd.Function):
    """A permutation of a batch's tokens whose gradient is the inverse gather; PyTorch's own would add atomically."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, order: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse)
        return hidden.reshape(-1, hidden.shape[-1]).index_select(0, order).view(hidden.shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return grad.reshape(-1, grad.shape[-1]).index_select(0, inverse).view(grad.shape), None, None


def plan(
    aspect_ratio_mask: Tensor, num_patches: int, target_length: int, dtype: torch.dtype
) -> AttentionOrder:
    """The plan of a batch, with the arguments of the function that would build the mask.

    Args:
        aspect_ratio_mask: (B, tiles), 1 for a tile that shows a part of the image.
        num_patches: Real tokens of a tile.
        target_length: Tokens of a tile with its padding.
        dtype: Not used: nothing is added to the scores.
    """
    tiles = aspect_ratio_mask.cpu() > 0  # (B, tiles); the one wait for the GPU in a forward pass
    rows = sorted(enumerate(tiles.tolist()), key=lambda row: sum(row[1]))  # stable
    total = tiles.shape[1] * target_length
    order = torch.cat([_places(tuple(real), num_patches, target_length) + row * total for row, real in rows])
    inverse = torch.empty_like(order)
    inverse[order] = torch.arange(len(order))
    counts = Counter(sum(real) * num_patches for _, real in rows)  # in the rows' order
    groups = tuple(Group(number, real) for real, number in counts.items())
    device = aspect_ratio_mask.device
    return AttentionOrder(order.to(device, non_blocking=True), inverse.to(device, non_blocking=True), groups)


@functools.lru_cache(maxsize=64)  # images have few shapes, and sorting their tokens takes milliseconds
def _places(real: tuple[bool, ...], num_patches: int, target_length: int) -> Tensor:
    """An image's tokens, those of real tiles first, (T,) int64.

    Args:
        real: For each tile whether it shows a part of the image.
        num_patches: Real tokens of a tile.
        target_length: Tokens of a tile with its padding.
    """
    shown = torch.tensor(real)[:, None] & (torch.arange(target_length) < num_patches)  # (tiles, tokens)
    return torch.argsort((~shown.flatten()).to(torch.uint8), stable=True)


def attend(query: Tensor, key: Tensor, value: Tensor, groups: tuple[Group, ...], scale: float) -> Tensor:
    """Attention of tokens in a plan's order.

    Args:
        query: (B, heads, T, D), as are key and value.
        key: As query.
        value: As query.
        groups: The plan's.
        scale: What scores are multiplied with.

    Returns:
        (B, T, heads * D), in the plan's order.
    """
    rows = [group.rows for group in groups]
    parts = zip(groups, query.split(rows), key.split(rows), value.split(rows), strict=True)
    with _fastest(query):
        return torch.cat([_attend_group(q, k, v, group.real, scale) for group, q, k, v in parts])


def _attend_group(query: Tensor, key: Tensor, value: Tensor, real: int, scale: float) -> Tensor:
    total = query.shape[2]
    if real == total:
        return _side_by_side(functional.scaled_dot_product_attention(query, key, value, scale=scale))
    of_real, of_padding = query.split([real, total - real], dim=2)
    seen_by_all = functional.scaled_dot_product_attention(of_real, key, value, scale=scale)
    seen = functional.scaled_dot_product_attention(
        of_padding, key[:, :, :real], value[:, :, :real], scale=scale
    )
    return torch.cat([_side_by_side(seen_by_all), _side_by_side(seen)], dim=1)


def _side_by_side(mixed: Tensor) -> Tensor:
    """(B, heads, T, D) to (B, T, heads * D); no copy where the kernel lays its output out as its query."""
    return mixed.transpose(1, 2).flatten(2)


@contextlib.contextmanager
def _fastest(query: Tensor) -> Iterator[None]:
    """On CUDA prefer cuDNN: at 16 heads of 80 it took two thirds of flash attention's time on an H100."""
    if not query.is_cuda:
        yield
        return
    from torch.nn.attention import SDPBackend, sdpa_kernel

    choices = [
        SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH,
    ]  # fmt: skip
    with sdpa_kernel(choices, set_priority=True):
        yield


def install(model: Any, as_steps: bool = True) -> bool:
    """Let a loaded Mllama attend this way; any other model is left alone. Installing twice does nothing.

    The model's own methods stay underneath. They are replaced on the objects, not on their classes, so it does
    not matter who rewrote the classes (unsloth does), and other models in the process are not touched.

    Args:
        model: With or without adapter.
        as_steps: Whether what learns is computed as `vision_layer` and `text_layer` do, and the text's mask early.

    Returns:
        Whether there was a Mllama vision tower.
    """
    towers = [each for each in model.modules() if type(each).__name__ == "MllamaVisionModel"]
    for tower in towers:
        if hasattr(tower, "recomputed_layers"):
            continue
        if (home := _home(tower)) is None:
            log.warning(
                "This transformers version builds its vision mask elsewhere: it stays, which is slower"
            )
            return False
        tower.recomputed_layers = None  # until `recompute` is asked for, layers do as the model sets them
        tower.forward = partial(_tower_forward, home, tower.forward)
        needed = set(tower.intermediate_layers_indices)
        for encoder, kept in ((tower.transformer, needed), (tower.global_transformer, set())):
            encoder.forward = partial(_encoder_forward, tower, encoder, kept, encoder.forward)
            for layer in encoder.layers:
                layer.self_attn.forward = partial(
                    _attention_forward, layer.self_attn, layer.self_attn.forward
                )
                if as_steps:
                    vision_layer.install(layer)
    if as_steps and towers:
        early_mask.install(model)
        text_layer.install(model)
    return bool(towers)


def uninstall(model: Any) -> None:
    """Give the model its own methods back."""
    early_mask.uninstall(model)
    text_layer.uninstall(model)
    for tower in model.modules():
        if not hasattr(tower, "recomputed_layers"):
            continue
        del tower.recomputed_layers, tower.forward
        for encoder in (tower.transformer, tower.global_transformer):
            del encoder.forward
            for layer in encoder.layers:
                del layer.self_attn.forward
                vision_layer.uninstall(layer)


def vision_layers(model: Any) -> int:
    """How many layers the vision tower has that `install` found; 0 without one."""
    return sum(
        len(tower.transformer.layers) + len(tower.global_transformer.layers)
        for tower in model.modules()
        if hasattr(tower, "recomputed_layers")
    )


def recompute(model: Any, layers: int) -> None:
    """Keep the activations of all but the first `layers` vision layers; those of the others are computed twice.

    Args:
        model: Where `install` found a tower.
        layers: 0 keeps all activations; `vision_layers(model)` keeps none.
    """
    for tower in model.modules():
        if hasattr(tower, "recomputed_layers"):
            tower.recomputed_layers = layers


def _home(tower: Any) -> Any | None:
    """The module whose global function builds the mask for the tower's forward method, or None."""
    function = type(tower).forward
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    home = sys.modules[function.__module__]
    return home if hasattr(home, MASK_FUNCTION) else None


def _tower_forward(home: Any, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The tower's own forward pass, with a plan where it would build its mask."""
    masks = getattr(home, MASK_FUNCTION)
    setattr(home, MASK_FUNCTION, plan)
    try:
        return original(*args, **kwargs)
    finally:
        setattr(home, MASK_FUNCTION, masks)


def _encoder_forward(
    tower: Any, encoder: Any, kept: set[int], original: Callable[..., Any],
    hidden_states: Tensor, attention_mask: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    """The encoder's layers over sorted tokens; only the layers' outputs that the tower stacks are put back and kept."""
    if not isinstance(attention_mask, AttentionOrder):
        return original(hidden_states, attention_mask=attention_mask, **kwargs)
    from transformers.modeling_outputs import BaseModelOutput

    first = 0 if encoder is tower.transformer else len(tower.transformer.layers)
    chosen = tower.recomputed_layers
    own = (chosen or 0) if encoder.training and torch.is_grad_enabled() else 0
    hidden = attention_mask.sorted(hidden_states)  # (B, T, C)
    states: list[Tensor | None] = []
    for place, layer in enumerate(encoder.layers):
        if chosen is not None and getattr(layer, "gradient_checkpointing", False):
            # A trainer turns it on for all layers; it is done here instead.
            layer.gradient_checkpointing = False
        if first + place < own:
            hidden = _checkpoint(layer, hidden, attention_mask, use_reentrant=False)
        else:
            hidden = layer(hidden, attention_mask=attention_mask)
        states.append(attention_mask.restored(hidden) if place in kept else None)
    return BaseModelOutput(last_hidden_state=attention_mask.restored(hidden), hidden_states=tuple(states))


def _checkpoint(*args: Any, **options: Any) -> Any:
    """PyTorch's own recomputation; unsloth may have put one in its place that moves activations to main memory."""
    own = getattr(checkpoint, "_unsloth_pristine_checkpoint", None) or checkpoint.checkpoint
    return own(*args, **options)


def _attention_forward(
    attention: Any, original: Callable[..., Any],
    hidden_states: Tensor, attention_mask: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    """One layer's attention: its own projections, and two calls without a mask between them."""
    if not isinstance(attention_mask, AttentionOrder):
        return original(hidden_states, attention_mask=attention_mask, **kwargs)
    shape = (*hidden_states.shape[:-1], attention.num_heads, attention.head_dim)  # B, T, heads, D
    query, key, value = (
        project(hidden_states).view(shape).transpose(1, 2)
        for project in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    mixed = attend(query, key, value, attention_mask.groups, attention.scaling)  # (B, T, C)
    return attention.o_proj(mixed), None
