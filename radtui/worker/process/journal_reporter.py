"""The worker's voice on a cluster: entries go to an event file on the shared file system, and nobody's database."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radtui.cluster import journal, reading
from radtui.cluster.journal import Entry, Writer
from radtui.cluster.run_folder import RunFolder
from radtui.records import JobKind, JobState, StopRequest
from radtui.store import entries, jobs
from radtui.store.place import Connection
from radtui.worker.process.ranks import ALONE, Ranks
from radtui.worker.process.reporter import Reporter, Stopped

log = logging.getLogger("radtui.worker")
TIME_SIGNAL = signal.SIGUSR1  # what the script asks Slurm to send before the time limit
FIRST = "-00"  # ends the attempt of the first process of one start by Slurm
LOOK_S = 1.0  # between looks at what is asked: every look asks the file server
BEGUN_S = 300.0  # a file system may take a minute to show one machine what another has written


class JournalReporter(Reporter):
    """Writes the same entries as `Reporter`, first to a file of its own, then to the copy that this process works with.

    Args:
        db: A copy of the job's snapshot, which holds what the journal said when it was opened.
        run: The job's folder.
        writer: This process's own file.
        place: How far the other files have been read into `db`.
        ranks: The process that speaks, among those of its job.
        leave: Removes what this process has on the machine's own disk.
    """

    def __init__(
        self,
        db: Connection,
        run: RunFolder,
        writer: Writer,
        place: reading.JournalPlace,
        ranks: Ranks = ALONE,
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(db, run.job_id, ranks)
        self.leave = leave
        self.run = run
        self.writer = writer
        self.place = place
        self.attempt = journal.attempt_of(writer.path.name)
        self.is_out_of_time = False  # Slurm has said that the time limit is near
        self.has_lost_node = False  # one of the job's machines ended without a word
        # A step was learnt or a text written in this start of the job; of several trainings, by an earlier process.
        self.has_moved_on = not self.attempt.endswith(FIRST)
        self.is_superseded = False  # the job has begun elsewhere: what is written here counts no more
        self._request, self._looked_at = StopRequest.NONE, float("-inf")
        self._after, self._cuts = _lengths(place, self.attempt), {}
        self._describes = jobs.must_get(db, run.job_id).kind is JobKind.GENERATE
        # The files of attempts before this one end where they were read to.
        if journal.is_main(writer.path.name):
            self._after, self._cuts = {}, {name: at.offset for name, at in place.cursors.items()}
            place.begin(self.attempt)  # from here on the files of its ranks are read

    def catch_up(self, ended: bool = False) -> None:
        """Read into this process's copy what the others have written."""
        own = self.writer.path.name
        self.place.cursors[own] = self.writer.cursor  # what is written here is in the copy already
        for entry in reading.entries(self.run.journal, self.place, but=own):
            self.has_moved_on |= _moves_on(entry)
            entries.apply(self.db, self.job_id, entry.kind, entry.facts, entry.at)
        lengths = {name: at for name, at in _lengths(self.place, self.attempt).items() if name != own}
        self._after, self._cuts = (self._after, lengths) if ended else (lengths, self._cuts)

    def end(self, state: JobState, error: str) -> None:
        """The job is over, for now; what its ranks have written comes before."""
        self.catch_up(ended=True)
        super().end(state, error)

    def begin_again(self) -> None:
        """As of a job here; Slurm's signal waits for the process that comes."""
        # It ends a process that does not handle it yet.
        signal.pthread_sigmask(signal.SIG_BLOCK, {TIME_SIGNAL})
        super().begin_again()
        self.leave()

    def asked(self) -> StopRequest:
        """What is asked by the file in the job's folder, or by Slurm."""
        return self._asked(StopRequest.NONE)

    def out_of_time(self) -> None:
        """Save and end, before Slurm ends the job; called by a signal's handler."""
        self.is_out_of_time = True
        self.run.say_time_is_up(self.attempt)  # the ranks hear of it by this

    @property
    def goes_on_later(self) -> bool:
        """Whether it stops for want of time alone, and has something left to do."""
        return self.is_out_of_time and self.run.asked_to_stop() is StopRequest.NONE

    def _asked(self, request: StopRequest) -> StopRequest:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._request = self.run.asked_to_stop(self.attempt)
            self._check_not_superseded()
        asked = self._request
        if self.is_out_of_time and asked is StopRequest.NONE:
            asked = StopRequest.CHECKPOINT
        return super()._asked(asked)

    def _check_not_superseded(self) -> None:
        """Raise Stopped where Slurm, which could not reach this machine, has started the job on another."""
        if newer_attempt(self.run, self.attempt):
            self.is_superseded = True
            log.warning("The job has been started again elsewhere: this process ends")
            raise Stopped

    def _put(self, kind: str, /, **facts: Any) -> Any:
        if self.is_superseded:
            return None
        if kind == "progress" and self._describes and self.ranks.several:
            facts["counts_texts"] = True
        entry = Entry(kind, facts, time.time(), self._after, self._cuts)
        self.has_moved_on |= _moves_on(entry)
        self.writer.append(entry)
        self._after, self._cuts = {}, {}
        return entries.apply(self.db, self.job_id, kind, facts, entry.at)


def _moves_on(entry: Entry) -> bool:
    """Whether an entry is of work that need not be done again; an evaluation is not."""
    learnt = entry.kind == "step" and any(name.startswith("loss") for name in entry.facts["values"])
    return learnt or entry.kind == "described"


def read_what_was_said(db: Connection, run: RunFolder, attempt: str) -> reading.JournalPlace:
    """Bring a fresh copy of a job's snapshot to where the journal is.

    Args:
        db: The copy.
        run: The job's folder.
        attempt: What the name of the attempt begins with that must have begun; "" for none.

    Returns:
        How far the journal has been read.

    Raises:
        TimeoutError: The attempt's beginning does not come into sight.
    """
    place, until = reading.JournalPlace(), time.monotonic() + BEGUN_S
    while True:
        for entry in reading.entries(run.journal, place):
            entries.apply(db, run.job_id, entry.kind, entry.facts, entry.at)
        if place.attempt.startswith(attempt):
            return place
        if time.monotonic() > until:
            raise TimeoutError(f"attempt {attempt} has not begun in {run.journal}")
        time.sleep(LOOK_S)


def newer_attempt(run: RunFolder, attempt: str) -> bool:
    """Whether a later start of the job has begun."""
    return any(journal.attempt_of(path.name) > attempt for path in journal.files(run.journal))


def _lengths(place: reading.JournalPlace, attempt: str) -> dict[str, int]:
    """How far the files of an attempt have been read."""
    return {n: at.offset for n, at in place.cursors.items() if journal.attempt_of(n) == attempt}


def new_attempt(folder: Path, attempt: str) -> Writer:
    """The file of the process that begins an attempt; a script that is run again by hand makes one more."""
    first_number = len(FIRST) - 1
    return _first_free(
        folder, lambda n: journal.file_name(f"{attempt}-{n:0{first_number}d}", 0, journal.MAIN)
    )


def new_rank(folder: Path, attempt: str, rank: int) -> Writer:
    """The file of a rank; ranks that are launched again, with smaller batches, have new ones."""
    return _first_free(folder, lambda n: journal.file_name(attempt, n, f"rank-{rank}"))


def _first_free(folder: Path, name: Callable[[int], str]) -> Writer:
    number = 0
    while True:
        try:
            return Writer(folder / name(number))
        except FileExistsError:
            number += 1
