"""Mllama's norm of text tokens without autograd: one launch each way on a GPU, where the model's own takes six."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten


def normed(norm: Any, states: Tensor) -> tuple[Tensor, Tensor]:
    """What a `MllamaTextRMSNorm` gives for states (..., C), and the factor (..., 1), in 32 bits, it put on them."""
    weight, shape = norm.weight.to(states.dtype), states.shape[-1:]
    if states.is_cuda:
        output, factor = aten._fused_rms_norm(states, shape, weight, norm.variance_epsilon)
        return output, factor
    wide = states.float()
    factor = torch.rsqrt(wide.square().mean(-1, keepdim=True) + norm.variance_epsilon)
    return (wide * factor).to(states.dtype) * weight, factor


def gradient(norm: Any, grad: Tensor, states: Tensor, factor: Tensor) -> Tensor:
    """The gradient of the states.

    Args:
        norm: As given to `normed`.
        grad: Of what it gave.
        states: As given to it.
        factor: From it.
    """
    weight = norm.weight.to(states.dtype)
    if states.is_cuda:
        made: Tensor = aten._fused_rms_norm_backward(
            grad, states, states.shape[-1:], factor, weight, [True, False]
        )[0]
        return made
    straight = states.float() * factor
    scaled = grad.float() * weight
    along = (scaled * straight).mean(-1, keepdim=True)
    return ((scaled - straight * along) * factor).to(states.dtype)
