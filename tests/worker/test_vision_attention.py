"""Mllama's vision attention without its mask equals the masked one, in outputs and gradients."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch.nn import functional
from transformers import MllamaForConditionalGeneration
from transformers.models.mllama import modeling_mllama

from radtui.worker.model import vision_attention

from .tiled import assert_alike

RATIOS = {1: 1, 2: 2, 4: 6}  # real tiles -> aspect ratio id of 4-tile models


@pytest.fixture(scope="module")
def model(tiled: Path) -> MllamaForConditionalGeneration:
    return MllamaForConditionalGeneration.from_pretrained(tiled, attn_implementation="sdpa").train()


def pixels(model, tiles: list[int]) -> dict[str, torch.Tensor]:
    """Random pixels of images with so many real tiles; padding tiles are zero, as the processor leaves them."""
    size = model.config.vision_config.image_size
    torch.manual_seed(1)
    values = torch.randn(len(tiles), 1, 4, 3, size, size)
    mask = torch.zeros(len(tiles), 1, 4, dtype=torch.long)
    for row, count in enumerate(tiles):
        values[row, :, count:] = 0
        mask[row, :, :count] = 1
    ids = torch.tensor([[RATIOS[count]] for count in tiles])
    return {"pixel_values": values, "aspect_ratio_ids": ids, "aspect_ratio_mask": mask}


def outcome(model, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The vision tower's output, and the gradient of each parameter for a fixed random target."""
    tower = model.model.vision_model
    tower.zero_grad()
    output = tower(**inputs).last_hidden_state
    torch.manual_seed(2)
    (output * torch.randn_like(output)).sum().backward()
    found = {name: p.grad.clone() for name, p in tower.named_parameters() if p.grad is not None}
    return found | {"output": output.detach()}


@pytest.mark.parametrize("tiles", [[1], [2, 2], [4], [2, 1, 4, 1]])
@pytest.mark.parametrize("recomputed", [None, 0, 1, 3])
def test_outputs_and_gradients_equal_those_of_masked_attention(model, tiles, recomputed):
    inputs = pixels(model, tiles)
    expected = outcome(model, inputs)
    ours = copy.deepcopy(model)
    assert vision_attention.install(ours)
    assert vision_attention.vision_layers(ours) == 3
    if recomputed is not None:
        vision_attention.recompute(ours, recomputed)
    found = outcome(ours, inputs)
    assert len(found) > 30
    assert_alike(found, expected, atol=2e-5)


def test_no_mask_is_built_and_none_reaches_the_kernel(model, monkeypatch):
    ours = copy.deepcopy(model)
    vision_attention.install(ours)
    monkeypatch.setattr(modeling_mllama, vision_attention.MASK_FUNCTION, lambda **_: pytest.fail("a mask"))
    calls = []
    kernel = functional.scaled_dot_product_attention

    def recorded(q, k, v, attn_mask=None, **options):
        calls.append((q.shape[0], q.shape[2], k.shape[2]))
        assert attn_mask is None
        return kernel(q, k, v, attn_mask=attn_mask, **options)

    monkeypatch.setattr(functional, "scaled_dot_product_attention", recorded)
    ours.model.vision_model(**pixels(model, [2, 4, 2]))
    # 56 px tiles of 14 px patches: 17 tokens padded to 24, 4 tiles: 96 tokens of which 34 or 68 are real.
    assert calls[:4] == [(2, 34, 96), (2, 62, 34), (1, 68, 96), (1, 28, 68)]


def test_the_mask_of_the_model_does_matter(model):
    # Otherwise the comparison above would hold for any attention.
    inputs = pixels(model, [1, 2])
    expected = model.model.vision_model(**inputs).last_hidden_state
    without = copy.deepcopy(model)
    for layer in without.modules():
        if type(layer).__name__ == "MllamaVisionAttention":
            layer.register_forward_pre_hook(
                lambda _, args, kwargs: (args, kwargs | {"attention_mask": None}), with_kwargs=True
            )
    assert (without.model.vision_model(**inputs).last_hidden_state - expected).abs().max() > 1e-3


def test_another_model_in_the_process_keeps_its_mask(model):
    inputs = pixels(model, [1, 2])
    expected = model.model.vision_model(**inputs).last_hidden_state
    vision_attention.install(copy.deepcopy(model))
    assert torch.equal(model.model.vision_model(**inputs).last_hidden_state, expected)


def test_a_model_gets_its_own_methods_back(model):
    inputs = pixels(model, [1, 2])
    expected = model.model.vision_model(**inputs).last_hidden_state
    ours = copy.deepcopy(model)
    vision_attention.install(ours)
    vision_attention.uninstall(ours)
    assert torch.equal(ours.model.vision_model(**inputs).last_hidden_state, expected)
    assert vision_attention.vision_layers(ours) == 0


def test_a_transformers_that_builds_no_such_mask_is_left_alone(model, monkeypatch):
    ours = copy.deepcopy(model)
    monkeypatch.delattr(modeling_mllama, vision_attention.MASK_FUNCTION)
    assert not vision_attention.install(ours) and vision_attention.vision_layers(ours) == 0


def test_a_model_without_such_a_tower_is_left_alone():
    assert not vision_attention.install(torch.nn.Linear(2, 2))


def test_only_the_states_that_are_used_are_kept(model):
    ours = copy.deepcopy(model)
    vision_attention.install(ours)
    tower = ours.model.vision_model
    plan = vision_attention.plan(torch.tensor([[1, 1, 0, 0]]), 17, 24, torch.float32)
    states = tower.transformer(torch.randn(1, 96, 64), attention_mask=plan).hidden_states
    assert [state is not None for state in states] == [
        place in tower.intermediate_layers_indices for place in range(len(states))
    ]
