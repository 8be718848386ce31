"""Tokens that were learnt are summed on the device, and asked for only where something of the step is written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from radtui.worker.training.trainer import WatchedTrainer


class Below:
    """What one of TRL's trainers is to `WatchedTrainer` here."""

    def _track_num_input_tokens(self, inputs: dict[str, Any]) -> None:
        self.state.num_input_tokens_seen += 1000

    def _maybe_log_save_evaluate(self, *given: Any) -> None:
        self.logged.append(self.state.num_input_tokens_seen)

    state: Any
    logged: list[int]


class Counting(WatchedTrainer, Below):
    """Without a model."""


@pytest.fixture
def trainer() -> Any:
    made: Any = object.__new__(Counting)
    made.state = SimpleNamespace(num_input_tokens_seen=7)
    made.control = SimpleNamespace(should_log=False, should_save=False, should_evaluate=False)
    made.accelerator = SimpleNamespace(gather=lambda tokens: torch.stack([tokens, tokens]))  # of two ranks
    made.logged, made._not_counted = [], None
    return made


def test_the_count_comes_when_something_is_written(trainer):
    loss = torch.tensor(1.0)
    for _ in range(2):
        trainer._track_num_input_tokens({"attention_mask": torch.tensor([[1, 1, 0], [1, 1, 1]])})
        trainer._maybe_log_save_evaluate(loss)
    assert trainer.logged == [7, 7]  # nobody has asked yet
    trainer.control.should_log = True
    trainer._maybe_log_save_evaluate(loss)
    trainer._maybe_log_save_evaluate(loss)
    assert trainer.logged[2:] == [27, 27]  # 2 passes of 5 tokens on 2 ranks, once


def test_without_a_mask_the_library_counts(trainer):
    trainer._track_num_input_tokens({"input_ids": torch.tensor([[1]])})
    assert trainer.state.num_input_tokens_seen == 1007
