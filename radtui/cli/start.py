"""Commands that start a job: import, train, generate."""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import asdict, replace
from typing import Any, NoReturn

import click

from radtui.cli.context import Session, now_option, pass_session, print_result
from radtui.cli.follow import follow, report_end
from radtui.cli.job_care import JobNumber
from radtui.cli.settings_options import apply, settings_options
from radtui.measures.words import left_out_words
from radtui.paths import expanded
from radtui.plural import many
from radtui.presets import PRESETS, preset
from radtui.records import Job, JobKind, UserError
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings


@click.command("import")
@click.argument("source")
@settings_options(ImportSettings, leave_out=("source",))
@click.option("--dry-run", is_flag=True, help="Take nothing: show what would come in, and what would not.")
@click.option("--detach", is_flag=True, help="Return at once and print the job's id.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@pass_session
def import_(
    session: Session, source: str, dry_run: bool, detach: bool, as_json: bool, **options: Any
) -> None:
    """Import cases from SOURCE.

    A folder of images with tables, JSON or texts beside them, a zip or tar file, a CSV, JSON, parquet or Excel file, a
    folder of save_to_disk, DICOM, volumes, a hub id such as unsloth/Radiology_mini, or phantoms:SEED for drawn ones.
    It can be interrupted and repeated. --dry-run shows three whole cases, the counts, and what is not used and why.

    Where a source has no splits, or only train, 10 % of its patients become split test; where it does not tell
    patients apart, of its exams, else of its images.
    """
    from radtui.jobs import submit_import
    from radtui.sources import refuse_unknown

    settings = apply(ImportSettings(source=source), options)
    if settings.salt_file:
        settings = replace(settings, salt_file=str(expanded(settings.salt_file).resolve()))
    if dry_run:
        _print_preview(settings, as_json)
    refuse_unknown(source)
    db = session.connect(create=True)
    job = submit_import(session.data, db, settings)
    finish(session, db, job, wait=not detach, as_json=as_json, stop_on_interrupt=True)


def _print_preview(settings: ImportSettings, as_json: bool) -> NoReturn:
    """Print what an import would bring in, and leave: 0 when anything would come in, 1 when nothing would."""
    from radtui.sources.preview_process import preview_in_process

    preview = preview_in_process(settings)
    if as_json:
        print_result(preview.to_dict(), as_json)
    else:
        click.echo("\n".join(preview.lines()))
    sys.exit(0 if preview.samples else 1)


@click.command()
@click.option(
    "--preset", "preset_name", type=click.Choice(list(PRESETS)), help="Starting point  [default: default]."
)
@click.option(
    "--from",
    "settings_of",
    type=JobNumber(),
    metavar="JOB",
    help="Start from the settings of a training job.",
)
@click.option(
    "--from-preferences", is_flag=True,
    help="Learn which of two descriptions raters preferred (DPO), from the adapter of --from-job on.",
)  # fmt: skip
@click.option(
    "--from-corrections", is_flag=True,
    help="Learn the texts that readers corrected or took as they are, from the adapter of --from-job on.",
)  # fmt: skip
@settings_options(TrainSettings, leave_out=("objective",))
@click.option("--dry-run", is_flag=True, help="Start nothing: print what it would take of the memory.")
@now_option
@click.option("--wait", is_flag=True, help="Follow it with a progress line until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
@pass_session
def train(
    session: Session, preset_name: str | None, settings_of: int | None, from_preferences: bool,
    from_corrections: bool, dry_run: bool, wait: bool, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Fine-tune a model with LoRA, in the background.

    Prints the job's id and returns; the run survives this terminal. With --dry-run, loads no weights and exits with
    1 when nothing fits.
    """
    from radtui.jobs import submit_train
    from radtui.jobs.control import get_job
    from radtui.study.learn_corrections import submit_corrections
    from radtui.study.rated_pairs import submit_preferences
    from radtui.study.study import scheme_for

    db = session.connect()
    ways = {"preferences": from_preferences, "corrections": from_corrections}
    learnt = next((name for name, asked in ways.items() if asked or preset_name == name), "")
    if learnt:
        if settings_of is not None or preset_name not in (None, learnt) or all(ways.values()):
            raise click.UsageError(f"--from-{learnt} excludes --from and --preset; see --from-job.")
        settings = _proposed_from_raters(session, db, learnt, options)
    elif settings_of is not None:
        if preset_name:
            raise click.UsageError("--preset and --from exclude each other.")
        parent = get_job(db, settings_of)
        if parent.kind is not JobKind.TRAIN:
            raise UserError(f"Job {settings_of} is no training job; see radtui jobs list.")
        settings = replace(TrainSettings.from_dict(parent.settings), then="")  # a command is of one job
    else:
        settings = preset(preset_name or "default")
    settings = apply(settings, options)
    if dry_run:
        _print_estimate(session, db, settings, as_json)
    if settings.goes_on:
        submit = submit_preferences if settings.learns_preferences else submit_corrections
        job = submit(session.data, db, scheme_for(session.data), settings)
    else:
        if settings.from_job:
            raise click.UsageError("--from-job needs --from-preferences or --from-corrections.")
        job = submit_train(session.data, db, settings, parent_job_id=settings_of)
    finish(session, db, job, wait, as_json)


@click.command()
@settings_options(GenerateSettings)
@now_option
@click.option("--wait", is_flag=True, help="Follow it with a progress line until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
@pass_session
def generate(session: Session, wait: bool, as_json: bool, **options: Any) -> None:
    """Describe images with the base and the tuned model, in the background.

    Takes the newest finished training job unless one is named.
    """
    from radtui.jobs import submit_generate
    from radtui.store.choosing import taken_words

    db = session.connect()
    job = submit_generate(session.data, db, apply(GenerateSettings(), options))
    if words := taken_words(job.result.get("taken")):
        click.echo(f"Describes {words}.", err=True)
    finish(session, db, job, wait, as_json)


def _proposed_from_raters(
    session: Session, db: sqlite3.Connection, learnt: str, options: dict[str, Any]
) -> TrainSettings:
    """The settings that follow from the job whose texts were judged, said on stderr with how many there are."""
    from radtui.study.learn_corrections import offer_corrections
    from radtui.study.rated_pairs import offer
    from radtui.study.study import scheme_for

    names = ("from_job", "dataset", "correction_weight", "epochs")
    named = {name: options[name] for name in names if name in options}
    if learnt == "corrections":
        corrected = offer_corrections(db, scheme_for(session.data), apply(preset(learnt), named))
        click.echo(corrected.words, err=True)
        if corrected.texts.left_out:
            click.echo(f"Left out: {left_out_words(corrected.texts.left_out)}.", err=True)
        return corrected.settings
    offered = offer(db, scheme_for(session.data), apply(preset("preferences"), named))
    click.echo(
        f"{many(len(offered.choice.pairs), 'rated pair')} of job {offered.job.id}, {offered.job.name}",
        err=True,
    )
    return offered.settings


def _print_estimate(
    session: Session, db: sqlite3.Connection, settings: TrainSettings, as_json: bool
) -> NoReturn:
    """Print what a run would take, and leave: 0 when it fits, 1 when it does not."""
    from radtui.jobs.estimate import estimate, estimate_lines

    estimated = estimate(session.data, db, settings)
    values = (
        asdict(estimated) | {"total_gib": estimated.total_gib} if as_json else dict(estimate_lines(estimated))
    )
    print_result(values, as_json)
    if not as_json:
        click.echo(estimated.verdict)
    sys.exit(0 if estimated.fits else 1)


def finish(
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
            command = session.data.command("jobs", "show", "--wait", str(job.id))
            where = job.message if job.on_cluster and job.message else "Running in the background"
            click.echo(f"{where}; follow it with: {command}", err=True)
        return
    job = follow(session.data, db, job.id, stop_on_interrupt)
    code = report_end(session.data, job)
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
        "note": job.note, "archived": job.archived, "settings": job.settings, "result": job.result,
    }  # fmt: skip
