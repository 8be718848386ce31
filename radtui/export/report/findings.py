"""What got better, what got worse, and what the numbers leave open: decided by intervals, not by wishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from radtui.export.report.document import FindingTone, Point
from radtui.export.report.gather import Gathered
from radtui.measures.intervals import Estimate
from radtui.measures.scheme import parse_error_answer
from radtui.measures.score_table import SCORES
from radtui.measures.scores import ArmScores
from radtui.measures.significance import ALPHA
from radtui.measures.statistics import Summary
from radtui.measures.text_scores import Proxies
from radtui.measures.words import estimate, p_value, share
from radtui.records import Rating

RULE = (
    "Better and worse are said only where the numbers decide it: for the preference the exact sign test, for other"
    " answers of raters the 95 % interval of the difference and Wilcoxon's test (for dimensions adjusted by Holm), for"
    " scores the paired bootstrap's 95 % interval of the difference over the same cases and an exchange test adjusted"
    " by Holm over all scores and arms. All else is left open, whichever way it points; BLEU and chrF belong to a whole"
    " corpus and have no paired test here."
)


def findings(gathered: Gathered) -> list[Point]:
    """Every comparison of the first two arms that can be made, better ones first, then worse, then open."""
    points = [
        *_rated(gathered.summary, {d.id: d.label for d in gathered.review.scheme.dimensions}),
        *_scored(gathered),
    ]
    order = list(FindingTone)
    return sorted(points, key=lambda point: order.index(point.tone))


def _rated(summary: Summary, labels: dict[str, str]) -> Iterator[Point]:
    if not summary.n:
        return
    preference = summary.preference
    if preference.wins + preference.losses:
        tones = {
            f"{summary.later} preferred": FindingTone.BETTER,
            f"{summary.earlier} preferred": FindingTone.WORSE,
        }
        tone = tones.get(summary.verdict, FindingTone.OPEN)
        figures = f"{share(preference.win_rate)} of decided ratings, sign test {p_value(preference.sign_p)}"
        yield Point(tone, f"The {summary.later} text is preferred", figures)
    for name, dimension in summary.dimensions.items():
        tone = _side(dimension.mean, dimension.holm_p)
        figures = f"mean {estimate(dimension.mean, signed=True)} on -2 to 2, {p_value(dimension.holm_p)}"
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


def _scored(gathered: Gathered) -> Iterator[Point]:
    earlier, later = (gathered.scores.get(arm) for arm in gathered.two)
    if earlier is None or later is None:
        return
    paired = {each.score: each for each in gathered.differences if (each.earlier, each.later) == gathered.two}
    for score in SCORES:
        if score.less_is_better is None or score.value(earlier) is None or score.value(later) is None:
            continue
        figures, tone = f"{score.text(earlier)} → {score.text(later)}", FindingTone.OPEN
        if (each := paired.get(score.key)) is not None:
            tone = _side(each.difference, each.holm_p)
            words = estimate(each.difference, signed=True, digits=score.digits, n=False)
            figures += f", difference {words}, {p_value(each.holm_p)}"
        yield Point(
            _turned(tone) if score.less_is_better else tone, score.name[0].upper() + score.name[1:], figures
        )


def _side(difference: Estimate, p: float | None) -> FindingTone:
    """Where test and interval say the same; answers that are all equal have no interval, so that the test decides."""
    value, low, high = difference.value, difference.low, difference.high
    around = low is not None and high is not None and low <= 0 <= high
    if not value or around or p is None or p >= ALPHA:
        return FindingTone.OPEN
    return FindingTone.BETTER if value > 0 else FindingTone.WORSE


def _turned(tone: FindingTone) -> FindingTone:
    return {FindingTone.BETTER: FindingTone.WORSE, FindingTone.WORSE: FindingTone.BETTER}.get(tone, tone)


def introduced(gathered: Gathered) -> list[Point]:
    """What the later arm got wrong that the earlier did not, counted and named; intervals decide nothing here.

    An error in one text is an error, whether or not a test notices it.
    """
    return [*_introduced_by_rating(gathered), *_introduced_findings(gathered), *_cut_short(gathered)]


def _introduced_by_rating(gathered: Gathered) -> Iterator[Point]:
    earlier, later = gathered.two
    kept = [rating for rating in gathered.review.counting()[0] if rating.shown == gathered.two]
    lost = sum((rating.preference or 0) < 0 for rating in kept)
    if lost:
        yield Point(
            FindingTone.WORSE, f"Pairs in which the {earlier} text was preferred", f"{lost} of {len(kept)}"
        )
    both_bad = sum(rating.both_bad for rating in kept)
    if both_bad:
        yield Point(FindingTone.WORSE, "Pairs in which both texts were bad", f"{both_bad} of {len(kept)}")
    new = sum(_significant(rating, later) > 0 and not _significant(rating, earlier) for rating in kept)
    if new:
        claim = f"Significant error in the {later} text where the {earlier} text had none"
        yield Point(FindingTone.WORSE, claim, f"{new} of {len(kept)} ratings")
    errors = gathered.summary.errors
    if errors:
        for category in gathered.review.scheme.errors:
            before, _ = errors.earlier.by_category[category.id]
            after, _ = errors.later.by_category[category.id]
            if (after.value or 0) > (before.value or 0):
                figures = f"{estimate(before, n=False)} → {estimate(after)} significant per report"
                yield Point(FindingTone.WORSE, category.label, figures)


def _significant(rating: Rating, arm: str) -> int:
    """How many significant errors were counted in an arm's text."""
    parsed = ((parse_error_answer(key), count) for key, count in rating.answers.items())
    return sum(count for about, count in parsed if about is not None and about[0] == arm and about[2])


def _introduced_findings(gathered: Gathered) -> Iterator[Point]:
    earlier, later = (gathered.scores[arm].truth if arm in gathered.scores else None for arm in gathered.two)
    if earlier is None or later is None:
        return
    if later.invented:
        figures = f"{earlier.invented} → {later.invented} in {later.cases} images"
        yield Point(
            FindingTone.WORSE if later.invented > earlier.invented else FindingTone.OPEN,
            "Findings invented",
            figures,
        )
    for name, counts in sorted(later.findings.items(), key=lambda item: -item[1].invented):
        before = earlier.findings[name].invented if name in earlier.findings else 0
        if counts.invented > before:
            yield Point(FindingTone.WORSE, f"Invented: {name}", f"{before} → {counts.invented} images")
    for name, counts in later.findings.items():
        missed = earlier.findings[name].missed if name in earlier.findings else 0
        if counts.missed > missed:
            yield Point(FindingTone.WORSE, f"Missed more often: {name}", f"{missed} → {counts.missed} images")


def _cut_short(gathered: Gathered) -> Iterator[Point]:
    earlier, later = (gathered.truncated.get(arm, 0) for arm in gathered.two)
    if later:
        tone = FindingTone.WORSE if later > earlier else FindingTone.OPEN
        yield Point(
            tone, "Texts cut off at the longest length", f"{earlier} → {later} of {len(gathered.described)}"
        )


def proxies(scores: dict[str, ArmScores]) -> tuple[tuple[str, ...], ...]:
    """How each arm writes: rows of the figure's name and a value of each arm."""
    every = [own.proxies for own in scores.values()]  # None of an arm whose texts are not English

    def row(name: str, value: Callable[[Proxies], float | None], form: str) -> tuple[str, ...]:
        values = [value(proxy) if proxy else None for proxy in every]
        return (name, *("-" if figure is None else format(figure, form) for figure in values))

    return (
        row("Words, mean", lambda proxy: proxy.words, ".1f"),
        row("Words against the reference, median ratio", lambda proxy: proxy.words_to_reference, ".2f"),
        row("Slots filled of 7 (modality, view, region, side, finding, location, severity)",
            lambda proxy: proxy.slots_filled, ".2f"),
        row("Sentences that name a finding", lambda proxy: proxy.sentences_naming_finding.value, ".1%"),
        row("Professional terms per 100 words", lambda proxy: proxy.professional_per_100_words, ".1f"),
    )  # fmt: skip
