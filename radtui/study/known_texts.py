"""Which texts a reader knows already, so that nobody rates blind what they have corrected."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from radtui.measures.text import normalise
from radtui.records import Comparison


def knows_a_text(known: Mapping[int, Collection[str]], comparison: Comparison) -> bool:
    """Whether a reader has corrected one of a case's texts, or read it by itself, in this study or another.

    Args:
        known: By case, from `store.readings`.
        comparison: The case's texts.
    """
    of_case = known.get(comparison.case_id, ())
    words = {tuple(normalise(text).split()) for text in of_case}
    return any(tuple(normalise(each.text).split()) in words for each in comparison.texts.values())
