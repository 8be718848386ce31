"""What is done once instead of at every pass, and that it is done again where something has changed."""

from __future__ import annotations

from typing import Any

import torch

from radtui.worker.model.adapters import keep_statistics
from radtui.worker.training.upkeep import OperationCount, TrainingMode


class Counting(torch.nn.Sequential):
    """Counts how often all of its layers are gone through."""

    went = 0

    def train(self, mode: bool = True) -> Any:
        self.went += mode
        return super().train(mode)


def test_layers_are_gone_through_again_only_where_one_has_left_training_mode():
    model = Counting(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2), torch.nn.Sequential(torch.nn.Dropout()))
    keep_statistics(model)
    mode = TrainingMode()

    def passed() -> tuple[int, list[bool]]:
        with mode.kept(model):
            assert model.train() is model
        return model.went, [layer.training for layer in model.modules()]

    learning = [True, True, False, True, True]  # but for what keeps the base's statistics
    assert passed() == passed() == (1, learning)
    model[2][0].eval()  # as a layer is that a probe has run
    assert passed() == passed() == (2, learning)
    model.eval()  # as for an evaluation
    assert passed() == (3, learning)
    with mode.kept(model):
        assert not model.eval().training and model.train().training  # as a loss that asks the model itself
    assert "train" not in model.__dict__ and passed() == (4, learning)


def test_operations_are_counted_once_for_each_token():
    counted: list[int] = []

    def count(inputs: dict[str, Any]) -> int:
        counted.append(inputs["input_ids"].numel() if "input_ids" in inputs else 0)
        return 600 * counted[-1]

    operations = OperationCount()
    batches = [{"input_ids": torch.zeros(2, 7)}, {"input_ids": torch.zeros(3, 11)}, {"pixels": torch.ones(1)}]
    assert [operations.of(batch, "input_ids", count) for batch in batches] == [8400, 19800, 0]
    assert counted == [14, 0]
