"""What the Trainer does around every pass by going through all layers, done once.

Of a model of 11 thousand million parameters with LoRA, counting the parameters takes 21 ms of CPU time a pass and
setting each layer's training mode 19 ms, the latter while a GPU has nothing to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


class TrainingMode:
    """Keeps a model in training mode, and goes through all of it only where a layer has left that."""

    def __init__(self) -> None:
        self._layers: list[Any] = []  # those that are in training mode while the model is

    @contextlib.contextmanager
    def kept(self, model: Any) -> Iterator[None]:
        """Put the model into training mode; within, its `train()` finds that done, unless `eval()` came before it.

        Args:
            model: As the trainer calls it.
        """
        if not self._layers or not all(layer.training for layer in self._layers):
            model.train()
            # Some stay out of it, as those that keep the base's statistics.
            self._layers = [layer for layer in model.modules() if layer.training]
        own = model.__dict__.get("train")  # a method of this model alone, as some libraries give it
        usual = model.train
        model.train = lambda mode=True: model if mode and model.training else usual(mode)
        try:
            yield
        finally:
            del model.train
            if own is not None:
                model.train = own


class OperationCount:
    """The Trainer's count of a pass's operations, which is so many for each token."""

    def __init__(self) -> None:
        self._each = 0.0  # operations for a token

    def of(self, inputs: dict[str, Any], name: str, count: Callable[[dict[str, Any]], int]) -> int:
        """The operations of a pass.

        Args:
            inputs: Of the pass.
            name: Of the model's main input.
            count: The Trainer's own way; gives the operations of these inputs.
        """
        if name not in inputs:
            return count(inputs)
        tokens = int(inputs[name].numel())
        if not self._each and tokens:
            self._each = count(inputs) / tokens
        return round(self._each * tokens)
