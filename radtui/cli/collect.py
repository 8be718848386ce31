"""`radtui collect`: what jobs on a cluster have written, into the database."""

from __future__ import annotations

from pathlib import Path

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.start import job_values


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the jobs as JSON.")
@pass_session
def collect(session: Session, folder: Path | None, as_json: bool) -> None:
    """Bring in what jobs on a cluster have written, each row once.

    The open app does so by itself. FOLDER is one job's, also one that was copied here by hand: its log and adapter come
    too.
    """
    from radtui.cluster import collect as collector
    from radtui.store import jobs

    db = session.connect()
    if folder is not None:
        came = [collector.collect_folder(session.data, db, folder)]
    else:
        came = [
            (job, collector.collect(session.data, db, job, run))
            for job, run in collector.known_folders(session.data, db)
        ]
    answer = {}
    for job, new in came:
        now = jobs.must_get(db, job.id)
        answer[f"job {job.id}"] = job_values(now) | {"new_entries": new}
        if not as_json:
            click.echo(
                f"Job {job.id}: {new:,} new entries; it is {now.state}, step {now.step:,} of {now.total_steps:,}"
            )
        # Of a job that runs the next line may just be on its way.
        if not now.state.live and (left := collector.unread(session.data, now)):
            click.echo(f"Job {job.id}: {left} cannot be read: they are damaged, or not here yet.", err=True)
    if as_json:
        print_result(answer, as_json)
    elif not came:
        click.echo("No job of this data folder was handed to a cluster.", err=True)
