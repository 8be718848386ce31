"""Following a job from the command line: one progress line, until it ends or the user leaves."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time

import click

from radtui import user_choices
from radtui.bell import ringing
from radtui.charts.seeds import series_of
from radtui.cli.printing import own_sequences
from radtui.cluster.silence import short_silence
from radtui.jobs import reconcile
from radtui.jobs.progress import UNITS, JobProgress, Paces
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, StopRequest
from radtui.store import jobs, metrics

LOOK_S = 0.25
SAID_PROBLEMS = 20
PLAIN_LINE_S = 10.0  # where the output is no terminal, a line this often


def follow(data: DataDir, db: sqlite3.Connection, job_id: int, stop_on_interrupt: bool = False) -> Job:
    """Show a job's progress on stderr until it has ended; returns it as it ended.

    Ctrl-C leaves the job at work, or stops it when `stop_on_interrupt`.

    Raises:
        SystemExit: the user left; what happens to the job has been said.
    """
    line, paces = _Line(), Paces()
    try:
        while True:
            reconcile(data, db, waits=False)
            job = jobs.must_get(db, job_id)
            if not job.state.live:
                break
            line.show(_progress_line(db, paces.look(job, time.monotonic())))
            time.sleep(LOOK_S)
    except KeyboardInterrupt:
        line.close()
        if stop_on_interrupt:
            jobs.request_stop(db, job_id, StopRequest.NOW)
            click.echo("Stopping; what is in stays in. The same command goes on from here.", err=True)
        else:
            command = data.command("jobs", "stop", str(job_id))
            click.echo(f"Job {job_id} goes on; stop it with: {command}", err=True)
        sys.exit(1)  # "Stopped.", with which an interrupted command ends, would be taken for the job
    line.close()
    return job


def report_end(data: DataDir, job: Job) -> int:
    """Say how a job ended, on stderr, and ring where that took long; returns the exit code."""
    _ring(job)
    if job.state is JobState.DONE:
        click.echo(f"Job {job.id} done. {job.message}".rstrip(), err=True)
        _say_problems(data, job)
        return 0
    click.echo(f"Job {job.id} {job.state}. {job.error or job.message}".rstrip(), err=True)
    _say_problems(data, job)
    click.echo(f"Its log: {data.command('jobs', 'log', str(job.id))}", err=True)
    return 1


def _ring(job: Job) -> None:
    if not sys.stderr.isatty() or job.started_at is None or job.ended_at is None:
        return
    text = f"radtui: {job.kind} #{job.id} {job.state}"
    with own_sequences():
        click.echo(
            ringing(text, job.ended_at - job.started_at, user_choices.read()[0], os.environ),
            err=True,
            nl=False,
        )


def _say_problems(data: DataDir, job: Job) -> None:
    """What an import did not use, and why: the first of them, and where all are listed."""
    listed = job.result.get("problems")
    if not isinstance(listed, list) or not listed:
        return
    click.echo("Not used, or guessed:", err=True)
    for where, reason, count in listed[:SAID_PROBLEMS]:
        times = f" ({count:,} times)" if count > 1 else ""
        click.echo(f"  {where}: {reason}{times}", err=True)
    if len(listed) > SAID_PROBLEMS:
        click.echo(f"All of them: {data.command('show', '--problems', '--dataset', job.dataset)}", err=True)


def _progress_line(db: sqlite3.Connection, progress: JobProgress) -> str:
    job = progress.job
    parts = [f"{job.kind} {job.id}"]
    if silence := short_silence(job, time.time()):
        parts[0] += f" ({silence})"
    if job.state is JobState.QUEUED:
        return f"{parts[0]}: queued behind job {job.after_job_id}"
    if job.total_steps:
        parts.append(f"{job.step:,}/{job.total_steps:,} {UNITS[job.kind]}s")
    parts += [text for text in (progress.speed, progress.left) if text]
    if job.kind is JobKind.TRAIN:
        last = metrics.last_values(db, job.id)
        newest = max((series_of(name)[1] for name in last), default=1)
        for name, value in last.items():
            if (
                series_of(name)[0] in ("loss", "eval_loss")
                and series_of(name)[1] == newest
                and value is not None
            ):
                parts.append(f"{name.replace('eval_loss', 'held-out loss')} {value:.4f}")
    elif job.message:
        parts.append(job.message)
    if len(parts) == 1:
        parts.append(job.message or job.state.value)
    return ": ".join([parts[0], ", ".join(parts[1:])])


class _Line:
    """One line, rewritten in place on a terminal, repeated now and then elsewhere."""

    def __init__(self) -> None:
        self._in_place = sys.stderr.isatty()
        self._shown = ""
        self._shown_at = float("-inf")

    def show(self, text: str) -> None:
        """Show the newest text."""
        now = time.monotonic()
        if text == self._shown or (not self._in_place and now - self._shown_at < PLAIN_LINE_S):
            return
        if self._in_place:
            width = shutil.get_terminal_size().columns - 1
            self._clear()
            click.echo(" ".join(text[:width].split("\n")), err=True, nl=False)
        else:
            click.echo(text, err=True)
        self._shown, self._shown_at = text, now

    def close(self) -> None:
        """Leave the line as it is and go on below."""
        if self._in_place and self._shown:
            self._clear()

    @staticmethod
    def _clear() -> None:
        with own_sequences():
            click.echo("\r\x1b[K", err=True, nl=False)
