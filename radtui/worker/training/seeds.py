"""The same run several times as one job, each with seeds of its own: which of them is on, and where its rows go.

One process does one of them and is then replaced by a new one, so that nothing of a model, a patched library or a GPU's
memory is carried over. Steps of all are counted on: the second begins where the first ended. Its losses are series of
their own, "loss, seed 2", so that a chart can lay them over each other.
"""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from radtui.paths import DataDir
from radtui.records import Job, JobKind, StopRequest
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.worker.process import environment
from radtui.worker.process.reporter import Reporter, Stopped

OWN_SERIES = ("loss", "eval_loss")  # what is compared between trainings; speeds and the like go on


@dataclass(frozen=True, slots=True)
class Part:
    """One training of a job, the first with number 0."""

    number: int
    count: int
    steps: int  # of one training; 0 before the first knows

    @property
    def offset(self) -> int:
        """Steps of the trainings before it."""
        return self.number * self.steps


def part_of(job: Job) -> Part:
    """The training that a job is at, or goes on with."""
    count = wanted(job)
    done = job.result.get("seeds_done", 0)
    number = min(done if isinstance(done, int) else 0, count - 1)
    return Part(number, count, job.total_steps // count)


def wanted(job: Job) -> int:
    """How many times a job trains."""
    seeds = job.settings.get("seeds", 1) if job.kind is JobKind.TRAIN else 1
    return seeds if isinstance(seeds, int) else 1


def are_left(db: sqlite3.Connection, job_id: int) -> bool:
    """Whether a job has a training to do yet."""
    job = jobs.must_get(db, job_id)
    done = job.result.get("seeds_done", 0)
    return wanted(job) > 1 and isinstance(done, int) and done < wanted(job)


def as_one(job: Job, part: Part) -> Job:
    """The job as the one training that it is at: its own seeds, steps from 0. Texts are watched in the first alone."""
    if part.count == 1:
        return job
    settings = TrainSettings.from_dict(job.settings)
    own = replace(
        settings, seed=settings.seed + part.number, lora_seed=settings.lora_seed + part.number,
        watch_images=0 if part.number else settings.watch_images,
    )  # fmt: skip
    return replace(job, settings=own.to_dict(), step=max(0, job.step - part.offset), total_steps=part.steps)


def make_ready(reporter: Reporter, part: Part, step: int | None) -> None:
    """Forget what a training wrote past its last checkpoint, and nothing of those before it.

    Args:
        reporter: The job's voice.
        part: Which training.
        step: Of its checkpoint; None without one.
    """
    if not part.number:
        reporter.drop_after(-1 if step is None else step)
        return
    # Without a checkpoint its first step too, which it shares with the last one of the training before.
    own = (series_end(part.number), _words(part)) if step is None else None
    reporter.drop_after(part.offset + (step or 0), own)


def series_end(number: int) -> str:
    """What the names of a training's losses end with."""
    return f", seed {number + 1}" if number else ""


def _words(part: Part) -> str:
    return f"Seed {part.number + 1} of {part.count}: "


class SeedReporter(Reporter):
    """Writes one training's rows among those of all."""

    def __init__(self, reporter: Reporter, part: Part) -> None:
        super().__init__(reporter.db, reporter.job_id, reporter.ranks)
        self.voice, self.part = reporter, part  # the job's own hears of SIGTERM

    def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
        """As one training of several."""
        words = None if message is None else _words(self.part) + message
        return self.voice.progress(self._step(step, total), self._total(total), words)

    def log_step(
        self, step: int, total: int, epoch: float, elapsed_s: float, values: Mapping[str, float]
    ) -> StopRequest:
        """Losses under names of their own."""
        end = series_end(self.part.number)
        named = {f"{name}{end}" if name in OWN_SERIES else name: value for name, value in values.items()}
        return self.voice.log_step(self._step(step, total), self._total(total), epoch, elapsed_s, named)

    def event(self, step: int, kind: str, text: str, elapsed_s: float = 0.0) -> None:
        """Of which training it is."""
        self.voice.event(self._step(step, 0), kind, _words(self.part) + text, elapsed_s)

    def asked(self) -> StopRequest:
        """What is asked of the job."""
        return self.voice.asked()

    def catch_up(self, ended: bool = False) -> None:
        """As the job's own."""
        self.voice.catch_up(ended)

    def _put(self, kind: str, /, **facts: Any) -> Any:
        return self.voice._put(kind, **facts)

    def _step(self, step: int, total: int) -> int:
        return step + self.part.number * (total or self.part.steps)

    def _total(self, total: int) -> int:
        return (total or self.part.steps) * self.part.count


def finished(reporter: Reporter, db: sqlite3.Connection, part: Part, facts: dict[str, object]) -> None:
    """Write down that a training has ended, with its figures."""
    known = jobs.must_get(db, reporter.job_id).result.get("seeds")
    before = list(known)[: part.number] if isinstance(known, list) else []
    reporter.result(seeds=[*before, facts], seeds_done=part.number + 1)


def go_on(job: Job, data: DataDir, reporter: Reporter) -> None:
    """Replace this process by one that does the next training.

    The job's lock is inherited; its GPUs are let go and taken anew.

    Raises:
        Stopped: The app asked to stop meanwhile, or Slurm's time limit is near.
    """
    if reporter.asked() is not StopRequest.NONE:
        raise Stopped
    reporter.begin_again()
    for child in multiprocessing.active_children():  # loaders, which would stay
        child.terminate()
    environment.restore()
    sys.stdout.flush()
    sys.stderr.flush()
    command = [sys.executable, "-P", "-m", "radtui.worker", "--data-dir", str(data.root), str(job.id)]
    os.execv(sys.executable, command)
