"""One measured quantity of a job: points by step, epoch and time, with a pyramid for drawing a million of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radtui.charts.growing import Floats, Growing
from radtui.charts.smoothing import Ema
from radtui.records import Metric

FACTOR = 8  # blocks of one pyramid level in a block of the next
LEVELS = 5  # 8, 64, 512, 4,096 and 32,768 points a block
ITEMS_PER_COLUMN = 4  # a block may then be drawn at most a quarter of a column off its place


class Axis(StrEnum):
    """What the horizontal axis counts."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Columns:
    """What a series is in each of `width` equal columns of a view; all arrays [width].

    `lo`, `hi`, `mean` are NaN where a column holds no finite value. `start` and `stop` are the half-open range
    of points in the column, so `stop > start` tells "a gap in the values" from "no point here".
    """

    lo: Floats
    hi: Floats
    mean: Floats
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


class _Blocks:
    """Minimum, maximum, sum and count of finite values in consecutive blocks."""

    def __init__(self) -> None:
        self.lo, self.hi, self.total, self.finite = Growing(), Growing(), Growing(), Growing()

    def __len__(self) -> int:
        return len(self.lo)

    def arrays(self, start: int, stop: int) -> tuple[Floats, Floats, Floats, Floats]:
        """`lo`, `hi`, `total` and `finite` of blocks [start, stop)."""
        return tuple(part.view[start:stop] for part in self._parts())  # type: ignore[return-value]

    def extend(self, lo: Floats, hi: Floats, total: Floats, finite: Floats) -> None:
        """Append blocks, each array [k]."""
        for part, values in zip(self._parts(), (lo, hi, total, finite), strict=True):
            part.extend(values)

    def truncate(self, count: int) -> None:
        """Keep the first `count` blocks."""
        for part in self._parts():
            part.truncate(count)

    def _parts(self) -> tuple[Growing, Growing, Growing, Growing]:
        return self.lo, self.hi, self.total, self.finite


class Series:
    """Points of one metric in order of step, appended as they are measured.

    A step at or before the last one means that a resumed run measures it again: the points from that step on
    are dropped and the new ones stand. A clock that starts again at zero goes on from where it was.
    """

    def __init__(self) -> None:
        self._x = {axis: Growing() for axis in Axis}
        self._y = Growing()
        self._levels = [_Blocks() for _ in range(LEVELS)]
        self._ema: Ema | None = None
        self._clock_offset_s = 0.0

    def __len__(self) -> int:
        return len(self._y)

    @property
    def values(self) -> Floats:
        """The measured values, float64 [points], NaN where the number was not finite."""
        return self._y.view

    def x(self, axis: Axis) -> Floats:
        """Where the points are on an axis, float64 [points], never falling; steps, epochs or seconds."""
        return self._x[axis].view

    def extend(self, metrics: Sequence[Metric]) -> None:
        """Append points of one metric, in the order in which they were written."""
        if not metrics:
            return
        self.extend_arrays(
            [metric.step for metric in metrics],
            [metric.epoch for metric in metrics],
            [metric.elapsed_s for metric in metrics],
            [math.nan if metric.value is None else metric.value for metric in metrics],
        )

    def extend_arrays(
        self, step: ArrayLike, epoch: ArrayLike, elapsed_s: ArrayLike, value: ArrayLike
    ) -> None:
        """Append points given as arrays [k]; a value that is not finite is a gap."""
        columns = [np.asarray(part, dtype=np.float64) for part in (step, epoch, elapsed_s, value)]
        columns[3] = np.where(np.isfinite(columns[3]), columns[3], np.nan)
        rewinds = np.flatnonzero(np.diff(columns[0]) <= 0) + 1
        edges = [0, *rewinds.tolist(), len(columns[0])]
        for start, stop in pairwise(edges):
            if stop > start:
                self._append(*(part[start:stop] for part in columns))

    def nearest(self, axis: Axis, x: float) -> int | None:
        """Index of the point nearest to x, None without points."""
        xs = self.x(axis)
        if not len(xs):
            return None
        right = int(np.searchsorted(xs, x))
        if right == 0 or (right < len(xs) and xs[right] - x < x - xs[right - 1]):
            return right
        return right - 1

    def ema(self, half_life: float) -> Floats:
        """Exponential moving average of every point, float64 [points]; kept and continued between calls."""
        if self._ema is None or self._ema.half_life != half_life:
            self._ema = Ema(half_life)
        if len(self._ema) < len(self):
            self._ema.extend(self.values[len(self._ema) :])
        return self._ema.values

    def columns(self, axis: Axis, x0: float, x1: float, width: int) -> Columns:
        """Reduce the points between x0 and x1 to `width` columns of equal size in x.

        Column c holds what lies within half a column of x0 + c (x1 - x0) / (width - 1), so that the first and
        the last column are centred on the ends. Costs some thousand operations whatever the number of points.

        Args:
            axis: what x counts.
            x0: centre of the first column.
            x1: centre of the last column, above x0.
            width: number of columns, at least 2.

        Returns:
            The columns; lowest and highest values are exact for the points that were put into a column, and
            a point may be put into a neighbour when it is within a quarter of a column of it.
        """
        half = (x1 - x0) / (width - 1) / 2
        edges = np.searchsorted(self.x(axis), np.linspace(x0 - half, x1 + half, width + 1))
        at, lo, hi, total, finite = self._items(int(edges[0]), int(edges[-1]), width)
        cuts = np.searchsorted(at, edges)
        used = np.flatnonzero(cuts[1:] > cuts[:-1])
        out = np.full((3, width), np.nan)
        if len(used):
            starts = cuts[used]
            out[0, used] = np.fmin.reduceat(lo, starts)
            out[1, used] = np.fmax.reduceat(hi, starts)
            count = np.add.reduceat(finite, starts)
            sums = np.add.reduceat(total, starts)
            out[2, used] = np.divide(sums, count, out=np.full(len(used), np.nan), where=count > 0)
        return Columns(out[0], out[1], out[2], edges[:-1], edges[1:])

    def _items(
        self, start: int, stop: int, width: int
    ) -> tuple[NDArray[np.int64], Floats, Floats, Floats, Floats]:
        """Points [start, stop) as blocks coarse enough to be quick, with the raw points at both ends."""
        level, size = None, 1
        for candidate in range(LEVELS):
            bigger = FACTOR ** (candidate + 1)
            if (stop - start) // bigger < ITEMS_PER_COLUMN * width:
                break
            level, size = candidate, bigger
        if level is None:
            return np.arange(start, stop), *self._raw(start, stop)
        first, last = -(-start // size), stop // size
        parts = (
            self._raw(start, first * size),
            self._levels[level].arrays(first, last),
            self._raw(last * size, stop),
        )
        at = np.concatenate(
            (np.arange(start, first * size), np.arange(first, last) * size, np.arange(last * size, stop))
        )
        lo, hi, total, finite = (np.concatenate(quantity) for quantity in zip(*parts, strict=True))
        return at, lo, hi, total, finite

    def _raw(self, start: int, stop: int) -> tuple[Floats, Floats, Floats, Floats]:
        y = self.values[start:stop]
        good = ~np.isnan(y)
        return y, y, np.where(good, y, 0.0), good.astype(np.float64)

    def _append(self, step: Floats, epoch: Floats, elapsed_s: Floats, value: Floats) -> None:
        """Append points whose steps rise, after dropping what they replace."""
        self._truncate(int(np.searchsorted(self.x(Axis.STEP), step[0])))
        last_epoch = self.x(Axis.EPOCH)[-1] if len(self) else -math.inf
        last_s = self.x(Axis.TIME)[-1] if len(self) else -math.inf
        if elapsed_s[0] + self._clock_offset_s < last_s:
            self._clock_offset_s = float(last_s)
        self._x[Axis.STEP].extend(step)
        self._x[Axis.EPOCH].extend(np.maximum(np.maximum.accumulate(epoch), last_epoch))
        self._x[Axis.TIME].extend(np.maximum(np.maximum.accumulate(elapsed_s) + self._clock_offset_s, last_s))
        self._y.extend(value)
        self._build_levels()

    def _build_levels(self) -> None:
        """Bring every level up to the whole blocks that there are now."""
        points = len(self)
        for index, level in enumerate(self._levels):
            have, want = len(level), points // FACTOR ** (index + 1)
            if want == have:
                break
            span = have * FACTOR, want * FACTOR
            below = self._raw(*span) if index == 0 else self._levels[index - 1].arrays(*span)
            lo, hi, total, finite = (part.reshape(-1, FACTOR) for part in below)
            level.extend(
                np.fmin.reduce(lo, axis=1), np.fmax.reduce(hi, axis=1), total.sum(axis=1), finite.sum(axis=1)
            )

    def _truncate(self, points: int) -> None:
        if points >= len(self):
            return
        for part in (*self._x.values(), self._y):
            part.truncate(points)
        for index, level in enumerate(self._levels):
            level.truncate(points // FACTOR ** (index + 1))
        self._ema = None
