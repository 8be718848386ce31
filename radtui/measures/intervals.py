"""Numbers with their n and their 95 % interval: proportions and means of independent observations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from radtui.measures.plain import PlainFields

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 4999  # odd and large enough that the limits move by less than a hundredth of their width
CLUSTER_RESAMPLES = 1999  # percentile limits need fewer; an agreement is resampled with each summary
_DRAWN_CELLS = 100_000  # drawn at once, so that they stay in the processor's cache
_BATCH_CELLS = 4_000_000  # resampled values held at once, 16 to 32 MiB


@dataclass(frozen=True, slots=True)
class Proportion(PlainFields):
    """`hits` of `n` ratings, with a 95 % interval; the value and its limits are None when n is 0.

    With several readers the interval is for readers and cases like these; `these_readers` is beside it for these
    readers only. With one reader it is for this reader.
    """

    hits: int
    n: int
    low: float | None
    high: float | None
    method: str = "wilson"
    readers: int = 1
    cases: int = 0  # that the n are of, where it is known that they may be fewer; else 0
    these_readers: tuple[float, float] | None = None

    @property
    def value(self) -> float | None:
        """Share of hits, or None when n is 0."""
        return self.hits / self.n if self.n else None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"value": self.value, **PlainFields.to_dict(self)}


@dataclass(frozen=True, slots=True)
class Estimate(PlainFields):
    """A number with its n and 95 % interval; None where it is not defined, or too few or too equal to say.

    Readers, cases and the interval for these readers only are as in `Proportion`.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    readers: int = 1
    cases: int = 0
    these_readers: tuple[float, float] | None = None


def wilson_limits(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion at 95 %, without continuity correction.

    Args:
        hits: 0..n.
        n: At least 1.

    Returns:
        Lower and upper limit, 0..1.

    Source: Wilson, J Am Stat Assoc 22 (1927) 209-212; Newcombe, Stat Med 17 (1998) 857-872, method 3.
    """
    z2 = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) ** 2
    share = hits / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the formula gives exactly 0 and 1, up to rounding.
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == n else centre + half)


def proportion(hits: int, n: int) -> Proportion:
    """A proportion with its Wilson interval."""
    if n == 0:
        return Proportion(0, 0, None, None)
    return Proportion(hits, n, *wilson_limits(hits, n))


def f1_of(hits: int, missed: int, invented: int) -> Estimate:
    """F1 with an interval.

    F1 = 2J / (1 + J), where J = hits / (hits + missed + invented) is a proportion and F1 rises with J; so Wilson's
    limits for J give limits for F1.
    """
    share = proportion(hits, hits + missed + invented)
    if share.value is None or share.low is None or share.high is None:
        return Estimate(None, None, None, 0, "wilson")
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    return Estimate(value, low, high, share.n, "wilson")


def mean_of(values: Sequence[float] | np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """Mean with a bias-corrected and accelerated bootstrap interval.

    Args:
        values: Independent observations.
        seed: Of the resampling, so that a report says the same twice.
        resamples: How many.

    Source: Efron, J Am Stat Assoc 82 (1987) 171-185, equations 2.3 and 6.6; R's boot does the same.
    """
    import numpy as np

    data = np.asarray(values, dtype=float)
    if data.size == 0:
        return Estimate(None, None, None, 0, "bca")
    mean = float(data.mean())
    if np.all(data == data[0]):  # no spread was seen, which does not say that there is none
        return Estimate(mean, None, None, int(data.size), "bca")
    means = resampled_sums(data[:, np.newaxis] - mean, resamples, seed)[:, 0] / data.size
    low, high = np.quantile(means, _corrected_levels(means, data - mean))
    return Estimate(mean, mean + float(low), mean + float(high), int(data.size), "bca")


def _corrected_levels(means: np.ndarray, centred: np.ndarray) -> list[float]:
    """Which quantiles of resampled means, less the mean, are the limits: corrected for bias and for skewness."""
    normal = NormalDist()
    below = (float((means < 0).mean()) + float((means <= 0).mean())) / 2
    bias = normal.inv_cdf(min(max(below, 0.5 / len(means)), 1 - 0.5 / len(means)))
    # A mean's jackknife values differ from it by -centred / (n - 1), so that the factors cancel.
    acceleration = float((centred**3).sum() / (6 * (centred**2).sum() ** 1.5))
    levels = []
    for sign in (-1, 1):
        shifted = bias + sign * normal.inv_cdf((1 + CONFIDENCE) / 2)
        levels.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    return levels


def resampled_sums(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Sums over resampled clusters, float (resamples, k), of `values`, float (clusters, k)."""
    import numpy as np

    clusters = len(values)
    step = max(1, _BATCH_CELLS // clusters)
    batches = [(start, min(step, resamples - start)) for start in range(0, resamples, step)]
    return np.concatenate([_weights(clusters, size, seed, start) @ values for start, size in batches])


def resampled_weights(clusters: int, resamples: int, seed: int) -> np.ndarray:
    """How often each cluster is drawn in each resample, float32 (resamples, clusters)."""
    return _weights(clusters, resamples, seed, 0)


@lru_cache(maxsize=4)  # the figures of one summary are mostly about the same cases
def _weights(clusters: int, resamples: int, seed: int, start: int) -> np.ndarray:
    """How often each cluster is drawn in each resample, float32 (resamples, clusters)."""
    import numpy as np

    numbers, counts = np.random.default_rng((seed, start)), np.empty((resamples, clusters), dtype=np.float32)
    some = max(1, _DRAWN_CELLS // clusters)
    for at in range(0, resamples, some):
        rows = counts[at : at + some]
        drawn = numbers.integers(0, clusters, size=rows.shape, dtype=np.int32)
        drawn += clusters * np.arange(len(rows), dtype=np.int32)[:, np.newaxis]
        rows[:] = np.bincount(drawn.ravel(), minlength=rows.size).reshape(rows.shape)
    return counts
