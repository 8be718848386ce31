"""Whether something other than quality decided: the side a text stood on, or its length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radtui.measures.answers import Answers, AnswerTable, table_of
from radtui.measures.intervals import Proportion
from radtui.measures.plain import PlainFields
from radtui.measures.significance import mean_ranks
from radtui.records import Rating

Words = Mapping[tuple[int, int], Mapping[str, int]]
"""(study id, case id) -> words of each arm's text."""


@dataclass(frozen=True, slots=True)
class SideBias(PlainFields):
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
        return PlainFields.to_dict(self) | {"suspected": self.suspected}


@dataclass(frozen=True, slots=True)
class LengthBias(PlainFields):
    """Spearman's correlation of preference and log(later words / earlier words); None when nothing varies."""

    rho: float | None
    p: float | None
    n: int
    median_ratio: float | None  # later words / earlier words


def side_bias(ratings: Sequence[Rating] | AnswerTable) -> SideBias:
    """How far the side decided.

    Args:
        ratings: Blind ratings.
    """
    import numpy as np

    table = table_of(ratings)
    later_left, preference = table.flags("later_left"), np.nan_to_num(table.preference)
    decided = preference != 0
    chosen_left = (preference > 0) == later_left
    return SideBias(
        chosen_left=table.everyone.where(decided).share(chosen_left[decided]),
        later_left=table.everyone.share(later_left),
    )


def length_bias(ratings: Sequence[Rating] | AnswerTable, words: Words) -> LengthBias:
    """How far the longer text was preferred, by case.

    Args:
        ratings: Blind ratings.
        words: Word counts; pairs without them, or with an empty text, are left out.
    """
    import numpy as np

    table = table_of(ratings)
    places = table.comparisons  # several readers compare the same two texts
    first = np.unique(places, return_index=True)[1]
    of_each = [_log_ratio(words, table.ratings[at]) for at in first]
    ratios = np.array(of_each, dtype=float)[places]
    kept = ~np.isnan(ratios) & ~np.isnan(table.preference)
    sided = table.everyone.where(kept)
    return _correlation(sided.with_values(ratios[kept]), sided.with_values(table.preference[kept]))


def _log_ratio(words: Words, rating: Rating) -> float:
    """Log of how many times as long the later text is; NaN where one has no words."""
    of_arm = words.get((rating.study_id, rating.case_id), {})
    first, second = (of_arm.get(arm, 0) for arm in rating.shown)
    return math.log(second / first) if first > 0 and second > 0 else math.nan


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
