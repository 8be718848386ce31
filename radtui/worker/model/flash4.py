"""flash-attn-4's kernels for Hopper, used where that package is installed and gives right numbers.

A vision layer's attention over 8 images at Mllama's 16 heads of 80 takes 10.1 ms with them on an H200, forward and
backward, and 14.0 with cuDNN's. radtui does not depend on the package: what it compiles with is not free software.
"""

from __future__ import annotations

import functools
import importlib.util
import logging
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from radtui.worker.model.attention_kernels import CUDNN, Group, Kept, Kernel, mix, mix_gradient

log = logging.getLogger("radtui.worker")
HOPPER = (9, 0)
MOST_APART = 0.02  # share of the norm; two kernels that sum in another order are 0.003 apart
TRIED_TOKENS, TRIED_REAL = 384, 200  # more than a block of either, and no multiple of one


def kernel(device: torch.device, dtype: torch.dtype, head_size: int) -> Kernel | None:
    """The kernels for such tensors; None without a Hopper GPU, the package, or right numbers."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) != HOPPER:
        return None
    return _tried(str(device), dtype, head_size)


@functools.cache
def _tried(device: str, dtype: torch.dtype, head_size: int) -> Kernel | None:
    interface = _interface()
    if interface is None:
        return None
    ours = Kernel(partial(_forward, interface), partial(_backward, interface))
    try:
        apart = _apart(ours, device, dtype, head_size)
    except Exception as error:  # compiles at its first call: whatever goes wrong there, cuDNN is left
        log.info("flash-attn-4 cannot be used: %s", str(error).partition("\n")[0])
        return None
    if not apart < MOST_APART:
        log.info("flash-attn-4 is not used: its numbers are %.3f of cuDNN's apart", apart)
        return None
    log.info("Vision attention by flash-attn-4, %.4f of cuDNN's numbers apart", apart)
    return ours


def _interface() -> ModuleType | None:
    """The package's module, with the one correction that a head size of 80 needs."""
    if importlib.util.find_spec("flash_attn") is None:
        return None
    try:
        from flash_attn.cute import interface
    except (ImportError, OSError, RuntimeError) as error:
        log.info("flash-attn-4 cannot be loaded: %s", str(error).partition("\n")[0])
        return None
    convert = getattr(interface, "_bwd_postprocess_convert", None)
    if convert is not None and not hasattr(convert, "__wrapped__"):
        # With the attributes of what it wraps, since that looks for its compiled kernels under its own name.
        interface._bwd_postprocess_convert = functools.wraps(convert)(partial(_converted, convert))
    module: ModuleType = interface
    return module


def _converted(convert: Any, *arguments: Any, hdim_multiple_of: int = 32, **options: Any) -> None:
    """Read a gradient's sums in the rows they were written in.

    The backward kernel writes rows of a multiple of 16, what converts them reads rows of a multiple of 32: the same but
    for head sizes like 80. Seen in 4.0.0b36; a version that agrees with itself is told the same by `_apart`.
    """
    convert(*arguments, hdim_multiple_of=16 if hdim_multiple_of == 32 else hdim_multiple_of, **options)


def _forward(interface: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> tuple[Tensor, Kept]:
    output, sums, *_ = interface._flash_attn_fwd(
        *(each.transpose(1, 2) for each in (query, key, value)), softmax_scale=scale, return_lse=True
    )
    return output.transpose(1, 2), (sums,)


def _backward(
    interface: Any, grad: Tensor, query: Tensor, key: Tensor, value: Tensor, output: Tensor, kept: Kept, scale: float
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    laid = [each.transpose(1, 2) for each in (query, key, value, output, grad)]
    of_query, of_key, of_value = interface._flash_attn_bwd(*laid, kept[0], softmax_scale=scale)[:3]
    return of_query.transpose(1, 2), of_key.transpose(1, 2), of_value.transpose(1, 2)


def _apart(ours: Kernel, device: str, dtype: torch.dtype, head_size: int) -> float:
    """How far output and gradients of a few random tokens are from cuDNN's, the largest share of a norm."""
    source = torch.Generator(device).manual_seed(0)
    shape = (2, TRIED_TOKENS, 3, 4, head_size)
    qkv = torch.randn(shape, generator=source, device=device, dtype=dtype)
    grad = torch.randn((*shape[:2], *shape[3:]), generator=source, device=device, dtype=dtype)
    groups, scale = (Group(1, TRIED_REAL), Group(1, TRIED_TOKENS)), head_size**-0.5
    made = []
    for each in (CUDNN, ours):
        mixed, kept = mix(qkv, groups, scale, each)
        made.append([mixed, *mix_gradient(grad, qkv, mixed, kept, groups, scale, each).unbind(2)])
    return max(float((b - a).float().norm() / a.float().norm()) for a, b in zip(*made, strict=True))
