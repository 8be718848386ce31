"""What a caption says: findings asserted or negated, each with side, zone and severity, and how the study was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from radtui.measures.lexicon import PUNCTUATION, Hit, Lexicon, default_lexicon, tokens
from radtui.measures.negation import Statement, live_cues, statement_of
from radtui.measures.text import normalise, sentences, word_count

FAR = 10  # cost of a word such as "and" or a comma between a finding and its side, in words
OTHER_FINDING = 12  # cost of another finding in between
# The other side of which is another place.
_TURNS = frozenset({"but", "however", "although", "whereas", "while"})
_BRINGS_IN = frozenset({"with", "no", "without"})
_NAMES_IT = frozenset({"keeping", "consistent", "compatible", "line"})  # before "with"
_BESIDE = frozenset(
    {"adjacent", "associated", "accompanying", "overlying", "underlying", "ipsilateral", "surrounding"}
)
# Next to these, "upper", "lower" and "apex" are the jaws' and the teeth's.
_JAW = frozenset(
    {"tooth", "teeth", "incisor", "canine", "premolar", "molar", "jaw", "maxilla", "mandible", "mandibular"}
)
_LUNG_FIELDS = frozenset({"upper", "middle", "lower"})
# What may stand between two sides that are told in one breath.
_PLACES = frozenset(
    {
        *(
            "and",
            "the",
            "in",
            "on",
            "upper",
            "middle",
            "mid",
            "lower",
            "lung",
            "lobe",
            "zone",
            "base",
            "apex",
            "pole",
            "of",
            "kidney",
            "third",
        ),
        *("basal", "apical", "tiny", "trace", "small", "mild", "minimal", "moderate", "large", "severe"),
    }
)
# A side told of one of these is no side of a finding elsewhere in the text.
_DEVICES = frozenset(
    {"tube", "line", "catheter", "drain", "pacemaker", "clip", "port", "picc", "stent", "lead", "wire"}
    | {"prosthesis", "implant"}
)
_JOINTS = frozenset({"and", "or", "with", "but", *PUNCTUATION})
# A specific zone replaces the general one it implies when it is at most this much further away, in words.
SPECIFIC_WITHIN = 5


class Slot(StrEnum):
    """What a full caption names."""

    MODALITY = "modality"
    VIEW = "view"
    REGION = "region"
    SIDE = "side"
    FINDING = "finding"
    LOCATION = "location"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Mention:
    """One finding as one sentence names it; side, zone and severity are "" when none belongs to it."""

    finding: str
    statement: Statement
    side: str
    zone: str
    severity: str
    sentence: int
    generic: bool = False

    @property
    def asserted(self) -> bool:
        """Whether the text says that it is there, for sure or perhaps."""
        return self.statement in (Statement.ASSERTED, Statement.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Extraction:
    """Everything found in one text."""

    mentions: tuple[Mention, ...]
    modalities: frozenset[str]
    views: frozenset[str]
    regions: frozenset[str]
    sides: frozenset[str]
    zones: frozenset[str]
    severities: frozenset[str]
    examinations: frozenset[str]
    normal_said: bool  # a phrase such as "unremarkable" is in the text
    professional_terms: int
    words: int
    sentences: int

    @property
    def asserted(self) -> frozenset[str]:
        """Findings that the text says are there, without the generic ones."""
        return frozenset(m.finding for m in self.mentions if m.asserted and not m.generic)

    @property
    def negated(self) -> frozenset[str]:
        """Findings that the text says are not there."""
        return frozenset(
            m.finding for m in self.mentions if m.statement is Statement.NEGATED and not m.generic
        )

    @property
    def slots(self) -> frozenset[Slot]:
        """Which of the slots the text fills."""
        filled = {
            Slot.MODALITY: self.modalities,
            Slot.VIEW: self.views,
            Slot.REGION: self.regions,
            Slot.SIDE: self.sides,
            Slot.FINDING: self.asserted,
            Slot.LOCATION: self.zones,
            Slot.SEVERITY: self.severities,
        }
        return frozenset(slot for slot, values in filled.items() if values)

    @property
    def sentences_with_finding(self) -> int:
        """Sentences that assert or negate a finding."""
        spoken = (Statement.ASSERTED, Statement.UNCERTAIN, Statement.NEGATED)
        return len({m.sentence for m in self.mentions if m.statement in spoken and not m.generic})


def extract(text: str, lexicon: Lexicon | None = None) -> Extraction:
    """Read a caption.

    Args:
        text: A model's text or a reference; Markdown does no harm.
        lexicon: Whose words to look for; the one that ships with radtui by default.
    """
    return _extract(text, lexicon or default_lexicon())


@lru_cache(maxsize=8192)  # a text is scored against truth and described, its reference once for each arm
def _extract(text: str, lexicon: Lexicon) -> Extraction:
    plain = normalise(text)
    split = sentences(plain)
    collected = _Collected()
    for index, sentence in enumerate(split):
        _read_sentence(tokens(sentence), index, lexicon, collected)
    mentions = _lend_lone_side(collected.mentions, collected.sides, collected.of_devices)
    return Extraction(
        mentions=tuple(mentions),
        modalities=frozenset(collected.modalities),
        views=frozenset(collected.views),
        regions=frozenset(collected.regions),
        sides=frozenset(collected.sides),
        zones=frozenset(collected.zones),
        severities=frozenset(collected.severities),
        examinations=frozenset(_complete(collected.examinations, lexicon.examination_groups)),
        normal_said=collected.normal,
        professional_terms=collected.terms,
        words=word_count(plain),
        sentences=len(split),
    )


@dataclass(slots=True)
class _Collected:
    """What has been read so far."""

    mentions: list[Mention] = field(default_factory=list)
    modalities: set[str] = field(default_factory=set)
    views: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    sides: set[str] = field(default_factory=set)
    of_devices: bool = True  # whether all sides so far are told of devices
    zones: set[str] = field(default_factory=set)
    severities: set[str] = field(default_factory=set)
    examinations: set[str] = field(default_factory=set)  # "examination|group"
    normal: bool = False
    terms: int = 0


def _read_sentence(words: list[str], index: int, lexicon: Lexicon, collected: _Collected) -> None:
    findings = [hit for hit in lexicon.findings.find(words) if hit.value]
    sides = _coordinated([hit for hit in lexicon.sides.find(words) if hit.value], findings, words)
    zones = [hit for hit in lexicon.zones.find(words) if not hit.value.startswith("|")]
    if not _JAW.isdisjoint(words):
        zones = [hit for hit in zones if hit.value.partition("|")[0] not in _LUNG_FIELDS]
    severities = lexicon.severities.find(words)
    cues = live_cues(words, lexicon.cues.find_all(words), findings)
    mentions = []
    for hit in findings:
        side = "" if hit.value in lexicon.sideless else _nearest_side(hit, sides, findings, words)
        own = [zone for zone in zones if not _of_other_side(zone, side, sides)]
        mentions.append(
            Mention(
                finding=hit.value,
                statement=statement_of(hit, words, cues),
                side=side,
                zone=_nearest_zone(hit, own, findings, words, lexicon),
                severity=_severity_before(hit, severities, findings, words),
                sentence=index,
                generic=hit.value in lexicon.generic,
            )
        )
    collected.mentions.extend(_without_contradiction(mentions))
    collected.sides.update(hit.value for hit in sides)
    told_again = any(pair in (("that", "side"), ("same", "side")) for pair in pairwise(words))
    collected.of_devices &= not told_again and all(_of_device(hit, words) for hit in sides)
    collected.zones.update(_complete((hit.value for hit in zones), lexicon.zone_groups))
    collected.severities.update(hit.value for hit in severities)
    collected.modalities.update(hit.value for hit in lexicon.modalities.find(words))
    collected.views.update(hit.value for hit in lexicon.views.find(words))
    collected.regions.update(hit.value for hit in lexicon.regions.find(words))
    collected.examinations.update(
        h.value for h in lexicon.examinations.find(words) if not h.value.startswith("|")
    )
    collected.normal = collected.normal or bool(lexicon.normal.find(words))
    collected.terms += len(lexicon.professional.find(words))


def _coordinated(sides: Sequence[Hit], findings: Sequence[Hit], words: Sequence[str]) -> list[Hit]:
    """Sides, with "right upper and left lower" as one that is both, where one finding is told of the two places.

    With a finding in front of the first and one behind the second, each has a side of its own: "nodule in the right
    lung and left effusion".
    """
    joined: list[Hit] = []
    for hit in sides:
        before = joined[-1] if joined else None
        if before is not None and {before.value, hit.value} == {"right", "left"}:
            place = hit.end
            while place < len(words) and words[place] in _PLACES:
                place += 1
            led = any(finding.end <= before.start for finding in findings)
            followed = any(finding.start == place for finding in findings)
            between = words[before.end : hit.start]
            if "and" in between and _PLACES.issuperset(between) and not (led and followed):
                joined[-1] = Hit(before.start, hit.end, "bilateral")
                continue
        joined.append(hit)
    return joined


def _complete(grouped: Iterable[str], groups: Mapping[str, int]) -> set[str]:
    """Names of which every group was hit, from values such as "name|0"."""
    seen: dict[str, set[str]] = {}
    for value in grouped:
        name, _, group = value.rpartition("|")
        seen.setdefault(name, set()).add(group)
    return {name for name, hit in seen.items() if len(hit) == groups[name]}


def _cost(finding: Hit, other: Hit, findings: Sequence[Hit], words: Sequence[str]) -> int | None:
    """How far a side or zone stands from a finding, in words plus what stands between; None across a semicolon."""
    if other.start >= finding.start and other.end <= finding.end:
        return 0
    start, end = (other.end, finding.start) if other.end <= finding.start else (finding.end, other.start)
    between = words[start:end]
    if ";" in between:
        return None
    named_between = [
        hit
        for hit in findings
        if hit != finding
        and ((start <= hit.start and hit.end <= end) or hit.start <= other.start < other.end <= hit.end)
    ]
    if _turned(between) or (named_between and _anew(words, named_between, end)):
        return None
    cost = len(between)
    cost += FAR * sum(word in _JOINTS for word in between)
    cost += OTHER_FINDING * len(named_between)
    return cost


def _turned(between: Sequence[str]) -> bool:
    """Whether a word such as "but" leads to another place; "but also" and "a mass but not a cyst in it" do not."""
    return any(
        word in _TURNS and between[at + 1 : at + 2] not in (["also"], ["not"])
        for at, word in enumerate(between)
    )


def _anew(words: Sequence[str], named: Sequence[Hit], end: int) -> bool:
    """Whether another thing is brought in behind the findings between: "collapse of the left lung with effusion".

    What is beside it is on its side: "left effusion with adjacent atelectasis".
    """
    behind = words[max(hit.end for hit in named) : end]
    if any(word in _BESIDE for word in behind):
        return False
    # "Opacity in keeping with pneumonia" names what was seen before.
    return any(
        word in _BRINGS_IN and not (at and behind[at - 1] in _NAMES_IT) for at, word in enumerate(behind)
    )


def _without_contradiction(mentions: Sequence[Mention]) -> list[Mention]:
    """Without denials of what the same sentence says is there, in the same place.

    "Vascular congestion without overt oedema" names a milder form of what it denies.
    """
    there = {(mention.finding, mention.side) for mention in mentions if mention.asserted}
    return [
        mention
        for mention in mentions
        if mention.statement is not Statement.NEGATED or (mention.finding, mention.side) not in there
    ]


def _nearest_side(finding: Hit, sides: Sequence[Hit], findings: Sequence[Hit], words: Sequence[str]) -> str:
    costs = [(cost, hit.value) for hit in sides if (cost := _cost(finding, hit, findings, words)) is not None]
    return min(costs, key=lambda pair: pair[0])[1] if costs else ""


def _of_other_side(zone: Hit, side: str, sides: Sequence[Hit]) -> bool:
    """Whether a zone is told with a side that is not this one: "left upper lobe" is no place of what is right."""
    beside = {hit.value for hit in sides if hit.start <= zone.end and zone.start <= hit.end}
    return bool(side and beside) and side not in beside


def _nearest_zone(
    finding: Hit, zones: Sequence[Hit], findings: Sequence[Hit], words: Sequence[str], lexicon: Lexicon
) -> str:
    # zone -> group -> cost of its nearest phrase and its start
    nearest: dict[str, dict[str, tuple[int, int]]] = {}
    for hit in zones:
        cost = _cost(finding, hit, findings, words)
        if cost is None:
            continue
        name, _, group = hit.value.rpartition("|")
        groups = nearest.setdefault(name, {})
        groups[group] = min((cost, hit.start), groups.get(group, (cost, hit.start)))
    whole = {name: groups for name, groups in nearest.items() if len(groups) == lexicon.zone_groups[name]}
    costs = {name: max(cost for cost, _ in groups.values()) for name, groups in whole.items()}
    if not costs:
        return ""
    best = min(costs, key=lambda name: (costs[name], -lexicon.zone_groups[name]))
    shared = {start for _, start in whole[best].values()}  # "upper" of "upper left incisor" is the jaw's
    specific = [
        name
        for name, groups in whole.items()
        if name != best
        and costs[name] <= costs[best] + SPECIFIC_WITHIN
        and (
            implies(name, best)
            or (len(groups) > len(whole[best]) and shared <= {start for _, start in groups.values()})
        )
    ]
    return min(specific, key=lambda name: costs[name]) if specific else best


def implies(zone: str, general: str) -> bool:
    """Whether a zone lies in a more general one: "posterior mandible" is in "mandible"."""
    return zone == general or zone.endswith(f" {general}")


def _severity_before(
    finding: Hit, severities: Sequence[Hit], findings: Sequence[Hit], words: Sequence[str]
) -> str:
    """The severity in front of a finding, with nothing but adjectives in between."""
    near = [hit for hit in severities if hit.end <= finding.start and finding.start - hit.end <= 3]
    near = [hit for hit in near if (cost := _cost(finding, hit, findings, words)) is not None and cost < FAR]
    return near[-1].value if near else ""


def _of_device(side: Hit, words: Sequence[str]) -> bool:
    """Whether a device is named in the clause of a side: "surgical clips in the right axilla; no mass"."""
    start = max((at + 1 for at, word in enumerate(words[: side.start]) if word in PUNCTUATION), default=0)
    end = next((at for at in range(side.end, len(words)) if words[at] in PUNCTUATION), len(words))
    return not _DEVICES.isdisjoint(words[start:end])


def _lend_lone_side(mentions: Sequence[Mention], sides: Iterable[str], of_devices: bool) -> list[Mention]:
    """Give a text's only side to its findings when no sentence ties it to one of them, or to a device."""
    lone = list(sides)
    if len(lone) != 1 or of_devices or any(mention.side for mention in mentions):
        return list(mentions)
    return [replace(mention, side=lone[0]) for mention in mentions]
