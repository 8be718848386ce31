"""Commands that start a job: import, train, generate."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.follow import follow, report_end
from radtui.cli.settings_options import apply, settings_options
from radtui.records import Job, JobKind, UserError
from radtui.settings import PRESETS, GenerateSettings, ImportSettings, TrainSettings, preset


@click.command("import")
@click.argument("source")
@settings_options(ImportSettings, leave_out=("source",))
@click.option("--detach", is_flag=True, help="Return at once and print the job's id.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_session
def import_(session: Session, source: str, detach: bool, as_json: bool, **given: Any) -> None:
    """Import images from SOURCE.

    A folder of images (with metadata.csv, metadata.jsonl or sidecar texts), a parquet file or folder, DICOM, a
    hub id such as unsloth/Radiology_mini, or phantoms:SEED for drawn ones. It can be interrupted and repeated.
    """
    from radtui.jobs import submit_import

    db = session.connect()
    job = submit_import(session.data, db, apply(ImportSettings(source=source), given))
    _finish(session, db, job, wait=not detach, as_json=as_json, stop_on_interrupt=True)


@click.command()
@click.option(
    "--preset", "preset_name", type=click.Choice(list(PRESETS)), help="Starting point  [default: default]."
)
@click.option(
    "--from", "from_job", type=int, metavar="JOB", help="Start from the settings of a training job."
)
@settings_options(TrainSettings)
@click.option("--wait", is_flag=True, help="Follow it with a progress line until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
@pass_session
def train(
    session: Session, preset_name: str | None, from_job: int | None, wait: bool, as_json: bool, **given: Any
) -> None:
    """Fine-tune a model with LoRA, in the background.

    Prints the job's id and returns; the run survives this terminal.
    """
    from radtui.jobs import submit_train
    from radtui.jobs.control import get_job

    db = session.connect()
    settings = preset(preset_name or "default")
    if from_job is not None:
        if preset_name:
            raise click.UsageError("--preset and --from exclude each other.")
        parent = get_job(db, from_job)
        if parent.kind is not JobKind.TRAIN:
            raise UserError(f"Job {from_job} is no training job; see radtui jobs list.")
        settings = TrainSettings.from_dict(parent.settings)
    job = submit_train(session.data, db, apply(settings, given), parent_job_id=from_job)
    _finish(session, db, job, wait, as_json)


@click.command()
@settings_options(GenerateSettings)
@click.option("--wait", is_flag=True, help="Follow it with a progress line until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
@pass_session
def generate(session: Session, wait: bool, as_json: bool, **given: Any) -> None:
    """Describe images with the base and the tuned model, in the background.

    Takes the newest finished training job unless one is named.
    """
    from radtui.jobs import submit_generate

    db = session.connect()
    job = submit_generate(session.data, db, apply(GenerateSettings(), given))
    _finish(session, db, job, wait, as_json)


def _finish(
    session: Session,
    db: sqlite3.Connection,
    job: Job,
    wait: bool,
    as_json: bool,
    stop_on_interrupt: bool = False,
) -> None:
    """Print the job's id and return, or follow it to its end."""
    if not wait:
        if as_json:
            print_result(job_values(job), as_json)
        else:
            click.echo(job.id)
            click.echo(f"Running in the background; follow it with: radtui jobs show {job.id}", err=True)
        return
    job = follow(session.data, db, job.id, stop_on_interrupt)
    code = report_end(job)
    if as_json:
        print_result(job_values(job), as_json)
    else:
        click.echo(job.id)
    sys.exit(code)


def job_values(job: Job) -> dict[str, object]:
    """A job as JSON shows it."""
    return {
        "id": job.id, "kind": job.kind.value, "state": job.state.value, "name": job.name, "dataset": job.dataset,
        "step": job.step, "total_steps": job.total_steps, "message": job.message, "error": job.error,
        "created_at": job.created_at, "started_at": job.started_at, "ended_at": job.ended_at,
        "after_job": job.after_job_id, "parent_job": job.parent_job_id,
        "settings": job.settings, "result": job.result,
    }  # fmt: skip
