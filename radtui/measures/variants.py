"""Three variants from blind pairs drawn among them: each two against each other, and one scale for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from radtui.measures.bradley_terry import Strength, matches_of, strengths
from radtui.measures.scheme import Scheme, error_answer, parse_error_answer
from radtui.measures.statistics import Summary, counted, summarise
from radtui.records import Rating, Variant

Lengths = Mapping[tuple[int, int], Mapping[Variant, int]]
"""(job id, image id) -> words of each variant's text."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two variants against each other, over the pairs that show just these.

    In the summary `base` stands for the earlier and `tuned` for the later.
    """

    earlier: Variant
    later: Variant
    summary: Summary

    @property
    def verdict(self) -> str:
        """What may be concluded, in words with the variants' own names."""
        names = {"tuned preferred": f"{self.later} preferred", "base preferred": f"{self.earlier} preferred"}
        return names.get(self.summary.verdict, self.summary.verdict)

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON; `summary` calls the earlier base and the later tuned."""
        return {
            "earlier": self.earlier.value,
            "later": self.later.value,
            "verdict": self.verdict,
            "summary": self.summary.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Variants:
    """All variants of a job compared."""

    n: int  # ratings that count, over all pairs
    images: int
    strengths: tuple[Strength, ...]  # strongest first; none where no finite ones exist
    contrasts: tuple[Contrast, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "images": self.images,
            "strengths": [one.to_dict() for one in self.strengths],
            "contrasts": [one.to_dict() for one in self.contrasts],
        }


def compare_variants(
    ratings: Iterable[Rating],
    variants: Sequence[Variant],
    scheme: Scheme,
    lengths: Lengths | None = None,
    calibration: Collection[tuple[int, int]] = (),
    include_unblinded: bool = False,
    seed: int = 0,
) -> Variants:
    """Every two variants against each other, and Bradley-Terry strengths of all against base.

    Both-bad pairs say nothing about strength. Where images have several raters, intervals are by image.

    Args:
        ratings: Current state of each comparison, one row per rater and showing.
        variants: Of the job, in the order they were made.
        scheme: Whose questions are summarised.
        lengths: Word counts of the texts.
        calibration: (job id, image id) of calibration pairs.
        include_unblinded: Count ratings made by someone who knew which text is whose.
        seed: Of all bootstraps.
    """
    rows = sorted(ratings, key=lambda one: (one.job_id, one.image_id, one.rater, one.occasion))
    kept, _ = counted(rows, scheme, frozenset(calibration), include_unblinded)
    contrasts = []
    for earlier, later in combinations(variants, 2):
        own = [as_two(rating) for rating in rows if rating.shown == (earlier, later)]
        words = {
            key: (found[earlier], found[later])
            for key, found in (lengths or {}).items()
            if earlier in found and later in found
        }
        summary = summarise(own, scheme, words, calibration, include_unblinded, seed)
        contrasts.append(Contrast(earlier, later, summary))
    images = len({rating.image_id for rating in kept})
    return Variants(len(kept), images, _strengths(kept), tuple(contrasts))


def as_two(rating: Rating) -> Rating:
    """The rating with its two variants called base and tuned, the earlier and the later, as all statistics take it."""
    earlier, later = rating.shown
    if (earlier, later) == (Variant.BASE, Variant.TUNED):
        return rating
    role = {earlier: Variant.BASE, later: Variant.TUNED}
    answers = {_renamed(key, role): value for key, value in rating.answers.items()}
    return replace(
        rating, answers=answers, shown_left=role[rating.shown_left], shown_right=role[rating.shown_right],
        base_acceptability=rating.acceptability(earlier), tuned_acceptability=rating.acceptability(later),
        dpo_acceptability=None,
    )  # fmt: skip


def _renamed(key: str, role: Mapping[Variant, Variant]) -> str:
    """An answer's key with its variant called as its role is; other answers keep theirs."""
    parsed = parse_error_answer(key)
    if parsed is None:
        return key
    variant, category, significant = parsed
    return error_answer(role[variant], category, significant=significant)


def _strengths(kept: Sequence[Rating]) -> tuple[Strength, ...]:
    judged = [rating for rating in kept if rating.preference is not None]
    if not any(Variant.BASE in rating.shown for rating in judged):
        return ()
    matches = matches_of([(*rating.shown, rating.preference or 0) for rating in judged])
    found = strengths(matches, Variant.BASE, [rating.image_id for rating in judged])
    return tuple(found or ())
