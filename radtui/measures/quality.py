"""Absolute quality of each variant's texts: how acceptable they are and which errors they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from radtui.measures.intervals import Estimate, Proportion, clustered_ratios
from radtui.measures.preference import Answers, answers_of
from radtui.measures.scheme import parse_error_answer
from radtui.measures.significance import Discordance, mcnemar, wilcoxon
from radtui.records import TWO_VARIANTS, Rating, Variant

if TYPE_CHECKING:
    import numpy as np

USABLE = 4  # minor wording or better
AS_IS = 5


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many texts reach one level of acceptability."""

    level: int
    base: Proportion
    tuned: Proportion
    difference: Estimate  # tuned - base, -1..1
    mcnemar: Discordance  # by image: its mean rating reaches the level

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "level": self.level,
            "base": self.base.to_dict(),
            "tuned": self.tuned.to_dict(),
            "difference": self.difference.to_dict(),
            "mcnemar": self.mcnemar.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Acceptability:
    """The absolute 1-5 rating, over pairs in which both texts have one."""

    base: Estimate
    tuned: Estimate
    difference: Estimate  # tuned - base
    wilcoxon_p: float | None
    usable: Threshold  # 4 or 5
    as_is: Threshold  # 5

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "base": self.base.to_dict(),
            "tuned": self.tuned.to_dict(),
            "difference": self.difference.to_dict(),
            "wilcoxon_p": self.wilcoxon_p,
            "usable": self.usable.to_dict(),
            "as_is": self.as_is.to_dict(),
        }


def acceptability_of(ratings: Sequence[Rating], seed: int = 0) -> Acceptability | None:
    """Acceptability of both variants; None when no pair has both answers."""
    both = [
        (rating.image_id, rating.base_acceptability, rating.tuned_acceptability)
        for rating in ratings
        if rating.base_acceptability is not None and rating.tuned_acceptability is not None
    ]
    if not both:
        return None
    base = answers_of([(image_id, float(value)) for image_id, value, _ in both])
    tuned = answers_of([(image_id, float(value)) for image_id, _, value in both])
    difference = answers_of([(image_id, float(after - before)) for image_id, before, after in both])
    return Acceptability(
        base=base.mean(seed),
        tuned=tuned.mean(seed),
        difference=difference.mean(seed),
        wilcoxon_p=wilcoxon(difference.independent),
        usable=_threshold(base, tuned, USABLE, seed),
        as_is=_threshold(base, tuned, AS_IS, seed),
    )


def _threshold(base: Answers, tuned: Answers, level: int, seed: int) -> Threshold:
    base_hits = [value >= level for value in base.values]
    tuned_hits = [value >= level for value in tuned.values]
    differences = Answers(
        base.image_ids, tuple(float(a) - float(b) for a, b in zip(tuned_hits, base_hits, strict=True))
    )
    return Threshold(
        level=level,
        base=base.share(base_hits, seed),
        tuned=tuned.share(tuned_hits, seed),
        difference=differences.mean(seed),
        mcnemar=mcnemar(
            [mean >= level for mean in tuned.independent], [mean >= level for mean in base.independent]
        ),
    )


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Errors of one variant, per report."""

    significant: Estimate
    insignificant: Estimate
    with_significant: Proportion  # reports with at least one significant error
    by_category: dict[str, tuple[Estimate, Estimate]]  # category id -> significant, insignificant

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "significant": self.significant.to_dict(),
            "insignificant": self.insignificant.to_dict(),
            "with_significant": self.with_significant.to_dict(),
            "by_category": {
                category: {"significant": one.to_dict(), "insignificant": other.to_dict()}
                for category, (one, other) in self.by_category.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Errors:
    """Counted errors of both variants, over the ratings of raters who count errors."""

    n: int
    base: ErrorRates
    tuned: ErrorRates
    difference: Estimate  # significant errors per report, tuned - base
    wilcoxon_p: float | None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "base": self.base.to_dict(),
            "tuned": self.tuned.to_dict(),
            "difference": self.difference.to_dict(),
            "wilcoxon_p": self.wilcoxon_p,
        }


def errors_of(ratings: Sequence[Rating], categories: Sequence[str], seed: int = 0) -> Errors | None:
    """Errors per report of both variants; None when nobody counted one.

    A rating without a count has no errors if its rater counts errors anywhere; a rater who never opened that
    question has said nothing, so their ratings are left out.

    Args:
        ratings: Those that count.
        categories: Ids of the scheme's error categories.
        seed: Of the bootstraps.
    """
    import numpy as np

    kept = [(rating, _counts(rating)) for rating in of_raters_who_count(ratings)]
    if not kept:
        return None
    kinds = [(variant, severe) for variant in TWO_VARIANTS for severe in (True, False)]
    cells = np.array(
        [
            [[found.get((*kind, category), 0) for category in categories] for kind in kinds]
            for _, found in kept
        ],
        dtype=float,
    )  # (ratings, 4 kinds, categories)
    image_ids = tuple(rating.image_id for rating, _ in kept)
    sums = cells.sum(axis=2)
    difference = sums[:, kinds.index((Variant.TUNED, True))] - sums[:, kinds.index((Variant.BASE, True))]
    columns = [cells.reshape(len(kept), -1), sums, difference[:, np.newaxis]]
    estimates = _per_report(np.concatenate(columns, axis=1), image_ids, seed)
    rates = [
        _rates(list(categories), kinds.index((variant, True)), estimates, sums, image_ids, seed)
        for variant in TWO_VARIANTS
    ]
    return Errors(
        n=len(kept),
        base=rates[0],
        tuned=rates[1],
        difference=estimates[-1],
        wilcoxon_p=wilcoxon(Answers(image_ids, tuple(map(float, difference))).independent),
    )


def of_raters_who_count(ratings: Sequence[Rating]) -> list[Rating]:
    """The ratings of raters who have counted an error anywhere: where they have no count they say 0."""
    counting = {rating.rater for rating in ratings if _counts(rating)}
    return [rating for rating in ratings if rating.rater in counting]


def _rates(
    categories: list[str],
    kind: int,
    estimates: list[Estimate],
    sums: np.ndarray,
    image_ids: tuple[int, ...],
    seed: int,
) -> ErrorRates:
    """One variant's rates; its significant errors are the columns of `kind`, its insignificant ones those after."""
    size = len(categories)
    totals = estimates[4 * size :]
    hits = [bool(value) for value in sums[:, kind]]
    return ErrorRates(
        significant=totals[kind],
        insignificant=totals[kind + 1],
        with_significant=Answers(image_ids, tuple(map(float, hits))).share(hits, seed),
        by_category={
            category: (estimates[kind * size + at], estimates[(kind + 1) * size + at])
            for at, category in enumerate(categories)
        },
    )


def _counts(rating: Rating) -> dict[tuple[Variant, bool, str], int]:
    found = {}
    for key, count in rating.answers.items():
        parsed = parse_error_answer(key)
        if parsed is not None and count:
            variant, category, significant = parsed
            found[variant, significant, category] = count
    return found


def _per_report(values: np.ndarray, image_ids: Sequence[int], seed: int) -> list[Estimate]:
    """Mean of each column per report, images resampled together for all columns."""
    import numpy as np

    _, place = np.unique(np.asarray(image_ids), return_inverse=True)
    over = np.zeros((place.max() + 1, values.shape[1]))
    under = np.zeros_like(over)
    np.add.at(over, place, values)
    np.add.at(under, place, 1.0)
    return clustered_ratios(over, under, [len(values)] * values.shape[1], seed)
