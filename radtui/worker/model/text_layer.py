"""The layers of Mllama's text model with their LoRA matrices as a few steps, forward and backward.

A text layer of 8 images' tokens is some 200 small kernels, and starting them takes longer than running them: through
autograd, PEFT and modules the GPU waits three quarters of the time. Here what comes before attention is one step and
what comes after it another, each started from one function, with products that take the same input joined. Attention
itself stays PyTorch's. Where query heads share a key head they are put beside each other instead of repeating the keys
of 25,616 image tokens.

The same arithmetic is done in the same precision: products in 16 bits with sums in 32, norms in 32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from radtui.worker.model import text_norm
from radtui.worker.model.lora_products import (
    JoinedProduct,
    Narrow,
    is_lora,
    no_autocast,
    same_precision,
    shared_out,
)

aten = torch.ops.aten
KINDS = ("MllamaSelfAttentionDecoderLayer", "MllamaCrossAttentionDecoderLayer")


@dataclass(frozen=True, slots=True)
class _Layer:
    """What a layer is made of."""

    attention: Any
    norms: tuple[Any, Any]  # before attention, before the feed-forward part
    # Queries, keys and values of text; or queries of text, and keys and values of images.
    before: tuple[JoinedProduct, ...]
    after: tuple[JoinedProduct, JoinedProduct, JoinedProduct]  # what attention gave; gate and up; down
    # What both parts are multiplied with, before tanh; none where the layer has none.
    gates: tuple[Tensor, ...]

    @property
    def joined(self) -> tuple[JoinedProduct, ...]:
        """All products, in the order of their matrices."""
        return *self.before, *self.after


class _FromText(torch.autograd.Function):
    """Queries, keys and values of text tokens (B, T, C), turned to their positions: each (B, heads, T, D)."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, layer: _Layer, cosine: Tensor, sine: Tensor, *matrices: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        (product,) = layer.before
        flat = hidden.reshape(-1, hidden.shape[-1])  # (n, C)
        with no_autocast(hidden.device.type):
            narrow = product.narrow(matrices, flat.dtype)
            states, factor = text_norm.normed(layer.norms[0], flat)
            output, between = product.forward(states, narrow)
            heads = output.view(*hidden.shape[:2], -1, layer.attention.head_dim)  # (B, T, all heads, D)
            queries, turned = _counts(layer.attention)
            both = _turned(heads[:, :, :turned], cosine, sine)
        ctx.layer = layer
        ctx.save_for_backward(hidden, factor, between, narrow.down, narrow.up, cosine, sine)
        parts = both[:, :, :queries], both[:, :, queries:], heads[:, :, turned:]
        query, key, value = (each.transpose(1, 2) for each in parts)
        return query, key, value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_query: Tensor, of_key: Tensor, of_value: Tensor) -> Any:
        hidden, factor, between, down, up, cosine, sine = ctx.saved_tensors
        layer: _Layer = ctx.layer
        (product,) = layer.before
        flat = hidden.reshape(-1, hidden.shape[-1])
        _, turned = _counts(layer.attention)
        grad = torch.cat([each.transpose(1, 2) for each in (of_query, of_key, of_value)], 2)
        grad[:, :, :turned] = _turned_back(grad[:, :, :turned], cosine, sine)
        with no_autocast(hidden.device.type):
            states, _ = text_norm.normed(layer.norms[0], flat)
            of_states, grads = product.backward(
                grad.view(len(flat), -1), states, between, Narrow(down, up), ctx.needs_input_grad[0]
            )
            of_hidden = None
            if of_states is not None:
                of_hidden = text_norm.gradient(layer.norms[0], of_states, flat, factor).view(hidden.shape)
        return of_hidden, None, None, None, *grads


class _Queries(torch.autograd.Function):
    """Queries of text tokens (B, T, C) for images: (B, heads, T, D)."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, layer: _Layer, *matrices: Tensor) -> Tensor:
        product, own = layer.before[0], layer.attention
        flat = hidden.reshape(-1, hidden.shape[-1])
        with no_autocast(hidden.device.type):
            narrow = product.narrow(matrices, flat.dtype)
            states, factor = text_norm.normed(layer.norms[0], flat)
            output, between = product.forward(states, narrow)
            raw = output.view(*hidden.shape[:2], -1, own.head_dim).transpose(1, 2).contiguous()
            query, factor_query = text_norm.normed(own.q_norm, raw)
        ctx.layer = layer
        ctx.save_for_backward(hidden, factor, between, narrow.down, narrow.up, raw, factor_query)
        return query

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        hidden, factor, between, down, up, raw, factor_query = ctx.saved_tensors
        layer: _Layer = ctx.layer
        flat = hidden.reshape(-1, hidden.shape[-1])
        with no_autocast(hidden.device.type):
            of_raw = text_norm.gradient(layer.attention.q_norm, grad.contiguous(), raw, factor_query)
            states, _ = text_norm.normed(layer.norms[0], flat)
            of_states, grads = layer.before[0].backward(
                of_raw.transpose(1, 2).reshape(len(flat), -1), states, between, Narrow(down, up),
                ctx.needs_input_grad[0],
            )  # fmt: skip
            of_hidden = None
            if of_states is not None:
                of_hidden = text_norm.gradient(layer.norms[0], of_states, flat, factor).view(hidden.shape)
        return of_hidden, None, *grads


class _FromImages(torch.autograd.Function):
    """Keys and values of image tokens (any, patches, C): each (B, key heads, K, D)."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, rows: int, layer: _Layer, *matrices: Tensor
    ) -> tuple[Tensor, Tensor]:
        product, own = layer.before[1], layer.attention
        flat = states.reshape(-1, states.shape[-1])
        with no_autocast(states.device.type):
            narrow = product.narrow(matrices, flat.dtype)
            output, between = product.forward(flat, narrow)
            heads = output.view(rows, -1, 2 * own.num_key_value_heads, own.head_dim)
            raw, value = (each.transpose(1, 2) for each in heads.chunk(2, 2))
            raw = raw.contiguous()
            key, factor = text_norm.normed(own.k_norm, raw)
        ctx.layer = layer
        ctx.save_for_backward(states, between, narrow.down, narrow.up, raw, factor)
        return key, value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_key: Tensor, of_value: Tensor) -> Any:
        states, between, down, up, raw, factor = ctx.saved_tensors
        layer: _Layer = ctx.layer
        flat = states.reshape(-1, states.shape[-1])
        with no_autocast(states.device.type):
            of_raw = text_norm.gradient(layer.attention.k_norm, of_key.contiguous(), raw, factor)
            grad = torch.cat([of_raw.transpose(1, 2), of_value.transpose(1, 2)], 2).view(len(flat), -1)
            of_states, grads = layer.before[1].backward(
                grad, flat, between, Narrow(down, up), ctx.needs_input_grad[0]
            )
        return None if of_states is None else of_states.view(states.shape), None, None, *grads


class _After(torch.autograd.Function):
    """What follows attention: its last product, the feed-forward part, and both sums."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, mixed: Tensor, layer: _Layer, first: Tensor | None, second: Tensor | None,
        *matrices: Tensor,
    ) -> Tensor:  # fmt: skip
        flat = hidden.reshape(-1, hidden.shape[-1])
        mix = mixed.reshape(len(flat), -1)
        with no_autocast(hidden.device.type):
            narrows = _narrows(layer.after, matrices, flat.dtype)
            output, between_mixed = layer.after[0].forward(mix, narrows[0])
            middle = _added(flat, output, first)
            states, factor = text_norm.normed(layer.norms[1], middle)
            wide, between_wide = layer.after[1].forward(states, narrows[1])  # (n, gate and up)
            gate, up = wide.chunk(2, 1)
            output, between_down = layer.after[2].forward(functional.silu(gate) * up, narrows[2])
            after = _added(middle, output, second)
        ctx.layer, ctx.shape = layer, mixed.shape
        kept = [m for each in narrows for m in (each.down, each.up)]
        ctx.save_for_backward(
            mix, middle, factor, wide, between_mixed, between_wide, between_down, first, second, *kept
        )
        return after.view(hidden.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        layer: _Layer = ctx.layer
        mix, middle, factor, wide, between_mixed, between_wide, between_down, first, second, *kept = (
            ctx.saved_tensors
        )
        narrows = [Narrow(down, up) for down, up in zip(kept[::2], kept[1::2], strict=True)]
        flat = grad.reshape(-1, grad.shape[-1])
        gate, up = wide.chunk(2, 1)
        with no_autocast(grad.device.type):
            opened = functional.silu(gate)
            of_act, down_grads = layer.after[2].backward(
                _scaled(flat, second), opened * up, between_down, narrows[2]
            )
            of_wide = torch.cat([aten.silu_backward(of_act * up, gate), of_act * opened], 1)
            states, _ = text_norm.normed(layer.norms[1], middle)
            of_states, wide_grads = layer.after[1].backward(of_wide, states, between_wide, narrows[1])
            of_middle = text_norm.gradient(layer.norms[1], of_states, middle, factor).add_(flat)
            of_mix, mixed_grads = layer.after[0].backward(
                _scaled(of_middle, first), mix, between_mixed, narrows[0]
            )
        of_mixed = None if of_mix is None else of_mix.view(ctx.shape)
        return of_middle.view(grad.shape), of_mixed, None, None, None, *mixed_grads, *wide_grads, *down_grads


def install(model: Any) -> int:
    """Let the text layers of a Mllama whose products all have LoRA learn so; returns how many. Any other stays."""
    if str(getattr(_text_config(model), "_attn_implementation", "")) != "sdpa":
        return 0
    return sum(_install(each) for each in model.modules() if type(each).__name__ in KINDS)


def uninstall(model: Any) -> None:
    """Give the layers their own method back."""
    for each in model.modules():
        if type(each).__name__ in KINDS and isinstance(each.__dict__.get("forward"), partial):
            del each.forward


def _text_config(model: Any) -> Any:
    own = next((each for each in model.modules() if type(each).__name__ == "MllamaTextModel"), None)
    return getattr(own, "config", None)


def _install(layer: Any) -> bool:
    if isinstance(layer.__dict__.get("forward"), partial):
        return True
    crosses = hasattr(layer, "cross_attn")
    own = layer.cross_attn if crosses else layer.self_attn
    gates = (layer.cross_attn_attn_gate, layer.cross_attn_mlp_gate) if crosses else ()
    groups = [(own.q_proj,), (own.k_proj, own.v_proj)] if crosses else [(own.q_proj, own.k_proj, own.v_proj)]
    groups += [(own.o_proj,), (layer.mlp.gate_proj, layer.mlp.up_proj), (layer.mlp.down_proj,)]
    norms = layer.input_layernorm, layer.post_attention_layernorm
    fixed = [norm.weight for norm in norms] + [*gates]
    if crosses:
        fixed += [own.q_norm.weight, own.k_norm.weight]
    plain = all(is_lora(each) and each.base_layer.bias is None for group in groups for each in group)
    silent = type(layer.mlp.act_fn).__name__ in ("SiLU", "SiLUActivation")
    if not plain or not silent or any(each.requires_grad for each in fixed) or own.dropout:
        return False
    *before, mixed, wide, down = map(JoinedProduct, groups)
    parts = _Layer(own, norms, tuple(before), (mixed, wide, down), gates)
    layer.forward = partial(_cross_forward if crosses else _self_forward, layer, parts, layer.forward)
    return True


def _learns(layer: Any, parts: _Layer, hidden: Tensor, inputs: dict[str, Any]) -> bool:
    """Whether a pass learns, in one precision, from the first token on."""
    cache = inputs.get("past_key_values")
    fresh = cache is None or cache.get_seq_length() == 0
    learns = layer.training and torch.is_grad_enabled() and fresh and same_precision(hidden)
    return learns and all(each.ready for each in parts.joined)


def _self_forward(
    layer: Any, parts: _Layer, original: Callable[..., Any], hidden_states: Tensor, **inputs: Any
) -> Any:
    """A layer of text alone in steps where it learns; else its own forward pass. No cache is filled: none is read."""
    if not _learns(layer, parts, hidden_states, inputs) or inputs.get("position_embeddings") is None:
        return original(hidden_states, **inputs)
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    before, after = _matrices(parts)
    query, key, value = _FromText.apply(hidden_states, parts, *inputs["position_embeddings"], *before[0])
    mixed, _ = sdpa_attention_forward(
        parts.attention, query, key, value, inputs.get("attention_mask"), scaling=parts.attention.scaling
    )
    return _After.apply(hidden_states, mixed, parts, None, None, *after)


def _cross_forward(
    layer: Any, parts: _Layer, original: Callable[..., Any], hidden_states: Tensor, **inputs: Any
) -> Any:
    """A layer that looks at images in steps where it learns; else its own forward pass."""
    states = inputs.get("cross_attention_states")
    if (
        states is None or states.dtype != hidden_states.dtype
        or not _learns(layer, parts, hidden_states, inputs)
    ):  # fmt: skip
        return original(hidden_states, **inputs)
    before, after = _matrices(parts)
    query = _Queries.apply(hidden_states, parts, *before[0])
    key, value = _FromImages.apply(states, len(hidden_states), parts, *before[1])
    mixed = _beside(query, key, value, inputs.get("cross_attention_mask"), parts.attention.scaling)
    first, second = (gate.tanh() for gate in parts.gates)
    rows = inputs.get("full_text_row_masked_out_mask")
    if rows is not None:
        second = (rows[:, 0] * second).reshape(-1, 1)  # (n, 1)
    return _After.apply(hidden_states, mixed, parts, first, second, *after)


def _beside(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> Tensor:
    """Attention with the query heads that share a key head as one sequence.

    Args:
        query: (B, heads, T, D).
        key: (B, key heads, K, D).
        value: As key.
        mask: (B, 1, T, K), added to the scores.
        scale: What scores are multiplied with.

    Returns:
        (B, T, heads, D).
    """
    rows, heads, tokens, size = query.shape
    shared = heads // key.shape[1]
    side = query.reshape(rows, key.shape[1], shared * tokens, size)
    if mask is not None:
        mask = mask.repeat(1, 1, shared, 1)
    mixed = functional.scaled_dot_product_attention(side, key, value, attn_mask=mask, scale=scale)
    return mixed.reshape(rows, heads, tokens, size).transpose(1, 2)


def _matrices(parts: _Layer) -> tuple[list[list[Tensor]], list[Tensor]]:
    """LoRA's matrices of each product before attention, and of those after it."""
    return [each.matrices() for each in parts.before], [m for each in parts.after for m in each.matrices()]


def _narrows(
    products: Sequence[JoinedProduct], matrices: Sequence[Tensor], dtype: torch.dtype
) -> list[Narrow]:
    shares = shared_out(products, matrices)
    return [each.narrow(own, dtype) for each, own in zip(products, shares, strict=True)]


def _counts(attention: Any) -> tuple[int, int]:
    """Heads of queries, and of queries and keys together."""
    return attention.num_heads, attention.num_heads + attention.num_key_value_heads


def _added(states: Tensor, more: Tensor, factor: Tensor | None) -> Tensor:
    return states + more if factor is None else torch.addcmul(states, more, factor.to(states.dtype))


def _scaled(grad: Tensor, factor: Tensor | None) -> Tensor:
    return grad if factor is None else grad * factor.to(grad.dtype)


def _turned(states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions of (B, T, heads, D). Source: Su et al., RoFormer (2021), equation 34."""
    first, second = states.chunk(2, -1)
    return torch.addcmul(states * cosine[:, :, None], torch.cat([-second, first], -1), sine[:, :, None])


def _turned_back(grad: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """The gradient of what was turned."""
    first, second = (grad * sine[:, :, None]).chunk(2, -1)
    return torch.addcmul(torch.cat([second, -first], -1), grad, cosine[:, :, None])
