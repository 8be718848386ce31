"""Exponential moving average of a growing array, exact at every point and cheap to append to."""

from __future__ import annotations

import math

import numpy as np

from radtui.charts.growing import Floats, Growing

BLOCK = 64  # points per matrix product: 64 multiply-adds a point, and one Python step per 64 points


class Ema:
    """Bias-corrected exponential moving average, counted in points.

    With decay d = 2^(-1/half_life), s_t = d s_(t-1) + (1 - d) y_t from s_0 = 0, the average after t finite
    points is s_t / (1 - d^t), so that the first point is its own average. A value that is not finite leaves
    the average as it is and is NaN in the result, which draws as a gap.

    Source: Kingma and Ba, "Adam", 2015, section 3 (the bias correction).
    """

    def __init__(self, half_life: float) -> None:
        """Start empty.

        Args:
            half_life: points after which a value's weight has halved, > 0.
        """
        if not half_life > 0:
            raise ValueError(f"half_life must be above 0, not {half_life}")
        self.half_life = half_life
        self._decay = 2.0 ** (-1.0 / half_life)
        self._state = 0.0
        self._finite = 0
        self._out = Growing()
        lag = np.arange(BLOCK)[:, None] - np.arange(BLOCK)[None, :]
        self._weights = np.where(lag >= 0, (1 - self._decay) * self._decay ** np.maximum(lag, 0), 0.0)

    def __len__(self) -> int:
        return len(self._out)

    @property
    def values(self) -> Floats:
        """The averages, float64 [points]; NaN where the value was not finite."""
        return self._out.view

    def extend(self, values: Floats) -> None:
        """Append values, float64 [k], finite or not."""
        good = np.isfinite(values)
        finite = values if good.all() else values[good]
        averages = self._run(finite)
        if len(finite) == len(values):
            self._out.extend(averages)
            return
        out = np.full(len(values), np.nan)
        out[good] = averages
        self._out.extend(out)

    def _run(self, finite: Floats) -> Floats:
        """Average finite values [k], going on from the state: whole blocks by a matrix product."""
        count = len(finite)
        if not count:
            return finite
        blocks = -(-count // BLOCK)
        padded = np.zeros(blocks * BLOCK)
        padded[:count] = finite
        inner = padded.reshape(blocks, BLOCK) @ self._weights.T  # [blocks, BLOCK], each from state 0
        carried = np.empty(blocks)
        state, block_decay = self._state, self._decay**BLOCK
        for block, last in enumerate(inner[:, -1].tolist()):
            carried[block] = state
            state = block_decay * state + last
        inner += carried[:, None] * self._decay ** np.arange(1, BLOCK + 1)
        sums = inner.reshape(-1)[:count]
        self._state = float(sums[-1])
        points = np.arange(self._finite + 1, self._finite + count + 1)
        self._finite += count
        return np.asarray(sums / -np.expm1(points * math.log(self._decay)))
