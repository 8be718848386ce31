"""The import job: a source's cases, their images byte for byte, into the store.

Everything is done again by a repeated import, and nothing twice: a file is stored under its sha256, a row is found
by split and key, and bytes that are known to decode are not decoded again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from radtui.paths import DataDir, expanded
from radtui.records import Job, NewCase, NewCaseImage, Problem, StopRequest, Truth, UserError
from radtui.settings import ImportSettings
from radtui.sources import Source, open_source
from radtui.sources.dicom_keys import keep_quiet
from radtui.sources.hub_download import Download
from radtui.store import cases
from radtui.store.cases import KeptCase, Probe
from radtui.store.import_keys import ImportKeys
from radtui.store.place import identity_of
from radtui.worker.importing.examining import Examiners, LookingPlace, prepare
from radtui.worker.importing.gating import Gating
from radtui.worker.importing.hold_out import TEST, TRAIN, Dealer
from radtui.worker.importing.keeping import IncomingFolder, clean, sweep
from radtui.worker.importing.known_cases import KnownCases
from radtui.worker.importing.tally import LISTED, Tally
from radtui.worker.model.downloads import patiently
from radtui.worker.process.reporter import Stopped

BATCH_ROWS = 1024  # the more, the fewer waits for the disk
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
    keep_quiet()
    reporter.progress(0, 0, f"Opening {settings.source}")
    source = _opened(settings, data)
    prepare(len(getattr(source, "pictures", ())))
    tally = Tally()
    tally.total = _total(source, reporter) or 0
    gating = Gating(
        data, settings, getattr(source, "people", {}), location=source.location, titles=getattr(source, "titles", ()),
    )  # fmt: skip
    log.info(gating.sentence(source.describe()))
    ingest = _Ingest(data, db, dataset, source.location, tally, gating)
    if source.splits() == {TRAIN}:
        ingest.dealer = Dealer(settings.hold_out, ingest.known)
        tally.holds_out = settings.hold_out > 0
    if left := sweep(data):
        log.info("%d files of imports that were killed are removed", left)
    incoming = IncomingFolder(data, job.id)
    try:
        incoming.begin()
        ingest.take_all(
            source, LookingPlace(data, incoming.folder, settings.link), incoming, settings.limit, reporter
        )
    except BaseException as error:
        incoming.end()
        _finish(db, job.id, dataset, ingest, source, reporter)
        if isinstance(error, Stopped):
            reporter.progress(
                tally.done, tally.total, f"Stopped after {tally.closing()}; import again for the rest"
            )
        raise
    incoming.end()
    _finish(db, job.id, dataset, ingest, source, reporter)
    reporter.progress(tally.done, tally.done, tally.closing())
    if not tally.done:
        worst = max(source.problems, key=lambda each: each.count, default=None)
        why = f" {gating.sentence(worst.reason)}" if worst else ""
        raise UserError(
            f"{source.location} has no images that can be taken in.{why or ' Name another source.'}"
        )
    if tally.unreadable == tally.done:
        name, why = next(iter(tally.left_out.items()))
        raise UserError(
            f"No image in {source.location} could be read ({tally.done:,} tried); the first, {name}: {why}"
        )


def _opened(settings: ImportSettings, data: DataDir) -> Source:
    """The source; what is said where it cannot be opened names nobody whose name a file has."""
    try:
        return open_source(settings)
    except UserError as error:
        place = os.path.realpath(expanded(settings.source)) if "\0" not in settings.source else ""
        raise UserError(Gating(data, settings, location=place).sentence(str(error))) from error


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
    noticed = (*source.problems, *ingest.gating.problems(), *_contradictions(db, dataset))
    problems = [ingest.gating.problem(each) for each in noticed]
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
    tally.patients = shared = cases.shared_patients(db, dataset)
    if shared:
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


def _contradictions(db: sqlite3.Connection, dataset: str) -> list[Problem]:
    """That pictures which are the same byte for byte have different texts."""
    twice = cases.contradictions(db, dataset)
    if not twice:
        return []
    reason = (
        "Pictures with the same bytes have different texts, so that one may be of another exam: look at both."
    )
    return [Problem(", ".join(twice[0]), reason, len(twice))]


def _total(source: Source, reporter: ImportReporter) -> int | None:
    """The source's number of images. The hub downloads before it can count; meanwhile a stop request is heard.

    Raises:
        Stopped: asked to stop.
    """

    def tick(seconds: float) -> None:
        download: Download | None = getattr(source, "download", None)
        coming = download is not None and not download.complete
        text = download.sentence() if download and coming else f"Opening {source.location}, {seconds:.0f} s"
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
        self._met = ImportKeys()
        self.known = KnownCases(db, dataset, location)
        self.dealer: Dealer | None = None
        self.gating = gating
        self.location = location
        self._place = identity_of(Path(location))  # None for what is no path, such as a hub id

    def take_all(
        self,
        source: Source,
        place: LookingPlace,
        incoming: IncomingFolder,
        limit: int,
        reporter: ImportReporter,
    ) -> None:
        """Store every case of a source, in its order; when the source breaks, what it gave before that too.

        Args:
            source: Where from.
            place: Where images are kept.
            incoming: What gives them their names.
            limit: How many of each split it gives, 0 for all: only then do others count as gone.
            reporter: Takes progress.
        """
        beside = getattr(source, "beside", None)
        with (
            closing(self._met),
            closing(Examiners(place, incoming, self.tally.total, beside)) as examiners,
        ):
            self._take(source, place, examiners, reporter)
            if self.dealer and (owed := self.dealer.owed()):
                ids = cases.ids_of(self._db, self._dataset, owed)
                self.tally.move(cases.move(self._db, ids, TEST), TRAIN, TEST)
            if not limit:
                self.known.mark_gone(self._db, self._met)
            self.tally.missing = self.known.missing_count

    def _take(
        self, source: Source, place: LookingPlace, examiners: Examiners, reporter: ImportReporter
    ) -> None:
        batch: list[KeptCase] = []
        written_s = time.monotonic()
        trouble: UserError | None = None
        # Whose images are on their way to the disk.
        keeping: deque[tuple[list[KeptCase], Future[None]]] = deque()
        try:
            with closing(self._kept(source, place, examiners)) as coming:
                for kept in coming:
                    case = self.dealer.dealt(kept) if self.dealer else kept.case
                    self._met.met(case.split, case.source_key)
                    self._refuse_foreign(case, kept.probes)
                    batch.append(self.known.kept(kept if case is kept.case else replace(kept, case=case)))
                    if len(batch) >= BATCH_ROWS or time.monotonic() - written_s >= BATCH_S:
                        keeping.append((batch, examiners.keep()))
                        batch, written_s = [], time.monotonic()
                        if len(keeping) > 1:
                            self._write(*keeping.popleft(), reporter)
        except UserError as error:
            trouble = error
        if batch:
            keeping.append((batch, examiners.keep()))
        while keeping:
            self._write(*keeping.popleft(), reporter)
        if trouble is not None:
            raise trouble

    def _write(self, batch: list[KeptCase], images: Future[None], reporter: ImportReporter) -> None:
        images.result()  # their images are on the disk, under their names
        # Only now: an import that fails before its first image leaves no empty data set behind.
        cases.ensure_dataset(self._db, self._dataset, self.location)
        new, known = cases.add(self._db, self._dataset, batch, synced=True)
        tally = self.tally
        tally.new += new
        tally.known += known
        for kept in batch:
            tally.add(kept)
        if reporter.progress(tally.done, tally.total, tally.working()) is not StopRequest.NONE:
            raise Stopped

    def _kept(
        self, source: Source, place: LookingPlace, examiners: Examiners
    ) -> Generator[KeptCase, None, None]:
        """The source's cases through the gate, their images' bytes on the disk; at last what the source broke with."""
        unread = getattr(source, "unread", None)
        troubles: list[UserError] = []
        cases = _until_trouble(unread() if unread is not None else source, troubles)
        coming = examiners.examined(map(self._tidied, _linkable(cases) if place.link else cases))
        with closing(coming):
            for case, looked in coming:
                if any(part.error for each in looked for part in each.parts):
                    self._refuse_gone()
                yield self.gating.passed(case, looked)
        if troubles:
            raise troubles[0]

    def _refuse_gone(self) -> None:
        """Raise UserError where the source itself has gone: what cannot be read then is no case that it lacks.

        Kept as unreadable they would stay in `train` for good, and the share that is held out would shrink.
        """
        if self._place is not None and identity_of(Path(self.location)) != self._place:
            raise UserError(
                f"{self.location} is not there any more: it was removed or renamed, or its disk is not mounted. What"
                " was read before is in; import it again when it is back."
            )

    def _tidied(self, case: NewCase) -> NewCase:
        """A case with text that SQLite takes, and a key that no other case of its split has in this import."""
        split = clean(case.split) or TRAIN
        unique = self._met.unique(split, clean(case.source_key) or "image")
        return NewCase(
            split, unique,
            tuple(
                NewCaseImage(
                    image.data, clean(image.name), clean(image.role), clean(image.note), clean(image.error), image.path
                )
                for image in case.images
            ),
            clean(case.reference), clean(case.question), clean(case.examination), case.patient, case.exam,
            {clean(k): clean(v) for k, v in case.facts.items()},
            tuple(Truth(clean(t.finding), clean(t.side), clean(t.zone), clean(t.size)) for t in case.truth),
            clean(case.error),
        )  # fmt: skip

    def _refuse_foreign(self, case: NewCase, probes: tuple[Probe, ...]) -> None:
        """Keep a case of another source from being replaced: descriptions and ratings hang on it."""
        if self.known.foreign(case, probes):
            raise UserError(
                f"{self._dataset} already has another {case.source_key} in {case.split}, from another source;"
                " import this one under another name."
            )


def _until_trouble(cases: Iterable[NewCase], troubles: list[UserError]) -> Iterator[NewCase]:
    """A source's cases; the error it ends with goes into a list, for its cases come first."""
    try:
        yield from cases
    except UserError as error:
        troubles.append(error)


def _linkable(cases: Iterable[NewCase]) -> Iterator[NewCase]:
    """The same cases. Raises UserError at the first image that is no plain file."""
    for case in cases:
        for image in case.images:
            if not image.path and not image.error:
                raise UserError(
                    f"--link keeps plain files where they are, but {image.name or case.source_key} lies in an archive,"
                    " a table or on the hub: unpack it, or import it without --link."
                )
        yield case
