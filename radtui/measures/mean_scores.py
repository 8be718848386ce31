"""Scores that are the mean of what each text comes to beside its reference: each with how it is counted.

Nothing else names them: screen, command line, report and CSV know a row of `MEAN_SCORES` as they know every score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radtui.measures.rouge import rouge_l_each
from radtui.measures.text import word_count

Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class MeanScore:
    """One of them; `each` takes texts and their references, as they are shown, and gives a number for each text."""

    key: str  # as in JSON, in CSV and in `compare_scores`
    label: str
    each: Callable[[Texts, Texts], list[float]]
    digits: int = 2
    less_is_better: bool | None = False  # None: neither more nor less is better
    language: str = ""  # the only one that it reads; "" for any
    examinations: tuple[str, ...] = ()  # the only ones that it was made for; none named: any
    is_compared: bool = True  # whether arms are compared by it


def _words(texts: Texts, references: Texts) -> list[float]:
    return [float(word_count(text)) for text in texts]


def _reference_words(texts: Texts, references: Texts) -> list[float]:
    return _words(references, references)


MEAN_SCORES = (
    MeanScore("rouge_l", "ROUGE-L", rouge_l_each),  # of the F-measures, 0..1
    MeanScore("words", "words a text", _words, digits=1, less_is_better=None),
    MeanScore(
        "reference_words",
        "words a reference",
        _reference_words,
        digits=1,
        less_is_better=None,
        is_compared=False,
    ),
)
