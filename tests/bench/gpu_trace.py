"""Where a GPU has nothing to do in a training step: the gaps between kernels, and what runs around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.bench.gpu_parts import activities, device, kernels

SHOWN_GAPS = 14
LONG_NS = 200_000  # a gap that counts by itself


class Traced:
    """Profiles some of a trainer's passes, each an optimizer step.

    Args:
        first: The pass it begins with.
        steps: How many.
    """

    def __init__(self, first: int, steps: int) -> None:
        self.first, self.steps = first, steps
        self.passes = 0
        self.facts: dict[str, Any] = {}
        self._profiler: Any = None

    def around(self, training_step: Callable[..., Any]) -> Callable[..., Any]:
        """A trainer's method with the profiler begun and ended before a pass."""

        def traced(*arguments: Any, **named: Any) -> Any:
            import torch

            self.passes += 1
            if self.passes == self.first:
                self._profiler = torch.profiler.profile(activities=activities())
                self._profiler.__enter__()
            if self.passes == self.first + self.steps:
                if device() == "cuda":
                    torch.cuda.synchronize()
                self._profiler.__exit__(None, None, None)
                self.facts = gaps(self._profiler, self.steps) | kernels(self._profiler)
            return training_step(*arguments, **named)

        return traced


def gaps(profiler: Any, steps: int) -> dict[str, Any]:
    """Busy and idle seconds of a step, and its longest gaps with the kernels before and after them."""
    spans = sorted(
        (event.start_ns(), event.start_ns() + event.duration_ns(), event.name())
        for event in profiler.profiler.kineto_results.events()
        if device() != "cuda" or (str(event.device_type()).endswith("CUDA") and "#" not in event.name())
    )
    busy = idle = short = 0
    found = []
    start, end, before = spans[0]
    busy = end - start
    for begins, ends, name in spans[1:]:
        if begins > end:
            idle += begins - end
            if begins - end >= LONG_NS:
                found.append((begins - end, before, name))
            else:
                short += begins - end
            busy += ends - begins
        else:
            busy += max(ends - end, 0)
        if ends > end:
            end, before = ends, name
    longest = sorted(found, reverse=True)[:SHOWN_GAPS]
    return {
        "busy_s": round(busy / steps / 1e9, 4), "idle_s": round(idle / steps / 1e9, 4),
        "idle_in_short_gaps_s": round(short / steps / 1e9, 4),
        "longest_gaps_ms": [(round(ns / 1e6, 2), a[:60], b[:60]) for ns, a, b in longest],
    }  # fmt: skip
