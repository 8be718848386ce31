"""Asking a model about one image: which image is meant, and a worker that answers, started where none is at work."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from radtui.ask_settings import AskSettings
from radtui.jobs.control import launch_new, reconcile
from radtui.jobs.launch import starting
from radtui.jobs.submit import resolved_ask
from radtui.paths import DataDir, expanded
from radtui.records import Case, Job, JobKind, StopRequest, UserError
from radtui.store import asks, cases, jobs

LEAST_DIGITS = 6  # of a sha256, to name an image by


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is about."""

    images: tuple[str, ...]  # sha256 of their content
    name: str
    case_id: int | None = None
    own_question: str = ""  # of the case
    picture: bytes = b""  # of a file: what a model is shown of it, as PNG


def of_case(case: Case) -> Asked:
    """A stored case with all images of it that can be read. Raises UserError when there are none."""
    images = tuple(image.sha256 for image in case.images if not image.error)
    if case.error or not images:
        raise UserError(f"{case.source_key} has no image that can be read: {case.error or case.first.error}")
    return Asked(images, case.source_key, case.id, case.question)


def find(data: DataDir, db: sqlite3.Connection, text: str) -> Asked:
    """What a user means by an image: the id of a case, the beginning of a stored image's sha256, or a file.

    Raises:
        UserError: There is no such image, or it cannot be read.
    """
    if text.isdigit() and (case := cases.get(db, int(text))) is not None:
        return of_case(case)
    path = expanded(text)
    if path.is_file():
        return _of_file(path)
    digits = text.lower()
    if len(digits) >= LEAST_DIGITS and set(digits) <= set("0123456789abcdef"):
        stored = asks.images_like(db, digits)
        if len(stored) > 1:
            raise UserError(f"Several images begin with {text}: give more digits of the sha256.")
        if stored:
            return Asked((stored[0],), f"image {stored[0][:12]}")
    raise UserError(
        f"There is no image {text}: name a file, the id of a case (radtui cases --jsonl lists them), or the beginning"
        " of a stored image's sha256."
    )


def _of_file(path: Path) -> Asked:
    from radtui.imaging.decode import training_image

    try:
        content = path.read_bytes()
        image = training_image(content)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}; name another image.") from error
    except UserError as error:
        raise UserError(f"Cannot ask about {path}: {error}") from error
    picture = io.BytesIO()
    image.save(picture, "PNG")
    # A file's name or header may name a patient: neither is kept, only what the model sees.
    name = f"a file of {image.width:,} x {image.height:,} px"
    return Asked((hashlib.sha256(content).hexdigest(),), name, picture=picture.getvalue())


def submit_ask(
    data: DataDir, db: sqlite3.Connection, asked: Asked, settings: AskSettings, question: str = ""
) -> tuple[int, int]:
    """Ask a question: of the worker that has this model in memory, else of a new one.

    Args:
        data: The data folder.
        db: Its database.
        asked: From `of_case` or `find`.
        settings: Which model; see `resolved_ask`.
        question: Empty takes the case's own, else the instruction that the model was trained with.

    Returns:
        The job that answers, and the question's number in it.

    Raises:
        UserError: As `resolved_ask`, or no worker could be started.
    """
    settings = resolved_ask(data, db, settings)
    question = question.strip() or asked.own_question or settings.instruction
    new = asks.NewAsk(question, asked.images, asked.name, asked.case_id)
    reconcile(data, db)
    at_work = [job for job in jobs.live(db) if job.kind is JobKind.ASK]
    for job in at_work:
        if job.settings == settings.to_dict() and (number := _hand_over(data, db, job, asked, new)):
            return job.id, number
    for job in at_work:  # one model in memory at a time; one that still answers ends by itself
        if not asks.has_open(db, job.id):
            jobs.request_stop(db, job.id, StopRequest.CHECKPOINT)
    with starting(data):
        trained = settings.train_job or None
        words = f"#{trained}" if trained else settings.model.rstrip("/").rsplit("/", 1)[-1]
        job = jobs.create(
            db, JobKind.ASK, f"questions to {words}", "", settings.to_dict(), parent_job_id=trained
        )
        number = _hand_over(data, db, job, asked, new)
        launch_new(data, db, job)
    if number is None:
        raise UserError(f"Job {job.id} was stopped before it had the question; ask again.")
    return job.id, number


def _hand_over(data: DataDir, db: sqlite3.Connection, job: Job, asked: Asked, new: asks.NewAsk) -> int | None:
    if asked.picture:
        path = data.asked_picture(job.id, asked.images[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.part")
        partial.write_bytes(asked.picture)
        partial.replace(path)
    return asks.add(db, job.id, new)
