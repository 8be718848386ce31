"""The statistics of a review as a table: one figure a line, each with its interval, test and n."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import click

from radtui.measures.preference import Comparative
from radtui.measures.quality import Acceptability, ErrorRates, Errors
from radtui.measures.readings import ReadArm
from radtui.measures.scheme import Scheme
from radtui.measures.statistics import Arms, Summary
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
from radtui.plural import many
from radtui.records import Study
from radtui.study.figures import figures_words
from radtui.study.round_lines import RoundLine
from radtui.study.round_words import change_rows, figure_row, rounds_title, scale_of, scale_words
from radtui.study.rounds import Round
from radtui.study.standing_in import HEADER, StandIns, stand_in_rows

Row = tuple[str, str]

LABEL_CELLS = 24


def print_stats(study: Study, summary: Summary, scheme: Scheme) -> None:
    """Print a summary in sections of aligned lines."""
    opened_by = f"Job {study.job_id}" if study.job_id is not None else f"Study {study.id}"
    click.echo(f"{opened_by}  {study.name}")
    left = left_out_words(summary.left_out.by_reason)
    click.echo(
        f"{many((summary.arms or summary).n, 'rating')} of"
        f" {many((summary.arms or summary).cases, 'image')} by"
        f" {', '.join(line.rater for line in summary.raters) or 'nobody'}"
        + (f"; left out: {left}" if left else "")
    )
    if pooled := versions_words(summary.versions):
        click.echo(f"{pooled}.")
    sections = list(_sections(summary, scheme))
    for title, rows in sections:
        width = max(LABEL_CELLS, *(len(name) for name, _ in rows))
        click.echo(f"\n{title}")
        for name, text in rows:
            click.echo(f"  {name:<{width}}  {text}")
    click.echo(
        f"\nIntervals are 95 %, towards {_toward(summary)}. {_readers(summary)}".rstrip()
        + " Model output, not for clinical use."
    )


def print_round(compared: Round | None, rounds: Sequence[RoundLine]) -> None:
    """Print whether a round of learning from raters made the texts better, then all rounds; nothing without one."""
    if compared is None:
        return
    click.echo(compared.title)
    width = max((len(change.score.label) for change in compared.changes), default=0)
    for change in compared.changes:
        click.echo(f"  {change.score.label:<{width}}  {change.sentence}")
    if not compared.changes:
        click.echo("  Nothing is known of these cases by which texts could be scored.")
    click.echo()
    _print_rounds(rounds)


def _print_rounds(lines: Sequence[RoundLine]) -> None:
    """Print all rounds on one scale, each with its change against the one before."""
    if not lines:
        return
    scale, width = scale_of(lines), max(len(line.label) for line in lines)
    click.echo(rounds_title(lines))
    for line in lines:
        click.echo(f"  {figure_row(line, scale, width)}")
        for text in change_rows(line):
            click.echo(f"    {text}")
    click.echo(f"{scale_words(lines)}\n")


def print_readings(readings: Mapping[str, ReadArm]) -> None:
    """Print what correcting came to, an arm a line."""
    if readings:
        click.echo("\nTexts corrected or accepted")
        for arm, read in readings.items():
            click.echo(f"  {arm:<{LABEL_CELLS}}  {figures_words(read)}")


def print_stand_ins(standing: StandIns | None, command: str) -> None:
    """Print how far each score agrees with the readers, or which command would say it."""
    if standing is None:
        click.echo(f"\nWhich score may stand in for these readers: {command} (a minute or more).")
        return
    if not standing.scores:
        return
    click.echo(f"\nWhich score may stand in for these readers? {standing.sentence}")
    rows = [HEADER, *stand_in_rows(standing)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADER))]
    for row in rows:
        cells = (f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        click.echo(f"  {'  '.join(cells)}".rstrip())
    click.echo("Intervals over cases, for these readers; chance is 0.5 for ranking and 0 for tau.")


def _readers(summary: Summary) -> str:
    return readers_words(len(summary.raters), summary.preference.deciding_readers)


def _toward(summary: Summary) -> str:
    return "the later of two" if summary.arms else f"the {summary.later} model"


def _sections(summary: Summary, scheme: Scheme) -> Iterator[tuple[str, list[Row]]]:
    preference = summary.preference
    of_two = f", ratings of {summary.earlier} and {summary.later}" if summary.arms else ""
    yield (
        f"Preference, {many(summary.n, 'rating')} of {summary.earlier} and {summary.later}"
        if summary.arms
        else "Preference",
        [
            ("verdict", summary.verdict),
            ("wins, ties, losses", f"{preference.wins}, {preference.ties}, {preference.losses}"),
            ("win rate of non-ties", f"{share(preference.win_rate)}, sign test {p_value(preference.sign_p)}"),
            ("preferred or equal", share(summary.preferred_or_equal)),
            ("both bad", share(summary.both_bad)),
            ("mean, -2 to 2", _mean(preference)),
        ],
    )
    if summary.arms:
        yield f"All arms, {many(summary.arms.n, 'rating')}; strengths in log odds", list(_arms(summary.arms))
        if summary.arms.differences:
            count = len(summary.arms.differences)
            yield (
                f"Every two arms on this scale, log odds, p by Holm over {count}",
                list(_differences(summary.arms)),
            )
    if summary.dimensions:
        labels = {dimension.id: dimension.label for dimension in scheme.dimensions}
        yield (
            "Dimensions, mean -2 to 2, p by Holm",
            [
                (labels.get(name, name), _mean(comparative))
                for name, comparative in summary.dimensions.items()
            ],
        )
    if summary.acceptability:
        yield "Acceptability, 1 to 5", _acceptability(summary.acceptability, summary)
    if summary.errors:
        yield (
            f"Significant errors per checked report, {summary.earlier} -> {summary.later}",
            list(_errors(summary.errors, scheme, summary)),
        )
    if len(summary.raters) > 1:
        yield (
            f"Raters{of_two}",
            [(line.rater, f"{line.n} rated, win rate {share(line.win_rate)}") for line in summary.raters],
        )
    yield f"Trust{of_two}", list(_trust(summary))


def _mean(comparative: Comparative) -> str:
    p = comparative.wilcoxon_p if comparative.holm_p is None else comparative.holm_p
    return f"{estimate(comparative.mean, signed=True)}, Wilcoxon {p_value(p)}"


def _arms(arms: Arms) -> Iterator[Row]:
    """Strengths on one scale, then each two against each other."""
    for strength in arms.strengths:
        behind = strength_limits(strength)
        if strength.standard_error:
            behind += f"{_only_these(strength.these_readers)}, n={many(strength.n, 'rating')}"
        yield f"strength of {strength.arm}", f"{log_odds(strength.log_odds)} ({behind})"
    if not arms.strengths:
        yield "strengths", "none on one scale yet: some arm never lost to, or never met, the others"
    for pair in arms.contrasts:
        figures = pair.summary.preference
        counts = f"{figures.wins}, {figures.ties}, {figures.losses}"
        yield (
            f"{pair.later} against {pair.earlier}",
            f"{counts}; {share(figures.win_rate)}, sign test {p_value(figures.sign_p)}: {pair.verdict}",
        )


def _differences(arms: Arms) -> Iterator[Row]:
    """Every two arms on the scale that all pairs together give, tested with an adjustment for how many there are."""
    for difference in arms.differences:
        ends = f"{log_odds(difference.low)} to {log_odds(difference.high)}{_only_these(difference.these_readers)}"
        yield (
            f"{difference.later} against {difference.earlier}",
            f"{log_odds(difference.log_odds)} ({ends}), {p_value(difference.holm_p)}",
        )


def _only_these(ends: tuple[float, float] | None) -> str:
    return f", for these readers only {log_odds(ends[0])} to {log_odds(ends[1])}" if ends else ""


def _acceptability(acceptability: Acceptability, of: Summary) -> list[Row]:
    rows = [
        (f"mean of {of.earlier}", estimate(acceptability.earlier)),
        (f"mean of {of.later}", estimate(acceptability.later)),
        (
            "difference",
            f"{estimate(acceptability.difference, signed=True)}, Wilcoxon {p_value(acceptability.wilcoxon_p)}",
        ),
    ]
    for name, level in (("usable (4 or 5)", acceptability.usable), ("as is (5)", acceptability.as_is)):
        rows.append((f"{name}, {of.earlier}", share(level.earlier)))
        rows.append((f"{name}, {of.later}", f"{share(level.later)}, McNemar {p_value(level.mcnemar.p)}"))
    return rows


def _errors(errors: Errors, scheme: Scheme, of: Summary) -> Iterator[Row]:
    yield f"significant, {of.earlier}", estimate(errors.earlier.significant)
    yield f"significant, {of.later}", estimate(errors.later.significant)
    if errors.difference.value is None:
        yield "difference", "none known: no reader checked both texts of a pair"
    else:
        yield (
            "difference",
            f"{estimate(errors.difference, signed=True)}, Wilcoxon {p_value(errors.wilcoxon_p)}",
        )
    yield f"reports with one, {of.earlier}", share(errors.earlier.with_significant)
    yield f"reports with one, {of.later}", share(errors.later.with_significant)
    for category in scheme.errors:
        yield (
            f"{category.id} {category.label}",
            f"{_rate(errors.earlier, category.id)} -> {_rate(errors.later, category.id)}",
        )


def _rate(rates: ErrorRates, category: str) -> str:
    return estimate(rates.by_category[category][0])


def _trust(summary: Summary) -> Iterator[Row]:
    side, length, power = summary.side, summary.length, summary.power
    yield "left text chosen", share(side.chosen_left) + (": a side bias is likely" if side.suspected else "")
    yield f"{summary.later} text stood left", share(side.later_left)
    if length.rho is not None:
        yield "preference and length", f"rho {length.rho:+.2f}, {p_value(length.p)}, n={length.n}"
    if summary.agreement:
        yield "inter-rater agreement", f"alpha {alpha_words(summary.agreement.alpha, signed=True)}"
    if summary.repeats:
        yield "same answer to a repeat", share(summary.repeats.same)
    if power.detectable is None:
        yield "power", f"{many(power.non_ties, 'pair')} without ties: too few to show any difference"
    else:
        yield (
            "power",
            f"{power.non_ties} pairs without ties show a true win rate from {percent_text(power.detectable)}",
        )
