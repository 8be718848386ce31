"""Absolute quality of two arms' texts: how acceptable they are and which errors they hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.answers import Answers, AnswerTable, table_of
from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.plain import PlainFields
from radtui.measures.scheme import acceptability_answer, checked_answer, error_answer, parse_error_answer
from radtui.measures.significance import Discordance, mcnemar, wilcoxon
from radtui.records import Rating

if TYPE_CHECKING:
    import numpy as np

USABLE = 4  # minor wording or better
AS_IS = 5
LEVELS = (1.0, 5.0)  # least and most


@dataclass(frozen=True, slots=True)
class Threshold(PlainFields):
    """How many texts reach one level of acceptability."""

    level: int
    earlier: Proportion
    later: Proportion
    difference: Estimate  # later - earlier, -1..1
    mcnemar: Discordance  # by case: its mean rating reaches the level


@dataclass(frozen=True, slots=True)
class Acceptability(PlainFields):
    """The absolute 1-5 rating, over pairs in which both texts have one."""

    earlier: Estimate
    later: Estimate
    difference: Estimate  # later - earlier
    wilcoxon_p: float | None
    usable: Threshold  # 4 or 5
    as_is: Threshold  # 5


def acceptability_of(
    ratings: Sequence[Rating] | AnswerTable, earlier: str, later: str, seed: int = 0
) -> Acceptability | None:
    """Acceptability of two arms; None when no pair has both answers.

    Args:
        ratings: Those that count, of pairs of the two.
        earlier: Name of the one arm.
        later: Name of the other, to which differences point.
        seed: Of the bootstraps.
    """
    import numpy as np

    table = table_of(ratings)
    levels = np.stack([table.answer(acceptability_answer(arm)) for arm in (earlier, later)], axis=1)
    both = ~np.isnan(levels).any(axis=1)
    if not both.any():
        return None
    answers = table.everyone.where(both)
    first, second = (answers.with_values(column[both]) for column in levels.T)
    difference = answers.with_values(second.values - first.values)
    return Acceptability(
        earlier=first.mean(seed, LEVELS),
        later=second.mean(seed, LEVELS),
        difference=difference.mean(seed, (LEVELS[0] - LEVELS[1], LEVELS[1] - LEVELS[0])),
        wilcoxon_p=wilcoxon(difference.independent),
        usable=_threshold(first, second, USABLE, seed),
        as_is=_threshold(first, second, AS_IS, seed),
    )


def _threshold(earlier: Answers, later: Answers, level: int, seed: int) -> Threshold:
    earlier_hits, later_hits = earlier.values >= level, later.values >= level
    difference = earlier.with_values(later_hits.astype(float) - earlier_hits)
    return Threshold(
        level=level,
        earlier=earlier.share(earlier_hits),
        later=later.share(later_hits),
        difference=difference.mean(seed, (-1, 1)),
        mcnemar=mcnemar((later.independent >= level).tolist(), (earlier.independent >= level).tolist()),
    )


@dataclass(frozen=True, slots=True)
class ErrorRates(PlainFields):
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
class Errors(PlainFields):
    """Counted errors of two arms, over the texts that somebody checked."""

    n: int  # ratings in which at least one of the two texts was checked
    earlier: ErrorRates
    later: ErrorRates
    difference: Estimate  # significant errors per text, later - earlier, where one reader checked both
    wilcoxon_p: float | None


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


def _grid(table: AnswerTable, arm: str, categories: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Which ratings checked an arm's text, bool (n,), and what they counted, (n, 2, categories).

    On the second axis stand significant and insignificant errors. A count in a category that is none of these shows
    that the text was checked, and is no part of a figure.
    """
    import numpy as np

    cells = np.zeros((len(table), 2, len(categories)))
    places = set()
    for column, category in enumerate(categories):
        for row, severe in enumerate((True, False)):
            key = error_answer(arm, category, significant=severe)
            cells[:, row, column] = np.nan_to_num(table.answer(key))
            places.add(key)
    looked = np.nan_to_num(table.answer(checked_answer(arm))) != 0
    for key in table.keys:
        about = parse_error_answer(key)
        if about is not None and about[0] == arm and key not in places:
            looked = looked | (np.nan_to_num(table.answer(key)) != 0)
    return looked | (cells.sum(axis=(1, 2)) > 0), cells


def errors_of(
    ratings: Sequence[Rating] | AnswerTable,
    earlier: str,
    later: str,
    categories: Sequence[str],
    seed: int = 0,
) -> Errors | None:
    """Errors per checked text of two arms; None when nobody checked one.

    Args:
        ratings: Those that count, of pairs of the two.
        earlier: Name of the one arm.
        later: Name of the other, to which the difference points.
        categories: Ids of the scheme's error categories.
        seed: Of the bootstraps.
    """
    import numpy as np

    table = table_of(ratings)
    grids = [_grid(table, arm, categories) for arm in (earlier, later)]
    (seen_earlier, of_earlier), (seen_later, of_later) = grids
    if not (seen_earlier | seen_later).any():
        return None
    everyone = table.everyone
    both = seen_earlier & seen_later
    significant = of_later[:, 0].sum(axis=1) - of_earlier[:, 0].sum(axis=1)
    answers = everyone.with_values(significant).where(both)
    return Errors(
        n=int(np.count_nonzero(seen_earlier | seen_later)),
        earlier=_rates(everyone.where(seen_earlier), of_earlier[seen_earlier], categories, len(table), seed),
        later=_rates(everyone.where(seen_later), of_later[seen_later], categories, len(table), seed),
        difference=answers.mean(seed),
        wilcoxon_p=wilcoxon(answers.independent),
    )


def _rates(
    texts: Answers, cells: np.ndarray, categories: Sequence[str], judged: int, seed: int
) -> ErrorRates:
    """One arm's rates over the ratings that checked its text.

    Args:
        texts: Their cases and readers.
        cells: What they counted, (texts, 2, categories).
        categories: Ids, as on the last axis.
        judged: Ratings of this arm's texts in all.
        seed: Of the bootstraps.
    """
    sums = cells.sum(axis=2)

    def per_text(values: np.ndarray) -> Estimate:
        return texts.with_values(values).mean(seed, (0, math.inf))

    return ErrorRates(
        significant=per_text(sums[:, 0]),
        insignificant=per_text(sums[:, 1]),
        with_significant=texts.share(sums[:, 0] > 0),
        by_category={
            category: (per_text(cells[:, 0, at]), per_text(cells[:, 1, at]))
            for at, category in enumerate(categories)
        },
        unchecked=judged - len(texts),
    )
