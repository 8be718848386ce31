"""`radtui demo`: the whole job on drawn radiographs, offline, without a GPU."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
import time
from pathlib import Path

import click

from radtui.cli.context import Session, pass_session, print_result
from radtui.cli.follow import follow, report_end
from radtui.jobs.demo import GUIDE, DemoJobs, find_demo, go_on, submit_demo
from radtui.records import Job, UserError


@click.command()
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Seed of the phantoms."
)
@click.option(
    "--headless", is_flag=True, help="Without the app: make, train, describe, score, export, then end."
)
@click.option("--json", "as_json", is_flag=True, help="With --headless: print figures and paths as JSON.")
@pass_session
def demo(session: Session, seed: int, headless: bool, as_json: bool) -> None:
    """Draw phantom radiographs, teach a small model to describe them, and review the result.

    Takes about five minutes on two CPU cores and needs no network. The app opens at once; the run goes on
    without it. Called again, it goes back to the demo of the seed, and goes on with what was stopped or lost.
    """
    if as_json and not headless:
        raise click.UsageError("--json needs --headless: the app has the screen.")
    if importlib.util.find_spec("trl") is None:
        raise UserError('The demo trains a model: pip install -c constraints.txt "radtui[train]" first.')
    if not headless:
        session.need_terminal()
    db = session.connect(create=True)
    if headless:
        sys.exit(_headless(session, db, seed, as_json))
    there = find_demo(db, seed)
    if there is None:
        submit_demo(session.data, db, seed)
    else:
        _go_on(session, db, there)
    db.close()
    session.open_app("train", GUIDE if there is None else "")


def _go_on(session: Session, db: sqlite3.Connection, there: DemoJobs) -> None:
    """Start what has ended before its time; those behind it follow by themselves."""
    for job_id in there.ids:
        if go_on(session.data, db, job_id).state.live:
            return


def _headless(session: Session, db: sqlite3.Connection, seed: int, as_json: bool) -> int:
    began = time.monotonic()
    there = find_demo(db, seed)
    if there is not None:
        again = "for another run name another --seed or --data-dir"
        click.echo(f"Seed {seed} has a demo here, jobs {there.ids[0]} to {there.ids[-1]}; {again}.", err=True)
    ended: list[Job] = []
    for job_id in (there or submit_demo(session.data, db, seed)).ids:
        if there is not None:
            go_on(session.data, db, job_id)
        ended.append(follow(session.data, db, job_id))
        code = report_end(session.data, ended[-1])
        if code:
            return code
    _print_figures(session, db, DemoJobs(*ended), seed, began, as_json)
    return 0


def _print_figures(
    session: Session, db: sqlite3.Connection, done: DemoJobs, seed: int, began: float, as_json: bool
) -> None:
    """Print what the run has shown: counts, times, scores, and where things lie."""
    from radtui.cli.scores import print_scores, scores_values
    from radtui.export.comparisons import write_csv
    from radtui.store import studies
    from radtui.study.study import scheme_for, scored_texts

    out: Path = session.data.job(done.describing.id) / "comparisons.csv"
    study = studies.open_for_job(db, done.describing)
    write_csv(db, study, scheme_for(session.data), out)
    texts = scored_texts(db, study)
    jobs = {"draw": done.drawing, "train": done.training, "describe": done.describing}
    seconds = {name: round((job.ended_at or 0) - (job.started_at or 0), 1) for name, job in jobs.items()}
    figures: dict[str, object] = {
        "seed": seed,
        "data_dir": str(session.data.root),
        "jobs": {name: job.id for name, job in jobs.items()},
        "seconds": seconds | {"total": round(time.monotonic() - began, 1)},
        "comparisons_csv": str(out),
    }
    if as_json:
        more = {"training": done.training.result, "scores": scores_values(texts)}
        print_result(figures | more, as_json)
    else:
        print_result(figures, as_json)
        click.echo()
        print_scores(texts)
