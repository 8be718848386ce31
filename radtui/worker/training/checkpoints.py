"""Where a job goes on: after which checkpoint; one that was cut short by a kill or a full disk does not count."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from radtui.paths import DataDir
from radtui.store import metrics

STATE = "trainer_state.json"  # written last by the Trainer, so a checkpoint that has it is complete
NEEDED = (STATE, "optimizer.pt", "scheduler.pt", "adapter_model.safetensors")


@dataclass(frozen=True, slots=True)
class Start:
    """Where a job begins, or goes on: after a checkpoint, a step, and the time it took until then, s."""

    checkpoint: Path | None
    step: int
    elapsed_s: float


def start(data: DataDir, db: sqlite3.Connection, job_id: int) -> Start:
    """Make a job ready to go on: steps past the last checkpoint are done again, so their rows go."""
    found = last(data, db, job_id)
    metrics.drop_after(db, job_id, found.step if found.checkpoint else -1)
    return found


def last(data: DataDir, db: sqlite3.Connection, job_id: int) -> Start:
    """Where a job that has been made ready goes on."""
    checkpoint = newest(data.checkpoints(job_id))
    step = step_of(checkpoint) if checkpoint else 0
    return Start(checkpoint, step, _elapsed_at(db, job_id, step))


def _elapsed_at(db: sqlite3.Connection, job_id: int, step: int) -> float:
    """Time the job had taken when it saved the checkpoint of a step, s."""
    saved = [e for e in metrics.events_since(db, job_id, 0) if e.kind == "checkpoint" and e.step == step]
    return saved[-1].elapsed_s if saved else 0.0


def step_of(checkpoint: Path) -> int:
    """The optimizer step a checkpoint was saved after; -1 when the folder is none."""
    prefix, _, number = checkpoint.name.rpartition("-")
    return int(number) if prefix == "checkpoint" and number.isdigit() else -1


def is_complete(checkpoint: Path) -> bool:
    """Whether everything needed to go on is there."""
    try:
        return json.loads((checkpoint / STATE).read_text())["global_step"] == step_of(checkpoint) and all(
            (checkpoint / name).stat().st_size > 0 for name in NEEDED
        )
    except (OSError, ValueError, KeyError):
        return False


def newest(folder: Path) -> Path | None:
    """The newest complete checkpoint of a job; removes what a killed worker left half written.

    Args:
        folder: `DataDir.checkpoints` of the job.
    """
    found = sorted((each for each in folder.glob("checkpoint-*") if step_of(each) >= 0), key=step_of)
    complete = [each for each in found if is_complete(each)]
    for each in found:
        if each not in complete:
            shutil.rmtree(each, ignore_errors=True)
    return complete[-1] if complete else None
