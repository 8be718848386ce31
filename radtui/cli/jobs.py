"""Commands about jobs: list, show, log, stop, resume."""

from __future__ import annotations

import sqlite3
import sys
import time

import click

from radtui.cli.context import Session, now_option, pass_session, print_result
from radtui.cli.follow import follow, report_end
from radtui.cli.groups import SuggestingGroup
from radtui.cli.printing import json_text
from radtui.cli.work import job_values
from radtui.durations import clock_text
from radtui.records import Job, JobState, StopRequest


@click.group(cls=SuggestingGroup)
def jobs() -> None:
    """List, show, stop and resume jobs."""


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as a JSON list.")
@pass_session
def list_jobs(session: Session, as_json: bool) -> None:
    """All jobs, newest first."""
    from radtui.store import jobs as store

    db = session.read()
    _reconcile(session, db)
    listed = store.all_jobs(db)
    if as_json:
        click.echo(json_text([job_values(job) for job in listed]))
        return
    if not listed:
        command = session.data.command
        click.echo(f"No jobs yet; start with {command('import', 'SOURCE')}, or {command('demo')}.")
    for job in listed:
        click.echo(
            f"{job.id:>4}  {job.kind:<8}  {job.state:<8}  {_steps(job):>13}  {_duration(job):>12}  {job.name}"
        )


@jobs.command()
@click.argument("job_id", metavar="JOB", type=int)
@click.option("--wait", is_flag=True, help="Follow it until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@pass_session
def show(session: Session, job_id: int, wait: bool, as_json: bool) -> None:
    """One job: state, settings, results, newest values."""
    from radtui.jobs.control import get_job
    from radtui.store import metrics

    db = session.connect() if wait else session.read()
    _reconcile(session, db)
    job = get_job(db, job_id)
    if wait and job.state.live:
        job = follow(session.data, db, job_id)
    values = job_values(job) | {"last": metrics.last_values(db, job_id)}
    if as_json:
        print_result(values, as_json)
    else:
        _print_job(values, job)
    if wait:
        sys.exit(report_end(session.data, job))


@jobs.command()
@click.argument("job_id", metavar="JOB", type=int)
@click.option(
    "-n", "--lines", type=click.IntRange(1), default=200, show_default=True, help="Lines from the end."
)
@pass_session
def log(session: Session, job_id: int, lines: int) -> None:
    """What a job's worker printed, tracebacks included."""
    from radtui.jobs import tail_log
    from radtui.jobs.control import get_job

    get_job(session.read(), job_id)
    tail = tail_log(session.data, job_id, lines)
    for line in tail:
        click.echo(line)
    if not tail:
        click.echo(f"Job {job_id} has printed nothing so far.", err=True)


@jobs.command()
@click.argument("job_id", metavar="JOB", type=int)
@click.option("--now", is_flag=True, help="At once, without saving a checkpoint.")
@click.option("--wait", is_flag=True, help="Return when it has ended.")
@pass_session
def stop(session: Session, job_id: int, now: bool, wait: bool) -> None:
    """Stop a job: training saves a checkpoint first, and can be resumed."""
    from radtui.jobs import stop as stop_job

    db = session.connect()
    stop_job(session.data, db, job_id, StopRequest.NOW if now else StopRequest.CHECKPOINT)
    if wait:
        job = follow(session.data, db, job_id)
        click.echo(f"Job {job_id} {job.state}. {job.message}".rstrip(), err=True)
    else:
        click.echo(f"Job {job_id} is asked to stop.", err=True)


@jobs.command()
@click.argument("job_id", metavar="JOB", type=int)
@now_option
@click.option("--wait", is_flag=True, help="Follow it until it ends.")
@pass_session
def resume(session: Session, job_id: int, wait: bool) -> None:
    """Go on with a job: training from its last checkpoint, others with what is missing."""
    from radtui.jobs import resume as resume_job

    db = session.connect()
    resume_job(session.data, db, job_id)
    if wait:
        sys.exit(report_end(session.data, follow(session.data, db, job_id)))
    click.echo(f"Job {job_id} goes on in the background.", err=True)


def _reconcile(session: Session, db: sqlite3.Connection) -> None:
    """Bring live jobs in line with their processes; where that cannot be written, say so."""
    from radtui.jobs import reconcile
    from radtui.store.database import can_write

    if reconcile(session.data, db) and not can_write(db):
        click.echo("The data folder can only be read: jobs are as their rows say.", err=True)


def _print_job(values: dict[str, object], job: Job) -> None:
    head = {
        "job": f"{job.id} {job.kind} {job.state}", "name": job.name, "progress": _steps(job),
        "time": _duration(job), "message": job.message or None, "error": job.error or None,
    }  # fmt: skip
    print_result({name: value for name, value in head.items() if value is not None}, as_json=False)
    for title in ("last", "result", "settings"):
        section = values[title]
        if title == "result" and isinstance(
            section, dict
        ):  # how far a journal has been read is for the collector
            section = {name: value for name, value in section.items() if name != "journal"}
        if isinstance(section, dict) and section:
            click.echo(f"\n{title}")
            print_result({f"  {name}": value for name, value in section.items()}, as_json=False)


def _steps(job: Job) -> str:
    return f"{job.step:,}/{job.total_steps:,}" if job.total_steps else "-"


def _duration(job: Job) -> str:
    if job.started_at is None:
        return "-"
    end = (
        time.time()
        if job.state in (JobState.RUNNING, JobState.STARTING)
        else (job.ended_at or job.started_at)
    )
    return clock_text(end - job.started_at)
