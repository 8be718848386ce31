"""A small Mllama whose images are cut into up to four tiles, as the 11B model's are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .conftest import write_mllama

RATIOS = [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]]


def write_tiled_mllama(folder: Path) -> Path:
    """Write a Mllama of 4 tiles of 56 px with random weights; gates that start at zero are opened."""
    return write_mllama(folder, 4, _make_telling, supported_aspect_ratios=RATIOS, intermediate_size=96)


def wake(model: Any) -> None:
    """Draw LoRA's second matrices, which begin as zeros and would change nothing."""
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)


def assert_alike(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], atol: float) -> None:
    """Outputs and gradients are the same but for rounding, each measured by its largest value."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = value.abs().max().clamp_min(1e-3)
        torch.testing.assert_close(found[name] / scale, value / scale, rtol=0, atol=atol, msg=name)


def _make_telling(model: Any) -> None:
    """Let what a test changes show in what the model computes."""
    for name, parameter in model.named_parameters():
        if name.rpartition(".")[2] in ("gate", "cross_attn_attn_gate", "cross_attn_mlp_gate"):
            parameter.fill_(1.0)
        elif "vision" in name and parameter.dim() > 1:
            parameter.mul_(6.0)  # else attention is nearly uniform, and a wrong mask would hardly show
        elif "layers" in name and parameter.dim() > 1:
            parameter.mul_(4.0)  # else decoding soon repeats one token
        elif "lm_head" in name:
            parameter.mul_(20.0)  # else two tokens are too often equally likely
