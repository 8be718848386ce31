"""Numbers with their n and their 95 % interval: proportions, means, and ratios that are clustered by case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 4999  # odd and large enough that the limits move by less than a hundredth of their width
CLUSTER_RESAMPLES = 1999  # percentile limits need fewer; a summary resamples cases for some thirty figures
_BATCH_CELLS = 4_000_000  # resampled values held at once, 16 to 32 MiB


@dataclass(frozen=True, slots=True)
class Proportion:
    """`hits` of `n`, with a 95 % interval; the value and its limits are None when n is 0."""

    hits: int
    n: int
    low: float | None
    high: float | None
    method: str = "wilson"

    @property
    def value(self) -> float | None:
        """Share of hits, or None when n is 0."""
        return self.hits / self.n if self.n else None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"value": self.value, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its n and 95 % interval; None where it is not defined, or too few or too equal to say."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def wilson_limits(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion, without continuity correction.

    Args:
        hits: 0..n.
        n: At least 1.
        confidence: 0..1.

    Returns:
        Lower and upper limit, 0..1.

    Source: Wilson, J Am Stat Assoc 22 (1927) 209-212; Newcombe, Stat Med 17 (1998) 857-872, method 3.
    """
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
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


def f1_of(found: int, missed: int, invented: int) -> Estimate:
    """F1 with an interval.

    F1 = 2J / (1 + J), where J = found / (found + missed + invented) is a proportion and F1 rises with J; so Wilson's
    limits for J give limits for F1.
    """
    share = proportion(found, found + missed + invented)
    if share.value is None or share.low is None or share.high is None:
        return Estimate(None, None, None, 0, "wilson")
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    return Estimate(value, low, high, share.n, "wilson")


def mean_of(values: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """Mean with a bias-corrected and accelerated bootstrap interval.

    Args:
        values: Independent observations.
        seed: Of the resampling, so that a report says the same twice.
        resamples: How many.

    Source: Efron, J Am Stat Assoc 82 (1987) 171-185, as in `scipy.stats.bootstrap`.
    """
    import numpy as np

    data = np.asarray(values, dtype=float)
    if data.size == 0:
        return Estimate(None, None, None, 0, "bca")
    mean = float(data.mean())
    if np.all(data == data[0]):  # no spread was seen, which does not say that there is none
        return Estimate(mean, None, None, int(data.size), "bca")
    from scipy import stats

    interval = stats.bootstrap(
        (data,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=resamples,
        batch=max(1, _BATCH_CELLS // data.size),
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high), int(data.size), "bca")


def clustered_ratio(totals: Sequence[tuple[float, float]], n: int, seed: int = 0) -> Estimate:
    """Ratio of sums with a percentile bootstrap interval that resamples whole clusters.

    Ratings of one case by several raters resemble each other, so cases are drawn, not ratings.

    Args:
        totals: For each case, (numerator, denominator) summed over its ratings: wins and non-ties, or values and
            their number.
        n: Ratings behind it, to be shown.
        seed: Of the resampling.

    Source: Davison & Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    import numpy as np

    pairs = np.asarray(totals, dtype=float).reshape(-1, 2)
    return clustered_ratios(pairs[:, :1], pairs[:, 1:], [n], seed)[0]


def clustered_ratios(
    over: np.ndarray, under: np.ndarray, counts: Sequence[int], seed: int = 0
) -> list[Estimate]:
    """Several ratios of sums over the same clusters, resampled together.

    Args:
        over: float, (clusters, k): numerators.
        under: float, (clusters, k): denominators.
        counts: Observations behind each ratio, (k,).
        seed: Of the resampling.
    """
    import numpy as np

    over_all, under_all = over.sum(axis=0), under.sum(axis=0)
    limits = np.full((2, len(counts)), np.nan)
    if len(over) > 1:
        ratios = resampled_ratios(over, under, CLUSTER_RESAMPLES, seed)
        defined = under_all > 0
        limits[:, defined] = np.nanquantile(
            ratios[:, defined], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0
        )
        limits[:, limits[0] == limits[1]] = np.nan  # every cluster says the same: resampling shows no doubt
    return [
        Estimate(
            value=float(a / b) if b else None,
            low=None if np.isnan(low) else float(low),
            high=None if np.isnan(high) else float(high),
            n=count,
            method="cluster bootstrap",
        )
        for a, b, low, high, count in zip(over_all, under_all, *limits, counts, strict=True)
    ]


def resampled_ratios(over: np.ndarray, under: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Ratios of sums of resampled clusters.

    Args:
        over: float, (clusters, k): numerators.
        under: float, (clusters, k): denominators.
        resamples: How many.
        seed: Of the generator.

    Returns:
        float, (resamples, k); NaN where a draw has no denominator.
    """
    import numpy as np

    sums = resampled_sums(np.concatenate([over, under], axis=1), resamples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[:, : over.shape[1]] / sums[:, over.shape[1] :]


def resampled_sums(values: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Sums over resampled clusters, float (resamples, k), of `values`, float (clusters, k)."""
    import numpy as np

    clusters = len(values)
    step = max(1, _BATCH_CELLS // clusters)
    batches = [(start, min(step, resamples - start)) for start in range(0, resamples, step)]
    return np.concatenate([_weights(clusters, size, seed, start) @ values for start, size in batches])


@lru_cache(maxsize=2)  # the figures of one summary are mostly about the same cases
def _weights(clusters: int, resamples: int, seed: int, start: int) -> np.ndarray:
    """How often each cluster is drawn in each resample, float32 (resamples, clusters)."""
    import numpy as np

    drawn = np.random.default_rng((seed, start)).integers(0, clusters, size=(resamples, clusters))
    cells = drawn + clusters * np.arange(resamples)[:, np.newaxis]
    counts = np.bincount(cells.ravel(), minlength=resamples * clusters)
    return counts.reshape(resamples, clusters).astype(np.float32)
