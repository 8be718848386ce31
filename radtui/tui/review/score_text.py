"""Scores of descriptions against known findings and references as lines of text, base beside tuned."""

from __future__ import annotations

from textual.content import Content

from radtui.measures.scores import VariantScores
from radtui.measures.text_scores import Proxies, TextScores
from radtui.measures.truth_scores import TruthScores
from radtui.records import Variant
from radtui.tui.review.summary_text import compared, share_text, title, value_text

TRUTH = (
    ("Findings found", "recall"), ("Named ones that are true", "precision"), ("Right side", "side"),
    ("Right zone", "zone"), ("Invented on normal", "invented_on_normal"), ("Names the examination", "examination"),
)  # fmt: skip
TEXT = (("BLEU", "bleu", ".1f"), ("chrF", "chrf", ".1f"), ("ROUGE-L", "rouge_l", ".2f"))
PROXIES = (("Slots filled, of 7", "slots_filled"), ("Terms per 100 words", "professional_per_100_words"))


def score_lines(scores: dict[Variant, VariantScores]) -> list[Content]:
    """Everything that can be said without a rater.

    Args:
        scores: Of both variants, over the same images.
    """
    base, tuned = scores[Variant.BASE], scores[Variant.TUNED]
    rows: list[Content] = _third(scores[Variant.DPO]) if Variant.DPO in scores else []
    if base.truth is not None and tuned.truth is not None:
        rows += [*_truth(base.truth, tuned.truth), Content("")]
    if base.text is not None and tuned.text is not None:
        rows += [*_texts(base.text, tuned.text), Content("")]
    return rows + _proxies(base.proxies, tuned.proxies)


def _third(found: VariantScores) -> list[Content]:
    """The third variant's figures that are told of the others below."""
    said = []
    if found.truth is not None:
        said.append(
            f"F1 {value_text(found.truth.f1, '.2f')}, findings found {share_text(found.truth.recall)}"
        )
    if found.text is not None:
        said.append(f"chrF {value_text(found.text.chrf, '.1f')}, words {value_text(found.text.words, '.0f')}")
    return (
        [title("The dpo variant", f"{found.images:,} images"), *map(Content, said), Content("")]
        if said
        else []
    )


def _truth(base: TruthScores, tuned: TruthScores) -> list[Content]:
    rows = [title("Against known findings", f"{tuned.images:,} images")]
    for label, name in TRUTH:
        one, other = getattr(base, name), getattr(tuned, name)
        if one.n or other.n:
            rows.append(compared(label, share_text(one), share_text(other)))
    rows.append(compared("F1", value_text(base.f1, ".2f"), value_text(tuned.f1, ".2f")))
    return rows


def _texts(base: TextScores, tuned: TextScores) -> list[Content]:
    rows = [title("Against references", f"{tuned.n:,} texts; none of these measures truth")]
    for label, name, form in TEXT:
        rows.append(
            compared(label, value_text(getattr(base, name), form), value_text(getattr(tuned, name), form))
        )
    reference = f"Words (reference {tuned.reference_words.value or 0:.0f})"
    rows.append(compared(reference, value_text(base.words, ".0f"), value_text(tuned.words, ".0f")))
    return rows


def _proxies(base: Proxies, tuned: Proxies) -> list[Content]:
    rows = [title("How they write", "descriptive only")]
    for label, name in PROXIES:
        texts = [
            "–" if value is None else f"{value:.1f}" for value in (getattr(base, name), getattr(tuned, name))
        ]
        rows.append(compared(label, *texts))
    one, other = base.sentences_naming_finding, tuned.sentences_naming_finding
    rows.append(compared("Sentences with finding", share_text(one), share_text(other)))
    return rows
