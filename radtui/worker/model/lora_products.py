"""Linear layers that take the same input, with plain LoRA, as one product: forward and backward without autograd."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from radtui.worker.model import fast_lora, lora_adding

BASES = ("Linear", "Linear4bit")


@dataclass(frozen=True, slots=True)
class Narrow:
    """LoRA's matrices of joined layers in the precision of the product."""

    down: Tensor  # A above each other, (r, in)
    up: Tensor  # B, scaled, as a block diagonal, (out, r)


class JoinedProduct:
    """LoRA layers that take the same input, as one layer.

    Args:
        layers: PEFT's, all with a bias or all without.
    """

    def __init__(self, layers: tuple[Any, ...]) -> None:
        self.layers = layers
        self.held: Tensor | None = None  # the weights in 16 bits, where `hold` found room for them

    def matrices(self) -> list[Tensor]:
        """A and B of each layer, as parameters."""
        names = [(each, each.active_adapters[0]) for each in self.layers]
        return [m for each, name in names for m in (each.lora_A[name].weight, each.lora_B[name].weight)]

    @property
    def ready(self) -> bool:
        """Whether each is plain LoRA, switched on, of one adapter, without dropout."""
        return all(_ready(each) for each in self.layers)

    def narrow(self, matrices: Sequence[Tensor], dtype: torch.dtype) -> Narrow:
        """The matrices in one precision, as `forward` and `backward` take them."""
        pairs = list(zip(matrices[::2], matrices[1::2], strict=True))
        scales = [each.scaling[each.active_adapters[0]] for each in self.layers]
        ups = [b if scale == 1 else b * scale for (_, b), scale in zip(pairs, scales, strict=True)]
        if len(pairs) == 1:
            return Narrow(pairs[0][0].to(dtype), ups[0].to(dtype))
        down = torch.cat([a for a, _ in pairs]).to(dtype)
        up = down.new_zeros(sum(b.shape[0] for b in ups), down.shape[0])
        row = column = 0
        for b in ups:
            up[row : row + b.shape[0], column : column + b.shape[1]] = b
            row, column = row + b.shape[0], column + b.shape[1]
        return Narrow(down, up)

    def forward(self, x: Tensor, narrow: Narrow) -> tuple[Tensor, Tensor]:
        """What comes out, (n, out), and LoRA's narrow part of it, (n, r)."""
        output, between = self.without_lora(x, narrow)
        lora_adding.add(output, between, narrow.up.t())
        return output, between

    def without_lora(self, x: Tensor, narrow: Narrow) -> tuple[Tensor, Tensor]:
        """The same with LoRA's part still to be added."""
        weight = self.weight(x.dtype)
        biases = [each.base_layer.bias for each in self.layers]
        if biases[0] is None:
            output = x @ weight.t()
        else:
            output = torch.addmm(torch.cat([b.to(x.dtype) for b in biases]), x, weight.t())
        return output, x @ narrow.down.t()

    def backward(
        self, grad: Tensor, x: Tensor, between: Tensor, narrow: Narrow, needs_input: bool = True
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Gradients of the input and of the matrices.

        Args:
            grad: Of the output, (n, out).
            x: The input, (n, in).
            between: From `forward`.
            narrow: As given to `forward`.
            needs_input: Whether the input's is wanted.
        """
        of_between = grad @ narrow.up  # (n, r)
        gradients = self.of_matrices(grad, of_between, x, between)
        if not needs_input:
            return None, gradients
        of_input = grad @ self.weight(x.dtype)  # (n, in)
        lora_adding.add(of_input, of_between, narrow.down)
        return of_input, gradients

    def of_matrices(self, grad: Tensor, of_between: Tensor, x: Tensor, between: Tensor) -> list[Tensor]:
        """Gradients of the matrices.

        Args:
            grad: Of the output, (n, out).
            of_between: Of LoRA's narrow part, (n, r).
            x: The input, (n, in).
            between: From `forward`.
        """
        of_down, of_up = of_between.t() @ x, grad.t() @ between  # (r, in), (out, r)
        gradients: list[Tensor] = []
        row = column = 0
        for each in self.layers:
            name = each.active_adapters[0]
            a, b = each.lora_A[name].weight, each.lora_B[name].weight
            rank, width, scale = a.shape[0], b.shape[0], each.scaling[name]
            own_up = of_up[row : row + width, column : column + rank]
            own_up = own_up if scale == 1 else own_up * scale
            gradients += [of_down[column : column + rank].to(a.dtype), own_up.to(b.dtype)]
            row, column = row + width, column + rank
        return gradients

    def weight(self, dtype: torch.dtype) -> Tensor:
        """The base layers' weights above each other, (out, in)."""
        if self.held is not None and self.held.dtype == dtype:
            return self.held
        bases = [each.base_layer for each in self.layers]
        if len(bases) == 1 or bases[0].weight.is_floating_point():
            weights = [_weight(base).to(dtype) for base in bases]
            return weights[0] if len(weights) == 1 else torch.cat(weights)
        rows = [base.out_features for base in bases]
        joined = torch.empty(sum(rows), bases[0].in_features, dtype=dtype, device=bases[0].weight.device)
        for base, own in zip(bases, joined.split(rows), strict=True):
            _weight(base, own)
        return joined

    @property
    def few_bits(self) -> int:
        """Bytes that `hold` would take for it; 0 where the weights are kept in 16 bits anyway."""
        bases = [each.base_layer for each in self.layers if not each.base_layer.weight.is_floating_point()]
        return sum(2 * base.out_features * base.in_features for base in bases)


def hold(model: Any, room_gib: float) -> float:
    """Keep weights of 4 bits in 16 too, product by product while there is room; returns what that took, GiB."""
    taken = 0
    for product in products(model):
        size = product.few_bits
        if size and product.held is None and taken + size <= room_gib * 2**30:
            product.held = product.weight(torch.bfloat16)
            taken += size
    return taken / 2**30


def let_go(model: Any) -> None:
    """Drop what `hold` has kept."""
    for product in products(model):
        product.held = None


def held_gib(model: Any) -> float:
    """What `hold` has kept, GiB."""
    held = [each.held.nbytes for each in products(model) if each.held is not None]
    return float(sum(held)) / 2**30


def products(model: Any) -> Iterator[JoinedProduct]:
    """The joined products of a model's layers that are computed as steps."""
    for module in model.modules():
        for part in getattr(module.__dict__.get("forward"), "args", ()):
            yield from getattr(part, "joined", ())


def shared_out(products: Sequence[JoinedProduct], matrices: Sequence[Tensor]) -> list[Sequence[Tensor]]:
    """Each product's own matrices, of those of all in their order."""
    shares, start = [], 0
    for each in products:
        stop = start + 2 * len(each.layers)
        shares.append(matrices[start:stop])
        start = stop
    return shares


def is_lora(layer: Any) -> bool:
    """Whether a layer is LoRA on a linear layer of a known kind."""
    return hasattr(layer, "lora_A") and type(layer.base_layer).__name__ in BASES


def no_autocast(device: str) -> contextlib.AbstractContextManager[object]:
    """Products in the precision of what goes into them; for empty tensors there is no autocast to switch off."""
    return contextlib.nullcontext() if device == "meta" else torch.autocast(device, enabled=False)


def same_precision(hidden: Tensor) -> bool:
    """Whether products are computed in the precision that the tokens have."""
    device = hidden.device.type
    if device == "meta" or not torch.is_autocast_enabled(device):
        return True
    return bool(torch.get_autocast_dtype(device) == hidden.dtype)


def _ready(layer: Any) -> bool:
    if layer.disable_adapters or layer.merged or not fast_lora.is_plain(layer):
        return False
    weight = layer.base_layer.weight
    readable = weight.is_floating_point() or getattr(weight, "quant_state", None) is not None
    dropout = layer.lora_dropout[layer.active_adapters[0]]
    return readable and float(getattr(dropout, "p", 0.0)) == 0.0


def _weight(base: Any, into: Tensor | None = None) -> Tensor:
    """A linear layer's weight (out, in), from 4 bits where it is kept so, then written to where it is to be."""
    weight: Tensor = base.weight
    if weight.is_floating_point():
        return weight
    from bitsandbytes.functional import dequantize_4bit

    state = base.weight.quant_state
    if into is not None and into.dtype != state.dtype:
        return into.copy_(dequantize_4bit(weight.data, state))
    wide: Tensor = dequantize_4bit(weight.data, state, out=into)
    return wide
