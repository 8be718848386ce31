"""Which kernels compute the vision tower's attention on a device: the fastest that work there."""

from __future__ import annotations

import functools
import logging

import torch

from radtui.worker.model import attention_kernels, flash4

log = logging.getLogger("radtui.worker")


def kernel_for(device: torch.device, dtype: torch.dtype, head_size: int) -> attention_kernels.Kernel | None:
    """What computes attention there, forward and backward; None where nothing can be called directly.

    Args:
        device: Of the tensors.
        dtype: Likewise.
        head_size: D.
    """
    if device.type == "cuda":
        faster = flash4.kernel(device, dtype, head_size)
        return faster or (attention_kernels.CUDNN if _cudnn_works(str(device), dtype, head_size) else None)
    return attention_kernels.of_device.get(device.type)


@functools.cache
def _cudnn_works(device: str, dtype: torch.dtype, head_size: int) -> bool:
    """Whether cuDNN's kernels can be called here, tried on a few tokens."""
    try:
        qkv = torch.zeros(1, 16, 3, 2, head_size, device=device, dtype=dtype)
        groups = (attention_kernels.Group(1, 9),)
        mixed, kept = attention_kernels.mix(qkv, groups, 1.0, attention_kernels.CUDNN)
        attention_kernels.mix_gradient(mixed, qkv, mixed, kept, groups, 1.0, attention_kernels.CUDNN)
        torch.cuda.synchronize(device)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        log.info("cuDNN's attention cannot be called directly: %s", str(error).splitlines()[0])
        return False
    return True
