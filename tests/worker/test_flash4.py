"""flash-attn-4 is used where it is there and right, else cuDNN; rows of heads of 80 are read as they were written."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any

import pytest
import torch

from radtui.worker.model import attention_kernels, flash4

SCALE = 80**-0.5


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A stand-in of the package's module, whose kernels are PyTorch's for a CPU."""
    interface: Any = types.ModuleType("flash_attn.cute.interface")

    def forward(query, key, value, softmax_scale, return_lse):
        assert return_lse
        query, key, value = (each.transpose(1, 2) for each in (query, key, value))
        output, sums = attention_kernels.CPU.forward(query, key, value, softmax_scale)
        return output.transpose(1, 2), sums[0]

    def converted(multiple: list[int], *arguments, hdim_multiple_of=32):
        multiple.append(hdim_multiple_of)

    convert: Any = converted
    convert.compile_cache = {}

    def backward(query, key, value, output, grad, sums, softmax_scale):
        grad, query, key, value, output = (each.transpose(1, 2) for each in (grad, query, key, value, output))
        grads = list(attention_kernels.CPU.backward(grad, query, key, value, output, (sums,), softmax_scale))
        read: list[int] = []
        interface._bwd_postprocess_convert(read)
        assert interface._bwd_postprocess_convert.compile_cache is convert.compile_cache
        if read != [16]:  # rows of 80 read as rows of 96
            grads[0] = grads[0].roll(1, -2)
        return tuple(each.transpose(1, 2) for each in grads)

    interface._flash_attn_fwd, interface._flash_attn_bwd = forward, backward
    interface._bwd_postprocess_convert = convert
    cute: Any = types.ModuleType("flash_attn.cute")
    cute.interface = interface
    for name, module in (("flash_attn", types.ModuleType("flash_attn")), ("flash_attn.cute", cute)):
        module.__path__ = []
        module.__spec__ = types.SimpleNamespace(name=name, origin=None, submodule_search_locations=[])
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "flash_attn.cute.interface", interface)
    monkeypatch.setattr(flash4, "CUDNN", attention_kernels.CPU)
    flash4._tried.cache_clear()
    yield interface
    flash4._tried.cache_clear()


def test_right_numbers_are_used(package):
    kernel = flash4._tried("cpu", torch.float32, 80)
    assert kernel is not None
    assert flash4._apart(kernel, "cpu", torch.float32, 80) < 1e-5
    again = package._bwd_postprocess_convert
    assert flash4._interface() is package and package._bwd_postprocess_convert is again  # corrected once


def test_wrong_numbers_are_not(package, monkeypatch):
    right = package._flash_attn_bwd

    def wrong(*given, **named):
        query, *rest = right(*given, **named)
        return (query * 1.1, *rest)

    monkeypatch.setattr(package, "_flash_attn_bwd", wrong)
    assert flash4._tried("cpu", torch.float32, 80) is None


def test_not_a_number_is_wrong(package, monkeypatch):
    right = package._flash_attn_fwd
    monkeypatch.setattr(
        package,
        "_flash_attn_fwd",
        lambda *given, **named: [each * float("nan") for each in right(*given, **named)],
    )
    assert flash4._tried("cpu", torch.float32, 80) is None


def test_a_kernel_that_does_not_compile_leaves_cudnn(package, monkeypatch):
    def broken(*given, **named):
        raise AssertionError("head_dim is not supported")

    monkeypatch.setattr(package, "_flash_attn_fwd", broken)
    assert flash4._tried("cpu", torch.float32, 80) is None


def test_without_the_package_or_a_hopper_gpu_there_is_none(monkeypatch):
    monkeypatch.setattr(flash4.importlib.util, "find_spec", lambda name: None)
    flash4._tried.cache_clear()
    assert flash4._tried("cpu", torch.float32, 80) is None
    flash4._tried.cache_clear()
    assert flash4.kernel(torch.device("cpu"), torch.bfloat16, 80) is None
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    assert flash4.kernel(torch.device("cuda:0"), torch.bfloat16, 80) is None


def test_a_converter_told_another_multiple_keeps_it():
    told: list[int] = []
    corrected = functools.partial(
        flash4._converted, lambda *given, hdim_multiple_of: told.append(hdim_multiple_of)
    )
    corrected()
    corrected(hdim_multiple_of=64)
    assert told == [16, 64]
