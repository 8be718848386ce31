"""A generation job: the same cases described by every arm, the base model, the tuned one and any further adapter."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radtui.paths import DataDir
from radtui.records import Arm, Case, Job, UserError
from radtui.settings import GenerateSettings
from radtui.store import arms, cases, texts
from radtui.store.choosing import taken_by
from radtui.store.texts import NewText
from radtui.worker.describing import arms as job_arms
from radtui.worker.describing import figures, loading
from radtui.worker.process import failures, memory, nodes
from radtui.worker.process.reporter import Reporter, Stopped

if TYPE_CHECKING:
    from radtui.worker.describing.describe import Decoding, WrittenText
    from radtui.worker.model.examples import Example

log = logging.getLogger("radtui.worker")
FIRST_BATCH = 8  # cases, to measure what one takes
LARGEST_CPU_BATCH = 32  # cases; 8 take 44 ms of CPU each with the demo's model, 32 take 29
QUICK_S = 3.0  # a chunk on a CPU that takes less may be larger; pairs still come every few seconds
LARGEST_BATCH = 256  # cases; beyond, a step's time grows as fast as its texts
# Of an image on its way through the vision tower, before that is measured; Mllama's takes about this.
EXPECTED_GIB = 0.5
ROOM_SHARE = 0.8  # of the free memory: a batch of other shapes may take more
WINDOW = 512  # cases


@dataclass(frozen=True, slots=True)
class _Voice:
    """One arm of the job: what its texts are known by, the adapter it writes with, and what it has still to write."""

    arm: Arm
    loaded_as: str  # see `job_arms.AdapterArm`
    missing: set[int]  # cases


@dataclass(frozen=True, slots=True)
class _Work:
    """What a job has to write, and how much was there before any of its processes wrote."""

    voices: tuple[_Voice, ...]
    prompts: dict[int, str]  # by case, as rendered
    cases: list[int]  # those that lack a text, in their order
    total: int  # texts
    there: int
    reused: int = 0  # of those, by an earlier job under the same model, adapter, prompt and decoding


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Describe every case of the work list with every arm; what is there already stays.

    Raises:
        Stopped: The app asked to stop; what is written stays.
        UserError: No images, model or adapter not usable.
    """
    settings, ranks = GenerateSettings.from_dict(job.settings).check(), reporter.ranks
    listed = _listed(job, db, reporter, settings)
    there, total = texts.count(db, job.id), len(listed) * len(job_arms.planned(settings))
    ranks.meet()  # all have read what is there before any writes
    reporter.advance(there, total, f"Loading {settings.model}")
    if there >= total:
        return
    model, processor = loading.loaded(settings, there, total, data, db, reporter)

    # These import torch, which unsloth wants to see first.
    from radtui.worker.describing import own_decoder
    from radtui.worker.memory import gpu_facts
    from radtui.worker.model import fast_lora, vision_attention, vision_describing
    from radtui.worker.model.examples import as_shown, examples

    records = cases.get_many(db, listed)
    items = as_shown(examples(records, data), processor, reporter)
    work = _work(job, data, db, reporter, settings, items, processor)
    vision_attention.install(model)
    vision_describing.install(model)
    fast_lora.install(model)
    if own_decoder.enable(model):
        records = _bucketed(records)
    by_case = {item.case_id: item for item in items}
    todo = set(work.cases)
    left = [by_case[case.id] for case in records if case.id in todo]
    with gpu_facts.sampler() as gpu:
        writer = _Writer(settings, model, processor, reporter, work, gpu.take if ranks.first else dict)
        nodes.go_alone(data, job.id)
        with contextlib.suppress(Stopped):
            writer.write(left[ranks.number :: ranks.count])  # neighbours of like shape go to different GPUs
    if nodes.count() > 1:
        nodes.wait_for_those_left(data, job.id, reporter.asked)
    ranks.meet()
    reporter.catch_up()
    writer.done = texts.count(db, job.id)
    if writer.done < work.total:
        raise Stopped
    if ranks.first:
        _report(writer, db)


def _listed(job: Job, db: sqlite3.Connection, reporter: Reporter, settings: GenerateSettings) -> list[int]:
    """Ids of the cases to describe."""
    if not texts.work_list(db, job.id):
        taken = taken_by(db, settings, job.id)
        reporter.ensure_work(list(taken.cases))
        if taken.words:
            reporter.result(taken=taken.to_dict())
    listed = texts.work_list(db, job.id)
    if not listed:
        raise UserError(
            f"{settings.dataset} has no readable images in split {settings.split!r}: choose another."
        )
    return listed


def _work(
    job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter, settings: GenerateSettings,
    items: list[Example], processor: Any,
) -> _Work:  # fmt: skip
    """Make the job's arms and study, take over what is written already, and see what is left."""
    ranks = reporter.ranks
    prompts = _prompts(settings, items, processor)
    if ranks.first:
        made = reporter.give_arms(job_arms.identified(job, data, db, settings))
        reporter.open_study()
        reused = sum(_reuse(job, db, reporter, arm, prompts) for arm in made)
        if reused:
            text = f"{reused:,} texts were written before under the same model, prompt and decoding, and are taken over"
            reporter.event(0, "data", text)
    else:
        reused = 0
    ranks.meet()  # the arms are there, and what is taken over
    reporter.catch_up()
    known = arms.of_job(db, job.id)
    voices = tuple(
        _Voice(arm, planned.loaded_as, set(texts.missing(db, job.id, arm.id)))
        for arm, planned in zip(known, job_arms.planned(settings), strict=True)
    )
    lacking = set().union(*(voice.missing for voice in voices))
    todo = [item.case_id for item in items if item.case_id in lacking]
    there = texts.count(db, job.id)
    ranks.meet()  # all have read what is missing before any writes
    return _Work(voices, prompts, todo, len(items) * len(voices), there, reused)


def _prompts(settings: GenerateSettings, items: list[Example], processor: Any) -> dict[int, str]:
    """The prompt of each case as rendered, by its id; equal questions share one string."""
    from radtui.worker.describing import describe

    rendered: dict[tuple[str, int], str] = {}
    prompts = {}
    for item in items:
        key = item.asked(settings.instruction), len(item.blobs)
        if key not in rendered:
            rendered[key] = describe.asked(
                processor, key[0], settings.message_order, key[1], settings.thinking
            )
        prompts[item.case_id] = rendered[key]
    return prompts


def _reuse(job: Job, db: sqlite3.Connection, reporter: Reporter, arm: Arm, prompts: Mapping[int, str]) -> int:
    missing = texts.missing(db, job.id, arm.id)
    return reporter.reused(arm.id, {case_id: prompts[case_id] for case_id in missing})


def _report(writer: _Writer, db: sqlite3.Connection) -> None:
    """Say that all is written, and the figures of the job."""
    reporter, work, count = writer.reporter, writer.work, writer.reporter.ranks.count
    text = f"Wrote {writer.written} descriptions, {writer.rate:.2g}/s"
    if work.reused:
        text += f"; {work.reused:,} were there from an earlier job"
    reporter.progress(work.total, work.total, text)
    if f1 := figures.f1(db, reporter.job_id, [voice.arm.name for voice in work.voices]):
        reporter.result(f1=f1)
    reporter.result(
        peak_memory_gib=round(memory.peak_gib(), 2), batch_size=writer.batch_size, gpus=count,
        **figures.speeds(db, reporter.job_id, [voice.arm.name for voice in work.voices], count),
    )  # fmt: skip


class _Writer:
    """Goes through the cases in chunks: each arm's texts of the same chunk, so that pairs come early."""

    def __init__(
        self, settings: GenerateSettings, model: Any, processor: Any, reporter: Reporter, work: _Work,
        facts: Callable[[], Mapping[str, float]] = dict,
    ) -> None:  # fmt: skip
        from radtui.worker.describing.preparing import Preparing
        from radtui.worker.memory import shapes

        self.settings = settings
        self.model, self.processor = model, processor
        self.reporter = reporter
        self.preparing = Preparing(model, processor, work.prompts, settings.max_side_px, reporter.ranks.count)
        self.work, self.done = work, work.there
        self.facts = facts
        self.batch_size = settings.batch_size or FIRST_BATCH
        self.measures = settings.batch_size == 0 and next(model.parameters()).is_cuda
        self.grows = settings.batch_size == 0 and not self.measures
        self.began = time.monotonic()
        several = self.batch_size > 1
        self.of_one_shape = several and shapes.refused(model, processor, settings.trust_remote_code)
        if self.of_one_shape:
            self._halve(self.batch_size)

    @property
    def written(self) -> int:
        """Descriptions that the job has got since it began, of all GPUs."""
        return self.done - self.work.there

    @property
    def rate(self) -> float:
        """Descriptions per second so far."""
        return self.written / max(time.monotonic() - self.began, 1e-9)

    def write(self, items: list[Example]) -> None:
        """Describe all items; a chunk that does not fit the GPU's memory is tried again at half the size.

        A thread prepares the next chunk's images while the GPU writes about this one's.
        """
        with ThreadPoolExecutor(1) as thread, self.preparing:
            place = 0
            ready = thread.submit(self.preparing.inputs, items[: self.batch_size])
            while place < len(items):
                inputs = ready.result()
                chunk = items[place : place + len(inputs["input_ids"])]
                planned, expected = self.batch_size, self._expected(inputs)
                following = items[place + len(chunk) :][:expected]
                if following:
                    ready = thread.submit(self.preparing.inputs, following)
                written = self._write_chunk(chunk, inputs)
                if written:
                    place += len(chunk)
                # Of another size than was found to fit, what was prepared ahead is not used, unless it was foreseen.
                foreseen = written and planned < expected <= self.batch_size <= 2 * expected
                if self.batch_size != planned and not foreseen:
                    ready = thread.submit(self.preparing.inputs, items[place : place + self.batch_size])

    def _write_chunk(self, chunk: list[Example], inputs: dict[str, Any]) -> bool:
        """Every arm of a chunk, each committed at once; False when the memory did not suffice."""
        before_gib, began = 0.0, time.monotonic()
        if self.measures:
            before_gib = memory.allocated_gib()
            memory.forget_peak()
        placed = self._placed(inputs, len(chunk))  # once for all arms
        if placed is None:
            self._halve(len(chunk))
            return False
        for voice in self.work.voices:
            todo = [item for item in chunk if item.case_id in voice.missing]
            if not todo:
                continue
            written = self._texts(
                todo, voice, placed if len(todo) == len(chunk) else self.preparing.inputs(todo)
            )
            if written is None:
                self._halve(len(todo))
                return False
            self._commit(todo, voice, written)
        if self.grows:
            self._grow(time.monotonic() - began)
        if self.measures:
            self._fit(len(chunk), before_gib, inputs)
        return True

    def _expected(self, inputs: dict[str, Any]) -> int:
        """How many cases the next chunk will have: while the first is written and measured, what is likely to fit."""
        from radtui.worker.describing import own_decoder

        if not self.measures or own_decoder.enabled(self.model) is None:
            return self.batch_size
        return self._fitting(EXPECTED_GIB, memory.room_gib() * ROOM_SHARE, inputs)

    def _fit(self, described: int, before_gib: float, inputs: dict[str, Any]) -> None:
        """After the first chunk: as many images at once as the memory holds, going by what this chunk took."""
        self.measures = False
        each_gib = max(memory.peak_allocated_gib() - before_gib, 0.01) / described
        room_gib = memory.room_gib() * ROOM_SHARE
        self.batch_size = self._fitting(each_gib, room_gib, inputs)
        log.info("%.2f GiB an image and %.1f GiB of room: %d at a time", each_gib, room_gib, self.batch_size)

    def _fitting(self, each_gib: float, room_gib: float, inputs: dict[str, Any]) -> int:
        """How many images fit at once, a power of two.

        Args:
            each_gib: What one takes while it is looked at.
            room_gib: What there is.
            inputs: Of a chunk like the others.
        """
        from radtui.worker.describing import own_decoder

        fitting = int(room_gib / each_gib)
        if (decoder := own_decoder.enabled(self.model)) is not None and fitting > own_decoder.PREFILL_ROWS:
            # Images go through the vision tower a few at a time; what every image keeps is its keys and values.
            rows, asked = inputs["input_ids"].shape
            tokens = asked + self.settings.max_new_tokens + own_decoder.ROUND_TOKENS
            row_gib = decoder.row_gib(tokens, own_decoder.image_tokens(self.model, inputs))
            row_gib += sum(value.nbytes for value in inputs.values()) / rows / memory.GIB
            fitting = int((room_gib - own_decoder.PREFILL_ROWS * each_gib) / row_gib)
        fitting = max(1, min(LARGEST_BATCH, fitting))
        return 2 ** (fitting.bit_length() - 1)  # type: ignore[no-any-return]

    def _grow(self, seconds: float) -> None:
        """On a CPU: twice as many images at a time, as long as that keeps pairs coming."""
        self.grows = seconds < QUICK_S and self.batch_size < LARGEST_CPU_BATCH
        if self.grows:
            self.batch_size *= 2

    def _placed(self, inputs: dict[str, Any], count: int) -> dict[str, Any] | None:
        """A chunk's inputs on the model's device; None when the memory does not suffice."""
        from radtui.worker.describing import describe

        try:
            return describe.on_device(self.model, inputs)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            if not failures.is_out_of_memory(error) or count == 1:
                raise
        return None

    def _texts(self, items: list[Example], voice: _Voice, inputs: dict[str, Any]) -> list[WrittenText] | None:
        from radtui.worker.describing import describe

        try:
            with job_arms.as_arm(self.model, voice.loaded_as):
                decoding = _decoding(self.settings, voice.arm.sample)
                texts: list[WrittenText] = describe.describe(
                    self.model, self.processor, inputs, decoding, [i.case_id for i in items]
                )
                return texts
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            self.of_one_shape = failures.is_of_shapes(error)
            if self.of_one_shape and len(items) == 1:
                raise UserError(failures.PARTS_OF_TWO_SHAPES) from error
            if not (self.of_one_shape or failures.is_out_of_memory(error)) or len(items) == 1:
                raise
        return None

    def _halve(self, tried: int) -> None:
        import torch

        from radtui.worker.describing import own_decoder

        own_decoder.release(self.model)
        torch.cuda.empty_cache()
        kind, self.batch_size = "memory", max(1, tried // 2)
        text = f"The GPU's memory is full with {tried} images at a time: going on with {self.batch_size}"
        if self.of_one_shape:
            kind, self.batch_size, self.measures, self.grows = "warning", 1, False, False
            text = f"{failures.TWO_SHAPES}: going on with one case at a time"
        self.reporter.event(self.done, kind, text, time.monotonic() - self.began)

    def _commit(self, items: list[Example], voice: _Voice, written: list[WrittenText]) -> None:
        self.reporter.described(
            [
                NewText(
                    item.case_id, voice.arm.id, self.work.prompts[item.case_id], text.text, text.tokens, text.seconds,
                    text.truncated, reasoning=text.reasoning,
                )
                for item, text in zip(items, written, strict=True)
            ]
        )  # fmt: skip
        voice.missing.difference_update(item.case_id for item in items)
        self.done = texts.count(self.reporter.db, self.reporter.job_id)
        if values := self.facts():
            elapsed_s = time.monotonic() - self.began
            self.reporter.log_step(self.done, self.work.total, 0.0, elapsed_s, values)
        self.reporter.advance(self.done, self.work.total, "Describing")


def _bucketed(records: list[Case]) -> list[Case]:
    """Cases in windows of a few hundred, in each by shape: batches of as many tiles need no mask."""
    ordered: list[Case] = []
    for start in range(0, len(records), WINDOW):
        window = records[start : start + WINDOW]
        ordered += sorted(
            window, key=lambda case: (case.first.width_px / max(case.first.height_px, 1), case.first.width_px)
        )
    return ordered


def _decoding(settings: GenerateSettings, sample: int) -> Decoding:
    from radtui.worker.describing.describe import Decoding

    return Decoding(settings.max_new_tokens, settings.temperature, settings.min_p, settings.seed, sample)
