"""Whether something other than quality decided: the side a text stood on, or its length."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radtui.measures.intervals import Proportion
from radtui.measures.preference import Answers, answers_of
from radtui.records import Rating, Variant

Words = Mapping[
    tuple[int, int], tuple[int, int]
]  # (job id, image id) -> words of the base and of the tuned text


@dataclass(frozen=True, slots=True)
class SideBias:
    """How often the left text was chosen, of non-ties; without bias the interval covers one half."""

    chosen_left: Proportion
    tuned_left: Proportion  # how often the tuned text stood there: blinding should make it one half

    @property
    def suspected(self) -> bool:
        """Whether the interval leaves out one half."""
        low, high = self.chosen_left.low, self.chosen_left.high
        return low is not None and high is not None and not low <= 0.5 <= high

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "chosen_left": self.chosen_left.to_dict(),
            "tuned_left": self.tuned_left.to_dict(),
            "suspected": self.suspected,
        }


@dataclass(frozen=True, slots=True)
class LengthBias:
    """Spearman's correlation of preference and log(tuned words / base words); None when nothing varies."""

    rho: float | None
    p: float | None
    n: int
    median_ratio: float | None  # tuned words / base words

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"rho": self.rho, "p": self.p, "n": self.n, "median_ratio": self.median_ratio}


def side_bias(ratings: Sequence[Rating], seed: int = 0) -> SideBias:
    """How far the side decided.

    Args:
        ratings: Blind ratings.
        seed: Of the bootstrap that is used when images have several ratings.
    """
    decided = [rating for rating in ratings if rating.preference]
    answers = answers_of([(rating.image_id, 0.0) for rating in decided])
    chosen = [(rating.preference or 0) > 0 and rating.shown_left is Variant.TUNED for rating in decided]
    base_chosen = [(rating.preference or 0) < 0 and rating.shown_left is Variant.BASE for rating in decided]
    left = [one or other for one, other in zip(chosen, base_chosen, strict=True)]
    stood = [rating.shown_left is Variant.TUNED for rating in ratings]
    return SideBias(
        chosen_left=answers.share(left, seed),
        tuned_left=answers_of([(rating.image_id, 0.0) for rating in ratings]).share(stood, seed),
    )


def length_bias(ratings: Sequence[Rating], words: Words) -> LengthBias:
    """How far the longer text was preferred, by image.

    Args:
        ratings: Blind ratings.
        words: Word counts; pairs without them, or with an empty text, are left out.
    """
    ratios: list[tuple[int, float]] = []
    preferences: list[tuple[int, float]] = []
    for rating in ratings:
        base, tuned = words.get((rating.job_id, rating.image_id), (0, 0))
        if rating.preference is not None and base > 0 and tuned > 0:
            ratios.append((rating.image_id, math.log(tuned / base)))
            preferences.append((rating.image_id, float(rating.preference)))
    return _correlation(answers_of(ratios), answers_of(preferences))


def _correlation(ratios: Answers, preferences: Answers) -> LengthBias:
    from statistics import median

    x, y = ratios.independent, preferences.independent
    middle = math.exp(median(x)) if x else None
    if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return LengthBias(None, None, len(x), middle)
    from scipy import stats

    found = stats.spearmanr(x, y)
    return LengthBias(float(found.statistic), float(found.pvalue), len(x), middle)
