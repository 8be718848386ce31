"""Where a job goes on: after which checkpoint; one cut short by a kill, a full disk or a power cut does not count."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from radtui import durable
from radtui.durable import write_synced
from radtui.jobs.adapter_files import WEIGHTS
from radtui.paths import DataDir
from radtui.store import jobs, metrics
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import seeds

log = logging.getLogger("radtui.worker")
STATE = "trainer_state.json"  # written last by the Trainer
NEEDED = (STATE, "optimizer.pt", "scheduler.pt", WEIGHTS)
KEPT = 2  # the newest may be found damaged
MARKER = "radtui-checkpoint.json"  # sizes and digests of all files, written when they are on the disk
SEALED_AFTER = "sealed-after.json"  # the last step whose checkpoint needs no marker


@dataclass(frozen=True, slots=True)
class Start:
    """Where a job begins, or goes on: after a checkpoint, a step, and the time it took until then, s."""

    checkpoint: Path | None
    step: int
    elapsed_s: float


def start(data: DataDir, reporter: Reporter) -> Start:
    """Make a job ready to go on: steps past the last checkpoint are done again, so their rows go."""
    db, job_id = reporter.db, reporter.job_id
    begun, part = last(data, db, job_id), seeds.part_of(jobs.must_get(db, job_id))
    seeds.make_ready(reporter, part, begun.step if begun.checkpoint else None)
    _expect_markers(data.checkpoints(job_id, part.number))
    return begun


def last(data: DataDir, db: sqlite3.Connection, job_id: int) -> Start:
    """Where a job that has been made ready goes on: a step of the training that it is at."""
    part = seeds.part_of(jobs.must_get(db, job_id))
    checkpoint = newest(data.checkpoints(job_id, part.number))
    step = step_of(checkpoint) if checkpoint else 0
    return Start(checkpoint, step, _elapsed_at(db, job_id, part.offset + step) if checkpoint else 0.0)


def _elapsed_at(db: sqlite3.Connection, job_id: int, step: int) -> float:
    """Time the job had taken when it saved the checkpoint of a step, s."""
    saved = [e for e in metrics.events_since(db, job_id, 0) if e.kind == "checkpoint" and e.step == step]
    return saved[-1].elapsed_s if saved else 0.0


def step_of(checkpoint: Path) -> int:
    """The optimizer step a checkpoint was saved after; -1 when the folder is none."""
    prefix, _, number = checkpoint.name.rpartition("-")
    return int(number) if prefix == "checkpoint" and number.isdigit() else -1


def seal(checkpoint: Path) -> None:
    """Bring a checkpoint to the disk and write its marker: from then on it counts."""
    durable.seal(checkpoint, MARKER)


def unseal(checkpoint: Path) -> None:
    """Let a checkpoint that is about to be written over count no more."""
    (checkpoint / MARKER).unlink(missing_ok=True)


def keep_newest(folder: Path) -> None:
    """Remove all but the newest checkpoints of a job, by their steps: a clock that was set back misleads nobody.

    Called when the newest one is sealed, so that there is always one that counts.
    """
    for checkpoint in _by_step(folder)[:-KEPT]:
        unseal(checkpoint)  # half removed it must not count
        shutil.rmtree(checkpoint, ignore_errors=True)


def problem(checkpoint: Path) -> str:
    """Why one cannot go on from a checkpoint, as the end of a sentence; empty when one can."""
    try:
        if json.loads((checkpoint / STATE).read_text(encoding="utf-8"))["global_step"] != step_of(checkpoint):
            return "is of another step than its name says"
        if any(not (checkpoint / name).stat().st_size for name in NEEDED):
            return "has an empty file"
        if not (checkpoint / MARKER).exists():
            return "was not written to its end" if _needs_marker(checkpoint) else ""
        changed = durable.broken_seal(checkpoint, MARKER)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "lacks a file, or has one that cannot be read"
    return f"has a damaged {changed}" if changed else ""


def _needs_marker(checkpoint: Path) -> bool:
    """Whether a checkpoint was written by a radtui that seals: older ones count by their files alone."""
    try:
        sealed_after = json.loads((checkpoint.parent / SEALED_AFTER).read_text(encoding="utf-8"))["step"]
    except FileNotFoundError:
        return False
    return step_of(checkpoint) > int(sealed_after)


def _expect_markers(folder: Path) -> None:
    """Write down after which step checkpoints are sealed: at a job's first start, or where an older radtui left it."""
    note = folder / SEALED_AFTER
    if note.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    there = _by_step(folder)
    write_synced(note, json.dumps({"step": step_of(there[-1]) if there else -1}))


def _by_step(folder: Path) -> list[Path]:
    return sorted((each for each in folder.glob("checkpoint-*") if step_of(each) >= 0), key=step_of)


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint of a job; removes what a killed worker or a power cut left damaged.

    Args:
        folder: `DataDir.checkpoints` of the job.
    """
    for checkpoint in reversed(_by_step(folder)):
        reason = problem(checkpoint)
        if not reason:
            if not (checkpoint / MARKER).exists():
                log.warning("%s is of an older radtui: it counts by its files' sizes alone", checkpoint.name)
            return checkpoint
        log.warning("%s %s: it is removed", checkpoint.name, reason)
        shutil.rmtree(checkpoint, ignore_errors=True)
    return None
