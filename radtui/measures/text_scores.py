"""Descriptions against references by the field's usual string scores, and plain figures of how a text is written.

None of these measures truth: "pleural effusion" and "no pleural effusion" score as near twins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from radtui.measures.chrf import chrf_of, match_statistics, resampled_chrf
from radtui.measures.extraction import Slot, extract
from radtui.measures.intervals import Estimate, Proportion, mean_of, proportion
from radtui.measures.lexicon import Lexicon
from radtui.measures.paired import CaseParts, mean_parts
from radtui.measures.text import normalise, word_count

if TYPE_CHECKING:
    import numpy as np

BOOTSTRAPS = 1000  # sacrebleu's own number for its intervals


@dataclass(frozen=True, slots=True)
class TextScores:
    """String scores of one arm; BLEU and chrF 0..100 over the corpus, ROUGE-L the mean F-measure, 0..1."""

    n: int
    bleu: Estimate
    chrf: Estimate
    rouge_l: Estimate
    words: Estimate  # mean number of words
    reference_words: Estimate
    signatures: dict[str, str]  # what sacrebleu did, to be cited

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "bleu": self.bleu.to_dict(),
            "chrf": self.chrf.to_dict(),
            "rouge_l": self.rouge_l.to_dict(),
            "words": self.words.to_dict(),
            "reference_words": self.reference_words.to_dict(),
            "signatures": dict(self.signatures),
        }


def score_texts(pairs: Iterable[tuple[str, str]]) -> TextScores:
    """Score one arm's texts against the data set's own.

    Texts are compared as they are shown: Markdown stripped, white space unified.

    Args:
        pairs: (text, reference); pairs without a reference are left out.
    """
    kept = [(normalise(text), normalise(reference)) for text, reference in pairs if reference.strip()]
    texts, references = [text for text, _ in kept], [reference for _, reference in kept]
    bleu, chrf, signatures = _sacrebleu(texts, references)
    return TextScores(
        n=len(kept),
        bleu=bleu,
        chrf=chrf,
        rouge_l=_rouge_l(texts, references),
        words=mean_of([word_count(text) for text in texts]),
        reference_words=mean_of([word_count(reference) for reference in references]),
        signatures=signatures,
    )


def _sacrebleu(texts: Sequence[str], references: Sequence[str]) -> tuple[Estimate, Estimate, dict[str, str]]:
    if not texts:
        nothing = Estimate(None, None, None, 0, "bootstrap")
        return nothing, nothing, {}
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    bleu, bleu_signature = _corpus_score(BLEU(), texts, references)
    statistics = None
    if len(texts) > 1 and "SACREBLEU_SEED" not in os.environ:  # with a seed of its own, by sacrebleu itself
        statistics = match_statistics(texts, references)
    if statistics is None:
        chrf, chrf_signature = _corpus_score(CHRF(), texts, references)
    else:
        chrf = _chrf(statistics)
        _, chrf_signature = _corpus_score(CHRF(), texts[:2], references[:2])  # the settings, for the citation
    return bleu, chrf, {"BLEU": bleu_signature, "chrF2": chrf_signature}


def _corpus_score(metric: Any, texts: Sequence[str], references: Sequence[str]) -> tuple[Estimate, str]:
    """A metric of sacrebleu's over a corpus, with its bootstrap interval, and its signature."""
    score = metric.corpus_score(texts, [references], n_bootstrap=BOOTSTRAPS if len(texts) > 1 else 1)
    signature = str(metric.get_signature())
    # The JSON form is sacrebleu's public way to the bootstrap interval.
    told = json.loads(score.format(width=6, signature=signature, is_json=True))
    low = high = None
    if told.get("confidence_var"):  # not with one text, nor where every resample scores the same
        low, high = (told["confidence_mean"] + sign * told["confidence_var"] for sign in (-1, 1))
    return Estimate(score.score, low, high, len(texts), "bootstrap"), signature


def _chrf(statistics: np.ndarray) -> Estimate:
    """chrF2 with sacrebleu's interval: half the distance of two resampled scores to both sides of their mean."""
    import numpy as np

    value = float(chrf_of(statistics.sum(axis=0)[np.newaxis])[0])
    drawn = np.sort(resampled_chrf(statistics, BOOTSTRAPS))
    cut = BOOTSTRAPS // 40
    half, middle = float(drawn[-cut - 1] - drawn[cut]) / 2, float(drawn.mean())
    if half <= 0:
        return Estimate(value, None, None, len(statistics), "bootstrap")
    return Estimate(value, middle - half, middle + half, len(statistics), "bootstrap")


def _rouge_l(texts: Sequence[str], references: Sequence[str]) -> Estimate:
    if not texts:
        return Estimate(None, None, None, 0, "bca")
    return mean_of(rouge_l_each(texts, references))


def rouge_l_each(texts: Sequence[str], references: Sequence[str]) -> list[float]:
    """ROUGE-L's F-measure of each text against its reference, 0..1, with rouge-score's tokens and stems.

    Source: Lin, ROUGE (ACL 2004 workshop), section 3; the length by Hyyro, Inf Process Lett 90 (2004) 321-329, which
    is the same as by the usual table and tens of times faster.
    """
    return [
        _rouge_f(_tokens(text), _tokens(reference)) for text, reference in zip(texts, references, strict=True)
    ]


def text_parts(pairs: Sequence[tuple[str, str]]) -> dict[str, CaseParts]:
    """What each text adds to the scores of `score_texts` that are means, to compare two arms in pairs.

    Args:
        pairs: (text, reference); pairs without a reference add nothing.
    """
    shown = [(normalise(text), normalise(reference)) for text, reference in pairs]
    told = [bool(reference) for _, reference in shown]
    rouge = rouge_l_each([text for text, _ in shown], [reference for _, reference in shown])
    counts = [float(word_count(text)) for text, _ in shown]
    return {
        "rouge_l": mean_parts([value if known else None for value, known in zip(rouge, told, strict=True)]),
        "words": mean_parts([value if known else None for value, known in zip(counts, told, strict=True)]),
    }


def _rouge_f(text: tuple[str, ...], reference: tuple[str, ...]) -> float:
    if not text or not reference:
        return 0.0
    common = _common_length(text, reference)
    precision, recall = common / len(text), common / len(reference)
    return 2 * precision * recall / (precision + recall) if common else 0.0


def _common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, each row of the table as the bits of one number."""
    places: dict[str, int] = {}
    for place, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << place
    row = full = (1 << len(one)) - 1
    for word in other:
        matched = row & places.get(word, 0)
        row = (row + matched | row - matched) & full
    return len(one) - row.bit_count()


@lru_cache(maxsize=8192)
def _tokens(text: str) -> tuple[str, ...]:
    from rouge_score.tokenize import tokenize

    return tuple(tokenize(text, _stemmer()))


@cache
def _stemmer() -> Any:
    """Porter's stemmer as rouge-score uses it, which stems a word once."""
    from nltk.stem.porter import PorterStemmer

    stemmer = PorterStemmer()
    stemmer.stem = lru_cache(maxsize=None)(stemmer.stem)  # words of captions are few
    return stemmer


@dataclass(frozen=True, slots=True)
class Proxies:
    """How one arm writes: descriptive only, no measure of quality."""

    n: int
    slots: dict[str, Proportion]  # texts that name each slot
    slots_filled: float | None  # mean of 7
    sentences_naming_finding: Proportion  # of all sentences
    words: float | None  # mean
    words_to_reference: float | None  # median of each text's words over its reference's
    professional_per_100_words: float | None  # terms over all words

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "n": self.n,
            "slots": {name: share.to_dict() for name, share in self.slots.items()},
            "slots_filled": self.slots_filled,
            "sentences_naming_finding": self.sentences_naming_finding.to_dict(),
            "words": self.words,
            "words_to_reference": self.words_to_reference,
            "professional_per_100_words": self.professional_per_100_words,
        }


def describe(pairs: Iterable[tuple[str, str]], lexicon: Lexicon | None = None) -> Proxies:
    """Figures of how one arm writes.

    Args:
        pairs: (text, reference); the reference may be empty.
        lexicon: Whose words to look for.
    """
    kept = list(pairs)
    found = [extract(text, lexicon) for text, _ in kept]
    filled = [extraction.slots for extraction in found]
    words = sum(one.words for one in found)
    ratios = [
        one.words / reference_words
        for one, (_, reference) in zip(found, kept, strict=True)
        if (reference_words := word_count(reference))
    ]
    return Proxies(
        n=len(found),
        slots={slot.value: proportion(sum(slot in slots for slots in filled), len(found)) for slot in Slot},
        slots_filled=fmean(len(slots) for slots in filled) if found else None,
        sentences_naming_finding=proportion(
            sum(one.sentences_with_finding for one in found), sum(one.sentences for one in found)
        ),
        words=words / len(found) if found else None,
        words_to_reference=median(ratios) if ratios else None,
        professional_per_100_words=100 * sum(one.professional_terms for one in found) / words
        if words
        else None,
    )
