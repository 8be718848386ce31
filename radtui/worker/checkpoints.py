"""Which checkpoint a job goes on from; one that was cut short by a kill or a full disk does not count."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

STATE = "trainer_state.json"  # written last by the Trainer, so a checkpoint that has it is complete
NEEDED = (STATE, "optimizer.pt", "scheduler.pt", "adapter_model.safetensors")


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
