"""Scores as JSON, and as a table of the arms side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from radtui.measures.paired import PairedDifference
from radtui.measures.score_table import BY_KEY, SCORES
from radtui.measures.scores import ScoredText, compare_scores, compare_trainings, score_arms
from radtui.measures.trainings import PREFERENCE, TrainingGain
from radtui.measures.words import NOTHING, estimate, p_value

ARM_CELLS = 30  # at least, so that short tables of several calls stand alike


def scores_values(texts: Mapping[str, Sequence[ScoredText]]) -> dict[str, object]:
    """Each arm's scores as JSON shows them, with its differences from the arms before it."""
    differences = compare_scores(texts)
    values: dict[str, object] = {
        arm: {**own.to_dict(), "differences": [each.to_dict() for each in differences if each.later == arm]}
        for arm, own in score_arms(texts).items()
    }
    gains = compare_trainings(texts)
    return values | ({"trainings": [each.to_dict() for each in gains]} if gains else {})


def print_scores(texts: Mapping[str, Sequence[ScoredText]]) -> None:
    """Print one figure a line, the arms side by side, each with its 95 % interval and n; then what differs."""
    scores = score_arms(texts)
    shown = [score for score in SCORES if any(score.value(own) is not None for own in scores.values())]
    rows = [
        ["", *scores],
        ["cases", *(f"{own.cases:,}" for own in scores.values())],
        *([score.name, *(score.text(own) for own in scores.values())] for score in shown),
    ]
    least = [0, *(ARM_CELLS for _ in scores)]
    widths = [
        max(cells, *map(len, column)) for cells, column in zip(least, zip(*rows, strict=True), strict=True)
    ]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    for arm in [arm for arm, own in scores.items() if not own.english]:
        click.echo(
            f"\nThe texts of {arm} are not English: findings, which are read in English alone, are not scored."
        )
    _print_differences(compare_scores(texts))
    print_trainings(compare_trainings(texts))
    click.echo("\nIntervals are 95 %. Model output, not for clinical use.")


def _print_differences(differences: Sequence[PairedDifference]) -> None:
    """Every two arms over the same cases, one score a line."""
    for pair in dict.fromkeys((each.earlier, each.later) for each in differences):
        click.echo(f"\n{pair[1]} - {pair[0]}, paired over cases, p adjusted by Holm")
        for each in differences:
            if (each.earlier, each.later) == pair and each.difference.value is not None:
                score = BY_KEY.get(each.score)
                words = estimate(each.difference, signed=True, digits=score.digits if score else 2)
                label = score.name if score else each.score
                click.echo(
                    f"  {label}: {words if words != NOTHING else 'no difference'}, {p_value(each.holm_p)}"
                )


def print_trainings(gains: Sequence[TrainingGain]) -> None:
    """Print what tuning gains on the base whichever seed it is trained with, one score a line."""
    if not gains:
        return
    count = max(each.gain.readers for each in gains)
    click.echo(
        f"\nTuning - base, over {count} trainings of the same run. The interval is for trainings and cases like these,"
        " both drawn from many (crossed); in brackets behind it that of these trainings only, where another seed's"
        " adapter is no part of the doubt."
    )
    for each in gains:
        score = BY_KEY.get(each.score)
        digits = score.digits if score else 2
        words = estimate(each.gain, signed=True, digits=digits)
        these = each.gain.these_readers
        only = f" [these: {these[0]:+.{digits}f} to {these[1]:+.{digits}f}]" if these else ""
        alone = ", ".join(f"{value:+.{digits}f}" for value in each.each)
        label = "preference, -2 to 2" if each.score == PREFERENCE else score.label if score else each.score
        click.echo(f"  {label}: {words if words != NOTHING else 'no difference'}{only}; each seed: {alone}")
