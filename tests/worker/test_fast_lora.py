"""LoRA added in place gives what PEFT gives, and only where nothing is learnt."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model

from radtui.worker.model import fast_lora


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(12, 20), torch.nn.GELU(), torch.nn.Linear(20, 6, bias=False))
    tuned = get_peft_model(net, LoraConfig(r=4, lora_alpha=12, target_modules=["0", "2"])).eval()
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    return tuned


def test_outputs_equal_pefts_with_the_adapter_and_without(model):
    x = torch.randn(2, 3, 12)
    with torch.inference_mode():
        tuned = model(x)
        with model.disable_adapter():
            base = model(x)
        assert fast_lora.install(model) == 2 == fast_lora.install(model)
        torch.testing.assert_close(model(x), tuned, rtol=1e-5, atol=1e-5)
        with model.disable_adapter():
            assert torch.equal(model(x), base)
    assert (tuned - base).abs().max() > 0.1


def test_training_is_pefts_own(model):
    fast_lora.install(model)
    model(torch.randn(3, 12)).sum().backward()
    grads = [p.grad for name, p in model.named_parameters() if "lora_" in name]
    assert len(grads) == 4 and all(g is not None and g.abs().sum() > 0 for g in grads)


def test_it_is_the_in_place_way_that_runs(model, monkeypatch):
    fast_lora.install(model)
    calls = []
    whole = torch.Tensor.addmm_
    monkeypatch.setattr(torch.Tensor, "addmm_", lambda self, *a, **k: calls.append(k) or whole(self, *a, **k))
    with torch.inference_mode():
        model(torch.randn(3, 12))
    assert [call["alpha"] for call in calls] == [3.0, 3.0]  # alpha / r
    model(torch.randn(3, 12))
    assert len(calls) == 2


def test_more_than_plain_lora_is_left_alone():
    net = torch.nn.Sequential(torch.nn.Linear(12, 20))
    assert fast_lora.install(get_peft_model(net, LoraConfig(r=4, target_modules=["0"], use_dora=True))) == 0
