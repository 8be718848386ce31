"""The import job: a source's cases, their images byte for byte, into the store.

Everything is done again by a repeated import, and nothing twice: a file is stored under its sha256, a row is found
by split and key, and bytes that are known to decode are not decoded again.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Protocol

from radtui.paths import DataDir
from radtui.records import Job, NewCase, NewCaseImage, StopRequest, Truth, UserError
from radtui.settings import ImportSettings
from radtui.sources import Source, dicom, open_source
from radtui.sources.hub_download import Download
from radtui.sources.images import ReadImage, read_images
from radtui.store import cases
from radtui.store.cases import KeptCase, Probe
from radtui.worker.importing.gating import Gating
from radtui.worker.importing.hold_out import TEST, TRAIN, Dealer
from radtui.worker.importing.keeping import clean, store_bytes
from radtui.worker.importing.known_cases import Key, KnownCases
from radtui.worker.importing.tally import LISTED, Tally
from radtui.worker.model.downloads import patiently
from radtui.worker.process.reporter import Stopped

# Measured on two cores: a second thread takes 2048 x 2048 16-bit PNGs from 48 to 30 ms each and leaves small JPEGs at
# 0.3 ms; a second process makes both slower, for the bytes must be copied to it.
THREADS = 2
MAX_WAITING = 16
MAX_WAITING_BYTES = 2**27
BATCH_ROWS = 64
LOGGED_PROBLEMS = 40
BATCH_S = 1.0  # a stop request is read, and progress shown, at least this often

log = logging.getLogger("radtui.worker")


class ImportReporter(Protocol):
    """What an import needs of the worker's reporter."""

    def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
        """Write progress; returns what the app asks."""

    def event(self, step: int, kind: str, text: str) -> None:
        """Record something worth keeping."""

    def result(self, **facts: object) -> None:
        """Add facts to the job's result."""


def run(job: Job, data: DataDir, db: sqlite3.Connection, reporter: ImportReporter) -> None:
    """Import what the job's settings name.

    Args:
        job: An import job; its settings are `ImportSettings`.
        data: The data folder; bytes go to `data.blob(sha256)`.
        db: The calling thread's connection.
        reporter: Takes progress and hands back stop requests.

    Raises:
        Stopped: the app asked to stop; what is in stays in.
        UserError: the source cannot be opened or read on, has no image that can be read, or the disk is full.
    """
    settings = ImportSettings.from_dict(job.settings).check()
    dataset = settings.name.strip() or job.dataset
    dicom.keep_quiet()
    reporter.progress(0, 0, f"Opening {settings.source}")
    source = open_source(settings)
    tally = Tally()
    tally.total = _total(source, reporter) or 0
    log.info(source.describe())
    gating = Gating(data, settings, getattr(source, "people", {}))
    ingest = _Ingest(data, db, dataset, source.location, tally, gating)
    if source.splits() == {TRAIN}:
        ingest.dealer = Dealer(settings.hold_out, ingest.known)
        tally.holds_out = settings.hold_out > 0
    try:
        ingest.take_all(source, settings.limit, reporter)
    except BaseException as error:
        _finish(db, job.id, dataset, ingest, source, reporter)
        if isinstance(error, Stopped):
            reporter.progress(
                tally.done, tally.total, f"Stopped after {tally.closing()}; import again for the rest"
            )
        raise
    _finish(db, job.id, dataset, ingest, source, reporter)
    reporter.progress(tally.done, tally.done, tally.closing())
    if not tally.done:
        raise UserError(f"{source.location} has no images; name another source.")
    if tally.unreadable == tally.done:
        name, why = next(iter(tally.left_out.items()))
        raise UserError(
            f"No image in {source.location} could be read ({tally.done:,} tried); the first, {name}: {why}"
        )


def _finish(
    db: sqlite3.Connection,
    job_id: int,
    dataset: str,
    ingest: _Ingest,
    source: Source,
    reporter: ImportReporter,
) -> None:
    """Mark leaks and write counts and problems, also of an import that was stopped or failed half-way."""
    tally = ingest.tally
    problems = [
        replace(each, where=clean(each.where), reason=clean(each.reason))
        for each in (*source.problems, *ingest.gating.problems())
    ]
    cases.forget_problems(db, job_id)
    cases.add_problems(db, job_id, problems)
    for problem in problems[:LOGGED_PROBLEMS]:
        log.info("not used: %s: %s (%d)", problem.where, problem.reason, problem.count)
    for name, why in tally.left_out.items():
        log.info("left out: %s: %s", name, why)
    if rest := tally.more(LISTED):
        log.info("left out:%s; Data lists them all: f, File, unreadable", rest)
    tally.leaked = cases.mark_leaks(db, dataset)
    if tally.leaked:
        text = f"{tally.leaked:,} {tally.noun}s are in more than one split: scores on them show memory, not skill"
        reporter.event(tally.done, "warning", text)
    if shared := cases.shared_patients(db, dataset):
        text = f"{shared:,} patients are in more than one split: a model knows them from training"
        reporter.event(tally.done, "warning", text)
    if text := ingest.known.sentence(ingest.location):
        reporter.event(tally.done, "warning", text)
    reporter.result(
        new=tally.new, known=tally.known, unreadable=tally.unreadable, leaked=tally.leaked, missing=tally.missing,
        referenced=tally.referenced, splits=dict(tally.splits), left_out=tally.left_out, patients_in_splits=shared,
        problems=[[each.where, each.reason, each.count] for each in problems[:LOGGED_PROBLEMS]],
        problem_count=sum(each.count for each in problems),
        seconds=round(time.monotonic() - tally.started_s, 2),
    )  # fmt: skip


def _total(source: Source, reporter: ImportReporter) -> int | None:
    """The source's number of images. The hub downloads before it can count; meanwhile a stop request is heard.

    Raises:
        Stopped: asked to stop.
    """

    def tick(seconds: float) -> None:
        download: Download | None = getattr(source, "download", None)
        coming = download is not None and not download.complete
        text = download.said() if download and coming else f"Opening {source.location}, {seconds:.0f} s"
        if reporter.progress(0, 0, text) is not StopRequest.NONE:
            raise Stopped

    return patiently(source.total, tick)


class _Ingest:
    """One import's way from cases to rows."""

    def __init__(
        self, data: DataDir, db: sqlite3.Connection, dataset: str, location: str, tally: Tally, gating: Gating
    ) -> None:
        self._data = data
        self._db = db
        self._dataset = dataset
        self.tally = tally
        self._given: set[Key] = set()
        self._seen: set[Key] = set()
        self.known = KnownCases(db, dataset, location)
        self.dealer: Dealer | None = None
        self.gating = gating
        self.location = location

    def take_all(self, source: Source, limit: int, reporter: ImportReporter) -> None:
        """Store every case of a source, in its order; when the source breaks, what it gave before that too.

        Args:
            source: Where from.
            limit: How many of each split it gives, 0 for all: only then do others count as gone.
            reporter: Takes progress.
        """
        batch: list[KeptCase] = []
        written_s = time.monotonic()
        trouble: UserError | None = None
        try:
            with closing(self._examined(source)) as examined:
                for kept in examined:
                    case = self.dealer.dealt(kept) if self.dealer else kept.case
                    self._seen.add((case.split, case.source_key))
                    self._refuse_foreign(case, kept.probes)
                    batch.append(self.known.kept(replace(kept, case=case)))
                    if len(batch) >= BATCH_ROWS or time.monotonic() - written_s >= BATCH_S:
                        self._write(batch, reporter)
                        batch, written_s = [], time.monotonic()
        except UserError as error:
            trouble = error
        if batch:
            self._write(batch, reporter)
        if trouble is not None:
            raise trouble
        if self.dealer and (owed := self.dealer.owed()):
            ids = cases.ids_of(self._db, self._dataset, owed)
            self.tally.move(cases.move(self._db, ids, TEST), TRAIN, TEST)
        if not limit:
            self.known.mark_gone(self._db, self._seen)
        self.tally.missing = len(self.known.missing)

    def _write(self, batch: list[KeptCase], reporter: ImportReporter) -> None:
        # Only now: an import that fails before its first image leaves no empty data set behind.
        cases.ensure_dataset(self._db, self._dataset, self.location)
        new, known = cases.add(self._db, self._dataset, batch)
        tally = self.tally
        tally.new += new
        tally.known += known
        for kept in batch:
            tally.add(kept)
        if reporter.progress(tally.done, tally.total, tally.working()) is not StopRequest.NONE:
            raise Stopped

    def _examined(self, source: Source) -> Generator[KeptCase, None, None]:
        """Read and keep images on a few threads; their cases come back in order, a bounded number at once."""
        waiting: deque[tuple[NewCase, list[Future[tuple[ReadImage, ...]]], int]] = deque()
        waiting_bytes = 0
        trouble: UserError | None = None
        beside = getattr(source, "beside", None)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="probe") as pool:
            try:
                for yielded in _until_trouble(source):
                    if isinstance(yielded, UserError):
                        trouble = yielded
                        break
                    case = self._tidied(yielded)
                    size = sum(len(image.data) for image in case.images)
                    futures = [pool.submit(self._examine, image, beside) for image in case.images]
                    # The row needs no bytes: only the threads hold them, until they are done.
                    waiting.append((_without_bytes(case), futures, size))
                    waiting_bytes += size
                    while len(waiting) > MAX_WAITING or waiting_bytes > MAX_WAITING_BYTES:
                        first, reads, size = waiting.popleft()
                        waiting_bytes -= size
                        yield self.gating.passed(first, [read.result() for read in reads])
                while waiting:
                    first, reads, _ = waiting.popleft()
                    yield self.gating.passed(first, [read.result() for read in reads])
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        if trouble is not None:
            raise trouble

    def _examine(
        self, image: NewCaseImage, beside: Callable[[str, str], bytes] | None
    ) -> tuple[ReadImage, ...]:
        """Find out what a file's bytes are, and keep what is safe to keep of them."""
        if image.error:
            return (ReadImage(error=image.error),)
        near = (lambda other: beside(image.name, other)) if beside is not None else None
        read = read_images(image.name, image.data, known=self.known.probed, beside=near)
        for part in read:
            if not part.error:
                store_bytes(self._data.blob(part.sha256), part.data)
        return tuple(replace(part, data=b"") for part in read)

    def _tidied(self, case: NewCase) -> NewCase:
        """A case with text that SQLite takes, and a key that no other case of its split has in this import."""
        key = clean(case.source_key) or "image"
        split = clean(case.split) or TRAIN
        unique, n = key, 1
        while (split, unique) in self._given:
            n += 1
            unique = f"{key}#{n}"
        self._given.add((split, unique))
        return replace(
            case,
            split=split,
            source_key=unique,
            images=tuple(
                replace(
                    image, name=clean(image.name), role=clean(image.role), note=clean(image.note),
                    error=clean(image.error),
                )
                for image in case.images
            ),
            reference=clean(case.reference),
            question=clean(case.question),
            examination=clean(case.examination),
            facts={clean(k): clean(v) for k, v in case.facts.items()},
            truth=tuple(
                Truth(clean(t.finding), clean(t.side), clean(t.zone), clean(t.size)) for t in case.truth
            ),
            error=clean(case.error),
        )  # fmt: skip

    def _refuse_foreign(self, case: NewCase, probes: tuple[Probe, ...]) -> None:
        """Keep a case of another source from being replaced: descriptions and ratings hang on it."""
        if self.known.foreign(case, probes):
            raise UserError(
                f"{self._dataset} already has another {case.source_key} in {case.split}, from another source;"
                " import this one under another name."
            )


def _without_bytes(case: NewCase) -> NewCase:
    return replace(case, images=tuple(replace(image, data=b"") for image in case.images))


def _until_trouble(source: Source) -> Iterator[NewCase | UserError]:
    """A source's cases, and as the last item the error it ended with: its cases come first."""
    try:
        yield from source
    except UserError as error:
        yield error
