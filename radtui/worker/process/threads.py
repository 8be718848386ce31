"""How many threads torch computes with on a CPU: as many as are fastest here and now, not as many as there are cores.

On a machine that others use, a thread waits for the one that lost its core: 300 texts took 465 s with two threads that
wait actively and 13 s with one. Waiting is passive from the start (`environment.prepare`), since it can't be changed
once torch is loaded; the number is measured, on a product as small as a small model's.
"""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections.abc import Callable

log = logging.getLogger("radtui.worker")
ROUNDS = 3  # of which the middle one counts
GAIN = 1.1  # more threads must be that much faster: they take cores from others
Measure = Callable[[int], float]
"""Threads -> seconds that a fixed piece of work takes with them."""


def choose(measure: Measure | None = None, before: object = None) -> int:
    """Measure, and set torch's threads; what the user's environment says stays.

    Args:
        measure: For tests; by default `seconds`.
        before: What a process of the same job chose: sums in another order would change the last digits of a loss.

    Returns:
        The number torch now uses.
    """
    import torch

    if "OMP_NUM_THREADS" in os.environ:
        return int(torch.get_num_threads())
    if isinstance(before, int):
        torch.set_num_threads(before)
        return before
    most = torch.get_num_threads()
    took = {count: (measure or seconds)(count) for count in counts(most)}
    best = fewest_that_are_fast(took)
    torch.set_num_threads(best)
    log.info(
        "%d of %d threads: %s", best, most, ", ".join(f"{n} took {s * 1e3:.0f} ms" for n, s in took.items())
    )
    return best


def counts(most: int) -> list[int]:
    """Numbers that are tried: 1, 2, 4, ... and all."""
    return sorted({most, *(2**power for power in range(most.bit_length()) if 2**power <= most)})


def fewest_that_are_fast(took: dict[int, float]) -> int:
    """The number of threads to use: a larger one only where it is clearly faster than every smaller one.

    Args:
        took: Seconds by number of threads.
    """
    best = min(took)
    for count in sorted(took):
        if took[count] * GAIN < took[best]:
            best = count
    return best


def seconds(count: int) -> float:
    """What a product and an activation take with so many threads, a few dozen times over, s."""
    import torch

    torch.set_num_threads(count)
    rows, weight = torch.ones(256, 512), torch.full((512, 512), 1e-3)
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(20):
            torch.nn.functional.gelu(rows @ weight)
        rounds.append(time.perf_counter() - began)
    return statistics.median(rounds)
