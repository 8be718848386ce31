"""Any number of arms from blind pairs drawn among them: each two against each other, and one scale for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import combinations

from radtui.measures.bias import Words
from radtui.measures.bradley_terry import Difference, Strength, matches_of, scale_of
from radtui.measures.scheme import Scheme
from radtui.measures.statistics import Arms, Contrast, counted, in_order, summarise
from radtui.records import Rating


def compare_arms(
    ratings: Iterable[Rating],
    arms: Sequence[str],
    scheme: Scheme,
    words: Words | None = None,
    calibration: Collection[tuple[int, int]] = (),
    include_unblinded: bool = False,
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
    """
    pairs = list(combinations(arms, 2))
    rows_of: dict[tuple[str, str], list[Rating]] = {pair: [] for pair in pairs}
    for rating in ratings:
        if rating.shown in rows_of:
            rows_of[rating.shown].append(rating)
    contrasts = tuple(
        Contrast(*pair, summarise(rows_of[pair], scheme, *pair, words, calibration, include_unblinded))
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
    scale = scale_of(
        matches, arms[0], [rating.case_id for rating in judged], [rating.rater for rating in judged], arms
    )
    return ((), ()) if scale is None else (tuple(scale.strengths), tuple(scale.differences))
