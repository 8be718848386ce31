"""Every score described once: what it is called, how it is written, whom it is for.

Screen, command line, report and CSV loop over `SCORES`. Those that are means over texts come from `mean_scores`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.mean_scores import MEAN_SCORES, MeanScore
from radtui.measures.package_scores import CHEST
from radtui.measures.scores import ArmScores
from radtui.measures.words import NOTHING, brief, estimate, share

ENGLISH = "English"


@dataclass(frozen=True, slots=True)
class Score:
    """One score of an arm's texts."""

    key: str  # as in JSON, in CSV and in `compare_scores`
    label: str
    group: str  # "truth", "text", "package" or "style"
    value: Callable[[ArmScores], Proportion | Estimate | float | None]
    unit: str = ""  # of a plain number: "words"
    digits: int = 2
    less_is_better: bool | None = False  # None: neither more nor less is better
    language: str = ""  # the only one that it reads; "" for any
    examinations: tuple[str, ...] = ()  # the only ones that it was made for; none named: any
    # Whether a single text has a value of its own that says more than another score's.
    of_one_text: bool = True

    @property
    def name(self) -> str:
        """Its label, with what it was made for: "RaTEScore (made for chest X-ray)"."""
        return f"{self.label} (made for {', '.join(self.examinations)})" if self.examinations else self.label

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


def _of_mean(score: MeanScore) -> Score:
    return Score(
        score.key, score.label, "text", lambda scores: scores.text.means[score.key] if scores.text else None,
        digits=score.digits, less_is_better=score.less_is_better, language=score.language,
        examinations=score.examinations,
    )  # fmt: skip


def _style(name: str) -> Callable[[ArmScores], Proportion | Estimate | float | None]:
    return lambda scores: getattr(scores.proxies, name) if scores.proxies else None


def _packaged(key: str) -> Callable[[ArmScores], Proportion | Estimate | float | None]:
    return lambda scores: (scores.packaged or {}).get(key)


def _of_package(
    key: str, label: str, *, chest: bool = True, less_is_better: bool = False, of_one_text: bool = True
) -> Score:
    return Score(
        key, label, "package", _packaged(key), less_is_better=less_is_better, language=ENGLISH,
        examinations=(CHEST,) if chest else (), of_one_text=of_one_text,
    )  # fmt: skip


SCORES = (
    Score("f1", "F1 of findings (micro)", "truth", _truth("f1"), language=ENGLISH),
    Score("f1_macro", "F1 of findings (macro)", "truth", _truth("f1_macro"), language=ENGLISH, of_one_text=False),
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
    *map(_of_mean, MEAN_SCORES),
    _of_package("radgraph_simple", "RadGraph-F1, entities"),
    _of_package("radgraph_partial", "RadGraph-F1, entities and whether related"),
    _of_package("radgraph_complete", "RadGraph-F1, entities and relations"),
    _of_package("radcliq", "RadCliQ-v1, less is better", less_is_better=True),
    _of_package("chexbert_14_micro", "CheXbert F1 of 14 (micro)"),
    _of_package("chexbert_14_macro", "CheXbert F1 of 14 (macro)", of_one_text=False),
    _of_package("chexbert_5_micro", "CheXbert F1 of 5 (micro)"),
    _of_package("chexbert_5_macro", "CheXbert F1 of 5 (macro)", of_one_text=False),
    _of_package("ratescore", "RaTEScore"),
    _of_package("green", "GREEN"),
    _of_package("package_bleu", "BLEU-4 by radeval", chest=False),
    _of_package("package_rouge_l", "ROUGE-L by radeval", chest=False),
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
    "package": ("By packages of scores", "in English"),
    "style": ("How they write", "descriptive only"),
}
"""What stands over a group's scores, and what is to be said of them."""

BY_KEY = {score.key: score for score in SCORES}
