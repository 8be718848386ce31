"""Micro-batch and recomputation are chosen from what probes take."""

from __future__ import annotations

import pytest
import torch

from radtui.settings import TrainSettings
from radtui.worker.memory import fitting

LAYERS = 40


class Card:
    """A GPU of so many GiB: weights, a part per image, and a part per image and layer whose activations are kept."""

    def __init__(self, gib: float, text_gib: float = 0.1) -> None:
        self.gib, self.text_gib = gib, text_gib
        self.recomputed, self.text, self.probed = 0, False, []

    def keep(self, recomputed: int, text: bool) -> None:
        self.recomputed, self.text = recomputed, text

    def takes(self, images: int) -> float:
        kept = (LAYERS - self.recomputed) * 0.2 + (0 if self.text else self.text_gib)
        return 8 + images * (0.8 + kept)

    def probe(self, images: int) -> float:
        self.probed.append((images, self.recomputed, self.text))
        if self.takes(images) > self.gib:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.takes(images)


def fitted(gib: float, batch: int = 8, **card: float) -> tuple[fitting.Fit, Card]:
    of = Card(gib, **card)
    settings = TrainSettings(batch_size=batch, gradient_accumulation=1)
    return fitting.fit(settings, of.probe, of.keep, LAYERS, gib), of


def test_a_large_card_recomputes_nothing():
    found, card = fitted(139)
    assert (found.batch_size, found.gradient_accumulation) == (8, 1)
    assert (found.recomputed_layers, found.recompute_text, found.recomputes) == (0, False, False)
    assert (card.recomputed, card.text) == (0, False)
    assert found.peak_gib == pytest.approx(card.takes(8))
    assert "8 images at a time" in found.sentence and "nothing is computed twice" in found.sentence


@pytest.mark.parametrize("gib", [30, 45, 60, 79])
def test_as_many_layers_keep_their_activations_as_fit(gib):
    found, card = fitted(gib)
    assert found.batch_size == 8 and 0 < found.recomputed_layers < LAYERS and found.recomputes
    assert found.checkpointing == "off"  # or the trainer would recompute the text layers too
    assert card.recomputed == found.recomputed_layers and not card.text
    assert card.probed[-1] == (8, found.recomputed_layers, False)  # what is planned was probed as a whole
    assert found.peak_gib == pytest.approx(card.takes(8))
    assert card.takes(8) <= gib * (1 - fitting.SPARE_SHARE) - fitting.SPARE_GIB
    card.recomputed -= 2  # two layers more would not have left the spare
    assert card.takes(8) > gib * (1 - fitting.SPARE_SHARE) - fitting.SPARE_GIB


def test_text_layers_are_recomputed_where_they_do_not_fit():
    found, card = fitted(30, text_gib=2.0)
    assert found.recompute_text and card.text and 0 < found.recomputed_layers < LAYERS


def test_a_plan_that_takes_more_than_its_parts_recomputes_more():
    class Odd(Card):
        def takes(self, images: int) -> float:
            return super().takes(images) + (6 if images == 8 and self.recomputed < LAYERS else 0)

    card = Odd(60)
    settings = TrainSettings(batch_size=8, gradient_accumulation=1)
    found = fitting.fit(settings, card.probe, card.keep, LAYERS, 60)
    assert found.recomputed_layers > fitted(60)[0].recomputed_layers
    assert card.takes(8) <= 60 * (1 - fitting.SPARE_SHARE) - fitting.SPARE_GIB


def test_a_small_card_halves_the_batch_and_doubles_accumulation():
    found, _ = fitted(13)
    assert (found.batch_size, found.gradient_accumulation) == (4, 2)
    assert found.recomputed_layers == LAYERS
    found, _ = fitted(15, batch=12)
    assert (found.batch_size, found.gradient_accumulation) == (6, 2)


def test_nothing_fits():
    with pytest.raises(torch.OutOfMemoryError):
        fitted(8)


def test_settings_keep_the_images_per_step():
    found, _ = fitted(13)
    after = fitting.as_fitted(TrainSettings(batch_size=8), found)
    assert after.effective_batch == 8 and after.batch_size == 4 and after.gradient_checkpointing == "on"


def test_where_memory_was_full_all_is_recomputed_before_the_batch_is_halved():
    plan, _ = fitted(139)
    tried = []
    while plan is not None:
        tried.append(
            (plan.batch_size, plan.gradient_accumulation, plan.recomputed_layers, plan.recompute_text)
        )
        plan = fitting.smaller(plan)
    assert tried == [
        (8, 1, 0, False), (8, 1, 20, False), (8, 1, 40, True), (4, 2, 40, True), (2, 4, 40, True), (1, 8, 40, True),
    ]  # fmt: skip


def test_without_an_estimate_everything_is_recomputed_and_nothing_is_claimed():
    plan = fitting.most_recomputed(TrainSettings(batch_size=6, gradient_accumulation=2), LAYERS, 22.0)
    assert (plan.batch_size, plan.gradient_accumulation, plan.recomputed_layers) == (6, 2, LAYERS)
    assert plan.sentence.startswith("6 images at a time are tried with 22.0 GiB")
