"""Attention of packed queries, keys and values, without a mask, by kernels that are called directly.

Called through autograd, every part of a batch that is attended by itself costs copies: cut out, filled up with zeros
in the backward pass, and added. Here the parts are written into one tensor where they belong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

aten = torch.ops.aten
Kept = tuple[Tensor | None, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive rows of a sorted batch whose images have as many real tokens."""

    rows: int
    real: int  # tokens


@dataclass(frozen=True, slots=True)
class Kernel:
    """One way to compute attention of (B, heads, T, D) tensors."""

    forward: Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor, Kept]]
    """Queries, keys, values, what scores are multiplied with -> output, and what the backward pass needs of it."""
    backward: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Kept, float], tuple[Tensor, Tensor, Tensor]]
    """Gradient of the output, queries, keys, values, output, what was kept, scale -> their gradients."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What is attended in one call: some rows' queries, and the first of their keys."""

    rows: slice
    queries: slice
    keys: slice
    adds: bool  # whether another part has the same rows' keys


def mix(
    qkv: Tensor, groups: Sequence[Group], scale: float, kernel: Kernel, into: Tensor | None = None
) -> tuple[Tensor, list[Tensor | None]]:
    """Real tokens attend to all, padding tokens to the real ones.

    Args:
        qkv: (B, T, 3, heads, D), rows in the order of the groups, in each row real tokens first.
        groups: Of the batch.
        scale: What scores are multiplied with.
        kernel: From `attention_choice`.
        into: Where to write, (B, T, heads, D); a new tensor where None.

    Returns:
        (B, T, heads, D), and what `mix_gradient` needs.
    """
    mixed = qkv.new_empty(*qkv.shape[:2], *qkv.shape[3:]) if into is None else into
    kept: list[Tensor | None] = []
    for part in _parts(groups, qkv.shape[1]):
        output, own = kernel.forward(*_cut(qkv, part), scale)
        mixed[part.rows, part.queries] = output.transpose(1, 2)
        kept += own
    return mixed, kept


def mix_gradient(
    grad: Tensor, qkv: Tensor, mixed: Tensor, kept: Sequence[Tensor | None], groups: Sequence[Group], scale: float,
    kernel: Kernel,
) -> Tensor:  # fmt: skip
    """The gradient of `mix`.

    Args:
        grad: Of the output, (B, T, heads, D).
        qkv: As given to `mix`.
        mixed: What `mix` returned.
        kept: Likewise.
        groups: As given to `mix`.
        scale: Likewise.
        kernel: Likewise.

    Returns:
        Of `qkv`, in its shape.
    """
    grads = torch.empty_like(qkv)
    parts = list(_parts(groups, qkv.shape[1]))
    each = len(kept) // len(parts)
    for place, part in enumerate(parts):
        query, key, value = kernel.backward(
            grad[part.rows, part.queries].transpose(1, 2), *_cut(qkv, part),
            mixed[part.rows, part.queries].transpose(1, 2), tuple(kept[place * each : (place + 1) * each]), scale,
        )  # fmt: skip
        own = grads[part.rows]  # (rows, T, 3, heads, D)
        own[:, part.queries, 0] = query.transpose(1, 2)
        for number, of_keys in ((1, key), (2, value)):
            place_of = own[:, part.keys, number]
            if part.adds:
                place_of += of_keys.transpose(1, 2)
            else:
                place_of.copy_(of_keys.transpose(1, 2))
    return grads


def _parts(groups: Sequence[Group], total: int) -> Iterator[_Part]:
    first = 0
    for group in groups:
        rows = slice(first, first + group.rows)
        yield _Part(rows, slice(0, group.real), slice(0, total), adds=False)
        if group.real < total:
            yield _Part(rows, slice(group.real, total), slice(0, group.real), adds=True)
        first += group.rows


def _cut(qkv: Tensor, part: _Part) -> tuple[Tensor, Tensor, Tensor]:
    """(rows, heads, tokens, D) of queries, keys and values; nothing is copied."""
    query, key, value = (each.transpose(1, 2) for each in qkv[part.rows].unbind(2))
    return query[:, :, part.queries], key[:, :, part.keys], value[:, :, part.keys]


def _cpu_forward(query: Tensor, key: Tensor, value: Tensor, scale: float) -> tuple[Tensor, Kept]:
    output, sums = aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, scale=scale)
    return output, (sums,)


def _cpu_backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, output: Tensor, kept: Kept, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    grads: tuple[Tensor, Tensor, Tensor] = aten._scaled_dot_product_flash_attention_for_cpu_backward(
        grad, query, key, value, output, kept[0], 0.0, False, scale=scale
    )
    return grads


def _cudnn_forward(query: Tensor, key: Tensor, value: Tensor, scale: float) -> tuple[Tensor, Kept]:
    made = aten._scaled_dot_product_cudnn_attention(query, key, value, None, True, scale=scale)
    return made[0], (made[1], made[6], made[7])  # output; sums, the two numbers of a dropout that is off


def _cudnn_backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, output: Tensor, kept: Kept, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    grads: tuple[Tensor, Tensor, Tensor] = aten._scaled_dot_product_cudnn_attention_backward(
        grad, query, key, value, output, *kept, None, None, None, query.shape[2], key.shape[2], 0.0, False,
        scale=scale,
    )  # fmt: skip
    return grads


CPU, CUDNN = Kernel(_cpu_forward, _cpu_backward), Kernel(_cudnn_forward, _cudnn_backward)
of_device: dict[str, Kernel] = {"cpu": CPU}
"""By device type; who has a device of another kind adds its own."""
