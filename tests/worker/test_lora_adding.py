"""LoRA's part beside an activation: PyTorch's passes give autograd's numbers; kernels are used if theirs are right."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import pytest
import torch
from torch.nn import functional

from radtui import worker
from radtui.worker.model import lora_adding


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in of the kernels' module that works on a CPU."""
    module: Any = types.ModuleType("radtui.worker.model.lora_kernels")
    module.add = lambda output, narrow, up: output.addmm_(narrow, up)
    module.add_and_activate = lambda output, narrow, up: functional.gelu(output.addmm_(narrow, up))

    def activation_gradient(grad, narrow, up, wide):
        grad.copy_(torch.ops.aten.gelu_backward(grad.addmm_(narrow, up), wide))
        return functional.gelu(wide)

    module.activation_gradient = activation_gradient
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(worker.model, "lora_kernels", module, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name == "triton" else None)
    lora_adding._kernels_on.cache_clear()
    yield module
    lora_adding._kernels_on.cache_clear()


def test_gradients_are_autograds() -> None:
    torch.manual_seed(0)
    wide, narrow, up = torch.randn(6, 5), torch.randn(6, 3), torch.randn(3, 5)
    sums = (wide + narrow @ up).requires_grad_()
    own = wide.clone()
    assert torch.allclose(lora_adding.add_and_activate(own, narrow, up), functional.gelu(sums), atol=1e-6)
    assert torch.allclose(own, sums, atol=1e-6)
    raw = torch.randn(6, 5)
    functional.gelu(sums).backward(raw + narrow @ up)
    of_wide, activated = lora_adding.activation_gradient(raw.clone(), narrow, up, own)
    assert torch.allclose(of_wide, sums.grad, atol=1e-6) and torch.allclose(
        activated, functional.gelu(sums), atol=1e-6
    )


def test_right_kernels_are_used_for_16_bits(kernels: Any) -> None:
    assert lora_adding._kernels_on("cpu", torch.bfloat16) is kernels
    assert lora_adding._kernels_on("cpu", torch.float32) is None


@pytest.mark.parametrize(
    "broken",
    [
        lambda output, narrow, up: output.add_(1),
        lambda *_: (_ for _ in ()).throw(RuntimeError("no compiler")),
    ],
)
def test_wrong_kernels_and_those_that_fail_are_not(kernels: Any, broken) -> None:
    kernels.add = broken
    assert lora_adding._kernels_on("cpu", torch.bfloat16) is None
