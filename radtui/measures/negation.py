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
ADJECTIVES = 3  # words at most between "resolved" and the finding that it stands before
_BREAKS = frozenset(";:")
_PLURAL_VERBS = frozenset({"are", "were", "have"})
_NEW_SUBJECT = frozenset(
    {"a", "an", "the", "there", "this", "these", "those", "they", "she", "he", "it", "we"}
)
_SHORT_SCOPE = frozenset({"rather than", "instead of"})  # what they turn away from ends with a comma
_TURNERS = frozenset({"not", "never", "no"})  # next to another denial they turn it round
_ANSWERS = frozenset({"none", "nil", "absent", "now", "since"})
_TURNS_BACK = frozenset({"but", "although", "though"})
_PRESENT = frozenset(
    {"stable", "unchanged", "new", "persistent", "persisting", "residual", "recurrent", "current", "trace"}
)
# What comes "with" what was done is there.
_DONE = frozenset({"p", "post", "after", "following", "prior", "previous"})
_SEEN = frozenset({"is", "are", "was", "were"})  # first words of verbs by which a clause asserts


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


def live_cues(words: Sequence[str], hits: Sequence[Hit], findings: Sequence[Hit]) -> list[Hit]:
    """The cues of a sentence that mean what they say, from all that match in it.

    A cue inside a longer one, in one that says nothing ("no doubt") or next to a "not" is none: "there is no doubt",
    "not free of". One that looks back gives way to one that looks forward from inside it: "was negative for". A word
    that looks both ways, such as "absent", looks back where a finding stands in front of it, else forward.

    Args:
        words: The sentence's tokens.
        hits: All hits of the cue table, overlapping or not.
        findings: Where findings stand.
    """
    spans = {(hit.start, hit.end) for hit in hits}
    neutral = [hit for hit in hits if hit.value == "neutral"]
    kept = []
    for hit in hits:
        inside = any(
            start <= hit.start and hit.end <= end and (start, end) != hit[:2] for start, end in spans
        )
        touched = any(hit.start < other.end and other.start < hit.end for other in neutral)
        if hit.value != "neutral" and not inside and not (touched and hit.value != "ends"):
            kept.append(hit)
    denials = [hit for hit in kept if hit.value.startswith("negates")]
    turned = {
        cue[:2]
        for first in denials
        for second in denials
        if first.end == second.start and words[first.end - 1] in _TURNERS and first.end - first.start == 1
        for cue in (first, second)
    }
    return [
        hit
        for hit in kept
        if hit[:2] not in turned
        and not (hit.value.endswith("_before") and _gives_way(hit, kept))
        and _looks(hit, kept, words, findings)
    ]


def _gives_way(back: Hit, hits: Sequence[Hit]) -> bool:
    """Whether a cue that looks forward begins inside one that looks back, and reaches beyond it."""
    return any(hit.value.endswith("_after") and back.start <= hit.start < back.end < hit.end for hit in hits)


def _looks(cue: Hit, hits: Sequence[Hit], words: Sequence[str], findings: Sequence[Hit]) -> bool:
    """Whether a cue that looks both ways looks this way; other cues do."""
    kind, _, direction = cue.value.partition("_")
    other = f"{kind}_{'after' if direction == 'before' else 'before'}"
    if not any(hit[:2] == cue[:2] and hit.value == other for hit in hits):
        return True
    backward = any(
        finding.end <= cue.start
        and not any(word in _BREAKS or word in (",", "and") for word in words[finding.end : cue.start])
        for finding in findings
    )
    return backward == (direction == "before")


def statement_of(finding: Hit, words: Sequence[str], cues: Sequence[Hit]) -> Statement:
    """How a sentence speaks of one of its findings.

    Args:
        finding: Where the finding stands in `words`.
        words: The sentence's tokens.
        cues: Those of `live_cues`; a phrase that both ends a scope and opens one gives two hits.
    """
    ends = [cue for cue in cues if cue.value == "ends" or _begins_anew(cue, words)]
    reached = {cue.value.split("_")[0] for cue in cues if _reaches(cue, finding, words, ends)}
    if _answered_none(finding, words, cues) or words[finding.start - 1 : finding.start] == ["non"]:
        reached.add("negates")  # "non-dilated loops"
    if "negates" in reached and any(
        cue.value == "uncertain_before"
        and words[cue.start] in _TURNS_BACK
        and _reaches(cue, finding, words, ends)
        for cue in cues
    ):
        reached.remove("negates")  # "is unlikely but cannot be excluded"
    for kind, statement in _RANKED:
        if kind in reached:
            return statement
    return Statement.ASSERTED


def _begins_anew(cue: Hit, words: Sequence[str]) -> bool:
    """Whether a comma and another kind of cue end a denial: "no effusion, possible nodule"."""
    return cue.value in ("uncertain_after", "hypothetical_after", "historical_after") and (
        cue.start > 0 and words[cue.start - 1] == ","
    )


def _answered_none(finding: Hit, words: Sequence[str], cues: Sequence[Hit]) -> bool:
    """Whether a heading is answered with a denial and nothing else: "Pneumothorax: none", "Effusion: no"."""
    if finding.end >= len(words) or words[finding.end] != ":":
        return False
    for cue in cues:
        if cue.start == finding.end + 1 and cue.value.startswith("negates"):
            return cue.end >= len(words) or words[cue.end] in ",;(" or cue.value.endswith("_before")
    return False


def _reaches(cue: Hit, finding: Hit, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    kind, _, direction = cue.value.partition("_")
    if not direction:
        return False
    if finding.start < cue.start and cue.end < finding.end:
        return True  # inside a phrase with a gap, such as "heart is not enlarged"
    if direction == "after" and cue.end <= finding.start:
        near = {"historical": HISTORY_WORDS, "resolved": ADJECTIVES}
        kind = "resolved" if words[cue.end - 1] == "resolved" else kind
        return finding.start - cue.end <= near.get(kind, len(words)) and not _ended_after(
            cue, finding, words, ends
        )
    return (
        direction == "before"
        and finding.end <= cue.start
        and not _ended_before(finding.end, cue, words, ends)
    )


def _ended_after(cue: Hit, finding: Hit, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    """Whether the scope of a cue that looks forward stops before a finding."""
    start, end = cue.end, finding.start
    headed = words[start] == ":" and (not cue.value.startswith("negates") or cue.start == 0)
    start += headed  # "Indication: pneumonia", "Absent: effusion, pneumothorax"
    # All that a question says is asked: "cough, ?pneumonia".
    if headed and cue.value.startswith("hypothetical"):
        ends = [hit for hit in ends if hit.value == "ends"]
    if any(start <= hit.start and hit.end <= end for hit in ends):
        return True
    if cue.value == "historical_after" and not headed and _present(cue, words[start:end], words):
        return True
    short = " ".join(words[cue.start : cue.end]) in _SHORT_SCOPE
    for position in range(start, end):
        if words[position] in _BREAKS:
            return True
        if words[position] == "," and (short or words[position + 1] in _NEW_SUBJECT):
            return True
    return "," in words[start:end] and _asserts_itself(start, finding, words, ends)


def _present(cue: Hit, between: Sequence[str], words: Sequence[str]) -> bool:
    """Whether what stands behind a piece of history speaks of now: "s/p CABG, stable cardiomegaly"."""
    if not _DONE.isdisjoint(words[cue.start : cue.end]):
        return "with" in between or "," in between
    return "," in between and not _PRESENT.isdisjoint(between[between.index(",") :])


def _asserts_itself(start: int, finding: Hit, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    """Whether a finding behind a denial and a comma has a verb of its own: "No oedema, consolidation is seen".

    In a list the verb is that of all: "No oedema, consolidation or effusion is seen".
    """
    before = words[start : finding.start]
    if before.count(",") != 1 or "or" in before or "nor" in before:
        return False
    for hit in ends:
        if hit.start >= finding.end and words[hit.start] in _SEEN and hit.end - hit.start == 2:
            return not any(word in ("or", "nor", ",") for word in words[finding.end : hit.start])
    return False


def _ended_before(start: int, cue: Hit, words: Sequence[str], ends: Sequence[Hit]) -> bool:
    """Whether the scope of a cue that looks back stops between `start` and the cue.

    "Nodule, mass or effusion is not seen" denies a list, "nodule on the left and effusion is not seen" does not.
    """
    if words[start : start + 1] == [","] and words[start + 1 : start + 2] in (["which"], ["that"]):
        start += 2  # "an effusion, which has cleared"
    between = words[start : cue.start]
    if list(between) == [","] and words[cue.start] in _ANSWERS:
        return False  # "Pneumothorax, none"
    if list(between) in ([","], [";"]) and "none" in words[cue.start : cue.end]:
        return False  # "to look for hydronephrosis; there is none"
    if any(start <= hit.start and hit.end <= cue.start for hit in ends):
        return True
    if any(word in _BREAKS for word in between):
        return True
    if not any(word in (",", "and") for word in between):
        return False
    listed = "or" in between or ("and" in between and words[cue.start] in _PLURAL_VERBS)
    return not listed
