"""What got better, what got worse, and what the numbers leave open: decided by intervals, not by wishes."""

from __future__ import annotations

from collections.abc import Iterator

from radtui.export.report.document import Point, Tone
from radtui.export.report.gather import Gathered
from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.scheme import parse_error_answer
from radtui.measures.scores import VariantScores
from radtui.measures.significance import ALPHA, TOO_FEW
from radtui.measures.statistics import Summary
from radtui.measures.words import estimate, p_value, share
from radtui.records import TWO_VARIANTS, Variant

RULE = (
    "Better and worse are said only where the numbers decide it: for the preference the exact sign test, for other"
    " answers of raters the 95 % interval of the difference and Wilcoxon's test (for dimensions adjusted by Holm), for"
    f" scores of each model apart two 95 % intervals that do not meet, bootstrapped ones of {TOO_FEW} texts or more."
    " All else is left open, whichever way it points."
)


def findings(told: Gathered) -> list[Point]:
    """Every comparison of base and tuned that can be made, better ones first, then worse, then open."""
    found = [*_rated(told.summary, {d.id: d.label for d in told.review.scheme.dimensions}), *_scored(told)]
    order = list(Tone)
    return sorted(found, key=lambda point: order.index(point.tone))


def _rated(summary: Summary, labels: dict[str, str]) -> Iterator[Point]:
    if not summary.n:
        return
    found = summary.preference
    if found.wins + found.losses:
        tone = {"tuned preferred": Tone.BETTER, "base preferred": Tone.WORSE}.get(summary.verdict, Tone.OPEN)
        figures = f"{share(found.win_rate)} of decided ratings, sign test {p_value(found.sign_p)}"
        yield Point(tone, "The tuned text is preferred", figures)
    for name, one in summary.dimensions.items():
        tone = _side(one.mean, one.holm_p)
        figures = f"mean {estimate(one.mean, signed=True)} on -2 to 2, {p_value(one.holm_p)}"
        yield Point(tone, labels.get(name, name), figures)
    if summary.acceptability:
        scale = summary.acceptability
        figures = (
            f"{estimate(scale.base, n=False)} → {estimate(scale.tuned, n=False)} of 5,"
            f" difference {estimate(scale.difference, signed=True)}"
        )
        yield Point(_side(scale.difference, scale.wilcoxon_p), "Acceptability", figures)
    if summary.errors:
        errors = summary.errors
        figures = (
            f"{estimate(errors.base.significant, n=False)} → {estimate(errors.tuned.significant, n=False)} per report,"
            f" difference {estimate(errors.difference, signed=True)}"
        )
        tone = _turned(_side(errors.difference, errors.wilcoxon_p))
        yield Point(tone, "Clinically significant errors", figures)


def _scored(told: Gathered) -> Iterator[Point]:
    base, tuned = told.scores[Variant.BASE], told.scores[Variant.TUNED]
    if base.truth and tuned.truth:
        b, t = base.truth, tuned.truth
        yield _apart("Findings named as they are (F1)", b.f1, t.f1)
        yield _apart("Named findings that are there (precision)", b.precision, t.precision)
        yield _apart("Findings that are named (recall)", b.recall, t.recall)
        yield _apart("Right side", b.side, t.side)
        yield _apart("Right place", b.zone, t.zone)
        yield _apart("Names the examination", b.examination, t.examination)
        yield _apart("Normal studies given a finding", b.invented_on_normal, t.invented_on_normal, less=True)
    if base.text and tuned.text:
        yield _apart("Overlap with the reference (chrF)", base.text.chrf, tuned.text.chrf, digits=1)
        yield _apart("Overlap with the reference (ROUGE-L)", base.text.rouge_l, tuned.text.rouge_l)


def _apart(
    claim: str,
    base: Estimate | Proportion,
    tuned: Estimate | Proportion,
    less: bool = False,
    digits: int = 2,
) -> Point:
    """Two figures of one kind: different where their intervals do not meet."""

    def words(of: Estimate | Proportion) -> str:
        return share(of) if isinstance(of, Proportion) else estimate(of, digits=digits)

    tone = Tone.OPEN
    enough = all(of.method == "wilson" or of.n >= TOO_FEW for of in (base, tuned))
    if enough and None not in (base.low, base.high, tuned.low, tuned.high):
        assert base.low is not None and base.high is not None
        assert tuned.low is not None and tuned.high is not None
        tone = Tone.BETTER if tuned.low > base.high else Tone.WORSE if tuned.high < base.low else Tone.OPEN
    return Point(_turned(tone) if less else tone, claim, f"{words(base)} → {words(tuned)}")


def _side(difference: Estimate, p: float | None) -> Tone:
    """Where test and interval say the same; answers that are all equal have no interval, so that the test decides."""
    value, low, high = difference.value, difference.low, difference.high
    around = low is not None and high is not None and low <= 0 <= high
    if not value or around or p is None or p >= ALPHA:
        return Tone.OPEN
    return Tone.BETTER if value > 0 else Tone.WORSE


def _turned(tone: Tone) -> Tone:
    return {Tone.BETTER: Tone.WORSE, Tone.WORSE: Tone.BETTER}.get(tone, tone)


def introduced(told: Gathered) -> list[Point]:
    """What the tuned model got wrong that the base model did not, counted and named; intervals decide nothing here.

    An error in one text is an error, whether or not a test notices it.
    """
    return [*_introduced_by_rating(told), *_introduced_findings(told), *_cut_short(told)]


def _introduced_by_rating(told: Gathered) -> Iterator[Point]:
    kept = [rating for rating in told.review.counting()[0] if rating.shown == TWO_VARIANTS]
    lost = sum((rating.preference or 0) < 0 for rating in kept)
    if lost:
        yield Point(Tone.WORSE, "Pairs in which the base text was preferred", f"{lost} of {len(kept)}")
    both_bad = sum(rating.both_bad for rating in kept)
    if both_bad:
        yield Point(Tone.WORSE, "Pairs in which both texts were bad", f"{both_bad} of {len(kept)}")
    new = 0
    for rating in kept:
        counts = {Variant.BASE: 0, Variant.TUNED: 0}
        for key, count in rating.answers.items():
            parsed = parse_error_answer(key)
            if parsed is not None and parsed[2]:
                counts[parsed[0]] += count
        new += counts[Variant.TUNED] > 0 and not counts[Variant.BASE]
    if new:
        claim = "Significant error in the tuned text where the base text had none"
        yield Point(Tone.WORSE, claim, f"{new} of {len(kept)} ratings")
    errors = told.summary.errors
    if errors:
        for category in told.review.scheme.errors:
            base, _ = errors.base.by_category[category.id]
            tuned, _ = errors.tuned.by_category[category.id]
            if (tuned.value or 0) > (base.value or 0):
                figures = f"{estimate(base, n=False)} → {estimate(tuned)} significant per report"
                yield Point(Tone.WORSE, category.label, figures)


def _introduced_findings(told: Gathered) -> Iterator[Point]:
    base, tuned = told.scores[Variant.BASE].truth, told.scores[Variant.TUNED].truth
    if base is None or tuned is None:
        return
    if tuned.invented:
        figures = f"{base.invented} → {tuned.invented} in {tuned.images} images"
        yield Point(Tone.WORSE if tuned.invented > base.invented else Tone.OPEN, "Findings invented", figures)
    for name, counts in sorted(tuned.findings.items(), key=lambda item: -item[1].invented):
        before = base.findings[name].invented if name in base.findings else 0
        if counts.invented > before:
            yield Point(Tone.WORSE, f"Invented: {name}", f"{before} → {counts.invented} images")
    for name, counts in tuned.findings.items():
        missed = base.findings[name].missed if name in base.findings else 0
        if counts.missed > missed:
            yield Point(Tone.WORSE, f"Missed more often: {name}", f"{missed} → {counts.missed} images")


def _cut_short(told: Gathered) -> Iterator[Point]:
    base, tuned = told.truncated[Variant.BASE], told.truncated[Variant.TUNED]
    if tuned:
        tone = Tone.WORSE if tuned > base else Tone.OPEN
        yield Point(tone, "Texts cut off at the longest length", f"{base} → {tuned} of {len(told.described)}")


def proxies(scores: dict[Variant, VariantScores]) -> tuple[tuple[str, ...], ...]:
    """How each model writes: rows of name, base, tuned."""
    both = [scores[variant].proxies for variant in TWO_VARIANTS]

    def row(name: str, values: list[float | None], form: str) -> tuple[str, ...]:
        return (name, *("-" if value is None else format(value, form) for value in values))

    return (
        row("Words, mean", [one.words for one in both], ".1f"),
        row("Words against the reference, median ratio", [one.words_to_reference for one in both], ".2f"),
        row("Slots filled of 7 (modality, view, region, side, finding, location, severity)",
            [one.slots_filled for one in both], ".2f"),
        row("Sentences that name a finding", [one.sentences_naming_finding.value for one in both], ".1%"),
        row("Professional terms per 100 words", [one.professional_per_100_words for one in both], ".1f"),
    )  # fmt: skip
