"""An ask job: load a model once, answer questions until there are none for a while or another job needs the GPU."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from radtui.ask_settings import AskSettings
from radtui.durations import clock_text
from radtui.paths import DataDir
from radtui.plural import many
from radtui.records import Job, StopRequest, UserError
from radtui.store import asks
from radtui.store.blobs import Stored, locate
from radtui.worker.describing import arms as job_arms
from radtui.worker.describing import loading
from radtui.worker.process import failures
from radtui.worker.process.gpu_lock import Locks
from radtui.worker.process.reporter import AskReporter, Stopped

log = logging.getLogger("radtui.worker")
LOOK_S = 0.1  # between looks for a question
HEARTBEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class _Model:
    """A model that is ready to answer."""

    settings: AskSettings
    model: Any
    processor: Any
    arms: tuple[job_arms.AdapterArm, ...]


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: AskReporter, gpus: Locks) -> None:
    """Answer questions as they come.

    Raises:
        Stopped: The app asked to stop.
        UserError: The model or its adapter cannot be used.
    """
    settings = AskSettings.from_dict(job.settings).check()
    if reporter.progress(0, 0, f"Loading {settings.model}") is not StopRequest.NONE:
        raise Stopped
    ready = _ready(settings, data, db, reporter)
    reporter.progress(0, 0, "Waits for a question")
    _serve(
        partial(asks.next_open, db, job.id),
        partial(_answer, ready, data, job.id, reporter),
        settings,
        reporter,
        gpus,
    )


def _ready(settings: AskSettings, data: DataDir, db: sqlite3.Connection, reporter: AskReporter) -> _Model:
    model, processor = loading.loaded(settings, 0, 0, data, db, reporter)

    # These import torch, which unsloth wants to see first.
    from radtui.worker.model import fast_lora, vision_attention

    vision_attention.install(model)
    if settings.adapter:
        fast_lora.install(model)
    every = job_arms.planned(settings)
    return _Model(settings, model, processor, every if settings.adapter else every[:1])


def _serve(
    next_open: Callable[[], tuple[int, asks.NewAsk] | None],
    answer: Callable[[int, asks.NewAsk], None],
    settings: AskSettings,
    reporter: AskReporter,
    gpus: Locks,
) -> None:
    """Answer, wait, and end: when asked to, when another job waits for the GPU, or when nobody asks for a while."""
    answered, idle_since, beat_at = 0, time.monotonic(), 0.0
    while True:
        if gpus.awaited:
            reporter.closed(f"Made room on the GPU for another job{_count(answered)}", leave_open=True)
            return
        if (asked := next_open()) is not None:
            answer(*asked)
            answered += 1
            idle_since, beat_at = time.monotonic(), 0.0
            reporter.progress(0, 0, "Waits for a question")
        elif time.monotonic() - idle_since >= settings.idle_minutes * 60:
            idle = clock_text(settings.idle_minutes * 60)
            if reporter.closed(f"Nobody asked for {idle}{_count(answered)}"):
                return
        if time.monotonic() - beat_at >= HEARTBEAT_S:
            if reporter.progress(0, 0) is not StopRequest.NONE:
                reporter.progress(0, 0, f"Stopped{_count(answered)}")
                raise Stopped
            beat_at = time.monotonic()
        if asked is None:
            time.sleep(LOOK_S)


def _count(answered: int) -> str:
    return f"; {many(answered, 'question')} answered" if answered else ""


def _answer(
    ready: _Model, data: DataDir, job_id: int, reporter: AskReporter, number: int, asked: asks.NewAsk
) -> None:
    """Write every arm's answer to a question; what is wrong with the question alone ends none but this one."""
    reporter.progress(0, 0, f"Answers question {number}")
    try:
        _write(ready, data, job_id, reporter, number, asked)
    except UserError as error:
        reporter.finished(number, str(error))
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        if not failures.is_out_of_memory(error):
            raise
        log.error("question %d", number, exc_info=True)
        reporter.finished(number, failures.sentence(error, data))
    else:
        reporter.finished(number)


def _write(
    ready: _Model, data: DataDir, job_id: int, reporter: AskReporter, number: int, asked: asks.NewAsk
) -> None:
    from radtui.worker.asking.stream import Stream
    from radtui.worker.describing import describe
    from radtui.worker.model import template
    from radtui.worker.model.examples import Example, open_images, takes_several

    settings, processor = ready.settings, ready.processor
    blobs = tuple(_places(data, job_id, asked.images))
    if len(blobs) > 1 and not takes_several(processor):
        blobs = blobs[:1]
    pictures = open_images(Example(0, asked.name, blobs, ""), settings.max_side_px)
    prompt = describe.asked(
        processor, asked.question, settings.message_order, len(pictures), settings.thinking
    )
    inputs = describe.prepare(processor, [pictures], [prompt])
    decoding = describe.Decoding(settings.max_new_tokens, settings.temperature, settings.min_p, settings.seed)
    ends = template.end_token_ids(ready.model, processor)
    for arm in ready.arms:
        stream = Stream(
            processor, inputs["input_ids"][0].tolist(), ends, partial(reporter.piece, number, arm.name)
        )
        with job_arms.as_arm(ready.model, arm.loaded_as) if settings.adapter else contextlib.nullcontext():
            (text,) = describe.describe(
                ready.model, processor, inputs, decoding, [asked.case_id or 0], stream
            )
        reporter.answered(
            number,
            asks.Answer(
                arm.name, text.text, text.tokens, text.seconds, True, text.truncated, text.reasoning, prompt,
                settings.decoding,
            ),
        )  # fmt: skip


def _places(data: DataDir, job_id: int, images: Sequence[str]) -> list[Stored]:
    """Where the pictures of a question are: with the job, of a file, else among the stored images."""
    own = [data.asked_picture(job_id, sha256) for sha256 in images]
    return [
        Stored(stored.sha256, path) if path.exists() else stored
        for path, stored in zip(own, locate(data, images), strict=True)
    ]
