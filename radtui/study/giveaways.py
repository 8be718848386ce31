"""What could tell a reader whose text stands before them: names, marks, openings and lengths of an arm alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import PurePosixPath
from statistics import median

from radtui.measures.text import normalise, word_count, words
from radtui.percent import percent_text
from radtui.plural import many

# Of the texts: rarer marks are no habit that a reader could learn within a study.
COMMON = 0.05
OPENING_SHARE, OPENING_ELSEWHERE, OPENING_WORDS = 0.5, 0.1, 3
LONGER_SHARE = 0.9  # of the cases that two arms have in common
LONGER_RATIO = 1.25  # of the medians: a word more or less is not seen
LEAST_TEXTS = 5  # below, shares say nothing

# Words of reports as well as names of arms: "left base", "for reference".
PLAIN_WORDS = frozenset({"base", "reference", "tuned", "file", "text", "report", "model"})
SELF = re.compile(
    r"\bas an? (?:ai|artificial|large language|language)\b|\b(?:language|ai) model\b|\bchatgpt\b|\bi(?:'m| am) an ai\b",
    re.I,
)
MARKS = re.compile(r"\*\*|__|^#|^\s*[-*•]\s|```|\|\s*-{2,}|<[a-z]+>", re.M)


def giveaways(texts: Mapping[str, Mapping[int, str]], hints: Mapping[str, Sequence[str]]) -> list[str]:
    """Say what gives an arm away in the texts as readers see them, a sentence each; empty when nothing was met.

    Args:
        texts: Arm -> case id -> text as it was written.
        hints: Arm -> further names of it, such as its model's.
    """
    shown = {
        arm: {case_id: normalise(text) for case_id, text in by_case.items()} for arm, by_case in texts.items()
    }
    sentences = _named(shown, hints)
    for arm, by_case in shown.items():
        marked = sum(bool(MARKS.search(text)) for text in by_case.values())
        if marked:
            sentences.append(f"{_of(marked, by_case, arm)} keep marks of a format: their look gives it away.")
    return sentences + _openings(shown) + _lengths(shown)


def formats(texts: Mapping[str, Mapping[int, str]]) -> list[str]:
    """Say which arms write in a format that is taken out before a text is shown."""
    sentences = []
    for arm, by_case in texts.items():
        changed = sum(bool(MARKS.search(text)) for text in by_case.values())
        if changed and changed >= COMMON * len(by_case):
            sentences.append(f"{_of(changed, by_case, arm)} are in a format that readers do not see.")
    return sentences


def _named(shown: Mapping[str, Mapping[int, str]], hints: Mapping[str, Sequence[str]]) -> list[str]:
    names = {name for arm in shown for name in names_of(arm, hints.get(arm, ()))}
    sentences = []
    for arm, by_case in shown.items():
        counts: Counter[str] = Counter()
        for text in by_case.values():
            lowered = text.casefold()
            counts.update(name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lowered))
            counts["what it is itself"] += bool(SELF.search(text))
        sentences += [
            f"{_of(count, by_case, arm)} say {name if name == 'what it is itself' else repr(name)}."
            for name, count in counts.most_common()
            if count
        ]
    return sentences


def names_of(arm: str, hints: Sequence[str]) -> set[str]:
    """What an arm may be called in a text, in lower case; words that any report uses are left out."""
    names: set[str] = set()
    for name in (arm, *hints):
        last = PurePosixPath(name.partition("#")[0]).name.casefold()
        names |= {last, PurePosixPath(last).stem}
    return {name for name in names if len(name) >= 3 and name not in PLAIN_WORDS and not name.isdecimal()}


def _openings(shown: Mapping[str, Mapping[int, str]]) -> list[str]:
    first_words = {
        arm: Counter(" ".join(words(text)[:OPENING_WORDS]).casefold() for text in by_case.values())
        for arm, by_case in shown.items()
        if len(by_case) >= LEAST_TEXTS
    }
    sentences = []
    for arm, counts in first_words.items():
        opening, count = counts.most_common(1)[0]
        elsewhere = max(
            (other[opening] / other.total() for name, other in first_words.items() if name != arm),
            default=1.0,
        )
        if count / counts.total() >= OPENING_SHARE and elsewhere <= OPENING_ELSEWHERE:
            sentences.append(
                f"{_of(count, shown[arm], arm)} begin with {opening!r}, which others hardly do: it gives it away."
            )
    return sentences


def _lengths(shown: Mapping[str, Mapping[int, str]]) -> list[str]:
    lengths = {
        arm: {case_id: word_count(text) for case_id, text in by_case.items()}
        for arm, by_case in shown.items()
    }
    sentences = []
    for first_arm, other in combinations(lengths, 2):
        common = lengths[first_arm].keys() & lengths[other].keys()
        if len(common) < LEAST_TEXTS:
            continue
        longer = sum(lengths[first_arm][case_id] > lengths[other][case_id] for case_id in common)
        shorter = sum(lengths[first_arm][case_id] < lengths[other][case_id] for case_id in common)
        if max(longer, shorter) < LONGER_SHARE * len(common):
            continue
        long, short = (first_arm, other) if longer > shorter else (other, first_arm)
        medians = median(lengths[long].values()), median(lengths[short].values())
        if medians[0] < LONGER_RATIO * medians[1]:
            continue
        share = percent_text(max(longer, shorter) / len(common))
        sentences.append(
            f"{long} is longer than {short} in {share} of cases (medians {medians[0]:g} and {medians[1]:g} words):"
            " length gives it away."
        )
    return sentences


def _of(count: int, by_case: Mapping[int, str], arm: str) -> str:
    return f"{count:,} of {many(len(by_case), 'text')} of {arm}"
