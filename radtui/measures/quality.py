"""Absolute quality of two arms' texts: how acceptable they are and which errors they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.intervals import Estimate, Proportion, clustered_ratios
from radtui.measures.preference import Answers, answers_of
from radtui.measures.scheme import checked_answer, parse_error_answer
from radtui.measures.significance import Discordance, mcnemar, wilcoxon
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np

USABLE = 4  # minor wording or better
AS_IS = 5


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many texts reach one level of acceptability."""

    level: int
    earlier: Proportion
    later: Proportion
    difference: Estimate  # later - earlier, -1..1
    mcnemar: Discordance  # by case: its mean rating reaches the level

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "level": self.level,
            "earlier": self.earlier.to_dict(),
            "later": self.later.to_dict(),
            "difference": self.difference.to_dict(),
            "mcnemar": self.mcnemar.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Acceptability:
    """The absolute 1-5 rating, over pairs in which both texts have one."""

    earlier: Estimate
    later: Estimate
    difference: Estimate  # later - earlier
    wilcoxon_p: float | None
    usable: Threshold  # 4 or 5
    as_is: Threshold  # 5

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "earlier": self.earlier.to_dict(),
            "later": self.later.to_dict(),
            "difference": self.difference.to_dict(),
            "wilcoxon_p": self.wilcoxon_p,
            "usable": self.usable.to_dict(),
            "as_is": self.as_is.to_dict(),
        }


def acceptability_of(
    ratings: Sequence[Rating], earlier: str, later: str, seed: int = 0
) -> Acceptability | None:
    """Acceptability of two arms; None when no pair has both answers.

    Args:
        ratings: Those that count, of pairs of the two.
        earlier: Name of the one arm.
        later: Name of the other, to which differences point.
        seed: Of the bootstraps.
    """
    both = [
        (rating.case_id, before, after)
        for rating in ratings
        if (before := rating.acceptability(earlier)) is not None
        and (after := rating.acceptability(later)) is not None
    ]
    if not both:
        return None
    first = answers_of([(case_id, float(value)) for case_id, value, _ in both])
    second = answers_of([(case_id, float(value)) for case_id, _, value in both])
    difference = answers_of([(case_id, float(after - before)) for case_id, before, after in both])
    return Acceptability(
        earlier=first.mean(seed),
        later=second.mean(seed),
        difference=difference.mean(seed),
        wilcoxon_p=wilcoxon(difference.independent),
        usable=_threshold(first, second, USABLE, seed),
        as_is=_threshold(first, second, AS_IS, seed),
    )


def _threshold(earlier: Answers, later: Answers, level: int, seed: int) -> Threshold:
    earlier_hits = [value >= level for value in earlier.values]
    later_hits = [value >= level for value in later.values]
    differences = Answers(
        earlier.case_ids, tuple(float(a) - float(b) for a, b in zip(later_hits, earlier_hits, strict=True))
    )
    return Threshold(
        level=level,
        earlier=earlier.share(earlier_hits, seed),
        later=later.share(later_hits, seed),
        difference=differences.mean(seed),
        mcnemar=mcnemar(
            [mean >= level for mean in later.independent], [mean >= level for mean in earlier.independent]
        ),
    )


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Errors of one arm, per text that somebody checked."""

    significant: Estimate
    insignificant: Estimate
    with_significant: Proportion  # texts with at least one significant error
    by_category: dict[str, tuple[Estimate, Estimate]]  # category id -> significant, insignificant
    unchecked: (
        int  # judgements of this arm's texts by readers who said nothing about errors: no part of any figure
    )

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "significant": self.significant.to_dict(),
            "insignificant": self.insignificant.to_dict(),
            "with_significant": self.with_significant.to_dict(),
            "by_category": {
                category: {"significant": severe.to_dict(), "insignificant": slight.to_dict()}
                for category, (severe, slight) in self.by_category.items()
            },
            "unchecked": self.unchecked,
        }


@dataclass(frozen=True, slots=True)
class Errors:
    """Counted errors of two arms, over the texts that somebody checked."""

    n: int  # ratings in which at least one of the two texts was checked
    earlier: ErrorRates
    later: ErrorRates
    difference: Estimate  # significant errors per text, later - earlier, where one reader checked both
    wilcoxon_p: float | None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "earlier": self.earlier.to_dict(),
            "later": self.later.to_dict(),
            "difference": self.difference.to_dict(),
            "wilcoxon_p": self.wilcoxon_p,
        }


def checked(rating: Rating, arm: str) -> bool:
    """Whether the reader looked for errors in an arm's text: said so, or counted one.

    Nothing else says it: a text about which nobody was asked has no error count, least of all 0.
    """
    return bool(rating.answers.get(checked_answer(arm))) or any(
        of == arm for of, _, _ in error_counts(rating)
    )


def error_counts(rating: Rating) -> dict[tuple[str, str, bool], int]:
    """(arm, category id, significant) -> how many errors were counted; what was not counted has no entry."""
    counts = {}
    for key, count in rating.answers.items():
        about = parse_error_answer(key)
        if about is not None and count:
            counts[about] = count
    return counts


def errors_of(
    ratings: Sequence[Rating], earlier: str, later: str, categories: Sequence[str], seed: int = 0
) -> Errors | None:
    """Errors per checked text of two arms; None when nobody checked one.

    Args:
        ratings: Those that count, of pairs of the two.
        earlier: Name of the one arm.
        later: Name of the other, to which the difference points.
        categories: Ids of the scheme's error categories.
        seed: Of the bootstraps.
    """
    of_earlier = [rating for rating in ratings if checked(rating, earlier)]
    of_later = [rating for rating in ratings if checked(rating, later)]
    if not of_earlier and not of_later:
        return None
    both = [rating for rating in of_earlier if checked(rating, later)]
    differences = [float(_significant(rating, later) - _significant(rating, earlier)) for rating in both]
    answers = answers_of([(rating.case_id, d) for rating, d in zip(both, differences, strict=True)])
    return Errors(
        n=len(of_earlier) + len(of_later) - len(both),
        earlier=_rates(of_earlier, earlier, categories, len(ratings), seed),
        later=_rates(of_later, later, categories, len(ratings), seed),
        difference=answers.mean(seed),
        wilcoxon_p=wilcoxon(answers.independent),
    )


def _significant(rating: Rating, arm: str) -> int:
    return sum(n for (of, _, severe), n in error_counts(rating).items() if of == arm and severe)


def _rates(
    ratings: Sequence[Rating], arm: str, categories: Sequence[str], judged: int, seed: int
) -> ErrorRates:
    """One arm's rates over the ratings that checked its text."""
    import numpy as np

    size = len(categories)
    cells = np.zeros((len(ratings), 2, size))  # significant and insignificant, by category
    for row, rating in enumerate(ratings):
        for (of, category, severe), count in error_counts(rating).items():
            if of == arm and category in categories:
                cells[row, 0 if severe else 1, categories.index(category)] = count
    sums = cells.sum(axis=2)
    case_ids = tuple(rating.case_id for rating in ratings)
    estimates = _per_text(
        np.concatenate([cells.reshape(len(ratings), 2 * size), sums], axis=1), case_ids, seed
    )
    hits = [bool(value) for value in sums[:, 0]]
    return ErrorRates(
        significant=estimates[2 * size],
        insignificant=estimates[2 * size + 1],
        with_significant=Answers(case_ids, tuple(map(float, hits))).share(hits, seed),
        by_category={
            category: (estimates[at], estimates[size + at]) for at, category in enumerate(categories)
        },
        unchecked=judged - len(ratings),
    )


def _per_text(values: np.ndarray, case_ids: Sequence[int], seed: int) -> list[Estimate]:
    """Mean of each column per text, cases resampled together for all columns."""
    import numpy as np

    _, place = np.unique(np.asarray(case_ids, dtype=np.int64), return_inverse=True)
    over = np.zeros((int(place.max(initial=-1)) + 1, values.shape[1]))
    under = np.zeros_like(over)
    np.add.at(over, place, values)
    np.add.at(under, place, 1.0)
    return clustered_ratios(over, under, [len(values)] * values.shape[1], seed)
