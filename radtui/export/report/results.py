"""The parts of a report that show results: examples, performance, what got better and worse, and trust in it."""

from __future__ import annotations

from dataclasses import replace

from radtui.charts.svg import loss_svg
from radtui.export.report import plots
from radtui.export.report.document import (
    Block,
    Examples,
    FactList,
    Figure,
    FindingTone,
    Paragraph,
    Point,
    Points,
    ReportTable,
    Section,
    ShownExample,
)
from radtui.export.report.findings import RULE, introduced, proxies
from radtui.export.report.gather import Gathered, RatedExample
from radtui.export.report.phrases import heading, short_label
from radtui.measures.intervals import Estimate
from radtui.measures.quality import Acceptability
from radtui.measures.score_table import SCORES
from radtui.measures.statistics import Arms
from radtui.measures.words import (
    alpha_words,
    estimate,
    left_out_words,
    log_odds,
    p_value,
    readers_words,
    share,
    strength_limits,
    versions_words,
)
from radtui.percent import percent_text
from radtui.records import Rating
from radtui.study.standing_in import HEADER, stand_in_rows


def examples(gathered: Gathered) -> Section:
    """Texts of the first two arms beside their image, chosen by rule."""
    chosen_by = (
        f"Chosen by rule, not by hand: the clearest preference for the {gathered.two[1]} text, the clearest for the"
        f" {gathered.two[0]}, a tie and a pair of two bad texts, as far as there are such; the rest spread evenly over"
        " the images."
    )
    items = tuple(_shown(gathered, example) for example in gathered.examples)
    name = "Before and after" if gathered.job is not None else "Texts side by side"
    return Section("examples", name, (Examples(items), Paragraph(chosen_by, note=True)))


def _shown(gathered: Gathered, example: RatedExample) -> ShownExample:
    case, pair = example.case, example.pair
    earlier, later = gathered.two
    verdict, tone = _verdict_of(example.ratings, gathered.two)
    notes = tuple(
        f"{rating.rater}: {rating.note.strip()}" for rating in example.ratings if rating.note.strip()
    )
    cut = [arm for arm, text in pair.texts.items() if text.truncated]
    if cut:
        notes += (f"Cut off at the longest length: {' and '.join(cut)}.",)
    others = [arm for arm in pair.texts if arm not in gathered.two]
    if others and not example.ratings:
        verdict = f"{earlier} and {later} not rated"
    notes += tuple(f"{heading(arm)} says: {pair.by(arm).text}" for arm in others)
    title = f"{case.source_key} · {case.examination}" if case.examination else case.source_key
    texts = _with_headings(gathered, pair.by(earlier).text, pair.by(later).text)
    return ShownExample(title, verdict, tone, example.jpeg, *example.size_px, case.reference, texts, notes)


def _with_headings(gathered: Gathered, earlier: str, later: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Both texts under their headings: before and after training where a job wrote both."""
    names = gathered.two
    if gathered.job is not None:
        return (f"Before: {names[0]} model", earlier), (f"After: {names[1]} model", later)
    return (heading(names[0]), earlier), (heading(names[1]), later)


def _verdict_of(ratings: tuple[Rating, ...], arms: tuple[str, str]) -> tuple[str, FindingTone]:
    values = [rating.preference for rating in ratings if rating.preference is not None]
    if not ratings:
        return "not rated", FindingTone.OPEN
    if not values:
        return "both bad", FindingTone.WORSE
    mean = sum(values) / len(values)
    of = f" (mean {mean:+.1f} of {len(values)})" if len(values) > 1 else ""
    if mean == 0:
        return "equal" + of, FindingTone.OPEN
    much = "much" if abs(mean) > 1 else "slightly"
    return f"{arms[mean > 0]} {much} better{of}", FindingTone.BETTER if mean > 0 else FindingTone.WORSE


def performance(gathered: Gathered) -> Section:
    """Loss, ratings and scores."""
    blocks: list[Block] = []
    if gathered.loss:
        what = gathered.loss.look.note
        blocks.append(
            Figure(
                "loss", loss_svg(gathered.loss, 960, 380), loss_svg(gathered.loss, 960, 380, dark=True),
                f"Loss while training ({what}).",
            )
        )  # fmt: skip
    blocks += _rating_figures(gathered)
    if gathered.summary.arms:
        blocks += arms_compared(gathered.summary.arms, gathered.study.arm_names[0])
    rows = [
        (score.name[0].upper() + score.name[1:], *(score.text(own) for own in gathered.scores.values()))
        for score in SCORES
        if score.group != "style" and any(score.value(own) is not None for own in gathered.scores.values())
    ]
    header = ("", *map(heading, gathered.scores))
    if rows:
        caption = "Against ground truth and references, with 95 % intervals. String scores measure wording, not truth."
        blocks.append(ReportTable(header, tuple(rows), caption))
    caption = "How the texts are written. These figures describe; none of them is a measure of quality."
    blocks.append(ReportTable(header, proxies(gathered.scores), caption))
    return Section("performance", "Performance analysis", tuple(blocks))


def standing_in(gathered: Gathered) -> Section:
    """Each score against these readers' own preferences and error counts."""
    if not gathered.stand_ins.scores:
        return Section("standing-in", "Which score may stand in for these readers", ())
    caption = (
        "Share of decided ratings in which a score ranks the preferred text higher (a tie of the score counts half;"
        " chance is 0.5), and Kendall's tau-b with preferences and with counted errors (chance is 0). Intervals are"
        " 95 %, over cases, for these readers."
    )
    return Section(
        "standing-in", "Which score may stand in for these readers",
        (
            Paragraph(gathered.stand_ins.sentence),
            ReportTable(HEADER, tuple(stand_in_rows(gathered.stand_ins)), caption),
        ),
    )  # fmt: skip


def arms_compared(arms: Arms, baseline: str) -> list[Block]:
    """More than two arms: one scale for all, and each two against each other."""
    rows = tuple(
        (
            strength.arm, log_odds(strength.log_odds), strength_limits(strength),
            "" if strength.standard_error == 0 else percent_text(strength.win_rate), f"{strength.n}",
        )
        for strength in arms.strengths
    )  # fmt: skip
    caption = (
        f"All arms compared: Bradley-Terry strengths over {arms.n} blind ratings of pairs drawn among them, log"
        f" odds against {baseline} with 95 % intervals, by image where it has several raters; a tie is half a win."
    )
    header = ("Arm", "Strength", "95 % interval", f"Chance to be preferred to {baseline}", "Ratings")
    blocks: list[Block] = [ReportTable(header, rows, caption)] if rows else []
    if not rows:
        blocks.append(
            Paragraph("No strengths on one scale yet: some arm never lost to, or never met, the others.")
        )
    contrasts = tuple(
        (
            f"{contrast.later} against {contrast.earlier}",
            f"{preference.wins} / {preference.ties} / {preference.losses}",
            share(preference.win_rate), p_value(preference.sign_p), contrast.verdict,
        )
        for contrast, preference in ((each, each.summary.preference) for each in arms.contrasts)
    )  # fmt: skip
    header = ("Pair", "Wins / ties / losses", "Win rate of decided", "Sign test", "Verdict")
    return [
        *blocks,
        ReportTable(header, contrasts, "Each two against each other, over the pairs that show just these."),
    ]


def _rating_figures(gathered: Gathered) -> list[Block]:
    summary, scheme = gathered.summary, gathered.review.scheme
    blocks: list[Block] = []
    if summary.n:
        labels = {dimension.id: dimension.label for dimension in scheme.dimensions}
        rows = [("Preference", summary.preference)]
        rows += [(labels.get(name, name), comparative) for name, comparative in summary.dimensions.items()]
        leaning = [
            plots.Leaning(label, tuple(comparative.counts.values()), _beside(comparative.mean))  # type: ignore[arg-type]
            for label, comparative in rows
        ]
        caption = (
            "Blind ratings of each pair; bars are counts, towards the preferred text. Right: mean on -2 to 2 with its"
            f" 95 % interval. {summary.both_bad.hits} that call both texts bad are not in it."
        )
        light, dark = (
            plots.preference_svg(leaning, tones, gathered.two)
            for tones in (plots.LIGHT_TONES, plots.DARK_TONES)
        )
        blocks.append(Figure("preference", light, dark, caption))
    if summary.errors:
        errors = summary.errors
        pairs = [plots.ErrorRow("All significant", errors.earlier.significant, errors.later.significant)]
        none = []
        for category in scheme.errors:
            earlier, later = (of.by_category[category.id][0] for of in (errors.earlier, errors.later))
            if earlier.value or later.value:
                pairs.append(plots.ErrorRow(short_label(category.label), earlier, later))
            else:
                none.append(category.label)
        caption = f"Significant errors per report with 95 % intervals, as counted in {errors.n} ratings."
        if none:
            caption += f" Counted in neither: {'; '.join(none)}."
        light, dark = (
            plots.errors_svg(pairs, t, "a report", gathered.two)
            for t in (plots.LIGHT_TONES, plots.DARK_TONES)
        )
        blocks.append(Figure("errors", light, dark, caption))
    if summary.acceptability:
        blocks.append(_acceptability(summary.acceptability, gathered.two))
    return blocks


def _beside(mean: Estimate) -> str:
    """A mean as it has room beside a bar: without the interval for these readers only."""
    return estimate(replace(mean, these_readers=None, cases=0), signed=True)


def _acceptability(scale: Acceptability, arms: tuple[str, str]) -> ReportTable:
    rows = (
        ("Mean, 1 to 5", estimate(scale.earlier), estimate(scale.later)),
        ("Usable, 4 or 5", share(scale.usable.earlier), share(scale.usable.later)),
        ("Usable as is, 5", share(scale.as_is.earlier), share(scale.as_is.later)),
    )
    caption = (
        f"Acceptability of each text. Difference {estimate(scale.difference, signed=True)}, Wilcoxon"
        f" {p_value(scale.wilcoxon_p)}; usable, McNemar {p_value(scale.usable.mcnemar.p)}."
    )
    return ReportTable(("", *map(heading, arms)), rows, caption)


def improvements(gathered: Gathered, points: list[Point]) -> tuple[Block, ...]:
    """What the intervals show to be better, and what they leave open."""
    better = tuple(point for point in points if point.tone is FindingTone.BETTER)
    left = tuple(point for point in points if point.tone is FindingTone.OPEN)
    first: Block = Points(better) if better else Paragraph("No improvement is shown by these numbers.")
    blocks: list[Block] = [first]
    if left:
        blocks += [Paragraph("Not decided by these numbers:"), Points(left)]
    return (*blocks, Paragraph(RULE, note=True))


def worse(gathered: Gathered, points: list[Point]) -> tuple[Block, ...]:
    """What the intervals show to be worse, and every kind of error that came with the training."""
    worse = tuple(point for point in points if point.tone is FindingTone.WORSE)
    new = tuple(introduced(gathered))
    blocks: list[Block] = []
    if worse:
        blocks += [Paragraph("Worse, as far as the intervals decide:"), Points(worse)]
    else:
        blocks.append(
            Paragraph(
                "Nothing is shown to be worse over all texts. That is not the same as nothing being worse."
            )
        )
    if new:
        blocks += [Paragraph("Errors in single texts count even where no test notices them:"), Points(new)]
    return tuple(blocks)


def trust(gathered: Gathered) -> Section:
    """Agreement, bias and power of the ratings."""
    summary = gathered.summary
    if not summary.n:
        return Section("trust", "How far to trust the ratings", ())
    left, side, power = summary.left_out, summary.side, summary.power
    out = left_out_words(left.by_reason)
    detectable = (
        f"a true win rate from {percent_text(power.detectable)}" if power.detectable else "no true win rate"
    )
    rows = [
        ("Left text chosen", share(side.chosen_left) + ("; a side bias is likely" if side.suspected else "")),
        (f"{heading(summary.later)} text stood left", share(side.later_left)),
        (
            "Preference and length",
            "-" if summary.length.rho is None
            else f"Spearman's rho {summary.length.rho:+.2f}, {p_value(summary.length.p)}, n={summary.length.n}",
        ),
        ("Power", f"{power.non_ties} decided pairs show {detectable} with 80 % power"),
        ("Left out of all figures", out or "nothing"),
    ]  # fmt: skip
    if pooled := versions_words(summary.versions):
        rows.append(("Scheme", pooled))
    if summary.agreement:
        rows.insert(
            0, ("Inter-rater agreement", f"Krippendorff's alpha {alpha_words(summary.agreement.alpha)}")
        )
    if about_readers := readers_words(len(summary.raters), summary.preference.deciding_readers):
        rows.insert(0, ("Readers", about_readers))
    if summary.repeats:
        rows.insert(0, ("Same answer to a hidden repeat", share(summary.repeats.same)))
    if len(summary.raters) > 1:
        for line in summary.raters:
            rows.append((line.rater, f"{line.n} ratings, win rate {share(line.win_rate)}"))
    return Section("trust", "How far to trust the ratings", (FactList(tuple(rows)),))
