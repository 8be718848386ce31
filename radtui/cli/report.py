"""The command that tells a run in one file: report."""

from __future__ import annotations

from pathlib import Path

import click

from radtui.cli.context import NewFile, Session, pass_session
from radtui.cli.job_care import JobNumber
from radtui.cli.results import SCHEME_OPTION, STUDY_OPTION, review_study, study_words
from radtui.plural import many


@click.command()
@click.argument("job_id", metavar="[JOB]", type=JobNumber(), required=False)
@STUDY_OPTION
@click.option(
    "--out", type=NewFile(), default=Path("report.html"), show_default=True,
    help="File to write: .html or .md; one file that needs no other.",
)  # fmt: skip
@click.option(
    "--tables", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Also write every table as CSV, the references as BibTeX and the methods as text into a folder.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a file that is no unchanged export of radtui.")
@SCHEME_OPTION
@pass_session
def report(
    session: Session, job_id: int | None, study_id: int | None, out: Path, tables: Path | None, force: bool,
    scheme_file: str,
) -> None:  # fmt: skip
    """Tell what a model learnt in one file: settings, examples, curves, what got better and what got worse.

    JOB is a generation job, or a training job whose newest descriptions are taken; --study names a study instead.
    """
    from radtui.export.files import check_replaceable
    from radtui.export.report import write_report
    from radtui.export.report.gather import report_study
    from radtui.jobs.control import get_job
    from radtui.study.study import scheme_for

    check_replaceable(out, force)
    db = session.read()
    if job_id is not None and study_id is None:
        study = report_study(db, get_job(db, job_id))
    else:
        study = review_study(db, job_id, study_id)
    names = write_report(session.data, db, study, scheme_for(session.data, scheme_file), out, tables)
    click.echo(f"Report on {study_words(study)} -> {out}")
    if names:
        click.echo(f"{many(len(names), 'file')} with its tables, references and methods -> {tables}")
