"""Commands that read what jobs have left: export, score."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.records import Job, JobKind, UserError


def review_job(db: sqlite3.Connection, job_id: int | None) -> Job:
    """The named generation job, or the newest one with comparisons.

    Raises:
        UserError: there is none, or the named one is no generation job.
    """
    from radtui.jobs.control import get_job
    from radtui.store import descriptions, jobs

    if job_id is not None:
        job = get_job(db, job_id)
        if job.kind is not JobKind.GENERATE:
            raise UserError(
                f"Job {job_id} wrote no comparisons: it is a {job.kind} job; see radtui jobs list."
            )
        return job
    found = descriptions.jobs_with_comparisons(db)
    if not found:
        raise UserError("No images have been described yet; run radtui generate first.")
    return jobs.must_get(db, next(iter(found)))


@click.command()
@click.option("--job", "job_id", type=int, metavar="JOB", help="Generation job  [default: the newest].")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("comparisons.csv"), show_default=True,
    help="File to write; an existing one is replaced once the new one is whole.",
)  # fmt: skip
@click.option("--rater", "only_rater", default="", metavar="NAME", help="Only this rater's ratings.")
@click.option("--raw", is_flag=True, help="Texts exactly as they are, even if a spreadsheet would run them.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@pass_session
def export(
    session: Session, job_id: int | None, out: Path, only_rater: str, raw: bool, as_json: bool
) -> None:
    """Write the rated comparisons of a generation job as CSV."""
    from radtui.export.comparisons import write_csv
    from radtui.review.scheme_file import default_scheme

    db = session.connect()
    job = review_job(db, job_id)
    rows = write_csv(db, job, default_scheme(), out, only_rater, raw)
    if as_json:
        print_result({"job": job.id, "rows": rows, "path": str(out.resolve())}, as_json)
    else:
        click.echo(f"{rows} rated comparisons of job {job.id} -> {out}")
        if not rows:
            click.echo("Nothing is rated yet: open radtui and press r.", err=True)


@click.command()
@click.option("--job", "job_id", type=int, metavar="JOB", help="Generation job  [default: the newest].")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
@pass_session
def score(session: Session, job_id: int | None, as_json: bool) -> None:
    """Compare the descriptions with references and ground truth, where a data set has them."""
    from radtui.cli.scores import print_scores, scores_values
    from radtui.export.scores import job_scores

    db = session.connect()
    scores = job_scores(db, review_job(db, job_id))
    if as_json:
        print_result(scores_values(scores), as_json)
    else:
        print_scores(scores)
