"""A one-dimensional float array that grows by appending, in amortised constant time a value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SMALLEST = 256


class Growing:
    """Append-only float64 values in one buffer that doubles when it is full."""

    def __init__(self) -> None:
        self._buffer: Floats = np.empty(SMALLEST)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def view(self) -> Floats:
        """The values so far, float64 [count]; valid until the next change."""
        return self._buffer[: self._count]

    def extend(self, values: ArrayLike) -> None:
        """Append values [k]."""
        added = np.asarray(values, dtype=np.float64)
        needed = self._count + len(added)
        if needed > len(self._buffer):
            bigger = np.empty(max(needed, 2 * len(self._buffer)))
            bigger[: self._count] = self.view
            self._buffer = bigger
        self._buffer[self._count : needed] = added
        self._count = needed

    def truncate(self, count: int) -> None:
        """Keep the first `count` values."""
        self._count = min(self._count, count)
