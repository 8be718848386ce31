"""What got better, what got worse, and what the numbers leave open: decided by intervals, not by wishes."""

from __future__ import annotations

from collections.abc import Iterator

from radtui.export.report.document import Point, Tone
from radtui.export.report.gather import Gathered
from radtui.measures.intervals import Estimate, Proportion
from radtui.measures.scheme import parse_error_answer
from radtui.measures.scores import ArmScores
from radtui.measures.significance import ALPHA, TOO_FEW
from radtui.measures.statistics import Summary
from radtui.measures.words import estimate, p_value, share
from radtui.records import Rating

RULE = (
    "Better and worse are said only where the numbers decide it: for the preference the exact sign test, for other"
    " answers of raters the 95 % interval of the difference and Wilcoxon's test (for dimensions adjusted by Holm), for"
    f" scores of each arm apart two 95 % intervals that do not meet, bootstrapped ones of {TOO_FEW} texts or more."
    " All else is left open, whichever way it points."
)


def findings(told: Gathered) -> list[Point]:
    """Every comparison of the first two arms that can be made, better ones first, then worse, then open."""
    found = [*_rated(told.summary, {d.id: d.label for d in told.review.scheme.dimensions}), *_scored(told)]
    order = list(Tone)
    return sorted(found, key=lambda point: order.index(point.tone))


def _rated(summary: Summary, labels: dict[str, str]) -> Iterator[Point]:
    if not summary.n:
        return
    found = summary.preference
    if found.wins + found.losses:
        tones = {f"{summary.later} preferred": Tone.BETTER, f"{summary.earlier} preferred": Tone.WORSE}
        tone = tones.get(summary.verdict, Tone.OPEN)
        figures = f"{share(found.win_rate)} of decided ratings, sign test {p_value(found.sign_p)}"
        yield Point(tone, f"The {summary.later} text is preferred", figures)
    for name, one in summary.dimensions.items():
        tone = _side(one.mean, one.holm_p)
        figures = f"mean {estimate(one.mean, signed=True)} on -2 to 2, {p_value(one.holm_p)}"
        yield Point(tone, labels.get(name, name), figures)
    if summary.acceptability:
        scale = summary.acceptability
        figures = (
            f"{estimate(scale.earlier, n=False)} → {estimate(scale.later, n=False)} of 5,"
            f" difference {estimate(scale.difference, signed=True)}"
        )
        yield Point(_side(scale.difference, scale.wilcoxon_p), "Acceptability", figures)
    if summary.errors:
        errors = summary.errors
        figures = (
            f"{estimate(errors.earlier.significant, n=False)} → {estimate(errors.later.significant, n=False)}"
            f" per report, difference {estimate(errors.difference, signed=True)}"
        )
        tone = _turned(_side(errors.difference, errors.wilcoxon_p))
        yield Point(tone, "Clinically significant errors", figures)


def _scored(told: Gathered) -> Iterator[Point]:
    earlier, later = (told.scores.get(arm) for arm in told.two)
    if earlier is None or later is None:
        return
    if earlier.truth and later.truth:
        first, second = earlier.truth, later.truth
        yield _apart("Findings named as they are (F1)", first.f1, second.f1)
        yield _apart("Named findings that are there (precision)", first.precision, second.precision)
        yield _apart("Findings that are named (recall)", first.recall, second.recall)
        yield _apart("Right side", first.side, second.side)
        yield _apart("Right place", first.zone, second.zone)
        yield _apart("Names the examination", first.examination, second.examination)
        yield _apart(
            "Normal studies given a finding", first.invented_on_normal, second.invented_on_normal, less=True
        )
    if earlier.text and later.text:
        yield _apart("Overlap with the reference (chrF)", earlier.text.chrf, later.text.chrf, digits=1)
        yield _apart("Overlap with the reference (ROUGE-L)", earlier.text.rouge_l, later.text.rouge_l)


def _apart(
    claim: str,
    earlier: Estimate | Proportion,
    later: Estimate | Proportion,
    less: bool = False,
    digits: int = 2,
) -> Point:
    """Two figures of one kind: different where their intervals do not meet."""

    def words(of: Estimate | Proportion) -> str:
        return share(of) if isinstance(of, Proportion) else estimate(of, digits=digits)

    tone = Tone.OPEN
    enough = all(of.method == "wilson" or of.n >= TOO_FEW for of in (earlier, later))
    if enough and None not in (earlier.low, earlier.high, later.low, later.high):
        assert earlier.low is not None and earlier.high is not None
        assert later.low is not None and later.high is not None
        tone = (
            Tone.BETTER if later.low > earlier.high else Tone.WORSE if later.high < earlier.low else Tone.OPEN
        )
    return Point(_turned(tone) if less else tone, claim, f"{words(earlier)} → {words(later)}")


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
    """What the later arm got wrong that the earlier did not, counted and named; intervals decide nothing here.

    An error in one text is an error, whether or not a test notices it.
    """
    return [*_introduced_by_rating(told), *_introduced_findings(told), *_cut_short(told)]


def _introduced_by_rating(told: Gathered) -> Iterator[Point]:
    earlier, later = told.two
    kept = [rating for rating in told.review.counting()[0] if rating.shown == told.two]
    lost = sum((rating.preference or 0) < 0 for rating in kept)
    if lost:
        yield Point(Tone.WORSE, f"Pairs in which the {earlier} text was preferred", f"{lost} of {len(kept)}")
    both_bad = sum(rating.both_bad for rating in kept)
    if both_bad:
        yield Point(Tone.WORSE, "Pairs in which both texts were bad", f"{both_bad} of {len(kept)}")
    new = sum(_significant(rating, later) > 0 and not _significant(rating, earlier) for rating in kept)
    if new:
        claim = f"Significant error in the {later} text where the {earlier} text had none"
        yield Point(Tone.WORSE, claim, f"{new} of {len(kept)} ratings")
    errors = told.summary.errors
    if errors:
        for category in told.review.scheme.errors:
            before, _ = errors.earlier.by_category[category.id]
            after, _ = errors.later.by_category[category.id]
            if (after.value or 0) > (before.value or 0):
                figures = f"{estimate(before, n=False)} → {estimate(after)} significant per report"
                yield Point(Tone.WORSE, category.label, figures)


def _significant(rating: Rating, arm: str) -> int:
    """How many significant errors were counted in an arm's text."""
    parsed = ((parse_error_answer(key), count) for key, count in rating.answers.items())
    return sum(count for about, count in parsed if about is not None and about[0] == arm and about[2])


def _introduced_findings(told: Gathered) -> Iterator[Point]:
    earlier, later = (told.scores[arm].truth if arm in told.scores else None for arm in told.two)
    if earlier is None or later is None:
        return
    if later.invented:
        figures = f"{earlier.invented} → {later.invented} in {later.cases} images"
        yield Point(
            Tone.WORSE if later.invented > earlier.invented else Tone.OPEN, "Findings invented", figures
        )
    for name, counts in sorted(later.findings.items(), key=lambda item: -item[1].invented):
        before = earlier.findings[name].invented if name in earlier.findings else 0
        if counts.invented > before:
            yield Point(Tone.WORSE, f"Invented: {name}", f"{before} → {counts.invented} images")
    for name, counts in later.findings.items():
        missed = earlier.findings[name].missed if name in earlier.findings else 0
        if counts.missed > missed:
            yield Point(Tone.WORSE, f"Missed more often: {name}", f"{missed} → {counts.missed} images")


def _cut_short(told: Gathered) -> Iterator[Point]:
    earlier, later = (told.truncated.get(arm, 0) for arm in told.two)
    if later:
        tone = Tone.WORSE if later > earlier else Tone.OPEN
        yield Point(
            tone, "Texts cut off at the longest length", f"{earlier} → {later} of {len(told.described)}"
        )


def proxies(scores: dict[str, ArmScores]) -> tuple[tuple[str, ...], ...]:
    """How each arm writes: rows of the figure's name and a value of each arm."""
    every = [own.proxies for own in scores.values()]

    def row(name: str, values: list[float | None], form: str) -> tuple[str, ...]:
        return (name, *("-" if value is None else format(value, form) for value in values))

    return (
        row("Words, mean", [one.words for one in every], ".1f"),
        row("Words against the reference, median ratio", [one.words_to_reference for one in every], ".2f"),
        row("Slots filled of 7 (modality, view, region, side, finding, location, severity)",
            [one.slots_filled for one in every], ".2f"),
        row("Sentences that name a finding", [one.sentences_naming_finding.value for one in every], ".1%"),
        row("Professional terms per 100 words", [one.professional_per_100_words for one in every], ".1f"),
    )  # fmt: skip
