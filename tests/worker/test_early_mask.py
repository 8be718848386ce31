"""The text's mask is made before the vision tower runs, and is the same."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch
from transformers import MllamaForConditionalGeneration

from radtui.worker.model import early_mask

from .test_vision_attention import pixels


@pytest.fixture(scope="module")
def model(tiled: Path) -> MllamaForConditionalGeneration:
    return MllamaForConditionalGeneration.from_pretrained(tiled, attn_implementation="sdpa").train()


def batch(model: MllamaForConditionalGeneration) -> dict[str, torch.Tensor]:
    """Two rows, one of them padded."""
    ids = torch.randint(10, 40, (2, 9), generator=torch.Generator().manual_seed(5))
    ids[:, 1] = model.config.image_token_id
    padding = torch.ones_like(ids)
    padding[1, 6:] = 0
    seen = torch.zeros(2, 9, 1, 4)
    seen[:, 1:, :, 0] = 1
    return {
        "input_ids": ids, "attention_mask": padding, "labels": ids, "cross_attention_mask": seen,
        **pixels(model, [1, 2]),
    }  # fmt: skip


def order(model: MllamaForConditionalGeneration, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by a word when a mask is made and when the tower runs."""
    told: list[str] = []
    home = sys.modules[type(model.model.language_model).forward.__module__]
    own = home.create_causal_mask
    monkeypatch.setattr(home, "create_causal_mask", lambda **given: (told.append("mask"), own(**given))[1])
    model.model.vision_model.register_forward_pre_hook(lambda *_: told.append("tower"))
    return told


def test_the_mask_comes_first_and_losses_are_the_same(model, monkeypatch):
    inputs = batch(model)
    expected = model(**inputs).loss
    ours = copy.deepcopy(model)
    assert early_mask.install(ours)
    told = order(ours, monkeypatch)
    assert torch.equal(ours(**inputs).loss, expected)
    assert told == ["mask", "tower"]
    home = sys.modules[type(ours.model.language_model).forward.__module__]
    assert home.create_causal_mask.__name__ == "<lambda>"  # what was there before the pass


def test_a_model_that_writes_makes_its_mask_as_it_does(model, monkeypatch):
    ours = copy.deepcopy(model)
    early_mask.install(ours)
    told = order(ours, monkeypatch)
    with torch.no_grad():
        ours(**batch(ours))
    early_mask.uninstall(ours)
    ours(**batch(ours))
    assert told == ["tower", "mask", "tower", "mask"]


def test_another_model_is_left_alone():
    assert not early_mask.install(torch.nn.Linear(2, 2))
