"""The words of radiology captions: which phrase means which finding, side, zone, modality or cue."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import NamedTuple

GAP = "*"
GAP_WORDS = 4  # words at most that `*` may stand for
PUNCTUATION = frozenset(",;:()")

_TOKEN = re.compile(r"[^\W_]+|[,;:()*]")
_CONTRACTION = re.compile(r"n['’]t\b")
_POSSESSIVE = re.compile(r"['’]s\b")
_NUMBER_SIGN = re.compile(r"\bno\.\s*(?=\d)")  # "No. 3" denies nothing
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")  # "R.L.L."
_WITH = re.compile(r"\bw/(o\b)?")  # "w/o effusion", "w/ effusion"
_PLURAL = re.compile(r"\b([A-Z]{2,5})s\b")  # "PEs", "DVTs"
_MIDLINE_SHIFT = re.compile(r"\bMLS\b")  # "500 mls" are millilitres
_SIDES = {"l": "left", "lt": "left", "r": "right", "rt": "right"}
_AUXILIARIES = (
    "has", "have", "is", "are", "was", "were", "has been", "have been", "cannot be", "can not be", "not be",
)  # fmt: skip
# That leave what the participle says as it is: "largely resolved" is there still.
_ADVERBS = (
    "now", "since", "completely", "fully", "entirely", "totally", "reliably", "confidently", "safely", "definitively",
    "definitely", "effectively", "formally", "subsequently", "meanwhile", "clearly", "also", "both", "all",
)  # fmt: skip
_BRITISH = re.compile(r"(?<=tum|col|fav)our|(?<=harb)our")


def tokens(text: str) -> list[str]:
    """Words and punctuation of a text in the form in which phrases are compared.

    Lower case, singular, American spelling, hyphens split: "Right-sided haemorrhages," -> right sided hemorrhage ,
    """
    text = _PLURAL.sub(r"\1", _MIDLINE_SHIFT.sub("midline shift", text)).lower()
    text = _DOTTED.sub(lambda dotted: dotted[0].replace(".", "") + " ", text)
    text = _WITH.sub(lambda short: "without " if short[1] else "with ", text)
    text = _NUMBER_SIGN.sub("number ", _POSSESSIVE.sub("", _CONTRACTION.sub(" not", text)))
    plain = [_plain(token) for token in _TOKEN.findall(text)]
    return [
        _SIDES[token]
        if token in _SIDES and not (at and plain[at - 1].isdigit())
        else token  # "2 l" is a volume
        for at, token in enumerate(plain)
    ]


def _plain(word: str) -> str:
    word = _BRITISH.sub("or", word.replace("ae", "e").replace("oe", "e"))
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith(("sses", "xes", "ches", "shes", "sinuses", "viruses", "hiatuses")):
        return word[:-2]
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1]


class Hit(NamedTuple):
    """A phrase found in a token list: tokens `start` to `end` (exclusive) mean `value`."""

    start: int
    end: int
    value: str


class _Node(NamedTuple):
    """A word of phrases that begin alike: what may follow, what ends here, and those that go on with a gap."""

    next: dict[str, _Node]
    values: list[str]
    gapped: list[tuple[tuple[str, ...], str]]  # whole phrases; only at a first word


class PhraseTable:
    """Finds phrases in token lists; at each place the longest wins, and what it covers is not matched again."""

    def __init__(self, phrases: Mapping[str, Iterable[str]]) -> None:
        """Index phrases by their first word.

        Args:
            phrases: Value -> its phrases. A phrase with two values keeps both, as two hits.
        """
        self._by_first: dict[str, _Node] = {}
        for value, texts in phrases.items():
            for text in dict.fromkeys(texts):
                words = tuple(tokens(text))
                if not words or GAP in (words[0], words[-1]):
                    raise ValueError(f"a phrase begins and ends with a word, not {text!r}")
                node = self._by_first.setdefault(words[0], _Node({}, [], []))
                if GAP in words:
                    node.gapped.append((words, value))
                    continue
                for word in words[1:]:
                    node = node.next.setdefault(word, _Node({}, [], []))
                if value not in node.values:
                    node.values.append(value)

    def find(self, words: Sequence[str]) -> list[Hit]:
        """Hits in reading order."""
        hits: list[Hit] = []
        end = 0
        for position in self._beginnings(words):
            if position >= end and (best := self._longest(words, position)):
                hits.extend(best)
                end = best[0].end
        return hits

    def _beginnings(self, words: Sequence[str]) -> list[int]:
        """Where a phrase may begin, which is at few of the words."""
        known = self._by_first
        return [position for position, word in enumerate(words) if word in known]

    def find_all(self, words: Sequence[str]) -> list[Hit]:
        """At each place the longest hits that begin there, whatever else covers it, in reading order."""
        return [hit for position in self._beginnings(words) for hit in self._longest(words, position)]

    def _longest(self, words: Sequence[str], start: int) -> list[Hit]:
        node = self._by_first[words[start]]
        end, values, gapped = start + 1, node.values, node.gapped
        best_end = end if values else start
        while end < len(words) and (following := node.next.get(words[end])) is not None:
            node, end = following, end + 1
            if node.values:
                best_end, values = end, node.values
        best = [Hit(start, best_end, value) for value in values] if best_end > start else []
        for phrase, value in gapped:
            gap_end = _match(phrase, words, start)
            if gap_end is None or gap_end < best_end:
                continue
            if gap_end > best_end:
                best, best_end = [Hit(start, gap_end, value)], gap_end
            elif all(hit.value != value for hit in best):
                best.append(Hit(start, gap_end, value))
        return best


def _match(phrase: tuple[str, ...], words: Sequence[str], start: int) -> int | None:
    """End of the shortest match of a phrase at `start`, or None."""
    position = start
    for index, part in enumerate(phrase):
        if part == GAP:
            rest = phrase[index + 1 :]
            for skipped in range(GAP_WORDS + 1):
                here = position + skipped
                if skipped and (here > len(words) or words[here - 1] in PUNCTUATION):
                    return None
                end = _match(rest, words, here)
                if end is not None:
                    return end
            return None
        if position >= len(words) or words[position] != part:
            return None
        position += 1
    return position


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Phrase tables by what they tell, ready to be searched."""

    findings: PhraseTable
    generic: frozenset[str]  # findings too broad to be scored
    is_a: Mapping[str, str]
    sideless: frozenset[str]  # findings of the middle, or of a single organ: a side near them is another's
    severities: PhraseTable
    sides: PhraseTable
    zones: PhraseTable  # values are "zone|group"; a zone is named when all its groups are
    zone_groups: Mapping[str, int]
    modalities: PhraseTable
    views: PhraseTable
    regions: PhraseTable
    examinations: PhraseTable  # values are "examination|group"
    examination_groups: Mapping[str, int]
    normal: PhraseTable
    professional: PhraseTable
    cues: PhraseTable
    names: Mapping[str, tuple[str, ...]]  # finding -> its phrases, kept to extend the table

    def broader(self, finding: str) -> frozenset[str]:
        """The finding and everything it is a kind of."""
        names = {finding}
        while (finding := self.is_a.get(finding, "")) and finding not in names:
            names.add(finding)
        return frozenset(names)

    def with_findings(self, names: Iterable[str]) -> Lexicon:
        """Add findings known by their own names only; returns the same lexicon when all are known."""
        new = {name: (name,) for name in names if name and name not in self.names}
        if not new:
            return self
        names_now = {**self.names, **new}
        return replace(self, findings=PhraseTable(names_now), names=names_now)


@cache
def default_lexicon() -> Lexicon:
    """The lexicon that ships with radtui."""
    data = tomllib.loads((resources.files("radtui.measures") / "lexicon.toml").read_text(encoding="utf-8"))
    names = {name: (name, *phrases) for name, phrases in data["findings"].items()}
    names[""] = tuple(data["generic"]["not_findings"])
    terms = [*data["professional"]["terms"]]
    for name, phrases in names.items():
        if name:
            terms.extend(phrases)
    for section in ("modalities", "views"):
        for name, phrases in data[section].items():
            terms.extend((name, *phrases))
    return Lexicon(
        findings=PhraseTable(names),
        generic=frozenset(data["generic"]["names"]),
        is_a=data["is_a"],
        sideless=frozenset(data["generic"]["sideless"]),
        severities=_named(data["severities"]),
        sides=_named(data["sides"]),
        zones=_grouped(data["zones"]),
        zone_groups={name: len(groups) for name, groups in data["zones"].items()},
        modalities=_named(data["modalities"]),
        views=_named(data["views"]),
        regions=_named(data["regions"]),
        examinations=_grouped(data["examinations"]),
        examination_groups={name: len(groups) for name, groups in data["examinations"].items()},
        normal=PhraseTable({"normal": data["normal"]["phrases"]}),
        professional=PhraseTable({"term": terms}),
        cues=PhraseTable({kind: _with_adverbs(phrases) for kind, phrases in data["cues"].items()}),
        names=names,
    )


def _with_adverbs(phrases: Sequence[str]) -> list[str]:
    """Cue phrases, and those with a verb's participle also with an adverb before it: "has now cleared"."""
    wordings = list(phrases)
    for phrase in phrases:
        for verb in _AUXILIARIES:
            participle = phrase.removeprefix(f"{verb} ")
            if (
                participle != phrase
                and " " not in participle
                and participle.endswith(("ed", "gone", "seen", "out"))
            ):
                wordings += [f"{verb} {adverb} {participle}" for adverb in _ADVERBS]
    return list(dict.fromkeys(wordings))


def _named(section: Mapping[str, Sequence[str]]) -> PhraseTable:
    """A table in which each name is a phrase of its own; the empty name consumes phrases that mean nothing."""
    return PhraseTable({name: (name, *phrases) if name else phrases for name, phrases in section.items()})


def _grouped(section: Mapping[str, Sequence[Sequence[str]]]) -> PhraseTable:
    return PhraseTable(
        {
            f"{name}|{index}": phrases
            for name, groups in section.items()
            for index, phrases in enumerate(groups)
        }
    )
