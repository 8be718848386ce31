"""A training job's adapter, its processor and a model card in one folder; with the base merged in, on request."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from radtui.export.files import whole_file, whole_folder
from radtui.export.model_card import NOTICE, card
from radtui.jobs.adapter_files import WEIGHTS, refuse_changed
from radtui.paths import DataDir, expanded
from radtui.plural import many
from radtui.records import Job, JobKind, JobState, Metric, UserError
from radtui.settings import TrainSettings
from radtui.store import jobs, metrics

CARD = "README.md"
ADAPTER = "adapter_config.json"


def export_adapter(
    data: DataDir, db: sqlite3.Connection, job_id: int, out: Path, merged: bool = False, base: str = "",
    seed: int = 0,
) -> Path:  # fmt: skip
    """Write the folder, whole or not at all; an earlier export there is replaced.

    Of a job that trained several times, the first training's adapter is what the folder itself holds; the others' lie
    in folders of it, `seed-2`, `seed-3`.

    Args:
        data: The data folder.
        db: Its database.
        job_id: A training job that left an adapter.
        out: The folder.
        merged: Write the base model with the adapter merged in, 16 bits, instead of the adapter alone. Loads the
            model in a process of its own.
        base: The 16-bit base to merge into, when the job names one stored in fewer bits.
        seed: Which training's adapter to write alone, from 1; 0 for all, of which only the first is merged.

    Raises:
        UserError: No such job or training, it left no adapter, the folder is in use, or the merge failed.
    """
    job = _trained(db, job_id)
    adapters = _adapters(data, job, seed)
    for each in adapters:
        _refuse_damaged(each / WEIGHTS, job_id)
        refuse_changed(data, db, each)
    out = expanded(out).absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot write {out}: {error.strerror}; choose another folder with --out.") from error
    with whole_folder(out, _is_export) as folder:
        if merged:
            _merge(job, adapters[0], folder, base)
        else:
            for number, each in enumerate(adapters):
                target = folder / f"seed-{number + 1}" if number else folder
                shutil.copytree(each, target, dirs_exist_ok=True)
        with whole_file(folder / CARD) as file:
            number = max(seed - 1, 0)
            further = 0 if merged else len(adapters) - 1
            file.write(card(job, _losses(db, job_id, number), merged, number, further))
    return out


def _adapters(data: DataDir, job: Job, seed: int) -> list[Path]:
    """The adapters to write, that of the first training first.

    Raises:
        UserError: There is none, or not that one.
    """
    trainings = TrainSettings.from_dict(job.settings).seeds
    if seed > trainings:
        raise UserError(f"Job {job.id} trains {many(trainings, 'time')}: there is no seed {seed}.")
    numbers = [seed - 1] if seed else range(trainings)
    adapters = [data.adapter(job.id, number) for number in numbers]
    there = [each for each in adapters if (each / ADAPTER).exists()]
    if len(there) < len(adapters):
        which = "no adapter" if not there or seed else f"{len(there)} of its {len(adapters)} adapters"
        also = f", or name one with --seed (1 to {len(there)})" if there and not seed else ""
        then = "let it finish, or resume it"
        if job.state is JobState.DONE:
            then = "put its folder back from a backup, or train again"
        raise UserError(f"Job {job.id} has left {which}: it is {job.state}; {then}{also}.")
    return there


def _refuse_damaged(weights: Path, job_id: int) -> None:
    """Nobody should send off an adapter that nothing can load.

    Source: safetensors' format: 8 bytes with the header's length, the header in JSON, then the tensors' bytes.
    """
    try:
        with weights.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            size_bytes = weights.stat().st_size
            whole = 8 + header_bytes <= size_bytes
            header = json.loads(file.read(header_bytes)) if whole else {}
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        whole = whole and bool(ends) and 8 + header_bytes + max(ends) == size_bytes
    except (ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise UserError(f"The adapter of job {job_id} is damaged or cut short ({weights}); train it again.")


def _trained(db: sqlite3.Connection, job_id: int) -> Job:
    job = jobs.get(db, job_id)
    if job is None:
        raise UserError(f"There is no job {job_id}; see radtui jobs list.")
    if job.kind is not JobKind.TRAIN:
        raise UserError(f"Job {job_id} ({job.kind}) has no adapter; name a training job.")
    return job


def _losses(db: sqlite3.Connection, job_id: int, number: int) -> list[Metric]:
    """The losses of one training, under their plain names."""
    end = f", seed {number + 1}" if number else ""
    names = {f"{name}{end}": name for name in ("loss", "eval_loss")}
    losses: list[Metric] = []
    cursor = 0
    while points := metrics.since(db, job_id, cursor):
        losses += [replace(point, name=names[point.name]) for point in points if point.name in names]
        cursor = points[-1].id
    return losses


def _is_export(folder: Path) -> bool:
    """Whether a folder is an earlier export, which may be replaced."""
    try:
        return NOTICE in (folder / CARD).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _merge(job: Job, adapter: Path, folder: Path, base: str) -> None:
    """Merge in a process of the worker's, which may import torch."""
    settings = TrainSettings.from_dict(job.settings)
    asked = [base or settings.model, str(adapter), str(folder)]
    command = [sys.executable, "-P", "-m", "radtui.worker.model.merge", *asked]
    if settings.trust_remote_code:
        command.append("--trust-remote-code")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise UserError(lines[-1] if lines else f"The merge ended with code {done.returncode}; try it again.")
