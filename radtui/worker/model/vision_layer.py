"""A layer of Mllama's vision tower with its LoRA matrices as one step, forward and backward.

Through autograd and PEFT a layer keeps about 16 tensors of its tokens' size, and reads and writes them once more for
each of LoRA's parts. Here it keeps 10: what goes in, queries, keys and values, what attention gives, the sum after it,
and the (four times as wide) input of the activation; norms and the activation are computed again, which costs next to
nothing. Queries, keys and values are one product, with one LoRA product for the three, and LoRA adds in place.

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

from radtui.worker.model import attention_choice, attention_kernels, lora_adding
from radtui.worker.model.lora_products import (
    JoinedProduct,
    Narrow,
    is_lora,
    no_autocast,
    same_precision,
    shared_out,
)

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class _Layer:
    """What a layer is made of, and how it is put together."""

    norms: tuple[Any, Any]  # before attention, before the feed-forward part
    qkv: JoinedProduct
    mixed: JoinedProduct  # after attention
    up: JoinedProduct
    down: JoinedProduct
    heads: int
    scale: float
    gates: tuple[float, float]  # what attention and the feed-forward part are multiplied with

    @property
    def joined(self) -> tuple[JoinedProduct, ...]:
        """All products, in the order of their matrices."""
        return self.qkv, self.mixed, self.up, self.down

    def normed(self, number: int, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A norm's output, and its means and deviations."""
        norm = self.norms[number]
        made: tuple[Tensor, Tensor, Tensor] = torch.native_layer_norm(
            x, x.shape[-1:], norm.weight.to(x.dtype), norm.bias.to(x.dtype), norm.eps
        )
        return made

    def norm_gradient(self, number: int, grad: Tensor, x: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
        """The gradient of a norm's input."""
        norm = self.norms[number]
        made: Tensor = aten.native_layer_norm_backward(
            grad,
            x,
            x.shape[-1:],
            mean,
            deviation,
            norm.weight.to(x.dtype),
            norm.bias.to(x.dtype),
            [True, False, False],
        )[0]
        return made


class _Step(torch.autograd.Function):
    """One layer."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, layer: _Layer, groups: Any, kernel: Any, *matrices: Tensor
    ) -> Tensor:
        rows, tokens, width = hidden.shape
        of_qkv, of_mixed, of_up, of_down = _narrow(layer, matrices, hidden.dtype)
        before = hidden.reshape(-1, width)  # (n, C)
        with no_autocast(hidden.device.type):
            qkv, narrow_qkv = layer.qkv.forward(layer.normed(0, before)[0], of_qkv)
            shape = (rows, tokens, 3, layer.heads, width // layer.heads)
            mixed, kept = attention_kernels.mix(qkv.view(shape), groups, layer.scale, kernel)
            output, narrow_mixed = layer.mixed.forward(mixed.view(-1, width), of_mixed)
            middle = torch.add(before, output, alpha=layer.gates[0])
            wide, narrow_up = layer.up.without_lora(layer.normed(1, middle)[0], of_up)
            activated = lora_adding.add_and_activate(wide, narrow_up, of_up.up.t())
            output, narrow_down = layer.down.forward(activated, of_down)
            del activated
            after = torch.add(middle, output, alpha=layer.gates[1])
        ctx.layer, ctx.groups, ctx.kernel = layer, groups, kernel
        ctx.save_for_backward(
            hidden,
            qkv,
            narrow_qkv,
            mixed,
            narrow_mixed,
            middle,
            wide,
            narrow_up,
            narrow_down,
            *matrices,
            *kept,
        )
        return after.view(hidden.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        layer, kernel = ctx.layer, ctx.kernel
        (hidden, qkv, narrow_qkv, mixed, narrow_mixed, middle, wide, narrow_up, narrow_down, *rest) = (
            ctx.saved_tensors
        )
        count = 2 * sum(len(each.layers) for each in layer.joined)
        matrices, kept = rest[:count], rest[count:]
        of_qkv, of_mixed, of_up, of_down = _narrow(layer, matrices, hidden.dtype)
        rows, tokens, width = hidden.shape
        before, grad = hidden.reshape(-1, width), grad.reshape(-1, width)
        with no_autocast(hidden.device.type):
            of_output = _gated(grad, layer.gates[1])
            of_narrow = of_output @ of_down.up  # (n, r)
            of_wide, activated = lora_adding.activation_gradient(
                of_output @ layer.down.weight(hidden.dtype), of_narrow, of_down.down, wide
            )
            down_grads = layer.down.of_matrices(of_output, of_narrow, activated, narrow_down)
            del activated
            normed, mean, deviation = layer.normed(1, middle)
            of_normed, up_grads = layer.up.backward(of_wide, normed, narrow_up, of_up)
            del of_wide, normed
            of_middle = layer.norm_gradient(1, of_normed, middle, mean, deviation).add_(grad)
            of_mix, mixed_grads = layer.mixed.backward(
                _gated(of_middle, layer.gates[0]), mixed.view(-1, width), narrow_mixed, of_mixed
            )
            shape = (rows, tokens, 3, layer.heads, width // layer.heads)
            grad_qkv = attention_kernels.mix_gradient(
                of_mix.view(mixed.shape), qkv.view(shape), mixed, kept, ctx.groups, layer.scale, kernel
            )
            normed, mean, deviation = layer.normed(0, before)
            of_normed, qkv_grads = layer.qkv.backward(
                grad_qkv.view(qkv.shape), normed, narrow_qkv, of_qkv, ctx.needs_input_grad[0]
            )
            of_hidden = None
            if of_normed is not None:
                of_hidden = layer.norm_gradient(0, of_normed, before, mean, deviation).add_(of_middle)
                of_hidden = of_hidden.view(hidden.shape)
        return of_hidden, None, None, None, *qkv_grads, *mixed_grads, *up_grads, *down_grads


def products_of(layer: Any) -> tuple[tuple[Any, ...], ...]:
    """The linear layers of a `MllamaVisionEncoderLayer`, those together that take one input: qkv, mixed, up, down."""
    attention, mlp = layer.self_attn, layer.mlp
    return (attention.q_proj, attention.k_proj, attention.v_proj), (attention.o_proj,), (mlp.fc1,), (mlp.fc2,)


def gates_of(layer: Any) -> list[Tensor]:
    """What attention and the feed-forward part are multiplied with, before tanh; none where the layer has none."""
    return [layer.gate_attn, layer.gate_ffn] if layer.is_gated else []


def has_plain_gelu(layer: Any) -> bool:
    """Whether its activation is the exact GELU."""
    activation = layer.mlp.activation_fn
    return type(activation).__name__ == "GELUActivation" or activation is torch.nn.functional.gelu


def install(layer: Any) -> bool:
    """Let a vision layer whose products all have LoRA train as one step; any other is left alone.

    Args:
        layer: A `MllamaVisionEncoderLayer`, as the model has it.
    """
    groups = products_of(layer)
    gates = gates_of(layer)
    all_lora = all(is_lora(each) for group in groups for each in group)
    if not has_plain_gelu(layer) or any(gate.requires_grad for gate in gates) or not all_lora:
        return False
    norms = layer.input_layernorm, layer.post_attention_layernorm
    attention = layer.self_attn
    qkv, mixed, up, down = map(JoinedProduct, groups)
    parts = _Layer(norms, qkv, mixed, up, down, attention.num_heads, attention.scaling, _values(gates))
    layer.forward = partial(_forward, layer, parts, layer.forward)
    return True


def uninstall(layer: Any) -> None:
    """Give a layer its own method back."""
    if isinstance(layer.__dict__.get("forward"), partial):
        del layer.forward


def _forward(
    layer: Any, parts: _Layer, original: Callable[..., Any], hidden_states: Tensor, attention_mask: Any = None,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """The layer as one step where it learns over sorted tokens; else its own forward pass."""
    groups = getattr(attention_mask, "groups", None)
    if groups is not None and layer.training and torch.is_grad_enabled() and same_precision(hidden_states):
        kernel = attention_choice.kernel_for(
            hidden_states.device, hidden_states.dtype, hidden_states.shape[-1] // parts.heads
        )
        if kernel is not None and all(each.ready for each in parts.joined):
            matrices = [matrix for each in parts.joined for matrix in each.matrices()]
            return _Step.apply(hidden_states, parts, groups, kernel, *matrices)
    return original(hidden_states, attention_mask=attention_mask, **kwargs)


def _values(gates: list[Tensor]) -> tuple[float, float]:
    if not gates or gates[0].is_meta:
        return 1.0, 1.0
    first, second = (float(gate.detach().float().tanh()) for gate in gates)
    return first, second


def _gated(grad: Tensor, gate: float) -> Tensor:
    return grad if gate == 1.0 else grad * gate


def _narrow(layer: _Layer, matrices: Sequence[Tensor], dtype: torch.dtype) -> list[Narrow]:
    """Each product's LoRA matrices as it takes them."""
    shares = shared_out(layer.joined, matrices)
    return [each.narrow(own, dtype) for each, own in zip(layer.joined, shares, strict=True)]
