"""`radtui ask`: the base and the tuned model's answers about one image, as they are written."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from radtui.ask_settings import AskSettings
from radtui.cli.context import Session, now_option, pass_session, print_result
from radtui.cli.job_care import JobNumber
from radtui.cli.printing import json_text, own_sequences
from radtui.cli.settings_options import apply, settings_options
from radtui.harmless import printable
from radtui.plural import many
from radtui.records import Job
from radtui.store import asks, jobs
from radtui.store.asks import Ask

LOOK_S = 0.1
OF_MANY = (
    "train_job", "more_adapters", "dataset", "split", "limit", "take", "instruction", "batch_size", "samples", "gpus",
    "every_seed",
)  # fmt: skip
"""Settings of descriptions that a question has no use for, or other names."""


@click.command()
@click.argument("image")
@click.option(
    "--question",
    metavar="TEXT",
    default="",
    help="What is asked  [default: the case's own, else as trained].",
)
@click.option(
    "--job",
    "train_job",
    type=JobNumber(),
    metavar="JOB",
    help="Training job to ask  [default: the newest finished].",
)
@click.option("--earlier", is_flag=True, help="Ask nothing: print what was asked about IMAGE before.")
@settings_options(AskSettings, leave_out=OF_MANY)
@now_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole answers as JSON.")
@pass_session
def ask(session: Session, image: str, question: str, earlier: bool, as_json: bool, **options: Any) -> None:
    """Ask the base and the tuned model about IMAGE and watch them answer, side by side.

    IMAGE is a file, the id of a case, or the beginning of a stored image's sha256. With --model and no job, that model
    answers alone. It stays in memory for more questions, --idle-minutes long, or until another job needs its GPU.
    Questions and answers are kept, apart from all descriptions, and never count in a study. For nothing clinical.
    """
    from radtui.jobs.ask import find, submit_ask

    db = session.connect()
    asked = find(session.data, db, image)
    if earlier:
        _print_earlier(asks.of_images(db, asked.images), as_json)
        return
    job_id, number = submit_ask(session.data, db, asked, apply(AskSettings(), options), question)
    try:
        answered = _follow(session, db, job_id, number, quiet=as_json)
    except KeyboardInterrupt:
        click.echo(f"The answer is written on; see it with: {session.data.command('ask', image)}", err=True)
        raise
    if as_json:
        print_result(values_of(answered), as_json)
    elif answered.error:
        click.echo(f"radtui: {answered.error}", err=True)
    sys.exit(1 if answered.error else 0)


def values_of(ask: Ask) -> dict[str, object]:
    """A question with its answers as JSON shows it."""
    return {
        "job": ask.job_id, "number": ask.number, "asked_at": ask.asked_at, "question": ask.question,
        "image": ask.name, "model": ask.model, "error": ask.error,
        "answers": [asdict(each) for each in ask.answers.values()],
    }  # fmt: skip


def _print_earlier(earlier: list[Ask], as_json: bool) -> None:
    """Earlier questions about an image, newest first."""
    if as_json:
        click.echo(json_text([values_of(each) for each in earlier]))
        return
    if not earlier:
        click.echo("Nothing was asked about this image yet.", err=True)
    for each in earlier:
        click.echo(f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(each.asked_at))}  {each.question}")
        for arm, answer in each.answers.items():
            click.echo(f"  {heading(each, arm)}\n  {answer.text}")
        if each.error:
            click.echo(f"  {each.error}")


def _follow(session: Session, db: sqlite3.Connection, job_id: int, number: int, quiet: bool) -> Ask:
    """Show an answer as it grows; on what is no terminal, each arm's when it is whole."""
    if not quiet and sys.stdout.isatty():
        console = Console()
        with (
            own_sequences(),
            Live(console=console, refresh_per_second=10, vertical_overflow="visible") as live,
        ):
            for answered, job in _looks(session, db, job_id, number):
                live.update(side_by_side(answered, job))
        return answered
    printed: set[str] = set()
    for answered, _ in _looks(session, db, job_id, number):
        for arm in answered.arms:
            if not quiet and arm not in printed and (text := answered.answers.get(arm)) and text.whole:
                click.echo(f"{heading(answered, arm)}\n{text.text}\n")
                printed.add(arm)
    return answered


def _looks(session: Session, db: sqlite3.Connection, job_id: int, number: int) -> Iterator[tuple[Ask, Job]]:
    """A question and its job, again and again until nothing more comes."""
    from radtui.jobs import reconcile

    looked_at = 0.0
    while True:
        if time.monotonic() - looked_at > 1:
            reconcile(session.data, db)
            looked_at = time.monotonic()
        answered, job = asks.get(db, job_id, number), jobs.must_get(db, job_id)
        assert answered is not None
        yield answered, job
        if not answered.waits:
            return
        time.sleep(LOOK_S)


def heading(ask: Ask, arm: str) -> str:
    """Who answers, and how fast: "tuned (job 3), 41 tokens, 12.5 tokens/s"."""
    parts = [f"{arm} ({ask.model})"]
    if (answer := ask.answers.get(arm)) is not None:
        parts.append(many(answer.tokens, "token"))
        if (speed := answer.tokens_per_s) is not None:
            parts.append(f"{speed:.1f} tokens/s")
        if answer.truncated:
            parts.append("cut at the longest answer")
    return ", ".join(parts)


def side_by_side(ask: Ask, job: Job) -> Table:
    """The question over what each arm has said so far."""
    table = Table(title=Text(printable(ask.question)), title_justify="left", expand=True, show_lines=False)
    texts = []
    for arm in ask.arms:
        table.add_column(Text(heading(ask, arm)), ratio=1)
        answer = ask.answers.get(arm)
        texts.append(Text(printable(answer.text if answer else "")))
    if not ask.answers and ask.waits:
        texts[0] = Text(printable(job.message or "Starting the worker"), style="dim")
    table.add_row(*texts)
    return table
