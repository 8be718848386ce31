"""Whether a sentence asserts a finding, denies it, doubts it, or speaks of the past or of what might be.

A small NegEx: cue phrases open a scope that runs to the next phrase that ends it.

Source: Chapman et al., A simple algorithm for identifying negated findings and diseases in discharge summaries,
J Biomed Inform 34 (2001) 301-310; Harkema et al., ConText, J Biomed Inform 42 (2009) 839-851.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from radtui.measures.lexicon import Hit

HISTORY_WORDS = 6  # "history of" reaches this far; captions go on to the present without a full stop
_BREAKS = frozenset(";:")
_PLURAL_VERBS = frozenset({"are", "were", "have"})
_NEW_SUBJECT = frozenset({"a", "an", "there", "she", "he", "it"})


class Statement(StrEnum):
    """How a text speaks of a finding."""

    ASSERTED = "asserted"
    UNCERTAIN = "uncertain"
    NEGATED = "negated"
    HISTORICAL = "historical"
    HYPOTHETICAL = "hypothetical"


# The stronger reading of two cues wins, in this order.
_RANKED = (
    ("negates", Statement.NEGATED),
    ("hypothetical", Statement.HYPOTHETICAL),
    ("historical", Statement.HISTORICAL),
    ("uncertain", Statement.UNCERTAIN),
)


def statement_of(finding: Hit, words: Sequence[str], cues: Sequence[Hit]) -> Statement:
    """How a sentence speaks of one of its findings.

    Args:
        finding: Where the finding stands in `words`.
        words: The sentence's tokens.
        cues: Hits of the lexicon's cue table; a phrase that both ends a scope and opens one gives two hits.
    """
    ends = [cue for cue in cues if cue.value == "ends"]
    reached = {cue.value.split("_")[0] for cue in cues if _reaches(cue, finding, words, ends)}
    for kind, statement in _RANKED:
        if kind in reached:
            return statement
    return Statement.ASSERTED


def _reaches(cue: Hit, finding: Hit, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    kind, _, direction = cue.value.partition("_")
    if not direction:
        return False
    if finding.start < cue.start and cue.end < finding.end:
        return True  # inside a phrase with a gap, such as "heart is not enlarged"
    if direction == "after" and cue.end <= finding.start:
        if kind == "historical" and finding.start - cue.end > HISTORY_WORDS:
            return False
        return not _ended_after(cue.end, finding.start, words, ends)
    if direction == "before" and finding.end <= cue.start:
        return not _ended_before(finding.end, cue, words, ends)
    return False


def _ended_after(start: int, end: int, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    """Whether the scope of a cue that ends at `start` stops before `end`."""
    if any(start <= hit.start and hit.end <= end for hit in ends):
        return True
    for position in range(start, end):
        if words[position] in _BREAKS:
            return True
        if words[position] == "," and words[position + 1] in _NEW_SUBJECT:
            return True
    return False


def _ended_before(start: int, cue: Hit, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    """Whether the scope of a cue that looks back stops between `start` and the cue.

    "Nodule, mass or effusion is not seen" denies a list, "nodule on the left and effusion is not seen" does not.
    """
    between = words[start : cue.start]
    if any(start <= hit.start and hit.end <= cue.start for hit in ends):
        return True
    if any(word in _BREAKS for word in between):
        return True
    if not any(word in (",", "and") for word in between):
        return False
    listed = "or" in between or ("and" in between and words[cue.start] in _PLURAL_VERBS)
    return not listed
