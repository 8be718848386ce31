"""Two arms' scores compared on the same cases: paired, so that what makes a case hard is no part of the doubt.

Two intervals that do not meet are no test: with 300 cases and scores that go together, they miss two of three
differences that a paired comparison finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from radtui.measures.intervals import CONFIDENCE, Estimate, resampled_sums
from radtui.measures.significance import holm

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 4999
FEWEST = 2  # cases without which there is nothing to resample


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much one score differs between two arms, later - earlier."""

    score: str
    earlier: str
    later: str
    difference: Estimate  # with a paired bootstrap interval; n cases that both arms have
    p: float | None  # of no difference, two-sided, by exchanging the two arms' texts case by case
    holm_p: float | None = None  # adjusted over all comparisons made together

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "score": self.score,
            "earlier": self.earlier,
            "later": self.later,
            "difference": self.difference.to_dict(),
            "p": self.p,
            "holm_p": self.holm_p,
        }


@dataclass(frozen=True, slots=True)
class CaseParts:
    """A score as a function of sums over cases: what each case adds, and how the score is made of the sums.

    A mean score adds (value, 1) and is their ratio; F1 adds (2 found, 2 found + missed + invented). A case that
    says nothing of the score adds nothing.
    """

    over: tuple[float, ...]
    under: tuple[float, ...]


def mean_parts(values: Sequence[float | None]) -> CaseParts:
    """Parts of a mean over the cases that have a value."""
    return CaseParts(
        tuple(0.0 if value is None else float(value) for value in values),
        tuple(0.0 if value is None else 1.0 for value in values),
    )


def compare_pairs(
    parts: Mapping[str, Mapping[str, CaseParts]], arms: Sequence[str], seed: int = 0
) -> list[PairedDifference]:
    """Every score of every two arms, with p-values adjusted by Holm over all of them.

    Args:
        parts: Score's key -> arm -> its parts, of the same cases in the same order for all arms.
        arms: In the study's order.
        seed: Of the resampling.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 15; Noreen, Computer-Intensive
    Methods for Testing Hypotheses (1989), chapter 2, exchanging texts within cases; Holm, Scand J Stat 6 (1979) 65-70.
    """
    found = [
        _difference(score, earlier, later, own[earlier], own[later], seed)
        for score, own in parts.items()
        for earlier, later in combinations(arms, 2)
        if earlier in own and later in own
    ]
    adjusted = holm({str(at): one.p for at, one in enumerate(found)})
    return [replace(one, holm_p=adjusted[str(at)]) for at, one in enumerate(found)]


def _difference(
    score: str, earlier: str, later: str, before: CaseParts, after: CaseParts, seed: int
) -> PairedDifference:
    import numpy as np

    table = np.array([before.over, before.under, after.over, after.under]).T  # (cases, 4)
    told = table[(table[:, 1] > 0) | (table[:, 3] > 0)]
    observed = float(_gap(told.sum(axis=0)[np.newaxis])[0]) if len(told) else float("nan")
    if len(told) < FEWEST or np.isnan(observed):
        value = None if np.isnan(observed) else observed
        return PairedDifference(
            score, earlier, later, Estimate(value, None, None, len(told), "paired bootstrap"), None
        )
    gaps = _gap(resampled_sums(told, RESAMPLES, seed))
    low: float | None
    high: float | None
    low, high = map(float, np.nanquantile(gaps, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]))
    if low == high:  # every resample says the same: no doubt was seen
        low = high = None
    estimate = Estimate(observed, low, high, len(told), "paired bootstrap")
    return PairedDifference(score, earlier, later, estimate, _exchanged(told, observed, seed))


def _gap(sums: np.ndarray) -> np.ndarray:
    """Later less earlier score of sums, float (k, 4)."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        gap: np.ndarray = sums[:, 2] / sums[:, 3] - sums[:, 0] / sums[:, 1]
    return gap


def _exchanged(table: np.ndarray, observed: float, seed: int) -> float:
    """Share of exchanges, the observed one among them, that give a difference at least as large."""
    import numpy as np

    swing = table[:, 2:] - table[:, :2]  # what the later arm gains on the earlier, case by case
    total = table.sum(axis=0)
    generator = np.random.default_rng((seed, 1))
    as_large = 1
    for start in range(0, RESAMPLES, 500):
        size = min(500, RESAMPLES - start)
        moved = (generator.random((size, len(table))) < 0.5).astype(float) @ swing
        sums = np.concatenate([total[:2] + moved, total[2:] - moved], axis=1)
        as_large += int(np.count_nonzero(np.abs(_gap(sums)) >= abs(observed) - 1e-12))
    return as_large / (RESAMPLES + 1)
