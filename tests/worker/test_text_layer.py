"""Text layers as a few steps equal PEFT's layers, in the loss and in every matrix's gradient."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import MllamaForConditionalGeneration

from radtui.worker.model import text_layer, vision_attention

from .test_early_mask import batch
from .tiled import assert_alike, wake

TEXT = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
FUNCTIONS = ("_FromText", "_Queries", "_FromImages", "_After")


@pytest.fixture(scope="module")
def base(tiled: Path) -> MllamaForConditionalGeneration:
    return MllamaForConditionalGeneration.from_pretrained(tiled, attn_implementation="sdpa")


def adapted(base: MllamaForConditionalGeneration, targets: str = TEXT, **options: object):
    """The model with LoRA whose matrices are no longer zero, on its text layers and one product of its projector."""
    torch.manual_seed(3)
    options = {"r": 4, "lora_alpha": 6, **options}
    chosen = rf"({targets}|.*multi_modal_projector)"
    model = get_peft_model(copy.deepcopy(base), LoraConfig(target_modules=chosen, **options))
    wake(model)
    return model.train()


def outcome(model) -> dict[str, torch.Tensor]:
    """The loss of a batch, and the gradient of each LoRA matrix, the projector's before the text included."""
    model.zero_grad()
    loss = model(**batch(model.base_model.model)).loss
    loss.backward()
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return grads | {"loss": loss.detach()}


def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by a name whenever a part of a layer is computed as one step."""
    taken: list[str] = []
    for name in FUNCTIONS:
        function = getattr(text_layer, name)
        apply = function.apply
        monkeypatch.setattr(
            function, "apply", lambda *given, name=name, apply=apply: (taken.append(name), apply(*given))[1]
        )
    return taken


@pytest.mark.parametrize("alpha", [4, 6])
def test_losses_and_gradients_equal_pefts(base, alpha, monkeypatch):
    expected = outcome(adapted(base, lora_alpha=alpha))
    ours = adapted(base, lora_alpha=alpha)
    assert text_layer.install(ours) == 4
    taken = steps(monkeypatch)
    found = outcome(ours)
    assert sorted(taken) == sorted([*FUNCTIONS, *FUNCTIONS] + ["_After"] * 2)
    assert len(found) == 1 + 2 + 4 * 7 * 2
    assert_alike(found, expected, atol=5e-5)


def test_recomputed_layers_give_the_same(base, monkeypatch):
    expected = outcome(adapted(base))
    ours = adapted(base)
    text_layer.install(ours)
    ours.gradient_checkpointing_enable({"use_reentrant": False})
    taken = steps(monkeypatch)
    found = outcome(ours)
    assert len(taken) > 10  # forward twice
    assert_alike(found, expected, atol=5e-5)


@pytest.mark.parametrize(
    ("targets", "options"),
    [
        (r".*language_model.*\.(q_proj|v_proj)", {}),  # products without LoRA
        (TEXT, {"lora_dropout": 0.1}),
        (TEXT, {"use_dora": True}),
    ],
)
def test_a_layer_that_is_no_plain_lora_goes_through_peft(base, targets, options, monkeypatch):
    ours = adapted(base, targets, **options)
    text_layer.install(ours)
    taken = steps(monkeypatch)
    outcome(ours)
    assert not taken


def test_a_model_that_does_not_learn_goes_through_peft(base, monkeypatch):
    ours = adapted(base)
    text_layer.install(ours)
    taken = steps(monkeypatch)
    inputs = batch(ours.base_model.model)
    with torch.no_grad():
        ours(**inputs)
    ours.eval()(**inputs)
    ours.train()
    with ours.disable_adapter():
        ours(**inputs)
    assert not taken


def test_the_vision_attention_brings_them_and_takes_them_away(base, monkeypatch):
    ours = adapted(base)
    taken = steps(monkeypatch)
    vision_attention.install(ours)
    outcome(ours)
    assert taken
    taken.clear()
    vision_attention.uninstall(ours)
    outcome(ours)
    assert not taken
