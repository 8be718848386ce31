"""Descriptions against known truth: findings found, missed and invented, and whether side and zone are right.

Only findings that the data set's truth speaks of are judged: a caption may mention oedema around a mass, and a truth
that lists the mass alone says nothing about that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from radtui.measures.extraction import Extraction, extract, implies
from radtui.measures.intervals import Estimate, Proportion, f1_of, proportion
from radtui.measures.lexicon import Lexicon, PhraseTable, default_lexicon, tokens
from radtui.measures.paired import CaseParts, Parts, SummedParts, bootstrapped
from radtui.measures.plain import PlainFields
from radtui.records import Truth

if TYPE_CHECKING:
    import numpy as np

NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class TruthCase:
    """One case's truth and what one arm wrote about it. A normal case has the truth `Truth("normal")`."""

    truth: tuple[Truth, ...]
    text: str
    examination: str = ""


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """How often one finding was found, missed and invented."""

    found: int
    missed: int
    invented: int


@dataclass(frozen=True, slots=True)
class TruthScores(PlainFields):
    """Scores of one arm over all cases whose truth is known; every figure has its n and 95 % interval."""

    cases: int
    found: int
    missed: int
    invented: int
    precision: Proportion  # found of all that were named
    recall: Proportion  # found of all that are there
    f1: Estimate  # micro-averaged: over all findings of all cases together
    f1_macro: Estimate  # mean of the F1 of each finding that the truth or a text names
    side: Proportion  # right side, of the found findings that have one
    zone: Proportion
    invented_on_normal: Proportion  # normal cases in which at least one finding is named
    examination: Proportion  # texts that name the examination
    outside: int  # asserted findings of which the truth never speaks: not judged
    findings: dict[str, FindingCounts]


def score_truth(cases: Iterable[TruthCase], vocabulary: Iterable[str] | None = None) -> TruthScores:
    """Score one arm's texts against what is known of the cases.

    Findings that the lexicon does not know are matched by their own names.

    Args:
        cases: One per case; cases without truth are left out.
        vocabulary: Findings to judge; by default those that occur in the truth of any case. To compare arms over
            different cases, give the data set's.
    """
    known = [case for case in cases if case.truth]
    named = (
        {truth.finding for case in known for truth in case.truth} if vocabulary is None else set(vocabulary)
    )
    scope = named - {NORMAL}
    lexicon = default_lexicon().with_findings(sorted(scope))
    tallies = [_tally(case, scope, lexicon) for case in known]
    tally = _summed(tallies)
    hits, missed, invented = tally.found.total(), tally.missed.total(), tally.invented.total()
    return TruthScores(
        cases=len(known),
        found=hits,
        missed=missed,
        invented=invented,
        precision=proportion(hits, hits + invented),
        recall=proportion(hits, hits + missed),
        f1=f1_of(hits, missed, invented),
        f1_macro=bootstrapped(_macro_parts(tallies, scope, lexicon)),
        side=proportion(tally.side_right, tally.sided),
        zone=proportion(tally.zone_right, tally.zoned),
        invented_on_normal=proportion(tally.normal_spoilt, tally.normal),
        examination=proportion(tally.examination_named, tally.examinations),
        outside=tally.outside,
        findings={
            name: FindingCounts(tally.found[name], tally.missed[name], tally.invented[name])
            for name in sorted(scope | set(tally.invented))
        },
    )


def truth_parts(cases: Iterable[TruthCase], vocabulary: Iterable[str]) -> dict[str, Parts]:
    """What each case adds to each score of `score_truth`, to compare two arms in pairs; keys are its fields' names.

    Args:
        cases: One per case, those without truth among them: they add nothing.
        vocabulary: Findings to judge: the data set's.
    """
    scope = set(vocabulary) - {NORMAL}
    lexicon = default_lexicon().with_findings(sorted(scope))
    tallies = [_tally(case, scope, lexicon) for case in cases]
    sums = {
        "precision": [(t.found.total(), t.found.total() + t.invented.total()) for t in tallies],
        "recall": [(t.found.total(), t.found.total() + t.missed.total()) for t in tallies],
        "f1": [
            (2 * t.found.total(), 2 * t.found.total() + t.missed.total() + t.invented.total())
            for t in tallies
        ],
        "side": [(t.side_right, t.sided) for t in tallies],
        "zone": [(t.zone_right, t.zoned) for t in tallies],
        "invented_on_normal": [(t.normal_spoilt, t.normal) for t in tallies],
        "examination": [(t.examination_named, t.examinations) for t in tallies],
    }
    parts: dict[str, Parts] = {
        score: CaseParts(tuple(float(over) for over, _ in own), tuple(float(under) for _, under in own))
        for score, own in sums.items()
    }
    parts["f1_macro"] = _macro_parts(tallies, scope, lexicon)
    return parts


@dataclass(slots=True)
class _Tally:
    """Counts over the cases read so far."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    invented: Counter[str] = field(default_factory=Counter)
    sided: int = 0
    side_right: int = 0
    zoned: int = 0
    zone_right: int = 0
    normal: int = 0
    normal_spoilt: int = 0
    examinations: int = 0
    examination_named: int = 0
    outside: int = 0


_NUMBERS = (
    "sided", "side_right", "zoned", "zone_right", "normal", "normal_spoilt", "examinations", "examination_named",
    "outside",
)  # fmt: skip


def _tally(case: TruthCase, scope: set[str], lexicon: Lexicon) -> _Tally:
    """Counts of one case; none where nothing is known of it."""
    tally = _Tally()
    if case.truth:
        _score_case(case, extract(case.text, lexicon), scope, lexicon, tally)
    return tally


def _summed(tallies: Iterable[_Tally]) -> _Tally:
    total = _Tally()
    for tally in tallies:
        for name in ("found", "missed", "invented"):
            getattr(total, name).update(getattr(tally, name))
        for name in _NUMBERS:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
    return total


def _macro_parts(tallies: Sequence[_Tally], scope: set[str], lexicon: Lexicon) -> SummedParts:
    """Twice found, and that with missed and invented, of each finding in scope, case by case."""
    import numpy as np

    place = {name: 2 * at for at, name in enumerate(sorted(scope))}
    table = np.zeros((len(tallies), 2 * len(place)))
    for row, tally in zip(table, tallies, strict=True):
        for name, count in tally.found.items():
            row[place[name] : place[name] + 2] += 2 * count
        for name, count in tally.missed.items():
            row[place[name] + 1] += count
        for name, count in tally.invented.items():
            # A text may name a kind of what the truth speaks of.
            for broader in lexicon.broader(name) & scope:
                row[place[broader] + 1] += count
    return SummedParts(table, macro_f1_of, np.asarray(table.any(axis=1)))


def macro_f1_of(sums: np.ndarray) -> np.ndarray:
    """Mean F1 over labels of counts, float (k, 2 x labels), without those that nothing names; NaN where none is.

    Args:
        sums: For each label twice the hits, and twice the hits with misses and false hits.
    """
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = sums[:, 0::2] / sums[:, 1::2]
        named = sums[:, 1::2] > 0
        result: np.ndarray = np.where(named, f1, 0.0).sum(axis=1) / named.sum(axis=1)
        return result


def _score_case(
    case: TruthCase, extraction: Extraction, scope: set[str], lexicon: Lexicon, tally: _Tally
) -> None:
    there = {truth.finding for truth in case.truth} - {NORMAL}
    judged = {name for name in extraction.asserted if lexicon.broader(name) & scope}
    tally.outside += len(extraction.asserted - judged)
    hits = {finding for finding in there if any(finding in lexicon.broader(name) for name in judged)}
    invented = {name for name in judged if not lexicon.broader(name) & there}
    tally.found.update(hits)
    tally.missed.update(there - hits)
    tally.invented.update(invented)
    if not there:
        tally.normal += 1
        tally.normal_spoilt += bool(invented)
    for finding in hits:
        _score_place(finding, case, extraction, lexicon, tally)
    if case.examination:
        tally.examinations += 1
        tally.examination_named += _names_examination(case, extraction, lexicon)


def _score_place(
    finding: str, case: TruthCase, extraction: Extraction, lexicon: Lexicon, tally: _Tally
) -> None:
    mentions = [m for m in extraction.mentions if m.asserted and finding in lexicon.broader(m.finding)]
    truths = [truth for truth in case.truth if truth.finding == finding]
    sides = _sides(truth.side for truth in truths)
    if sides:
        tally.sided += 1
        tally.side_right += sides == _sides(mention.side for mention in mentions)
    zones = {truth.zone for truth in truths if truth.zone}
    if zones:
        tally.zoned += 1
        if zones <= lexicon.zone_groups.keys():
            named = {mention.zone for mention in mentions if mention.zone}
            each_told = all(any(implies(zone, wanted) for zone in named) for wanted in zones)
            tally.zone_right += each_told and all(
                any(implies(zone, wanted) for wanted in zones) for zone in named
            )
        else:
            tally.zone_right += all(_holds(case.text, zone) for zone in zones)


def _sides(sides: Iterable[str]) -> frozenset[str]:
    """Sides as a set, in which bilateral is both."""
    return frozenset(
        side for name in sides if name for side in (("right", "left") if name == "bilateral" else (name,))
    )


def _names_examination(case: TruthCase, extraction: Extraction, lexicon: Lexicon) -> bool:
    if case.examination in lexicon.examination_groups:
        return case.examination in extraction.examinations
    return _holds(case.text, case.examination)


def _holds(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase, for names that the lexicon does not know."""
    return bool(PhraseTable({phrase: [phrase]}).find(tokens(text)))
