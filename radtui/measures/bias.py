"""Whether something other than quality decided: the side a text stood on, or its length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radtui.measures.answers import Answers, answers_to
from radtui.measures.intervals import Proportion
from radtui.measures.preference import preferences_of
from radtui.measures.significance import mean_ranks
from radtui.records import Rating

Words = Mapping[tuple[int, int], Mapping[str, int]]
"""(study id, case id) -> words of each arm's text."""


@dataclass(frozen=True, slots=True)
class SideBias:
    """How often the left text was chosen, of non-ties; without bias the interval covers one half."""

    chosen_left: Proportion
    later_left: Proportion  # how often the later arm stood there: blinding should make it one half

    @property
    def suspected(self) -> bool:
        """Whether the interval leaves out one half."""
        low, high = self.chosen_left.low, self.chosen_left.high
        return low is not None and high is not None and not low <= 0.5 <= high

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "chosen_left": self.chosen_left.to_dict(),
            "later_left": self.later_left.to_dict(),
            "suspected": self.suspected,
        }


@dataclass(frozen=True, slots=True)
class LengthBias:
    """Spearman's correlation of preference and log(later words / earlier words); None when nothing varies."""

    rho: float | None
    p: float | None
    n: int
    median_ratio: float | None  # later words / earlier words

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"rho": self.rho, "p": self.p, "n": self.n, "median_ratio": self.median_ratio}


def side_bias(ratings: Sequence[Rating]) -> SideBias:
    """How far the side decided.

    Args:
        ratings: Blind ratings.
    """
    decided = [rating for rating in ratings if rating.preference]
    left = [((rating.preference or 0) > 0) == rating.later_left for rating in decided]
    return SideBias(
        chosen_left=answers_to(decided).share(left),
        later_left=answers_to(ratings).share([rating.later_left for rating in ratings]),
    )


def length_bias(ratings: Sequence[Rating], words: Words) -> LengthBias:
    """How far the longer text was preferred, by case.

    Args:
        ratings: Blind ratings.
        words: Word counts; pairs without them, or with an empty text, are left out.
    """
    kept, ratios = [], []
    nothing: Mapping[str, int] = {}
    for rating in ratings:
        if rating.preference is None:
            continue
        by_arm = words.get((rating.study_id, rating.case_id), nothing)
        earlier, later = by_arm.get(rating.earlier_arm, 0), by_arm.get(rating.later_arm, 0)
        if earlier > 0 and later > 0:
            kept.append(rating)
            ratios.append(math.log(later / earlier))
    return _correlation(answers_to(kept, ratios), preferences_of(kept))


def _correlation(ratios: Answers, preferences: Answers) -> LengthBias:
    from statistics import median

    x, y = ratios.independent.tolist(), preferences.independent.tolist()
    middle = math.exp(median(x)) if x else None
    if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return LengthBias(None, None, len(x), middle)
    rho = _rank_correlation(x, y)
    return LengthBias(rho, _p_of_correlation(rho, len(x)), len(x), middle)


def _rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rho."""
    import numpy as np

    return float(np.corrcoef(mean_ranks(np.array(x)), mean_ranks(np.array(y)))[0, 1])


def _p_of_correlation(rho: float, n: int) -> float:
    """Two-sided p of a rank correlation by Student's t with n - 2 degrees of freedom."""
    from scipy import special

    left = (1 - rho) * (1 + rho)
    if left <= 0:
        return 0.0
    return 2 * float(special.stdtr(n - 2, -abs(rho) * math.sqrt((n - 2) / left)))
