"""Commands about jobs: list, show, log, stop, resume."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from radtui import user_choices
from radtui.cli.context import Session, now_option, pass_session, print_result
from radtui.cli.follow import follow, report_end
from radtui.cli.groups import SuggestingGroup
from radtui.cli.job_care import archive, delete, job_argument, note, rename
from radtui.cli.printing import json_text
from radtui.cli.start import job_values
from radtui.records import Job, StopRequest
from radtui.user_choices import SORTS

if TYPE_CHECKING:
    from radtui.jobs.run_table import Run


TITLES = [
    "#",
    "kind",
    "state",
    "progress",
    "time",
    "loss",
    "held-out",
    "F1",
    "name",
    "what differs",
    "GPU",
    "spent",
]


@click.group(cls=SuggestingGroup)
def jobs() -> None:
    """List, show, name, stop, resume and delete jobs."""


for _command in (rename, note, archive, delete):
    jobs.add_command(_command)


@jobs.command("list")
@click.option("--sort", type=click.Choice(SORTS), help="Order  [default: the app's].")
@click.option("--filter", "words", metavar="WORDS", default="", help="Only jobs that hold all these words.")
@click.option("--archived", is_flag=True, help="Archived jobs too.")
@click.option("--json", "as_json", is_flag=True, help="Print them as a JSON list.")
@pass_session
def list_jobs(session: Session, sort: str | None, words: str, archived: bool, as_json: bool) -> None:
    """All jobs, newest first unless sorted otherwise.

    Loss is the mean over the last 5 % of the steps, held-out that of the last evaluation.
    """
    from radtui.cluster.silence import silence_of_all
    from radtui.jobs import run_table
    from radtui.store import jobs as store

    db = session.read()
    _reconcile(session, db)
    known = store.all_jobs(db)
    prices, problem = user_choices.read()
    if problem:
        click.echo(problem, err=True)
    now_s, book = time.time(), run_table.RunBook()
    book.take(book.read(db, known))
    lines = [
        run for run in book.runs(known)
        if not run_table.hidden(run.job, archived) and run_table.holds(_cells(run, now_s, prices), words.split())
    ]  # fmt: skip
    lines = run_table.ordered(lines, sort or ("newest" if as_json else prices.jobs_sort), now_s)
    if silence := silence_of_all((run.job for run in lines), now_s):
        click.echo(silence, err=True)
    if as_json:
        click.echo(json_text([_values(run, now_s) for run in lines]))
        return
    if not known:
        command = session.data.command
        click.echo(f"No jobs yet; start with {command('import', 'SOURCE')}, or {command('demo')}.")
    elif not lines:
        click.echo("No job has these words; with --archived, those out of sight are looked at too.")
    for cells in [TITLES] * bool(lines) + [_cells(run, now_s, prices) for run in lines]:
        number, kind, state, steps, took, loss, held_out, f1, *rest = cells
        line = f"{number:>4}  {kind:<8}  {state:<8}  {steps:>13}  {took:>12}  {loss:>7}  {held_out:>8}  {f1:>4}  "
        click.echo(line + " · ".join(filter(None, rest)))


@jobs.command()
@job_argument
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
@job_argument
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
@job_argument
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
@job_argument
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
    from radtui.cluster.silence import silence_words
    from radtui.jobs.run_table import OF_KIND
    from radtui.setting_fields import Settings

    head = {
        "job": f"{job.id} {job.kind} {job.state}", "name": job.name, "progress": _steps(job),
        "time": _duration(job), "spent": _spent(job) or None, "note": job.note or None,
        "archived": "yes" if job.archived else None, "message": job.message or None, "error": job.error or None,
        "slurm": silence_words(job, time.time()) or None,
    }  # fmt: skip
    print_result({name: value for name, value in head.items() if value is not None}, as_json=False)
    for title in ("last", "result", "settings"):
        section = values[title]
        if title == "result" and isinstance(section, dict):
            section = _for_people(section)
        if title == "settings":  # "all" where 0 stands for all, as in the app
            kind = OF_KIND.get(job.kind, Settings)
            section = {name: kind.text_of(name, value) for name, value in job.settings.items()}
        if isinstance(section, dict) and section:
            click.echo(f"\n{title}")
            in_words = {
                f"  {name.replace('eval_loss', 'held-out loss')}": value for name, value in section.items()
            }
            print_result(in_words, as_json=False)


def _for_people(result: Mapping[str, object]) -> dict[str, object]:
    """A job's result without how far its journal has been read and the digests of its adapters, at any depth."""
    shown: dict[str, object] = {}
    for name, value in result.items():
        if isinstance(value, list):
            shown[name] = [_for_people(each) if isinstance(each, dict) else each for each in value]
        elif name not in ("journal", "adapter_files"):
            shown[name] = value
    return shown


def _cells(run: Run, now_s: float, prices: user_choices.UserChoices) -> list[str]:
    """A job as the texts of a line; what is empty is left out at its end."""
    from radtui.jobs import run_table

    job, figures, took = run.job, run.figures, run.seconds(now_s)
    return [
        str(job.id), str(job.kind), str(job.state), _steps(job), run_table.time_text(took) or "-",
        run_table.loss_text(figures.loss), run_table.loss_text(figures.held_out), run_table.f1_text(figures.f1),
        job.name, run.differs, run.gpu, run_table.spent_text(job, took, prices), job.note,
        "archived" if job.archived else "",
    ]  # fmt: skip


def _values(run: Run, now_s: float) -> dict[str, object]:
    """A job with its figures as JSON shows it."""
    figures = run.figures
    own = {"loss": figures.loss, "held_out_loss": figures.held_out, "f1": figures.f1}
    return job_values(run.job) | own | {"differs": run.differs, "gpu": run.gpu, "seconds": run.seconds(now_s)}


def _steps(job: Job) -> str:
    return f"{job.step:,}/{job.total_steps:,}" if job.total_steps else "-"


def _duration(job: Job) -> str:
    from radtui.jobs.run_table import Run, time_text

    return time_text(Run(job).seconds(time.time())) or "-"


def _spent(job: Job) -> str:
    from radtui.jobs.run_table import Run, spent_text

    return spent_text(job, Run(job).seconds(time.time()), user_choices.read()[0])
