"""Scores of descriptions against known findings and references as lines of text, the first two arms side by side."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from radtui.measures.scores import ArmScores
from radtui.measures.text_scores import Proxies, TextScores
from radtui.measures.truth_scores import TruthScores
from radtui.measures.words import NOT_ENGLISH
from radtui.tui.review.summary_text import compared, share_text, title, value_text

TRUTH = (
    ("Findings found", "recall"), ("Named ones that are true", "precision"), ("Right side", "side"),
    ("Right zone", "zone"), ("Invented on normal", "invented_on_normal"), ("Names the examination", "examination"),
)  # fmt: skip
TEXT = (("BLEU", "bleu", ".1f"), ("chrF", "chrf", ".1f"), ("ROUGE-L", "rouge_l", ".2f"))
PROXIES = (("Slots filled, of 7", "slots_filled"), ("Terms per 100 words", "professional_per_100_words"))


class Two:
    """Figures of two arms in one line.

    Args:
        arms: Their names, the earlier first.
    """

    def __init__(self, arms: Sequence[str]) -> None:
        self._earlier, self._later = arms

    def line(self, label: str, earlier: str, later: str) -> Content:
        """One figure of both."""
        return compared(label, (self._earlier, earlier), (self._later, later))


def score_lines(scores: dict[str, ArmScores]) -> list[Content]:
    """Everything that can be said without a rater.

    Args:
        scores: Of each arm in the study's order, over the same cases; two arms at least.
    """
    first, second, *others = scores
    earlier, later, two = scores[first], scores[second], Two((first, second))
    rows = [line for arm in others for line in _other(arm, scores[arm])]
    if earlier.truth is not None and later.truth is not None:
        rows += [*_truth(two, earlier.truth, later.truth), Content("")]
    if earlier.text is not None and later.text is not None:
        rows += [*_texts(two, earlier.text, later.text), Content("")]
    if earlier.proxies is None or later.proxies is None:
        return [*rows, Content(NOT_ENGLISH)]
    return rows + _proxies(two, earlier.proxies, later.proxies)


def _other(arm: str, scores: ArmScores) -> list[Content]:
    """A further arm's figures that are told of the first two below."""
    said = []
    if scores.truth is not None:
        said.append(
            f"F1 {value_text(scores.truth.f1, '.2f')}, findings found {share_text(scores.truth.recall)}"
        )
    if scores.text is not None:
        said.append(
            f"chrF {value_text(scores.text.chrf, '.1f')}, words {value_text(scores.text.words, '.0f')}"
        )
    if not said:
        return []
    return [title(f"The arm {arm}", f"{scores.cases:,} images"), *map(Content, said), Content("")]


def _truth(two: Two, earlier: TruthScores, later: TruthScores) -> list[Content]:
    rows = [title("Against known findings", f"{later.cases:,} images")]
    for label, name in TRUTH:
        one, other = getattr(earlier, name), getattr(later, name)
        if one.n or other.n:
            rows.append(two.line(label, share_text(one), share_text(other)))
    rows.append(two.line("F1", value_text(earlier.f1, ".2f"), value_text(later.f1, ".2f")))
    return rows


def _texts(two: Two, earlier: TextScores, later: TextScores) -> list[Content]:
    rows = [title("Against references", f"{later.n:,} texts; none of these measures truth")]
    for label, name, form in TEXT:
        values = (value_text(getattr(scores, name), form) for scores in (earlier, later))
        rows.append(two.line(label, *values))
    reference = f"Words (reference {later.reference_words.value or 0:.0f})"
    rows.append(two.line(reference, value_text(earlier.words, ".0f"), value_text(later.words, ".0f")))
    return rows


def _proxies(two: Two, earlier: Proxies, later: Proxies) -> list[Content]:
    rows = [title("How they write", "descriptive only")]
    for label, name in PROXIES:
        values = (getattr(earlier, name), getattr(later, name))
        rows.append(two.line(label, *("–" if value is None else f"{value:.1f}" for value in values)))
    one, other = earlier.sentences_naming_finding, later.sentences_naming_finding
    rows.append(two.line("Sentences with finding", share_text(one), share_text(other)))
    return rows
