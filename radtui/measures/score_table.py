"""Every score described once: what it is called, how it is written, whom it is for.

Screen, command line, report and CSV loop over `SCORES`; to add a score is to add it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.scores import ArmScores
from radtui.measures.words import NOTHING, brief, estimate, share

ENGLISH = "English"


@dataclass(frozen=True, slots=True)
class Score:
    """One score of an arm's texts."""

    key: str  # as in JSON, in CSV and in `compare_scores`
    label: str
    group: str  # "truth", "text" or "style"
    value: Callable[[ArmScores], Proportion | Estimate | float | None]
    unit: str = ""  # of a plain number: "words"
    digits: int = 2
    less_is_better: bool | None = False  # None: neither more nor less is better
    language: str = ""  # the only one that it reads; "" for any
    examinations: tuple[str, ...] = ()  # the only ones that it was made for; none named: any

    def text(self, scores: ArmScores, n: bool = True) -> str:
        """The arm's figure in words: "0.86 (0.81 to 0.90, n=300)", or "-" where there is none."""
        value = self.value(scores)
        if isinstance(value, Proportion):
            return share(value, n)
        if isinstance(value, Estimate):
            return estimate(value, digits=self.digits, n=n)
        return NOTHING if value is None else self._plain(value)

    def brief(self, scores: ArmScores) -> str:
        """The arm's figure where there is little room: "0.86 (0.81 to 0.90)", or "-" where there is none."""
        value = self.value(scores)
        if isinstance(value, Proportion | Estimate):
            return brief(value, self.digits)
        return NOTHING if value is None else self._plain(value)

    def _plain(self, value: float) -> str:
        return f"{value:.{self.digits}f}{f' {self.unit}' if self.unit else ''}"


def _truth(name: str) -> Callable[[ArmScores], Proportion | Estimate | float | None]:
    return lambda scores: getattr(scores.truth, name) if scores.truth else None


def _text(name: str) -> Callable[[ArmScores], Proportion | Estimate | float | None]:
    return lambda scores: getattr(scores.text, name) if scores.text else None


def _style(name: str) -> Callable[[ArmScores], Proportion | Estimate | float | None]:
    return lambda scores: getattr(scores.proxies, name) if scores.proxies else None


SCORES = (
    Score("f1", "F1 of findings (micro)", "truth", _truth("f1"), language=ENGLISH),
    Score("precision", "precision", "truth", _truth("precision"), language=ENGLISH),
    Score("recall", "recall", "truth", _truth("recall"), language=ENGLISH),
    Score("side", "right side", "truth", _truth("side"), language=ENGLISH),
    Score("zone", "right zone", "truth", _truth("zone"), language=ENGLISH),
    Score(
        "invented_on_normal", "normal cases with an invented finding", "truth", _truth("invented_on_normal"),
        less_is_better=True, language=ENGLISH,
    ),
    Score("examination", "examination named", "truth", _truth("examination"), language=ENGLISH),
    Score("bleu", "BLEU", "text", _text("bleu"), digits=1),
    Score("chrf", "chrF", "text", _text("chrf"), digits=1),
    Score("rouge_l", "ROUGE-L", "text", _text("rouge_l")),
    Score("words", "words a text", "text", _text("words"), digits=1, less_is_better=None),
    Score("reference_words", "words a reference", "text", _text("reference_words"), digits=1, less_is_better=None),
    Score("slots_filled", "slots filled, of 7", "style", _style("slots_filled"), less_is_better=None, language=ENGLISH),
    Score(
        "sentences_naming_finding", "sentences naming a finding", "style", _style("sentences_naming_finding"),
        less_is_better=None, language=ENGLISH,
    ),
    Score(
        "words_to_reference", "words against the reference", "style", _style("words_to_reference"),
        less_is_better=None,
    ),
    Score(
        "professional_per_100_words", "professional terms in 100 words", "style",
        _style("professional_per_100_words"), digits=1, less_is_better=None, language=ENGLISH,
    ),
)  # fmt: skip

GROUPS = {
    "truth": ("Against known findings", ""),
    "text": ("Against references", "none of these measures truth"),
    "style": ("How they write", "descriptive only"),
}
"""What stands over a group's scores, and what is to be said of them."""

BY_KEY = {score.key: score for score in SCORES}
