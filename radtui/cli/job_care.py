"""Commands for what its user says of a job: its name, a note, out of sight, gone."""

from __future__ import annotations

import sys

import click

from radtui.cli.context import Session, pass_session, print_result


class JobNumber(click.ParamType):  # type: ignore[type-arg]  # generic in no click that runs
    """A job's number as screens write it, "#3", or alone."""

    name = "job"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        text = str(value).strip().removeprefix("#")
        if not text.isdigit():
            self.fail(f"{value!r} is no job's number, such as 3; see radtui jobs list.", param, ctx)
        return int(text)


job_argument = click.argument("job_id", metavar="JOB", type=JobNumber())
"""For commands about one job."""


@click.command()
@job_argument
@click.argument("name")
@pass_session
def rename(session: Session, job_id: int, name: str) -> None:
    """Give a job a name of your own."""
    from radtui.jobs.control import get_job
    from radtui.store import jobs

    if not name.strip():
        raise click.UsageError("A job's name cannot be empty.")
    db = session.connect()
    get_job(db, job_id)
    jobs.say_of(db, job_id, name=name.strip())


@click.command()
@job_argument
@click.argument("text", required=False)
@pass_session
def note(session: Session, job_id: int, text: str | None) -> None:
    """Keep a note on a job; without TEXT, print it."""
    from radtui.jobs.control import get_job
    from radtui.store import jobs

    if text is None:
        kept = get_job(session.read(), job_id).note
        if kept:
            click.echo(kept)
        else:
            command = session.data.command("jobs", "note", str(job_id))
            click.echo(f"Job {job_id} has no note; keep one with: {command} TEXT", err=True)
        return
    db = session.connect()
    get_job(db, job_id)
    jobs.say_of(db, job_id, note=text.strip())


@click.command()
@click.argument("job_ids", metavar="JOB...", type=JobNumber(), nargs=-1, required=True)
@click.option("--back", is_flag=True, help="Show them again.")
@pass_session
def archive(session: Session, job_ids: tuple[int, ...], back: bool) -> None:
    """Take jobs out of sight; nothing of them is deleted."""
    from radtui.jobs.control import get_job
    from radtui.store import jobs

    db = session.connect()
    for job_id in job_ids:
        get_job(db, job_id)
    for job_id in job_ids:
        jobs.say_of(db, job_id, archived=not back)


@click.command()
@job_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Delete nothing: print what would go.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; needs --yes or --dry-run.")
@pass_session
def delete(session: Session, job_id: int, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Delete a job, after saying what that frees and what is lost.

    Imported cases, texts and ratings always stay. Of a job whose texts exist, or that others come from, only
    checkpoints and logs go.
    """
    from radtui.jobs.removal import plan_removal, remove

    if as_json and not (yes or dry_run):
        raise click.UsageError("--json needs --yes or --dry-run: nobody could answer the question.")
    db = session.connect()
    planned = plan_removal(session.data, db, job_id)
    if not as_json:
        click.echo(f"Job {job_id}, {planned.job.name}. {planned.sentence}", err=not dry_run)
    if not dry_run:
        if not yes and not click.confirm("Delete?", err=True):
            click.echo("Nothing is deleted.", err=True)
            sys.exit(1)
        planned = remove(session.data, db, planned)
    if as_json:
        values = {"job": job_id, "whole": planned.whole, "freed_bytes": planned.freed_bytes,
                  "goes": list(planned.goes), "stays": planned.stays, "deleted": not dry_run}  # fmt: skip
        print_result(values, as_json)
