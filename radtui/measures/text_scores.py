"""Descriptions against references by the field's usual string scores, and plain figures of how a text is written.

None of these measures truth: "pleural effusion" and "no pleural effusion" score as near twins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from radtui.measures.bleu import bleu_of, bleu_statistics
from radtui.measures.chrf import chrf_of, chrf_statistics
from radtui.measures.extraction import Slot, extract
from radtui.measures.intervals import Estimate, Proportion, mean_of, proportion
from radtui.measures.lexicon import Lexicon
from radtui.measures.mean_scores import MEAN_SCORES
from radtui.measures.ngrams import RESAMPLES, resampled_as_sacrebleu, sacrebleus_interval
from radtui.measures.paired import Parts, SummedParts, summed_mean
from radtui.measures.plain import PlainFields
from radtui.measures.text import normalise, word_count

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class TextScores(PlainFields):
    """String scores of one arm; BLEU and chrF 0..100 over the corpus, `means` by the keys of `MEAN_SCORES`."""

    n: int
    bleu: Estimate
    chrf: Estimate
    means: dict[str, Estimate]
    signatures: dict[str, str]  # what sacrebleu did, to be cited

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "bleu": self.bleu.to_dict(),
            "chrf": self.chrf.to_dict(),
            **{key: mean.to_dict() for key, mean in self.means.items()},
            "signatures": dict(self.signatures),
        }


def score_texts(pairs: Iterable[tuple[str, str]]) -> TextScores:
    """Score one arm's texts against the data set's own.

    Texts are compared as they are shown: Markdown stripped, white space unified.

    Args:
        pairs: (text, reference); pairs without a reference are left out.
    """
    kept = [(normalise(text), normalise(reference)) for text, reference in pairs if reference.strip()]
    texts, references = tuple(text for text, _ in kept), tuple(reference for _, reference in kept)
    bleu, chrf, signatures = _sacrebleu(texts, references)
    return TextScores(
        n=len(kept),
        bleu=bleu,
        chrf=chrf,
        means={score.key: mean_of(score.each(texts, references)) for score in MEAN_SCORES},
        signatures=signatures,
    )


Texts = tuple[str, ...]


def _sacrebleu(texts: Texts, references: Texts) -> tuple[Estimate, Estimate, dict[str, str]]:
    if not texts:
        nothing = Estimate(None, None, None, 0, "bootstrap")
        return nothing, nothing, {}
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    bleu = _corpus_score(BLEU(), _bleu_table(texts, references), bleu_of, texts, references)
    chrf = _corpus_score(CHRF(), _chrf_table(texts, references), chrf_of, texts, references)
    return bleu[0], chrf[0], {"BLEU": bleu[1], "chrF2": chrf[1]}


@lru_cache(maxsize=16)  # an arm's texts are scored, and then compared with every other arm's
def _bleu_table(texts: Texts, references: Texts) -> np.ndarray | None:
    split = _tokenizer()
    return bleu_statistics(
        [split(text.rstrip()).split() for text in texts],
        [_reference_words(reference) for reference in references],
    )


@lru_cache(maxsize=16)
def _chrf_table(texts: Texts, references: Texts) -> np.ndarray | None:
    return chrf_statistics(texts, references)


@cache
def _tokenizer() -> Callable[[str], str]:
    from sacrebleu.metrics.bleu import BLEU

    result: Callable[[str], str] = BLEU().tokenizer
    return result


@lru_cache(maxsize=8192)  # a reference is met once for each arm
def _reference_words(reference: str) -> tuple[str, ...]:
    return tuple(_tokenizer()(reference.rstrip()).split())


def _corpus_score(
    metric: Any,
    table: np.ndarray | None,
    of: Callable[[np.ndarray], np.ndarray],
    texts: Texts,
    references: Texts,
) -> tuple[Estimate, str]:
    """A metric of sacrebleu's over a corpus, with its bootstrap interval, and its signature.

    sacrebleu itself is asked where its seed is set, and where the n-grams are too many for `table`.
    """
    if table is None or len(texts) < 2 or "SACREBLEU_SEED" in os.environ:
        return _sacrebleus_own(metric, texts, references)
    _, signature = _sacrebleus_own(metric, texts[:2], references[:2])  # the settings, for the citation
    value = float(of(table.sum(axis=0, keepdims=True))[0])
    low, high = _on_scale(sacrebleus_interval(of(resampled_as_sacrebleu(table))))
    return Estimate(value, low, high, len(texts), "bootstrap"), signature


def _sacrebleus_own(metric: Any, texts: Texts, references: Texts) -> tuple[Estimate, str]:
    resamples = RESAMPLES if len(texts) > 1 else 1
    of_resample = metric._compute_score_from_stats

    def plain_number(counts: Any) -> Any:
        """The score of a resample as a float: where some have no match and some do, sacrebleu mixes two types."""
        score = of_resample(counts)
        score.score = float(score.score)
        return score

    metric._compute_score_from_stats = plain_number
    score = metric.corpus_score(list(texts), [list(references)], n_bootstrap=resamples)
    signature = str(metric.get_signature())
    # The JSON form is sacrebleu's public way to the bootstrap interval.
    report = json.loads(score.format(width=6, signature=signature, is_json=True))
    ends = None
    if half := report.get("confidence_var"):  # not with one text, nor where every resample scores the same
        ends = report["confidence_mean"] - half, report["confidence_mean"] + half
    low, high = _on_scale(ends)
    return Estimate(score.score, low, high, len(texts), "bootstrap"), signature


def _on_scale(ends: tuple[float, float] | None) -> tuple[float, float] | tuple[None, None]:
    """An interval within 0 to 100: sacrebleu's own, of equal width to both sides, may go beyond them."""
    return (max(0.0, ends[0]), min(100.0, ends[1])) if ends is not None else (None, None)


def text_parts(pairs: Sequence[tuple[str, str]]) -> dict[str, Parts]:
    """What each text adds to the scores of `score_texts`, to compare two arms in pairs; keys are its fields' names.

    Args:
        pairs: (text, reference); pairs without a reference add nothing.
    """
    import numpy as np

    shown = [(normalise(text), normalise(reference)) for text, reference in pairs]
    there = np.array([bool(reference) for _, reference in shown], dtype=bool)
    texts = tuple(text for text, reference in shown if reference)
    references = tuple(reference for _, reference in shown if reference)
    parts: dict[str, Parts] = {}
    for key, table, of, single in (
        ("bleu", _bleu_table(texts, references), bleu_of, partial(bleu_of, shorter=True)),
        ("chrf", _chrf_table(texts, references), chrf_of, chrf_of),
    ):
        if table is not None:
            parts[key] = SummedParts(_spread(table, there), of, there, single)
    compared = (score for score in MEAN_SCORES if score.is_compared)
    return parts | {score.key: _mean(score.each(texts, references), there) for score in compared}


def _mean(values: Sequence[float], there: np.ndarray) -> SummedParts:
    import numpy as np

    return summed_mean(_spread(np.array(values, dtype=float)[:, np.newaxis], there)[:, 0], there)


def _spread(table: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Rows of the cases that have a reference at their places among all, zeros at the others'."""
    import numpy as np

    rows = np.zeros((len(there), table.shape[1]))
    rows[there] = table
    return rows


@dataclass(frozen=True, slots=True)
class Proxies(PlainFields):
    """How one arm writes: descriptive only, no measure of quality."""

    n: int
    slots: dict[str, Proportion]  # texts that name each slot
    slots_filled: float | None  # mean of 7
    sentences_naming_finding: Proportion  # of all sentences
    words: float | None  # mean
    words_to_reference: float | None  # median of each text's words over its reference's
    professional_per_100_words: float | None  # terms over all words


def describe(pairs: Iterable[tuple[str, str]], lexicon: Lexicon | None = None) -> Proxies:
    """Figures of how one arm writes.

    Args:
        pairs: (text, reference); the reference may be empty.
        lexicon: Whose words to look for.
    """
    kept = list(pairs)
    extractions = [extract(text, lexicon) for text, _ in kept]
    filled = [extraction.slots for extraction in extractions]
    words = sum(extraction.words for extraction in extractions)
    ratios = [
        extraction.words / reference_words
        for extraction, (_, reference) in zip(extractions, kept, strict=True)
        if (reference_words := word_count(reference))
    ]
    return Proxies(
        n=len(extractions),
        slots={
            slot.value: proportion(sum(slot in slots for slots in filled), len(extractions)) for slot in Slot
        },
        slots_filled=fmean(len(slots) for slots in filled) if extractions else None,
        sentences_naming_finding=proportion(
            sum(extraction.sentences_with_finding for extraction in extractions),
            sum(extraction.sentences for extraction in extractions),
        ),
        words=words / len(extractions) if extractions else None,
        words_to_reference=median(ratios) if ratios else None,
        professional_per_100_words=100
        * sum(extraction.professional_terms for extraction in extractions)
        / words
        if words
        else None,
    )
