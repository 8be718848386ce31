"""The command that scores texts: score, by radtui's own scores or in an environment of a package's."""

from __future__ import annotations

from pathlib import Path

import click

from radtui.cli.context import NewFile, Session, pass_session, print_result
from radtui.cli.results import JOB_OPTION, STUDY_OPTION, review_study, study_words


@click.command()
@JOB_OPTION
@STUDY_OPTION
@click.option(
    "--with", "package", type=click.Choice(["radeval"]),
    help="Have a package score each text, in the background: RadGraph-F1, RadCliQ, CheXbert, RaTEScore, GREEN.",
)  # fmt: skip
@click.option(
    "--scores", default="", metavar="NAME,NAME", help="Which of the package's scores  [default: those]."
)
@click.option(
    "--python", default="", metavar="PATH",
    help="Python of the environment that has the package  [default: DATA/score-env, else radtui's own].",
)  # fmt: skip
@click.option(
    "--csv", "csv_out", type=NewFile(), metavar="FILE",
    help="Write every score of every text, with package, revision and licence.",
)  # fmt: skip
@click.option("--raw", is_flag=True, help="Texts exactly as they are, even if a spreadsheet would run them.")
@click.option("--force", is_flag=True, help="Replace a file that is no unchanged export of radtui.")
@click.option("--wait", is_flag=True, help="Follow the package's job until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
@pass_session
def score(
    session: Session, job_id: int | None, study_id: int | None, package: str | None, scores: str, python: str,
    csv_out: Path | None, raw: bool, force: bool, wait: bool, as_json: bool,
) -> None:  # fmt: skip
    """Compare the descriptions with references and ground truth, where a data set has them.

    What a package has scored is shown beside radtui's own scores, and compared in pairs as they are.
    """
    from radtui.cli.scores import print_scores, scores_values
    from radtui.study.study import scored_texts

    if package is not None:
        _submit(session, job_id, study_id, package, scores, python, wait, as_json)
        return
    if scores or python:
        raise click.UsageError("--scores and --python need --with radeval.")
    db = session.read()
    study = review_study(db, job_id, study_id)
    if csv_out is not None:
        from radtui.export.files import check_replaceable
        from radtui.export.text_scores import write_text_scores

        check_replaceable(csv_out, force)
        rows = write_text_scores(db, study, csv_out, raw)
        click.echo(f"{rows:,} scores of texts, of {study_words(study)} -> {csv_out}")
        return
    texts = scored_texts(db, study)
    if as_json:
        print_result(scores_values(texts), as_json)
    else:
        print_scores(texts)


def _submit(
    session: Session, job_id: int | None, study_id: int | None, package: str, scores: str, python: str, wait: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Start the package's job; print its id and return, or follow it to its end."""
    from radtui.cli.start import finish
    from radtui.jobs.scoring import ScoreSettings, submit_score

    db = session.connect()
    settings = ScoreSettings(package=package, python=python)
    if scores:
        settings = settings.with_text("scores", scores)
    finish(
        session,
        db,
        submit_score(session.data, db, review_study(db, job_id, study_id), settings),
        wait,
        as_json,
    )
