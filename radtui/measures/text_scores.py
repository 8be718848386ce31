"""Descriptions against references by the field's usual string scores, and plain figures of how a text is written.

None of these measures truth: "pleural effusion" and "no pleural effusion" score as near twins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from radtui.measures.extraction import Slot, extract
from radtui.measures.intervals import Estimate, Proportion, mean_of, proportion
from radtui.measures.lexicon import Lexicon
from radtui.measures.text import normalise, word_count

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
    from sacrebleu.metrics import BLEU, CHRF

    found, signatures = [], {}
    for metric in (BLEU(), CHRF()):
        score = metric.corpus_score(texts, [references], n_bootstrap=BOOTSTRAPS if len(texts) > 1 else 1)
        signatures[score.name] = str(metric.get_signature())
        # The JSON form is sacrebleu's public way to the bootstrap interval.
        told = json.loads(score.format(width=6, signature=signatures[score.name], is_json=True))
        low = high = None
        if told.get("confidence_var"):  # not with one text, nor where every resample scores the same
            low, high = (told["confidence_mean"] + sign * told["confidence_var"] for sign in (-1, 1))
        found.append(Estimate(score.score, low, high, len(texts), "bootstrap"))
    return found[0], found[1], signatures


def _rouge_l(texts: Sequence[str], references: Sequence[str]) -> Estimate:
    if not texts:
        return Estimate(None, None, None, 0, "bca")
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return mean_of(
        [
            scorer.score(reference, text)["rougeL"].fmeasure
            for text, reference in zip(texts, references, strict=True)
        ]
    )


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
    words = sum(one.words for one in found)
    ratios = [
        one.words / reference_words
        for one, (_, reference) in zip(found, kept, strict=True)
        if (reference_words := word_count(reference))
    ]
    return Proxies(
        n=len(found),
        slots={slot.value: proportion(sum(slot in one.slots for one in found), len(found)) for slot in Slot},
        slots_filled=fmean(len(one.slots) for one in found) if found else None,
        sentences_naming_finding=proportion(
            sum(one.sentences_with_finding for one in found), sum(one.sentences for one in found)
        ),
        words=words / len(found) if found else None,
        words_to_reference=median(ratios) if ratios else None,
        professional_per_100_words=100 * sum(one.professional_terms for one in found) / words
        if words
        else None,
    )
