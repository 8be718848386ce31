"""One token through Mllama's text model, in buffers of fixed shape.

Query heads that share a key head are put beside each other instead of repeating keys, as `generate` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(slots=True)
class Buffers:
    """What one batch's decoding reads and writes; the same tensors serve every batch of the same shape."""

    keys: list[Tensor]  # of each layer: (B, key heads, S or K, D)
    values: list[Tensor]
    text_bias: Tensor  # (B, 1, 1, S): 0 where a text token may be looked at, else -inf
    image_bias: Tensor | None  # (B, 1, 1, K), or None when every image token may be
    token: Tensor  # (B, 1) int64, the newest
    position: Tensor  # (B, 1) int64, the newest token's
    place: Tensor  # (1,) int64, where its key goes
    scores: Tensor  # (B, vocabulary), what the step gives

    @property
    def shape(self) -> tuple[int, ...]:
        """B, S, K and whether there is a bias on image tokens: what a graph depends on."""
        return (*self.text_bias.shape[::3], max(k.shape[2] for k in self.keys), self.image_bias is not None)


def step(text: Any, head: Any, buffers: Buffers) -> None:
    """The newest token's keys and values into the buffers, scores out.

    Args:
        text: Mllama's text model.
        head: What makes scores of its last hidden states.
        buffers: Of B rows.
    """
    crossed = set(text.cross_attention_layers)
    hidden = text.embed_tokens(buffers.token)  # (B, 1, C)
    rotation = text.rotary_emb(hidden, position_ids=buffers.position)
    buffers.text_bias.index_fill_(3, buffers.place, 0)
    for place, layer in enumerate(text.layers):
        keys, values = buffers.keys[place], buffers.values[place]
        normed = _normed(layer.input_layernorm, hidden)
        if place in crossed:
            mixed = _cross(layer.cross_attn, normed, keys, values, buffers.image_bias)
            hidden = hidden + layer.cross_attn_attn_gate.tanh() * mixed
            rest = layer.mlp(_normed(layer.post_attention_layernorm, hidden))
            hidden = hidden + layer.cross_attn_mlp_gate.tanh() * rest
        else:
            own = layer.self_attn
            hidden = hidden + _self(own, normed, rotation, keys, values, buffers)
            hidden = hidden + layer.mlp(_normed(layer.post_attention_layernorm, hidden))
    buffers.scores.copy_(head(_normed(text.norm, hidden))[:, 0])


def _normed(norm: Any, states: Tensor) -> Tensor:
    """Mllama's norm in one launch; the model's own takes six, and a step has 89 norms."""
    return torch.rms_norm(states, states.shape[-1:], norm.weight, norm.variance_epsilon)


def _self(
    attention: Any, hidden: Tensor, rotation: tuple[Tensor, Tensor], keys: Tensor, values: Tensor, at: Buffers
) -> Tensor:
    """Attention of the newest token (B, 1, C) to the text so far, itself included."""
    heads = (*hidden.shape[:2], -1, attention.head_dim)
    query = _rotated(attention.q_proj(hidden).view(heads).transpose(1, 2), rotation)  # (B, heads, 1, D)
    key = _rotated(attention.k_proj(hidden).view(heads).transpose(1, 2), rotation)  # (B, key heads, 1, D)
    keys.index_copy_(2, at.place, key)
    values.index_copy_(2, at.place, attention.v_proj(hidden).view(heads).transpose(1, 2))
    return attention.o_proj(_grouped(query, keys, values, at.text_bias, attention.scaling))


def _cross(attention: Any, hidden: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
    """Attention of the newest token (B, 1, C) to the image."""
    heads = (*hidden.shape[:2], -1, attention.head_dim)
    # (B, heads, 1, D)
    query = _normed(attention.q_norm, attention.q_proj(hidden).view(heads).transpose(1, 2))
    return attention.o_proj(_grouped(query, keys, values, bias, attention.scaling))


def _grouped(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """One query per head (B, heads, 1, D) to keys of fewer heads: those that share a key head go as a sequence.

    Returns:
        (B, 1, heads * D).
    """
    rows, heads, _, size = query.shape
    side = query.reshape(rows, keys.shape[1], -1, size)  # (B, key heads, heads per key head, D)
    if bias is not None:
        bias = bias.expand(rows, keys.shape[1], side.shape[2], -1)
    mixed = functional.scaled_dot_product_attention(side, keys, values, attn_mask=bias, scale=scale)
    return mixed.reshape(rows, 1, heads * size)


def _rotated(states: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions. Source: Su et al., RoFormer (2021), equation 34."""
    cosine, sine = (each[:, None] for each in rotation)  # (B, 1, 1, D)
    first, second = states.chunk(2, dim=-1)
    return states * cosine + torch.cat((-second, first), dim=-1) * sine
