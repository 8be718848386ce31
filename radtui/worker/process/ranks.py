"""The processes that do one job together, one per GPU: which one this is, and what all of them agree on.

torch's launcher calls such a process a rank, and gives it its number. Without a launcher a process is `ALONE`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class OutOfMemoryError(Exception):
    """A rank's GPU cannot hold the micro-batch, and a smaller one is there to try: the launcher begins again."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """A process among those of its job."""

    number: int = 0
    count: int = 1
    group: Any = None  # of messages through main memory: they wait for no GPU

    @property
    def first(self) -> bool:
        """Whether this is the one that writes the job's rows."""
        return self.number == 0

    @property
    def several(self) -> bool:
        """Whether there are others."""
        return self.count > 1

    def meet(self) -> None:
        """Wait until every rank is here."""
        self.least(0.0)

    def first_says(self, value: bool) -> bool:
        """What the first rank gave, on every rank; all must call this at the same point."""
        return bool(self._agreed(float(value) if self.first else float("-inf"), "MAX"))

    def least(self, value: float) -> float:
        """The smallest of what the ranks gave, on every rank; all must call this at the same point."""
        return self._agreed(value, "MIN")

    def _agreed(self, value: float, operation: str) -> float:
        if not self.several:
            return value
        import torch
        from torch import distributed

        shared = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(shared, getattr(distributed.ReduceOp, operation), group=self.group)
        return float(shared)


ALONE = Ranks()


def log_name(rank: int) -> str:
    """The file in the job's folder that a rank's output goes to; the first rank's is the job's own log."""
    return f"log-rank{rank}.txt" if rank else "log.txt"
