"""Commands around a study's protocol: lock."""

from __future__ import annotations

from pathlib import Path

import click

from radtui.cli.context import Session, pass_session
from radtui.cli.results import SCHEME_OPTION
from radtui.cli.study import the_study
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
