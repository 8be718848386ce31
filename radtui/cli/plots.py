"""Loss curves of jobs in a picture file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import click

from radtui.charts.svg import loss_png, loss_svg
from radtui.export.files import whole_file
from radtui.export.loss import loss_model
from radtui.jobs.control import get_job


def write_plot(db: sqlite3.Connection, job_ids: Sequence[int], out: Path) -> None:
    """Draw the training and held-out loss of training jobs into an SVG or PNG file.

    Raises:
        UserError: a job is not there, does not train or has no points.
        click.UsageError: the file has another ending.
    """
    if out.suffix not in (".svg", ".png"):
        raise click.UsageError(f"{out} is neither .svg nor .png; choose one of the two with --out.")
    jobs = [get_job(db, job_id) for job_id in dict.fromkeys(job_ids)]
    model = loss_model(db, jobs)
    with whole_file(out, binary=True) as file:
        file.write(loss_svg(model).encode() if out.suffix == ".svg" else loss_png(model))
