"""A generation job: the same images described by the base model and by the tuned one, pair by pair."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from radtui.paths import DataDir
from radtui.records import Job, UserError, Variant
from radtui.settings import GenerateSettings
from radtui.store import descriptions, images
from radtui.store.descriptions import NewDescription
from radtui.worker import failures, memory
from radtui.worker import model as models
from radtui.worker.reporter import Reporter

if TYPE_CHECKING:
    from radtui.worker.data import Example
    from radtui.worker.describe import Decoding, Text

log = logging.getLogger("radtui.worker")
VARIANTS = (Variant.BASE, Variant.TUNED)


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: Reporter) -> None:
    """Describe every image of the work list with both variants; what is there already stays.

    Raises:
        Stopped: The app asked to stop; what is written stays.
        UserError: No images, model or adapter not usable.
    """
    settings = GenerateSettings.from_dict(job.settings).check()
    usable = images.usable(db, settings.dataset, settings.split, settings.limit)
    descriptions.ensure_work(db, job.id, usable)
    work = descriptions.work_list(db, job.id)
    if not work:
        raise UserError(
            f"{settings.dataset} has no readable images in split {settings.split!r}: choose another."
        )
    missing = {variant: set(descriptions.missing(db, job.id, variant)) for variant in VARIANTS}
    todo = [image_id for image_id in work if any(image_id in left for left in missing.values())]
    total = len(work) * len(VARIANTS)
    done = total - sum(len(left) for left in missing.values())
    reporter.advance(done, total, f"Loading {settings.model}")
    if not todo:
        return

    # One load serves both: the base text comes from the same weights with the adapter off.
    how = models.plan(settings)
    for change in how.changes:
        reporter.event(0, "warning", change)
    model, processor = models.load(settings.model, how, trust_remote_code=settings.trust_remote_code)
    model = models.load_adapter(model, settings.adapter, how)
    reporter.result(backend=how.backend, weights=how.weights, substitutions=list(how.changes))

    from radtui.worker.data import examples  # imports torch, which unsloth wants to see first

    items = examples(images.get_many(db, todo), data)
    writer = _Writer(settings, model, processor, reporter, missing, total, done)
    writer.write(items)
    reporter.result(
        peak_memory_gib=round(memory.peak_gib(), 2), batch_size=writer.batch_size, **_figures(db, job.id)
    )


class _Writer:
    """Goes through the images in chunks: base texts, then tuned texts of the same chunk, so that pairs come early."""

    def __init__(
        self,
        settings: GenerateSettings,
        model: Any,
        processor: Any,
        reporter: Reporter,
        missing: dict[Variant, set[int]],
        total: int,
        done: int,
    ) -> None:
        self.settings = settings
        self.model = model
        self.processor = processor
        self.reporter = reporter
        self.missing = missing
        self.total = total
        self.done = done
        self.batch_size = settings.batch_size
        self.written = 0
        self.began = time.monotonic()

    def write(self, items: list[Example]) -> None:
        """Describe all items; a chunk that does not fit the GPU's memory is tried again at half the size."""
        place = 0
        while place < len(items):
            chunk = items[place : place + self.batch_size]
            if self._write_chunk(chunk):
                place += len(chunk)

    def _write_chunk(self, chunk: list[Example]) -> bool:
        """Both variants of a chunk, each committed at once; False when the memory did not suffice."""
        for variant in VARIANTS:
            todo = [item for item in chunk if item.image_id in self.missing[variant]]
            if not todo:
                continue
            texts = self._texts(todo, variant)
            if texts is None:
                self._halve(len(todo))
                return False
            self._commit(todo, variant, texts)
        return True

    def _texts(self, items: list[Example], variant: Variant) -> list[Text] | None:
        from radtui.worker import data, describe

        asked = self.settings
        pictures = [data.open_image(item, asked.max_side_px) for item in items]
        inputs = describe.prepare(self.processor, pictures, asked.instruction, asked.message_order)
        adapter = self.model.disable_adapter() if variant is Variant.BASE else contextlib.nullcontext()
        try:
            with adapter:
                return describe.describe(
                    self.model, self.processor, inputs, _decoding(asked), [item.image_id for item in items]
                )
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            if not failures.is_out_of_memory(error) or len(items) == 1:
                raise
        return None

    def _halve(self, tried: int) -> None:
        import torch

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
        self.missing[variant] -= {item.image_id for item in items}
        self.done += len(texts)
        self.written += len(texts)
        rate = self.written / (time.monotonic() - self.began)
        self.reporter.advance(self.done, self.total, f"Describing, {rate:.2g} descriptions/s")


def _figures(db: sqlite3.Connection, job_id: int) -> dict[str, object]:
    """Counts and speeds over all of the job's descriptions, those of earlier processes included."""
    found: dict[str, object] = {}
    written = descriptions.finished(db, job_id)
    for variant in VARIANTS:
        own = [each for each in written if each.variant is variant]
        tokens, seconds = sum(each.tokens for each in own), sum(each.seconds for each in own)
        found[f"{variant}_descriptions"] = len(own)
        found[f"{variant}_truncated"] = sum(each.truncated for each in own)
        found[f"{variant}_tokens_per_s"] = round(tokens / max(seconds, 1e-9), 1)
    return found


def _decoding(settings: GenerateSettings) -> Decoding:
    from radtui.worker.describe import Decoding

    return Decoding(settings.max_new_tokens, settings.temperature, settings.min_p, settings.seed)
