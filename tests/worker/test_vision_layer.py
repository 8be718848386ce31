"""A vision layer as one step equals PEFT's layer, in what comes out and in every matrix's gradient."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import MllamaForConditionalGeneration

from radtui.worker.memory import meta_pass
from radtui.worker.model import attention_kernels, vision_attention, vision_layer

from .test_vision_attention import pixels
from .tiled import assert_alike, wake

VISION = r".*vision_model.*\.(q_proj|k_proj|v_proj|o_proj|fc1|fc2)"


@pytest.fixture(scope="module")
def base(tiled: Path) -> MllamaForConditionalGeneration:
    return MllamaForConditionalGeneration.from_pretrained(tiled, attn_implementation="sdpa")


def adapted(base: MllamaForConditionalGeneration, targets: str = VISION, **options: object):
    """The model with LoRA on its vision tower, whose matrices are no longer zero."""
    torch.manual_seed(3)
    model = get_peft_model(
        copy.deepcopy(base), LoraConfig(r=4, lora_alpha=6, target_modules=targets, **options)
    )
    wake(model)
    return model.train()


def outcome(model, tiles: list[int]) -> dict[str, torch.Tensor]:
    """The tower's output, and the gradient of each LoRA matrix for a fixed random target."""
    tower = model.base_model.model.model.vision_model
    model.zero_grad()
    output = tower(**pixels(model.base_model.model, tiles)).last_hidden_state
    torch.manual_seed(2)
    (output * torch.randn_like(output)).sum().backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return grads | {"output": output.detach()}


def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever a layer is computed as one step."""
    taken: list[int] = []
    apply = vision_layer._Step.apply
    monkeypatch.setattr(vision_layer._Step, "apply", lambda *given: (taken.append(1), apply(*given))[1])
    return taken


@pytest.mark.parametrize("tiles", [[1], [4], [2, 1, 4, 1]])
@pytest.mark.parametrize("recomputed", [0, 2])
def test_outputs_and_gradients_equal_pefts(base, tiles, recomputed, monkeypatch):
    expected = outcome(adapted(base), tiles)
    ours = adapted(base)
    vision_attention.install(ours)
    vision_attention.recompute(ours, recomputed)
    taken = steps(monkeypatch)
    found = outcome(ours, tiles)
    assert len(taken) == 3 + recomputed
    assert len(found) == 1 + 3 * 6 * 2
    assert_alike(found, expected, atol=2e-5)


def test_gates_count(base, monkeypatch):
    gated = copy.deepcopy(base)
    with torch.no_grad():
        for name, parameter in gated.named_parameters():
            if "vision" in name and name.endswith(("gate_attn", "gate_ffn")):
                parameter.fill_(0.3)
    expected = outcome(adapted(gated), [2, 1])["output"]
    ours = adapted(gated)
    vision_attention.install(ours)
    taken = steps(monkeypatch)
    torch.testing.assert_close(outcome(ours, [2, 1])["output"], expected, rtol=1e-4, atol=1e-4)
    assert taken


@pytest.mark.parametrize(
    ("targets", "options"),
    [
        (r".*vision_model.*\.(q_proj|v_proj)", {}),  # a layer without LoRA
        (VISION, {"lora_dropout": 0.1}),
        (VISION, {"use_dora": True}),
    ],
)
def test_a_layer_that_is_no_plain_lora_goes_through_peft(base, targets, options, monkeypatch):
    ours = adapted(base, targets, **options)
    vision_attention.install(ours)
    taken = steps(monkeypatch)
    torch.manual_seed(0)
    outcome(ours, [1])
    assert not taken


def test_a_layer_goes_through_peft_without_gradients_and_with_its_adapter_off(base, monkeypatch):
    ours = adapted(base)
    vision_attention.install(ours)
    taken = steps(monkeypatch)
    with torch.no_grad():
        ours.base_model.model.model.vision_model(**pixels(ours.base_model.model, [1]))
    with ours.disable_adapter():
        ours.base_model.model.model.vision_model(**pixels(ours.base_model.model, [1]))
    assert not taken


def test_a_model_gets_its_own_layers_back(base, monkeypatch):
    ours = adapted(base)
    vision_attention.install(ours)
    vision_attention.uninstall(ours)
    taken = steps(monkeypatch)
    outcome(ours, [1])
    assert not taken


def test_the_estimate_sees_what_a_step_keeps(base):
    """10 tensors of the tokens' size a layer (6 and the activation's input), where PEFT's layer keeps more."""
    rows, tokens, width, wide = 2, 96, 64, 96
    held = {}
    for whose in ("peft", "ours"):
        model = adapted(base)
        vision_attention.install(model)
        if whose == "peft":
            for layer in model.modules():
                if type(layer).__name__ == "MllamaVisionEncoderLayer":
                    vision_layer.uninstall(layer)
        model = model.to("meta")
        layer = model.base_model.model.model.vision_model.transformer.layers[0]
        hidden = torch.empty(rows, tokens, width, device="meta", requires_grad=True)
        plan = vision_attention.AttentionOrder(
            torch.empty(0), torch.empty(0), (attention_kernels.Group(2, 34),)
        )
        with meta_pass.Ledger() as ledger, meta_pass._fused_attention():
            after = layer(hidden, attention_mask=plan)
            held[whose] = ledger.held / (rows * tokens * 4)
        assert after.shape == hidden.shape
    own = width * 6 + wide  # queries, keys, values, mixed, middle, after; the activation's input
    assert own <= held["ours"] < own + 40 < held["peft"]
