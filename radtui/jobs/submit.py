"""Turning validated settings into a job that runs: one function per kind of job."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from radtui.jobs.control import get_job, launch_new
from radtui.jobs.launch import starting
from radtui.jobs.packages import check_report_to
from radtui.paths import DataDir, asset, expanded
from radtui.records import Job, JobKind, JobState, UserError
from radtui.setting_fields import FieldError
from radtui.settings import INSTRUCTION, GenerateSettings, ImportSettings, TrainSettings
from radtui.store import cases, jobs
from radtui.store.choosing import Taken, taken_by

if TYPE_CHECKING:
    from radtui.ask_settings import AskSettings

Writing = TypeVar("Writing", bound=GenerateSettings)


def submit_import(data: DataDir, db: sqlite3.Connection, settings: ImportSettings) -> Job:
    """Start an import. Raises UserError for settings out of range or a source that is not there."""
    settings.check()
    if not settings.source.strip():
        raise FieldError("Name a source to import: a folder, a parquet file or a hub id.", "source")
    source = settings.source.strip()
    path = expanded(source)
    if path.exists():
        source = str(path.resolve())
    elif _means_path(source):
        raise FieldError(f"There is no {source}; name a folder, a parquet file or a hub id.", "source")
    name = settings.name.strip() or _dataset_name(source)
    settings = replace(settings, source=source, name=name)
    with starting(data):
        job = jobs.create(db, JobKind.IMPORT, name, name, settings.to_dict())
        return launch_new(data, db, job)


def submit_train(
    data: DataDir,
    db: sqlite3.Connection,
    settings: TrainSettings,
    *,
    parent_job_id: int | None = None,
    after_job_id: int | None = None,
) -> Job:
    """Start a training job, or queue it behind another.

    Raises:
        UserError: settings out of range, no such data set or split, nothing to train on, no such model folder.
    """
    settings = resolved_train(data, db, settings, imported=after_job_id is None)
    name = f"{_short(settings.model)} on {settings.dataset}"
    if settings.goes_on:
        what = "preferences" if settings.learns_preferences else "corrections"
        name += f", {what} of #{settings.from_job}"
    with starting(data):
        job = jobs.create(
            db, JobKind.TRAIN, name, settings.dataset, settings.to_dict(),
            parent_job_id=parent_job_id, after_job_id=after_job_id,
        )  # fmt: skip
        return launch_new(data, db, job)


def resolved_train(
    data: DataDir, db: sqlite3.Connection, settings: TrainSettings, imported: bool = True
) -> TrainSettings:
    """The settings with model and data set as a job row keeps them.

    Args:
        data: The data folder.
        db: Its database.
        settings: As typed.
        imported: Whether the images must be there already.

    Raises:
        UserError: As `submit_train`.
    """
    settings = replace(
        settings.check(), model=resolved_model(settings.model), dataset=_dataset(db, settings.dataset)
    )
    if settings.goes_on:
        _check_adapter_of(data, db, settings.from_job)
    elif imported:
        _check_split(db, settings.dataset, settings.train_split, "train_split")
    if settings.eval_split and imported:
        _check_split(db, settings.dataset, settings.eval_split, "eval_split")
    check_report_to(settings)
    _check_cluster(settings)
    return settings


def submit_generate(
    data: DataDir, db: sqlite3.Connection, settings: GenerateSettings, *, after_job_id: int | None = None
) -> Job:
    """Start a generation job, or queue it behind the training job whose adapter it uses.

    What the settings leave empty is taken from the training job, the newest finished one unless named.

    Raises:
        UserError: no training job and no adapter named, no such data set or split.
    """
    settings = settings.check()
    train = _training_job(db, settings, after_job_id)
    if train is not None:
        settings = _filled_from(data, db, settings, train)
    order = "image_first" if settings.message_order == "as_trained" else settings.message_order
    settings = replace(
        settings,
        dataset=_dataset(db, settings.dataset),
        model=resolved_model(settings.model),
        instruction=settings.instruction or INSTRUCTION,
        message_order=order,
    )
    _check_cluster(settings)
    taken: Taken | None = None
    if after_job_id is None:
        _check_adapter(settings, train)
        _check_split(db, settings.dataset, settings.split, "split", with_reference=False)
        taken = taken_by(db, settings)
    adapter = f"by #{train.id}" if train else _short(settings.adapter)
    name = f"{adapter} on {settings.dataset}/{settings.split}"
    with starting(data):
        job = jobs.create(
            db, JobKind.GENERATE, name, settings.dataset, settings.to_dict(),
            parent_job_id=train.id if train else None, after_job_id=after_job_id,
            case_ids=list(taken.cases) if taken else None,
        )  # fmt: skip
        if taken and taken.words:
            jobs.set_result(db, job.id, taken=taken.to_dict())
        return launch_new(data, db, job)


def resolved_ask(data: DataDir, db: sqlite3.Connection, settings: AskSettings) -> AskSettings:
    """The settings with model and adapter as a job row keeps them, from the newest finished training job unless named.

    A model named without an adapter answers by itself.

    Raises:
        UserError: There is no such job, model or adapter, or nothing has been trained yet.
    """
    settings = settings.check()
    if settings.train_job or not (settings.model or settings.adapter):
        if not settings.train_job and jobs.newest(db, JobKind.TRAIN, JobState.DONE) is None:
            raise UserError("No training job has finished yet; train first, or name a model to ask alone.")
        train = _training_job(db, settings, None)
        assert train is not None
        own = settings.adapter or str(data.adapter(train.id))
        settings = _filled_from(data, db, replace(settings, adapter=own), train)
        _check_adapter(settings, train)
    elif settings.adapter:
        _check_adapter(settings, None)
    order = "image_first" if settings.message_order == "as_trained" else settings.message_order
    return replace(
        settings, dataset="", split="", message_order=order, model=resolved_model(settings.model),
        instruction=settings.instruction or INSTRUCTION,
    )  # fmt: skip


def _check_cluster(settings: TrainSettings | GenerateSettings) -> None:
    if settings.on == "slurm":
        from radtui.cluster.submit import check  # not needed by the app's first frame

        check(settings.to_dict())


def _training_job(db: sqlite3.Connection, settings: GenerateSettings, after_job_id: int | None) -> Job | None:
    if settings.adapter and not settings.train_job:
        return None
    job_id = settings.train_job or after_job_id
    if job_id:
        job = get_job(db, job_id)
        if job.kind is not JobKind.TRAIN:
            raise UserError(f"Job {job_id} is no training job; see radtui jobs list.")
        return job
    newest = jobs.newest(db, JobKind.TRAIN, JobState.DONE)
    if newest is None:
        raise UserError("No training job has finished yet; train first, or name an adapter with its model.")
    return newest


def _filled_from(data: DataDir, db: sqlite3.Connection, settings: Writing, train: Job) -> Writing:
    """The settings with the training job's model, adapter, data set and prompt where they say nothing."""
    trained = TrainSettings.from_dict(train.settings)
    adapter, more = data.adapter(train.id), settings.more_adapters
    if trained.learns_preferences and not settings.adapter:
        # Three arms: what learnt references is the tuned one still, and this job's adapter comes beside it.
        before = jobs.learnt_references(db, train)
        adapter, more = _adapter_before(data, train, before), more or f"dpo={adapter}"
    if trained.learns_corrections and not settings.adapter:
        # What it went on from is the tuned one: a round is compared with the one before.
        before = jobs.get(db, trained.from_job)
        adapter, more = _adapter_before(data, train, before), more or f"corrected={adapter}"
    if settings.every_seed and not more:
        more = ";".join(f"seed {n + 1}={data.adapter(train.id, n)}" for n in range(1, trained.seeds))
    return replace(
        settings,
        train_job=train.id,
        model=settings.model or trained.model,
        adapter=settings.adapter or str(adapter),
        more_adapters=more,
        dataset=settings.dataset or trained.dataset,
        instruction=settings.instruction or trained.instruction,
        # Asked in another order or size than it learnt, the tuned model would be judged for the difference.
        message_order=trained.asking_order
        if settings.message_order == "as_trained"
        else settings.message_order,
        max_side_px=settings.max_side_px or trained.max_side_px,
        image_tokens=settings.image_tokens or trained.image_tokens,
        thinking=settings.thinking or trained.thinking,
        backend=trained.backend if settings.backend == "auto" else settings.backend,
        load_in_4bit=settings.load_in_4bit and trained.load_in_4bit,
        trust_remote_code=settings.trust_remote_code or trained.trust_remote_code,
    )


def _adapter_before(data: DataDir, train: Job, before: Job | None) -> Path:
    """Where the adapter lies that a training job's is compared with. Raises UserError when its job is gone."""
    if before is None:
        raise UserError(f"The job that job {train.id} went on from is gone; name its adapter with --adapter.")
    return data.adapter(before.id)


def _check_adapter_of(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
    """Raise UserError unless a job has left the adapter that another one is to begin with."""
    job = get_job(db, job_id)
    if not (data.adapter(job.id) / "adapter_config.json").exists():
        raise FieldError(
            f"Job {job.id} has left no adapter: it is {job.state}; choose another from_job.", "from_job"
        )


def _check_adapter(settings: GenerateSettings, train: Job | None) -> None:
    if not settings.model:
        raise UserError("Name the base model of the adapter with --model.")
    folders = [settings.adapter, *(settings.further_adapters.values())]
    missing = [folder for folder in folders if not (Path(folder) / "adapter_config.json").exists()]
    if train is not None and folders[-1] in missing:
        then = "let it finish" if train.state.live else "resume it"
        if train.state is JobState.DONE:
            then = "put its folder back from a backup"
        raise UserError(
            f"Job {train.id} has left no adapter: it is {train.state}; {then} or name another job."
        )
    if missing:
        raise UserError(f"There is no adapter in {missing[0]}: a folder with adapter_config.json is wanted.")


def _dataset(db: sqlite3.Connection, name: str) -> str:
    """The named data set, or the newest one. Raises UserError when it is not there and none is coming."""
    known = [summary.name for summary in cases.datasets(db)]
    coming = [job.dataset for job in jobs.live(db) if job.kind is JobKind.IMPORT]
    if name:
        if name in known or name in coming:
            return name
        there = ", ".join(known) if known else "none yet"
        raise FieldError(
            f"There is no data set {name!r}; there is {there}. Import one with radtui import.", "dataset"
        )
    if not known and not coming:
        raise FieldError(
            "No images are imported yet; start with radtui import SOURCE, or radtui demo.", "dataset"
        )
    return known[0] if known else coming[0]


def _check_split(
    db: sqlite3.Connection, dataset: str, split: str, field: str, with_reference: bool = True
) -> None:
    if cases.usable(db, dataset, split, 1, with_reference):
        return
    splits = cases.distinct(db, dataset, "split")
    if split in splits:
        kind = "readable images with a reference text" if with_reference else "readable images"
        raise FieldError(f"Split {split!r} of {dataset} has no {kind}; choose another {field}.", field)
    none = ", '' for none" if field == "eval_split" else ""
    ways = f"Choose {field} (--{field.replace('_', '-')} NAME{none})"
    if split == "test" and splits == ["train"]:
        ways += ", or import its source under another name with --hold-out 10, which makes a split test"
    there = ", ".join(splits) or "none yet"
    raise FieldError(f"{dataset} has no split {split!r}; there is {there}. {ways}.", field)


def resolved_model(model: str) -> str:
    """A folder's full path, an asset's path, or a hub id as it is."""
    if not model:
        raise FieldError("Name a model: a hub id or a folder.", "model")
    if asset(model).is_dir():
        return str(asset(model))
    path = expanded(model)
    if path.is_dir():
        if not (path / "config.json").exists():
            raise FieldError(f"{model} holds no model: there is no config.json in it.", "model")
        return str(path.resolve())
    if _means_path(model):
        raise FieldError(
            f"There is no model folder {model}; name a folder or a hub id such as org/name.", "model"
        )
    return model


def _means_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~")) or text.count("/") > 1


def _dataset_name(source: str) -> str:
    return source.rstrip("/").rsplit("/", 1)[-1].removesuffix(".parquet").replace(":", "-")


def _short(model: str) -> str:
    return model.rstrip("/").rsplit("/", 1)[-1]
