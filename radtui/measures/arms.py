"""Any number of arms from blind pairs drawn among them: each two against each other, and one scale for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from radtui.measures.bias import Words
from radtui.measures.bradley_terry import Difference, Strength, matches_of, scale_of
from radtui.measures.scheme import Scheme
from radtui.measures.statistics import Summary, counted, in_order, summarise
from radtui.records import Rating


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two arms against each other, over the pairs that show just these."""

    earlier: str
    later: str
    summary: Summary

    @property
    def verdict(self) -> str:
        """What may be concluded, in words with the arms' names."""
        return self.summary.verdict

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "earlier": self.earlier,
            "later": self.later,
            "verdict": self.verdict,
            "summary": self.summary.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Arms:
    """All arms of a study compared."""

    n: int  # ratings that count, over all pairs
    cases: int
    strengths: tuple[Strength, ...]  # strongest first; none where no finite ones exist
    contrasts: tuple[Contrast, ...]
    differences: tuple[
        Difference, ...
    ] = ()  # every two arms on the scale, tested as a pair; none without one

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "cases": self.cases,
            "strengths": [strength.to_dict() for strength in self.strengths],
            "contrasts": [contrast.to_dict() for contrast in self.contrasts],
            "differences": [difference.to_dict() for difference in self.differences],
        }


def compare_arms(
    ratings: Iterable[Rating],
    arms: Sequence[str],
    scheme: Scheme,
    words: Words | None = None,
    calibration: Collection[tuple[int, int]] = (),
    include_unblinded: bool = False,
    seed: int = 0,
) -> Arms:
    """Every two arms against each other, and Bradley-Terry strengths of all against the first.

    Both-bad pairs say nothing about strength. With several readers, intervals are for readers and cases like these.

    Args:
        ratings: Current state of each comparison, one row per rater and showing.
        arms: Names of the study's arms, in its order; pairs with another arm play no part.
        scheme: Whose questions are summarised.
        words: Word counts of the texts.
        calibration: (study id, case id) of calibration pairs.
        include_unblinded: Count ratings made by someone who knew which text is whose.
        seed: Of all bootstraps.
    """
    pairs = list(combinations(arms, 2))
    rows_of: dict[tuple[str, str], list[Rating]] = {pair: [] for pair in pairs}
    for rating in ratings:
        if rating.shown in rows_of:
            rows_of[rating.shown].append(rating)
    contrasts = tuple(
        Contrast(*pair, summarise(rows_of[pair], scheme, *pair, words, calibration, include_unblinded, seed))
        for pair in pairs
    )
    rows = in_order(rating for own in rows_of.values() for rating in own)
    kept, _ = counted(rows, scheme, frozenset(calibration), include_unblinded)
    cases = len({rating.case_id for rating in kept})
    strengths, differences = _scale(kept, arms)
    return Arms(len(kept), cases, strengths, contrasts, differences)


def _scale(
    kept: Sequence[Rating], arms: Sequence[str]
) -> tuple[tuple[Strength, ...], tuple[Difference, ...]]:
    judged = [rating for rating in kept if rating.preference is not None]
    if not arms or not any(arms[0] in rating.shown for rating in judged):
        return (), ()
    matches = matches_of([(*rating.shown, rating.preference or 0) for rating in judged])
    found = scale_of(
        matches, arms[0], [rating.case_id for rating in judged], [rating.rater for rating in judged], arms
    )
    return ((), ()) if found is None else (tuple(found.strengths), tuple(found.differences))
