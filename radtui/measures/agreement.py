"""How far raters agree with each other and with themselves: Krippendorff's alpha and weighted kappa."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import attrgetter
from typing import TYPE_CHECKING

from radtui.measures.answers import AnswerTable, answers_of, table_of
from radtui.measures.intervals import CLUSTER_RESAMPLES, CONFIDENCE, Estimate, Proportion, resampled_sums
from radtui.measures.plain import PlainFields
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np


FEWEST_RESAMPLES = 999  # the limits move by a twentieth of half their width, and that is little of many units
DRAWN_UNITS = 10_000_000  # in all resamples together: a second's work


def alpha_of(counts: np.ndarray, seed: int = 0) -> Estimate:
    """Krippendorff's alpha on an ordinal scale, with a percentile bootstrap interval over the units.

    1 is perfect agreement, 0 what chance gives; the value is None when there is nothing to compare or all values are
    the same, so that agreement cannot be told from chance.

    Args:
        counts: How often each unit was given each value of the scale, float (units, k), the values in order; a unit
            with fewer than two tells nothing.
        seed: Of the resampling.

    Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), sections C-E.
    """
    import numpy as np

    counts = counts[counts.sum(axis=1) > 1]
    tables = _tables_of(counts[:, counts.sum(axis=0) > 0])
    count = len(tables)
    pooled = _alphas(tables.sum(axis=0)[np.newaxis])[0]
    alpha = None if np.isnan(pooled) else float(pooled)
    if alpha is None or count < 2:
        return Estimate(alpha, None, None, count, "bootstrap")
    resamples = max(FEWEST_RESAMPLES, min(CLUSTER_RESAMPLES, DRAWN_UNITS // count))
    drawn = resampled_sums(tables.reshape(count, -1), resamples, seed)
    low, high = np.nanquantile(
        _alphas(drawn.reshape(-1, *tables.shape[1:])), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    )
    if low == high:  # as when all agree on every case: no spread was seen
        return Estimate(alpha, None, None, count, "bootstrap")
    return Estimate(alpha, float(low), float(high), count, "bootstrap")


def _tables_of(counts: np.ndarray) -> np.ndarray:
    """Coincidences of each unit from how often it was given each value, float (units, k), twice at least in all."""
    import numpy as np

    size = counts.shape[1]
    tables: np.ndarray = counts[:, :, np.newaxis] * counts[:, np.newaxis, :]
    tables[:, np.arange(size), np.arange(size)] -= counts
    shared: np.ndarray = tables / (counts.sum(axis=1) - 1)[:, np.newaxis, np.newaxis]
    return shared


def _alphas(tables: np.ndarray) -> np.ndarray:
    """Alpha of each of several coincidence tables, float (tables, k, k); NaN where nothing is expected to differ.

    On an ordinal scale the difference of two values is how many lie between them.
    """
    import numpy as np

    totals = tables.sum(axis=2)  # (tables, k)
    n = totals.sum(axis=1)  # (tables,)
    middle = totals.cumsum(axis=1) - totals / 2  # rank of each value's middle
    distance = (middle[:, :, np.newaxis] - middle[:, np.newaxis, :]) ** 2
    observed = (tables * distance).sum(axis=(1, 2))
    expected = (totals[:, :, np.newaxis] * totals[:, np.newaxis, :] * distance).sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (n - 1) * observed / expected, np.nan)


def weighted_kappa(pairs: Sequence[tuple[float, float]], scale: Sequence[float]) -> float | None:
    """Cohen's kappa of two sets of ratings, weighted by the square of the steps between them.

    Args:
        pairs: For each case, what the one and the other gave; both on `scale`.
        scale: All values, in order.

    Returns:
        -1..1, or None when there is nothing to compare or both always gave the same one value.

    Source: Cohen, Psychol Bull 70 (1968) 213-220; Fleiss & Cohen, Educ Psychol Meas 33 (1973) 613-619.
    """
    import numpy as np

    if not pairs:
        return None
    place = {value: index for index, value in enumerate(scale)}
    table = np.zeros((len(scale), len(scale)))
    for (first, other), count in Counter(pairs).items():
        table[place[first], place[other]] += count
    return _kappa_of(table)


def _kappa_of(table: np.ndarray) -> float | None:
    """Weighted kappa of a table of counts, float (k, k); None where it is empty or chance alone agrees."""
    import numpy as np

    scale, count = np.arange(len(table)), table.sum()
    if not count:
        return None
    cost = np.subtract.outer(scale, scale).astype(float) ** 2
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / count
    by_chance = float((cost * expected).sum())
    return None if by_chance == 0 else 1 - float((cost * table).sum()) / by_chance


@dataclass(frozen=True, slots=True)
class Agreement(PlainFields):
    """Agreement between raters on the preference, both-bad and skipped pairs left out."""

    alpha: Estimate  # Krippendorff, ordinal; n = comparisons that two or more rated
    # two raters -> quadratic weighted kappa, comparisons
    kappas: dict[tuple[str, str], tuple[float | None, int]]

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "alpha": self.alpha.to_dict(),
            "kappas": [
                {"raters": list(pair), "kappa": kappa, "n": n} for pair, (kappa, n) in self.kappas.items()
            ],
        }


@dataclass(frozen=True, slots=True)
class SelfAgreement(PlainFields):
    """How often a rater said the same about a hidden repeat."""

    same: Proportion  # same step of the scale
    same_direction: Proportion  # same arm, or a tie both times
    kappa: float | None  # quadratic


PREFERENCE_SCALE = (-2, -1, 0, 1, 2)

Comparison = tuple[int, int, tuple[str, str]]
"""Study id, case id and the two arms: what several raters, or one twice, can agree about."""


def comparison_of(rating: Rating) -> Comparison:
    """What a rating is about."""
    return rating.study_id, rating.case_id, rating.shown


def agreement_between(ratings: Sequence[Rating] | AnswerTable, seed: int = 0) -> Agreement | None:
    """Agreement between raters over current ratings of first showings; None with a single rater."""
    import numpy as np

    table = table_of(ratings)
    rated = ~np.isnan(table.preference) & ~table.flags("occasion")
    names = list(dict.fromkeys(map(attrgetter("rater"), table.ratings)))
    readers = table.everyone.readers[rated]
    raters = sorted(names[at] for at in np.unique(readers))
    if len(raters) < 2:
        return None
    column = np.array([raters.index(name) if name in raters else -1 for name in names])
    rows = np.unique(table.comparisons[rated], return_inverse=True)[1]
    # Of the scale, by comparison and rater; -1: not rated.
    steps = np.full((int(rows.max()) + 1, len(raters)), -1)
    steps[rows, column[readers]] = table.preference[rated].astype(int) - PREFERENCE_SCALE[0]
    counts = np.stack([(steps == step).sum(axis=1) for step in range(len(PREFERENCE_SCALE))], axis=1)
    return Agreement(alpha_of(counts.astype(float), seed), _kappas(steps, raters))


def _kappas(steps: np.ndarray, raters: Sequence[str]) -> dict[tuple[str, str], tuple[float | None, int]]:
    """Weighted kappa of every two raters, and over how many comparisons that both rated.

    Args:
        steps: Of the scale, from 0, int (comparisons, raters); -1 where a rater has not rated.
        raters: Their names.
    """
    import numpy as np

    size = len(PREFERENCE_SCALE)
    kappas = {}
    for (reader, first), (other, second) in combinations(zip(raters, steps.T, strict=True), 2):
        both = (first >= 0) & (second >= 0)
        table = np.bincount(first[both] * size + second[both], minlength=size**2).reshape(size, size)
        kappas[reader, other] = (_kappa_of(table.astype(float)), int(both.sum()))
    return kappas


def agreement_with_self(ratings: Iterable[Rating]) -> SelfAgreement | None:
    """Agreement of raters with their own hidden repeats; None when nothing was rated twice.

    Args:
        ratings: Current ratings of both showings.
    """
    showings: dict[tuple[Comparison, str], dict[int, int]] = {}
    for rating in ratings:
        if rating.preference is not None:
            key = (comparison_of(rating), rating.rater)
            showings.setdefault(key, {})[rating.occasion] = rating.preference
    twice = {key: (by[0], by[1]) for key, by in showings.items() if 0 in by and 1 in by}
    if not twice:
        return None
    pairs = list(twice.values())
    cases = answers_of((case_id, rater, 0.0) for (_, case_id, _), rater in twice)
    return SelfAgreement(
        cases.share([first == again for first, again in pairs]),
        cases.share([_sign(first) == _sign(again) for first, again in pairs]),
        weighted_kappa(pairs, PREFERENCE_SCALE),
    )


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
