"""What the arms' texts are worth against ground truth and references, where a data set has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from radtui.measures.intervals import Estimate
from radtui.measures.language import is_english
from radtui.measures.package_scores import NOTHING_PACKAGED, Packaged, package_parts
from radtui.measures.paired import PairedDifference, Parts, bootstrapped, compare_pairs, summed
from radtui.measures.plain import PlainFields
from radtui.measures.text_scores import Proxies, TextScores, describe, score_texts, text_parts
from radtui.measures.trainings import TrainingGain, training_gains, trainings_of
from radtui.measures.truth_scores import TruthCase, TruthScores, score_truth, truth_parts
from radtui.records import Truth


@dataclass(frozen=True, slots=True)
class ScoredText:
    """One text with what is known about its case; reference "" and no truth where nothing is."""

    text: str
    reference: str = ""
    truth: tuple[Truth, ...] = ()
    examination: str = ""
    case_id: int = 0
    packaged: Packaged = NOTHING_PACKAGED  # what packages of scores have said of it


@dataclass(frozen=True, slots=True)
class ArmScores(PlainFields):
    """One arm's scores; `truth` is None where nothing is known, `text` where there are no references.

    Findings are read in English alone: where the texts are not, `truth` and `proxies` are None. `packaged` holds what
    packages of scores said, by the score's key.
    """

    cases: int
    truth: TruthScores | None
    text: TextScores | None
    proxies: Proxies | None
    english: bool = True
    packaged: Mapping[str, Estimate] | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "cases": self.cases,
            "truth": self.truth.to_dict() if self.truth else None,
            "text": self.text.to_dict() if self.text else None,
            "proxies": self.proxies.to_dict() if self.proxies else None,
            "packaged": {key: own.to_dict() for key, own in (self.packaged or {}).items()},
            "english": self.english,
        }


def score_arms(texts: Mapping[str, Sequence[ScoredText]]) -> dict[str, ArmScores]:
    """Scores of each arm; takes seconds for thousands of texts, so call it on a thread.

    Args:
        texts: Arm -> its texts, of the same cases in the same order for all arms.
    """
    findings = _findings(texts)
    return {arm: _score(own, findings) for arm, own in texts.items()}


def compare_scores(
    texts: Mapping[str, Sequence[ScoredText]], only: Collection[str] = ()
) -> list[PairedDifference]:
    """Every two arms' scores compared in pairs, p-values adjusted by Holm over all comparisons.

    Scores of findings are not among them where an arm's texts are not English.

    Args:
        texts: As in `score_arms`; the arms in the study's order.
        only: Keys of the scores that are asked for; all of them where none is named.

    Raises:
        ValueError: The arms have not the same number of cases.
    """
    parts = {key: own for key, own in _parts(texts).items() if not only or key in only}
    return compare_pairs(parts, tuple(texts))


def compare_trainings(texts: Mapping[str, Sequence[ScoredText]]) -> list[TrainingGain]:
    """What tuning gains over all trainings of a job, where its texts are of several; else nothing.

    Args:
        texts: As in `compare_scores`.
    """
    return training_gains(_parts(texts)) if trainings_of(tuple(texts)) else []


def _parts(texts: Mapping[str, Sequence[ScoredText]]) -> dict[str, dict[str, Parts]]:
    """Score's key -> arm -> what its cases add to it."""
    if len({len(own) for own in texts.values()}) > 1:
        raise ValueError("all arms need texts of the same cases, in the same order")
    parts: dict[str, dict[str, Parts]] = {}
    for arm, own in all_parts(texts).items():
        for score, of_cases in own.items():
            if summed(of_cases).there.any():
                parts.setdefault(score, {})[arm] = of_cases
    return parts


def all_parts(texts: Mapping[str, Sequence[ScoredText]]) -> dict[str, dict[str, Parts]]:
    """What each text adds to every score, by arm and score's key; the arms may have texts of different cases."""
    findings = _findings(texts)
    parts: dict[str, dict[str, Parts]] = {}
    for arm, own in texts.items():
        of_arm = text_parts(_pairs(own)) | package_parts([scored.packaged for scored in own])
        if findings and is_english(scored.text for scored in own):
            of_arm = truth_parts(_cases(own), findings) | of_arm
        parts[arm] = of_arm
    return parts


def _findings(texts: Mapping[str, Sequence[ScoredText]]) -> set[str]:
    return {truth.finding for own in texts.values() for text in own for truth in text.truth}


def _cases(texts: Sequence[ScoredText]) -> list[TruthCase]:
    return [TruthCase(scored.truth, scored.text, scored.examination) for scored in texts]


def _pairs(texts: Sequence[ScoredText]) -> list[tuple[str, str]]:
    return [(scored.text, scored.reference) for scored in texts]


def _score(texts: Sequence[ScoredText], findings: set[str]) -> ArmScores:
    pairs, english = _pairs(texts), is_english(scored.text for scored in texts)
    packaged = package_parts([scored.packaged for scored in texts])
    return ArmScores(
        cases=len(texts),
        truth=score_truth(_cases(texts), vocabulary=findings) if findings and english else None,
        text=score_texts(pairs) if any(reference.strip() for _, reference in pairs) else None,
        proxies=describe(pairs) if english else None,
        english=english,
        packaged={key: bootstrapped(summed(own)) for key, own in packaged.items()},
    )
