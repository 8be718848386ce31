"""Two arms' scores compared on the same cases: paired, so that what makes a case hard is no part of the doubt.

Two intervals that do not meet are no test: with 300 cases and scores that go together, they miss two of three
differences that a paired comparison finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from radtui.measures.intervals import CONFIDENCE, RESAMPLES, Estimate, resampled_sums
from radtui.measures.plain import PlainFields
from radtui.measures.significance import holm

if TYPE_CHECKING:
    import numpy as np

FEWEST = 2  # cases without which there is nothing to resample


@dataclass(frozen=True, slots=True)
class PairedDifference(PlainFields):
    """How much one score differs between two arms, later - earlier."""

    score: str
    earlier: str
    later: str
    difference: Estimate  # with a paired bootstrap interval; n cases that both arms have
    p: float | None  # of no difference, two-sided, by exchanging the two arms' texts case by case
    holm_p: float | None = None  # adjusted over all comparisons made together


@dataclass(frozen=True, slots=True, eq=False)
class SummedParts:
    """A score as a function of sums over cases: what each case adds, and how the score is made of the sums.

    BLEU adds counts of n-grams; macro F1 adds counts for each finding.
    """

    table: np.ndarray  # float (cases, k)
    score: Callable[[np.ndarray], np.ndarray]  # sums (m, k) -> scores (m,), NaN where there is none
    there: np.ndarray  # bool (cases,), whether a case says something of the score
    # The score of one case, where it is made otherwise.
    single: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def each_case(self) -> np.ndarray:
        """The score of each case by itself, float (cases,), NaN where it says nothing."""
        import numpy as np

        return np.where(self.there, (self.single or self.score)(self.table), np.nan)

    @property
    def whole(self) -> float:
        """The score over all cases, NaN where there is none."""
        return float(self.score(self.table.sum(axis=0, keepdims=True))[0])


@dataclass(frozen=True, slots=True)
class CaseParts:
    """A score that is a ratio of two sums over cases.

    A mean score adds (value, 1) and is their ratio; F1 adds (2 found, 2 found + missed + invented). A case that
    says nothing of the score adds nothing.
    """

    over: tuple[float, ...]
    under: tuple[float, ...]

    @property
    def summed(self) -> SummedParts:
        """The same as any other score of sums."""
        import numpy as np

        table = np.array([self.over, self.under], dtype=float).T
        return SummedParts(table, _ratio, table[:, 1] > 0)


def _ratio(sums: np.ndarray) -> np.ndarray:
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = sums[:, 0] / sums[:, 1]
        return result


Parts = CaseParts | SummedParts


def summed(parts: Parts) -> SummedParts:
    """Parts of any kind as sums and a function of them."""
    return parts.summed if isinstance(parts, CaseParts) else parts


def summed_mean(values: np.ndarray, there: np.ndarray) -> SummedParts:
    """Parts of a mean over the cases that are there; the others' values are 0."""
    import numpy as np

    return SummedParts(np.column_stack([values, there.astype(float)]), _ratio, there)


def bootstrapped(parts: SummedParts) -> Estimate:
    """A score of sums with its percentile interval over resampled cases."""
    import numpy as np

    rows = parts.table[parts.there]
    value = parts.whole
    if not len(rows) or np.isnan(value):
        return Estimate(None, None, None, 0, "bootstrap")
    drawn = parts.score(resampled_sums(rows, RESAMPLES, 0))
    low, high = map(float, np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    if low == high:  # every resample says the same: no doubt was seen
        return Estimate(value, None, None, len(rows), "bootstrap")
    return Estimate(value, low, high, len(rows), "bootstrap")


def compare_pairs(
    parts: Mapping[str, Mapping[str, Parts]], arms: Sequence[str], seed: int = 0
) -> list[PairedDifference]:
    """Every score of every two arms, with p-values adjusted by Holm over all of them.

    Args:
        parts: Score's key -> arm -> its parts, of the same cases in the same order for all arms.
        arms: In the study's order.
        seed: Of the resampling.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 15; Noreen, Computer-Intensive
    Methods for Testing Hypotheses (1989), chapter 2, exchanging texts within cases; Holm, Scand J Stat 6 (1979) 65-70.
    """
    differences = [
        _difference(score, earlier, later, summed(own[earlier]), summed(own[later]), seed)
        for score, own in parts.items()
        for earlier, later in combinations(arms, 2)
        if earlier in own and later in own
    ]
    _exchanges.cache_clear()  # some hundred megabytes in a large study
    adjusted = holm({str(at): difference.p for at, difference in enumerate(differences)})
    return [replace(difference, holm_p=adjusted[str(at)]) for at, difference in enumerate(differences)]


def _difference(
    score: str, earlier: str, later: str, before: SummedParts, after: SummedParts, seed: int
) -> PairedDifference:
    import numpy as np

    there = before.there | after.there
    tables = before.table[there], after.table[there]
    cases, width = tables[0].shape
    both = np.hstack(tables)  # (cases, 2 k)

    def gap(sums: np.ndarray) -> np.ndarray:
        result: np.ndarray = after.score(sums[:, width:]) - before.score(sums[:, :width])
        return result

    observed = float(gap(both.sum(axis=0)[np.newaxis])[0]) if cases else float("nan")
    if cases < FEWEST or np.isnan(observed):
        value = None if np.isnan(observed) else observed
        return PairedDifference(
            score, earlier, later, Estimate(value, None, None, cases, "paired bootstrap"), None
        )
    low: float | None
    high: float | None
    gaps = gap(resampled_sums(both, RESAMPLES, seed))
    low, high = map(float, np.nanquantile(gaps, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    if low == high:  # every resample says the same: no doubt was seen
        low = high = None
    estimate = Estimate(observed, low, high, cases, "paired bootstrap")
    return PairedDifference(score, earlier, later, estimate, _exchanged(both, gap, observed, seed))


def _exchanged(
    both: np.ndarray, gap: Callable[[np.ndarray], np.ndarray], observed: float, seed: int
) -> float:
    """Share of exchanges, the observed one among them, that give a difference at least as large."""
    import numpy as np

    width = both.shape[1] // 2
    swing = both[:, width:] - both[:, :width]  # what the later arm gains on the earlier, case by case
    total = both.sum(axis=0)
    as_large = 1
    for start in range(0, RESAMPLES, EXCHANGES):
        moved = _exchanges(len(both), min(EXCHANGES, RESAMPLES - start), seed, start) @ swing
        sums = np.concatenate([total[:width] + moved, total[width:] - moved], axis=1)
        as_large += int(np.count_nonzero(np.abs(gap(sums)) >= abs(observed) - 1e-12))
    return as_large / (RESAMPLES + 1)


EXCHANGES = 500  # at once


@lru_cache(maxsize=16)  # the scores of one study are mostly about the same cases
def _exchanges(cases: int, count: int, seed: int, start: int) -> np.ndarray:
    """Which cases' texts change places in each exchange, float32 (count, cases)."""
    import numpy as np

    return (np.random.default_rng((seed, 1, start)).random((count, cases)) < 0.5).astype(np.float32)
