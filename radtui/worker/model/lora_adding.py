"""LoRA's part added to a product, by itself or together with the activation beside it, in as few passes as can be.

A product of 8 images' tokens in a vision layer is half a gigabyte. PyTorch reads and writes it once to add LoRA's part,
once more for the activation, and in the backward pass three times. Where Triton is (it comes with torch for CUDA), one
kernel does both, in the same precision: the sum in 32 bits, rounded to 16 before the activation. A step of 8 images
at Mllama's shape takes 1.155 s on an H200 so, 1.187 without; a machine's first step compiles 7 s longer. While
describing it gains nothing.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from types import ModuleType

import torch
from torch import Tensor

aten = torch.ops.aten
log = logging.getLogger("radtui.worker")
# Below, as for the text's tokens, starting a kernel of Triton's takes longer than a pass.
LEAST_NUMBERS = 30_000_000
MOST_APART = 0.004  # share of the norm; one rounding of 16 bits is 0.002
TRIED = (200, 136, 24)  # rows, columns, rank: no multiples of what a kernel takes at once


def add(output: Tensor, narrow: Tensor, up: Tensor) -> None:
    """Add LoRA's part to an output where it lies.

    Args:
        output: (n, out).
        narrow: (n, r).
        up: (r, out).
    """
    if (kernels := _kernels_for(output)) is not None:
        kernels.add(output, narrow, up)
    else:
        output.addmm_(narrow, up)


def add_and_activate(output: Tensor, narrow: Tensor, up: Tensor) -> Tensor:
    """The same, and the exact GELU of the sum, (n, out)."""
    if (kernels := _kernels_for(output)) is not None:
        activated: Tensor = kernels.add_and_activate(output, narrow, up)
        return activated
    output.addmm_(narrow, up)
    return torch.nn.functional.gelu(output)


def activation_gradient(grad: Tensor, narrow: Tensor, up: Tensor, wide: Tensor) -> tuple[Tensor, Tensor]:
    """Back through LoRA's part of the layer behind a GELU, and through the GELU.

    Args:
        grad: Of GELU's output (n, out) but for LoRA's part; what it held is lost.
        narrow: (n, r) of LoRA's part.
        up: (r, out) of it.
        wide: GELU's input, (n, out).

    Returns:
        The gradient of `wide`, and GELU of it.
    """
    if (kernels := _kernels_for(grad)) is not None:
        return grad, kernels.activation_gradient(grad, narrow, up, wide)
    grad.addmm_(narrow, up)
    return aten.gelu_backward.grad_input(grad, wide, grad_input=grad), torch.nn.functional.gelu(wide)


def _kernels_for(output: Tensor) -> ModuleType | None:
    if not output.is_cuda or not output.is_contiguous() or output.numel() < LEAST_NUMBERS:
        return None
    return _kernels_on(str(output.device), output.dtype)


@functools.cache
def _kernels_on(device: str, dtype: torch.dtype) -> ModuleType | None:
    """The kernels, where they can be compiled and give right numbers."""
    if dtype != torch.bfloat16 or importlib.util.find_spec("triton") is None:
        return None
    try:
        from radtui.worker.model import lora_kernels

        apart = _apart(lora_kernels, device, dtype)
    except Exception as error:  # compiles at its first call: whatever goes wrong there, PyTorch's way is left
        log.info("LoRA is added in passes of its own: %s", str(error).partition("\n")[0])
        return None
    if not apart < MOST_APART:
        log.info("LoRA is added in passes of its own: kernels are %.4f apart", apart)
        return None
    return lora_kernels


def _apart(kernels: ModuleType, device: str, dtype: torch.dtype) -> float:
    """How far the kernels' results for a few random numbers are from PyTorch's, the largest share of a norm."""
    rows, columns, rank = TRIED
    source = torch.Generator(device).manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=source, device=device, dtype=dtype)

    output, narrow, up, grad = (
        drawn(rows, columns),
        drawn(rows, rank),
        drawn(columns, rank).t(),
        drawn(rows, columns),
    )
    wide = output.clone()
    expected = torch.addmm(wide, narrow, up)
    activated = kernels.add_and_activate(output, narrow, up)
    of_output = torch.addmm(grad, narrow, up)
    again = kernels.activation_gradient(grad, narrow, up, expected)
    kernels.add(wide, narrow, up)
    gelu = torch.nn.functional.gelu(expected)
    pairs = [
        (output, expected), (wide, expected), (activated, gelu), (again, gelu),
        (grad, aten.gelu_backward(of_output, expected)),
    ]  # fmt: skip
    return max(float((a - b).float().norm() / b.float().norm()) for a, b in pairs)
