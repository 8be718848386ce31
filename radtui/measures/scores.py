"""What the arms' texts are worth against ground truth and references, where a data set has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radtui.measures.text_scores import Proxies, TextScores, describe, score_texts
from radtui.measures.truth_scores import TruthCase, TruthScores, score_truth
from radtui.records import Truth


@dataclass(frozen=True, slots=True)
class ScoredText:
    """One text with what is known about its case; reference "" and no truth where nothing is."""

    text: str
    reference: str = ""
    truth: tuple[Truth, ...] = ()
    examination: str = ""


@dataclass(frozen=True, slots=True)
class ArmScores:
    """One arm's scores; `truth` is None where nothing is known, `text` where there are no references."""

    cases: int
    truth: TruthScores | None
    text: TextScores | None
    proxies: Proxies

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "cases": self.cases,
            "truth": self.truth.to_dict() if self.truth else None,
            "text": self.text.to_dict() if self.text else None,
            "proxies": self.proxies.to_dict(),
        }


def score_arms(texts: Mapping[str, Sequence[ScoredText]]) -> dict[str, ArmScores]:
    """Scores of each arm; takes seconds for thousands of texts, so call it on a thread.

    Args:
        texts: Arm -> its texts, of the same cases in the same order for all arms.
    """
    findings = {truth.finding for own in texts.values() for text in own for truth in text.truth}
    return {arm: _score(own, findings) for arm, own in texts.items()}


def _score(texts: Sequence[ScoredText], findings: set[str]) -> ArmScores:
    cases = [TruthCase(one.truth, one.text, one.examination) for one in texts]
    pairs = [(one.text, one.reference) for one in texts]
    return ArmScores(
        cases=len(texts),
        truth=score_truth(cases, vocabulary=findings) if findings else None,
        text=score_texts(pairs) if any(reference.strip() for _, reference in pairs) else None,
        proxies=describe(pairs),
    )
