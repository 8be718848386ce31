"""Weights of 4 bits are kept in 16 too where there is room, and give the same products."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
import torch

from radtui.worker.memory import fitting
from radtui.worker.model import lora_products

SIZE = 64
EACH_GIB = 2 * SIZE * SIZE / 2**30


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """Two layers as steps, one of two joined products and one of one, whose weights cannot be read as they lie."""
    unpacked: list[int] = []

    def wide(base, into=None):
        unpacked.append(base.number)
        made = torch.full((SIZE, SIZE), float(base.number), dtype=torch.bfloat16)
        return made if into is None else into.copy_(made)

    monkeypatch.setattr(lora_products, "_weight", wide)

    def packed(number: int) -> SimpleNamespace:
        weight = torch.zeros(SIZE * SIZE // 2, 1, dtype=torch.uint8)
        return SimpleNamespace(
            base_layer=SimpleNamespace(number=number, weight=weight, in_features=SIZE, out_features=SIZE)
        )

    made = torch.nn.ModuleList(torch.nn.Identity() for _ in range(2))
    groups = [(packed(1), packed(2)), (packed(3),)]
    for layer, group in zip(made, groups, strict=True):
        layer.forward = partial(
            lambda part, x: x, SimpleNamespace(joined=(lora_products.JoinedProduct(group),))
        )
    made.unpacked = unpacked
    return made


def weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [each.weight(torch.bfloat16) for each in lora_products.products(model)]


def test_what_fits_is_held_and_is_the_same(model):
    before = weights(model)
    assert before[0].shape == (2 * SIZE, SIZE) and before[0].unique().tolist() == [1.0, 2.0]
    assert lora_products.hold(model, 3 * EACH_GIB) == lora_products.held_gib(model) == 3 * EACH_GIB
    model.unpacked.clear()
    for held, expected in zip(weights(model), before, strict=True):
        assert torch.equal(held, expected)
    assert not model.unpacked
    assert lora_products.hold(model, 3 * EACH_GIB) == 0  # all are there


def test_what_does_not_fit_is_unpacked_each_time(model):
    assert lora_products.hold(model, 1.5 * EACH_GIB) == EACH_GIB  # the second layer's alone
    model.unpacked.clear()
    weights(model)
    assert model.unpacked == [1, 2]
    assert lora_products.hold(model, 0.0) == 0


def test_all_are_let_go(model):
    lora_products.hold(model, 1.0)
    lora_products.let_go(model)
    assert lora_products.held_gib(model) == 0


@pytest.mark.parametrize(
    ("recomputed", "text", "peak_gib", "room_gib"),
    [
        (0, False, 60.0, 100 * 0.94 - 1 - 60), (1, False, 60.0, 0), (0, True, 60.0, 0), (0, False, 0.0, 0),
        (0, False, 99.0, 0),
    ],
)  # fmt: skip
def test_there_is_room_only_beside_a_plan_that_computes_nothing_twice(recomputed, text, peak_gib, room_gib):
    plan = fitting.Fit(8, 1, recomputed, 40, text, peak_gib, 100.0)
    assert plan.room_gib == pytest.approx(room_gib)
