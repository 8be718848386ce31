"""The arms of a generation job: which adapter each writes with, and what tells its texts from all others."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radtui.jobs.adapter_files import WEIGHTS
from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, Job
from radtui.settings import GenerateSettings
from radtui.store import jobs
from radtui.worker.model.adapter_keys import FIRST_ADAPTER

BASE, TUNED = "base", "tuned"
FILES = (WEIGHTS, "adapter_model.bin")
SHOWN = 12  # hexadecimal digits of a sha256: as many tell any two files of one folder apart


@dataclass(frozen=True, slots=True)
class AdapterArm:
    """One arm by its name, with the adapter that it writes with."""

    name: str
    folder: str = ""  # "" for the model alone
    loaded_as: str = ""  # PEFT's name of the adapter
    sample: int = 0  # which of several texts drawn in the same way


def planned(settings: GenerateSettings) -> tuple[AdapterArm, ...]:
    """The arms that a job's settings ask for, in their order: the model alone, tuned, and each further adapter.

    Where several samples are asked for, they are of the last of these alone: "tuned", "tuned 2".
    """
    every = _one_text_each(settings)
    if settings.samples == 1:
        return every
    newest = every[-1]
    names = [newest.name, *(f"{newest.name} {number}" for number in range(2, settings.samples + 1))]
    return tuple(replace(newest, name=name, sample=sample) for sample, name in enumerate(names))


def further_folders(settings: GenerateSettings) -> dict[str, str]:
    """Folders of the adapters to load beside the first one, by PEFT's names of them."""
    return {arm.loaded_as: arm.folder for arm in _one_text_each(settings)[2:]}


def _one_text_each(settings: GenerateSettings) -> tuple[AdapterArm, ...]:
    further = [
        # No user's name: PEFT keeps adapters under keys in which not every character may be.
        AdapterArm(name, folder, f"further{number}")
        for number, (name, folder) in enumerate(settings.further_adapters.items())
    ]
    return AdapterArm(BASE), AdapterArm(TUNED, settings.adapter, FIRST_ADAPTER), *further


def identified(job: Job, data: DataDir, db: sqlite3.Connection, settings: GenerateSettings) -> list[Arm]:
    """A job's arms once its model is loaded and the files of that are known.

    Args:
        job: A generation job; its result may be older than its row.
        data: The data folder.
        db: Its database.
        settings: The job's.
    """
    instruction, images = settings.instruction, size_text(settings.max_side_px, settings.image_tokens)
    weights, arms = weights_text(jobs.must_get(db, job.id).result), planned(settings)
    adapters = {
        folder: adapter_text(folder, data) for folder in {arm.folder for arm in arms}
    }  # read once each
    return [
        Arm(0, arm.name, ArmKind.MODEL, settings.model, weights, adapters[arm.folder], instruction, images,
            settings.decoding, arm.sample)
        for arm in arms
    ]  # fmt: skip


def weights_text(result: Mapping[str, object]) -> str:
    """Which files of a model, how precise and by which back end, from a job's result: "1f0c…, 32-bit, transformers"."""
    files = result.get("base_files")
    digest = str(files.get("digest", ""))[:SHOWN] if isinstance(files, Mapping) else ""
    return ", ".join(filter(None, (digest, str(result.get("weights", "")), str(result.get("backend", "")))))


def size_text(max_side_px: int, image_tokens: int = 0) -> str:
    """How large and how finely images are shown, as an arm keeps it; "" for as they are."""
    side = f"at most {max_side_px} px" if max_side_px else ""
    return ", ".join(filter(None, [side, f"{image_tokens} tokens" if image_tokens else ""]))


def adapter_text(folder: str, data: DataDir) -> str:
    """What tells an adapter from others: the job that left it, or its folder, and the start of its weights' sha256."""
    if not folder:
        return ""
    path = Path(folder)
    job_id = path.parent.name
    of_job = job_id.isdigit() and path.parent.resolve() == data.job(int(job_id)).resolve()
    if of_job and (seed := path.name.removeprefix("adapter").strip("-").replace("-", " ")):
        job_id = f"{job_id}, {seed}"  # of several trainings of one job: "7, seed 2"
    file = next((path / name for name in FILES if (path / name).is_file()), None)
    if file is None:
        return f"job {job_id}" if of_job else folder
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:SHOWN]
    return f"job {job_id}, {digest}" if of_job else f"{path.name}, {digest}"


@contextlib.contextmanager
def as_arm(model: Any, loaded_as: str) -> Iterator[None]:
    """The model as one arm writes: without an adapter, or with the one of this name.

    Args:
        model: With its adapters; afterwards the same one is active as before.
        loaded_as: From `AdapterArm`.
    """
    if not loaded_as:
        with model.disable_adapter():
            yield
        return
    before = model.active_adapter
    if loaded_as == before:
        yield
        return
    model.set_adapter(loaded_as)
    try:
        yield
    finally:
        model.set_adapter(before)
