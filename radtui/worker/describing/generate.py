"""A generation job: the same images described by the base model, the tuned one, and one that learnt from ratings."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from radtui.paths import DataDir
from radtui.records import Image, Job, UserError, Variant
from radtui.settings import GenerateSettings
from radtui.store import descriptions, images
from radtui.store.descriptions import NewDescription
from radtui.worker.memory import memory
from radtui.worker.model import adapters, backend, base_files, base_weights, downloads, template
from radtui.worker.model import model as models
from radtui.worker.process import failures, threads
from radtui.worker.process.reporter import Reporter, Stopped

if TYPE_CHECKING:
    from radtui.worker.describing.describe import Decoding, Text
    from radtui.worker.training.data import Example

log = logging.getLogger("radtui.worker")
FIRST_BATCH = 8  # images, to measure what one takes
LARGEST_CPU_BATCH = 32  # images; 8 take 44 ms of CPU each with the demo's model, 32 take 29
QUICK_S = 3.0  # a chunk on a CPU that takes less may be larger; pairs still come every few seconds
LARGEST_BATCH = 256  # images; beyond, a step's time grows as fast as its texts
ROOM_SHARE = 0.8  # of the free memory: a batch of other shapes may take more
WINDOW = 512  # images


@dataclass(frozen=True, slots=True)
class _Work:
    """What a job has to write, and how much was there before any of its processes wrote."""

    missing: dict[Variant, set[int]]  # images without a text, by variant
    images: list[int]  # those that lack one, in their order
    total: int  # descriptions
    there: int


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Describe every image of the work list with every variant; what is there already stays.

    Raises:
        Stopped: The app asked to stop; what is written stays.
        UserError: No images, model or adapter not usable.
    """
    settings, ranks = GenerateSettings.from_dict(job.settings).check(), reporter.ranks
    work = _work(job, db, settings)
    ranks.meet()  # all have read what is missing before any writes
    reporter.advance(work.there, work.total, f"Loading {settings.model}")
    if not work.images:
        return
    model, processor = _loaded(settings, work, db, reporter)

    # These import torch, which unsloth wants to see first.
    from radtui.worker.describing import decode
    from radtui.worker.memory import gpu_facts
    from radtui.worker.model import fast_lora, vision_attention
    from radtui.worker.training.data import examples

    records = images.get_many(db, work.images)
    vision_attention.install(model)
    fast_lora.install(model)
    if decode.enable(model):
        records = _bucketed(records)
    own = records[ranks.number :: ranks.count]  # neighbours of like shape go to different GPUs
    with gpu_facts.sampler() as gpu:
        writer = _Writer(settings, model, processor, reporter, work, gpu.take if ranks.first else dict)
        with contextlib.suppress(Stopped):
            writer.write(examples(own, data))
    ranks.meet()
    writer.done = descriptions.count(db, job.id)
    if writer.done < work.total:
        raise Stopped
    if ranks.first:
        _report(writer, db)


def _work(job: Job, db: sqlite3.Connection, settings: GenerateSettings) -> _Work:
    usable = images.usable(db, settings.dataset, settings.split, settings.limit)
    descriptions.ensure_work(db, job.id, usable)
    listed = descriptions.work_list(db, job.id)
    if not listed:
        raise UserError(
            f"{settings.dataset} has no readable images in split {settings.split!r}: choose another."
        )
    missing = {
        variant: set(descriptions.missing(db, job.id, variant))
        for variant in descriptions.variants(db, job.id)
    }
    todo = [image_id for image_id in listed if any(image_id in left for left in missing.values())]
    return _Work(missing, todo, len(listed) * len(missing), descriptions.count(db, job.id))


def _loaded(
    settings: GenerateSettings, work: _Work, db: sqlite3.Connection, reporter: Reporter
) -> tuple[Any, Any]:
    """Model and processor. One load serves all: the base text comes from the same weights with the adapter off."""
    name, how = base_weights.choose(settings, backend.plan(settings), reporter.ranks)
    if not how.cuda:
        threads.choose()
    for change in how.changes if reporter.ranks.first else ():
        reporter.event(0, "warning", change)
    model, processor = models.load(
        name, how, trust_remote_code=settings.trust_remote_code,
        say=downloads.saying(reporter, work.there, work.total),
    )  # fmt: skip
    for note in (
        template.notes(processor, settings.message_order, settings.thinking) if reporter.ranks.first else ()
    ):
        reporter.event(0, "warning", note)
    before = base_files.trained_on(db, settings.train_job), settings.train_job
    change = base_files.keep(reporter, 0, model, name, before)
    third = (Variant.DPO.value, settings.dpo_adapter) if Variant.DPO in work.missing else None
    model = adapters.load_adapter(model, settings.adapter, how, third)
    reporter.result(
        backend=how.backend, weights=how.weights, base_model=name,
        substitutions=[*how.changes, *([change] if change else [])],
    )  # fmt: skip
    return model, processor


def _report(writer: _Writer, db: sqlite3.Connection) -> None:
    """Say that all is written, and the figures of the job."""
    reporter, work, count = writer.reporter, writer.work, writer.reporter.ranks.count
    reporter.progress(work.total, work.total, f"Wrote {writer.written} descriptions, {writer.rate:.2g}/s")
    reporter.result(
        peak_memory_gib=round(memory.peak_gib(), 2), batch_size=writer.batch_size, gpus=count,
        **_figures(db, reporter.job_id, list(work.missing), count),
    )  # fmt: skip


class _Writer:
    """Goes through the images in chunks: each variant's texts of the same chunk, so that pairs come early."""

    def __init__(
        self,
        settings: GenerateSettings,
        model: Any,
        processor: Any,
        reporter: Reporter,
        work: _Work,
        facts: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self.settings = settings
        self.model = model
        self.processor = processor
        self.reporter = reporter
        self.work = work
        self.done = work.there
        self.facts = facts
        self.batch_size = settings.batch_size or FIRST_BATCH
        self.measures = settings.batch_size == 0 and next(model.parameters()).is_cuda
        self.grows = settings.batch_size == 0 and not self.measures
        self.began = time.monotonic()

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
        with ThreadPoolExecutor(1) as thread:
            place = 0
            ready = thread.submit(self._prepared, items[: self.batch_size])
            while place < len(items):
                inputs = ready.result()
                chunk = items[place : place + len(inputs["input_ids"])]
                planned = self.batch_size
                following = items[place + len(chunk) :][:planned]
                if following:
                    ready = thread.submit(self._prepared, following)
                if self._write_chunk(chunk, inputs):
                    place += len(chunk)
                if (
                    self.batch_size != planned
                ):  # found to be another size: what was prepared ahead is not used
                    ready = thread.submit(self._prepared, items[place : place + self.batch_size])

    def _prepared(self, chunk: list[Example]) -> dict[str, Any]:
        """The model's inputs about a chunk's images, in main memory."""
        from radtui.worker.describing import describe
        from radtui.worker.training import data

        asked = self.settings
        pictures = [data.open_image(item, asked.max_side_px) for item in chunk]
        return describe.prepare(
            self.processor, pictures, asked.instruction, asked.message_order, asked.thinking
        )

    def _write_chunk(self, chunk: list[Example], inputs: dict[str, Any]) -> bool:
        """Every variant of a chunk, each committed at once; False when the memory did not suffice."""
        before_gib, began = 0.0, time.monotonic()
        if self.measures:
            before_gib = memory.allocated_gib()
            memory.forget_peak()
        for variant, missing in self.work.missing.items():
            todo = [item for item in chunk if item.image_id in missing]
            if not todo:
                continue
            texts = self._texts(todo, variant, inputs if len(todo) == len(chunk) else self._prepared(todo))
            if texts is None:
                self._halve(len(todo))
                return False
            self._commit(todo, variant, texts)
        if self.grows:
            self._grow(time.monotonic() - began)
        if self.measures:
            self._fit(len(chunk), before_gib, inputs)
        return True

    def _fit(self, described: int, before_gib: float, inputs: dict[str, Any]) -> None:
        """After the first chunk: as many images at once as the memory holds, going by what this chunk took."""
        from radtui.worker.describing import decode

        self.measures = False
        each_gib = max(memory.peak_allocated_gib() - before_gib, 0.01) / described
        room_gib = memory.room_gib() * ROOM_SHARE
        fitting = int(room_gib / each_gib)
        if (decoder := decode.enabled(self.model)) is not None and fitting > decode.PREFILL_ROWS:
            # Images go through the vision tower a few at a time; what every image keeps is its keys and values.
            tokens = inputs["input_ids"].shape[1] + self.settings.max_new_tokens + decode.ROUND_TOKENS
            row_gib = decoder.row_gib(tokens, decode.image_tokens(self.model, inputs))
            fitting = int((room_gib - decode.PREFILL_ROWS * each_gib) / row_gib)
        fitting = max(1, min(LARGEST_BATCH, fitting))
        self.batch_size = 2 ** (fitting.bit_length() - 1)
        log.info("%.2f GiB an image and %.1f GiB of room: %d at a time", each_gib, room_gib, self.batch_size)

    def _grow(self, seconds: float) -> None:
        """On a CPU: twice as many images at a time, as long as that keeps pairs coming."""
        self.grows = seconds < QUICK_S and self.batch_size < LARGEST_CPU_BATCH
        if self.grows:
            self.batch_size *= 2

    def _texts(self, items: list[Example], variant: Variant, inputs: dict[str, Any]) -> list[Text] | None:
        from radtui.worker.describing import describe

        try:
            with _as_variant(self.model, variant):
                return describe.describe(
                    self.model, self.processor, inputs, _decoding(self.settings), [i.image_id for i in items]
                )
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            if not failures.is_out_of_memory(error) or len(items) == 1:
                raise
        return None

    def _halve(self, tried: int) -> None:
        import torch

        from radtui.worker.describing import decode

        decode.release(self.model)
        torch.cuda.empty_cache()
        self.batch_size = max(1, tried // 2)
        text = f"The GPU's memory is full with {tried} images at a time: going on with {self.batch_size}"
        self.reporter.event(self.done, "memory", text, time.monotonic() - self.began)

    def _commit(self, items: list[Example], variant: Variant, texts: list[Text]) -> None:
        asked = self.settings
        self.reporter.described(
            [
                NewDescription(
                    item.image_id, variant, text.text, asked.instruction, asked.decoding, text.tokens, text.seconds,
                    text.truncated,
                )
                for item, text in zip(items, texts, strict=True)
            ]
        )  # fmt: skip
        self.work.missing[variant] -= {item.image_id for item in items}
        self.done = descriptions.count(self.reporter.db, self.reporter.job_id)
        if values := self.facts():
            elapsed_s = time.monotonic() - self.began
            self.reporter.log_step(self.done, self.work.total, 0.0, elapsed_s, values)
        self.reporter.advance(self.done, self.work.total, f"Describing, {self.rate:.2g} descriptions/s")


@contextlib.contextmanager
def _as_variant(model: Any, variant: Variant) -> Iterator[None]:
    """The model as one variant writes: without an adapter, with the tuned one, or with the third's."""
    if variant is Variant.BASE:
        with model.disable_adapter():
            yield
    elif variant is Variant.TUNED:
        yield
    else:
        tuned = model.active_adapter
        model.set_adapter(variant.value)
        try:
            yield
        finally:
            model.set_adapter(tuned)


def _bucketed(records: list[Image]) -> list[Image]:
    """Images in windows of a few hundred, in each by shape: batches of as many tiles need no mask."""
    found: list[Image] = []
    for start in range(0, len(records), WINDOW):
        window = records[start : start + WINDOW]
        found += sorted(window, key=lambda r: (r.width_px / max(r.height_px, 1), r.width_px))
    return found


def _figures(db: sqlite3.Connection, job_id: int, variants: list[Variant], gpus: int) -> dict[str, object]:
    """Counts and speeds over all of the job's descriptions, those of earlier processes included.

    Each description has its own time, of one GPU, so what all of them do in a second is that many times more.
    """
    found: dict[str, object] = {}
    written = descriptions.finished(db, job_id)
    for variant in variants:
        own = [each for each in written if each.variant is variant]
        tokens, seconds = sum(each.tokens for each in own), sum(each.seconds for each in own)
        found[f"{variant}_descriptions"] = len(own)
        found[f"{variant}_truncated"] = sum(each.truncated for each in own)
        found[f"{variant}_tokens_per_s"] = round(gpus * tokens / max(seconds, 1e-9), 1)
    return found


def _decoding(settings: GenerateSettings) -> Decoding:
    from radtui.worker.describing.describe import Decoding

    return Decoding(settings.max_new_tokens, settings.temperature, settings.min_p, settings.seed)
