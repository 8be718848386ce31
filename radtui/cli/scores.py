"""Scores as JSON, and as a table of the arms side by side."""

from __future__ import annotations

from collections.abc import Mapping

import click

from radtui.measures.intervals import Estimate
from radtui.measures.scores import ArmScores
from radtui.measures.words import share


def scores_values(scores: Mapping[str, ArmScores]) -> dict[str, object]:
    """Each arm's scores as JSON shows them."""
    return {arm: own.to_dict() for arm, own in scores.items()}


def print_scores(scores: Mapping[str, ArmScores]) -> None:
    """Print one figure a line, the arms side by side, each with its 95 % interval and n."""
    rows = {arm: _rows(own) for arm, own in scores.items()}
    names = list(dict.fromkeys(name for own in rows.values() for name in own))
    width = max(len(name) for name in names)
    click.echo("  ".join([" " * width, *(f"{arm:<30}" for arm in rows)]).rstrip())
    for name in names:
        cells = [f"{found.get(name, '-'):<30}" for found in rows.values()]
        click.echo("  ".join([f"{name:<{width}}", *cells]).rstrip())
    click.echo("\nIntervals are 95 %. Model output, not for clinical use.")


def _rows(found: ArmScores) -> dict[str, str]:
    rows = {"images": f"{found.cases:,}"}
    if found.truth:
        truth = found.truth
        rows |= {
            "finding F1": _estimate(truth.f1), "finding precision": share(truth.precision),
            "finding recall": share(truth.recall), "right side": share(truth.side),
            "right zone": share(truth.zone), "finding on a normal study": share(truth.invented_on_normal),
            "names the examination": share(truth.examination),
        }  # fmt: skip
    if found.text:
        text = found.text
        rows |= {
            "BLEU": _estimate(text.bleu), "chrF": _estimate(text.chrf), "ROUGE-L": _estimate(text.rouge_l),
            "words": _estimate(text.words), "words of the reference": _estimate(text.reference_words),
        }  # fmt: skip
    return rows


def _estimate(of: Estimate) -> str:
    if of.value is None:
        return "-"
    limits = f"{of.low:.3g} to {of.high:.3g}, " if of.low is not None and of.high is not None else ""
    return f"{of.value:.3g} ({limits}n={of.n})"
