"""The command that opens the review of a study: its comparisons, or one arm's texts to read and correct."""

from __future__ import annotations

import click

from radtui.cli.context import Session, pass_session
from radtui.cli.results import JOB_OPTION, STUDY_OPTION, review_study
from radtui.records import ArmKind, UserError


@click.command()
@JOB_OPTION
@STUDY_OPTION
@click.option(
    "--arm", default="", metavar="NAME",
    help="Read this arm's texts one by one, not blind, and correct them  [default: comparisons, blind].",
)  # fmt: skip
@pass_session
def review(session: Session, job_id: int | None, study_id: int | None, arm: str) -> None:
    """Open the app to review the texts of a generation job, or of a study.

    With --arm, each text is read, taken as it is or corrected; radtui train --from-corrections learns from that.
    """
    study = review_study(session.read(), job_id, study_id)
    readable = [each.name for each in study.arms if each.kind is not ArmKind.REFERENCE]
    if arm and arm not in readable:
        raise UserError(f"There are no texts of {arm!r} to read here; there are {', '.join(readable)}.")
    session.open_app("review", study_id=study.id, arm=arm)
