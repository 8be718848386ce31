"""Commands around a study's protocol: lock, plan."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.results import SCHEME_OPTION
from radtui.cli.study import the_study
from radtui.measures.planning import MOST_CASES
from radtui.records import UserError


@click.command()
@click.argument("study_id", metavar="STUDY", type=int)
@click.option(
    "--analysis", "analysis_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Text file with the planned analysis  [default: radtui's own in one sentence].",
)  # fmt: skip
@SCHEME_OPTION
@pass_session
def lock(session: Session, study_id: int, analysis_file: Path | None, scheme_file: str) -> None:
    """Fix a study's protocol before the first rating: scheme, arms, texts, cases, pairs, seed, order and analysis."""
    from radtui.study.locking import lock_study
    from radtui.study.study import scheme_for

    chosen = the_study(session, study_id)
    try:
        analysis = analysis_file.read_text(encoding="utf-8").strip() if analysis_file is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read {analysis_file}: {error}; name a text file.") from error
    locked = lock_study(session.connect(), chosen, scheme_for(session.data, scheme_file), analysis)
    click.echo(f"Study {study_id} is locked; its protocol is {locked.protocol['sha256']}.")
    click.echo(f"radtui study show {study_id} lists what changes from now on.")


@click.command()
@click.option(
    "--pilot", "study_id", type=int, required=True, metavar="STUDY", help="Whose variances are taken."
)
@click.option("--arms", "arm_words", default="", metavar="A,B", help="Which two  [default: the last two].")
@click.option(
    "--aim", type=click.Choice(["superiority", "non-inferiority", "equivalence"]), default="superiority",
    show_default=True,
)  # fmt: skip
@click.option(
    "--margin", type=click.FloatRange(0, 1), default=0.0, help="Of non-inferiority and equivalence."
)
@click.option("--effect", type=click.FloatRange(-1, 1), help="The true difference  [default: the pilot's].")
@click.option("--readers", type=click.IntRange(1, 50), multiple=True, help="How many  [default: 2 to 6].")
@click.option("--power", type=click.FloatRange(0.05, 0.99), default=0.8, show_default=True)
@click.option(
    "--runs", type=click.IntRange(20, 20_000), default=1000, show_default=True, help="Simulated studies."
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@SCHEME_OPTION
@pass_session
def plan(
    session: Session,
    study_id: int,
    arm_words: str,
    aim: str,
    margin: float,
    effect: float | None,
    readers: tuple[int, ...],
    power: float,
    runs: int,
    as_json: bool,
    scheme_file: str,
) -> None:
    """Say how many cases a study of some readers needs, simulated from a pilot's variances.

    Differences are the share of ratings that prefer the later arm less the share that prefer the earlier one, from
    -1 to 1; a tie counts as 0.
    """
    from radtui.measures.planning import Aim
    from radtui.measures.planning import plan as planned
    from radtui.study.pilot import read_pilot
    from radtui.study.study import read_review, scheme_for

    if aim != "superiority" and not margin:
        raise click.UsageError(f"{aim.capitalize()} needs a margin; name it, as in --margin 0.2.")
    scheme = scheme_for(session.data, scheme_file)
    review = read_review(session.read(), the_study(session, study_id), scheme)
    pilot = read_pilot(review, tuple(filter(None, arm_words.split(","))))
    true = pilot.parts.mean if effect is None else effect
    lines = planned(pilot.parts, true, Aim(aim), margin, readers or (2, 3, 4, 5, 6), power, runs)
    if as_json:
        facts = {"aim": aim, "margin": margin, "effect": true, "power": power, "runs": runs}
        print_result(facts | {"pilot": pilot.to_dict(), "plan": [asdict(line) for line in lines]}, as_json)
        return
    click.echo(pilot.sentence())
    click.echo(f"To show {aim} of a true difference of {true:+.2f} with a power of {power:g}:")
    for line in lines:
        needed = (
            f"{line.cases:,} cases" if line.cases is not None else f"not with {MOST_CASES:,} cases either"
        )
        click.echo(f"  {line.readers} readers: {needed} (simulated power {line.power:.2f})")
    click.echo("Cases are those on which these two arms are compared, by every reader.")
