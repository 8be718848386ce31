"""Where a worker finds its job and says what it does: the data folder's database, or a folder on a cluster."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from radtui.cluster import reading
from radtui.cluster.run_folder import SNAPSHOT, RunFolder
from radtui.paths import DataDir
from radtui.records import JobKind, UserError
from radtui.store import job_snapshot
from radtui.store.database import connect
from radtui.store.place import Connection
from radtui.worker.process import journal_reporter
from radtui.worker.process.journal_reporter import JournalReporter
from radtui.worker.process.ranks import Ranks
from radtui.worker.process.reporter import AskReporter, QuietReporter, Reporter

SCRATCH_VARIABLE = "RADTUI_SCRATCH"
SUBMISSION_VARIABLE = "RADTUI_SUBMISSION"  # how often the job has been handed to Slurm
ATTEMPT_VARIABLE = "RADTUI_ATTEMPT"  # the process that begins an attempt tells its ranks


@dataclass(slots=True)
class Workplace:
    """A process's own connection, and how it says what it does."""

    db: Connection
    job_id: int
    run: RunFolder | None = None
    scratch: Path | None = None
    # How far the journal is in `db`.
    place: reading.JournalPlace = field(default_factory=reading.JournalPlace)

    def reporter(self, kind: JobKind) -> Reporter:
        """The voice of the process that begins and ends the job."""
        if self.run is None:
            return (AskReporter if kind is JobKind.ASK else Reporter)(self.db, self.job_id)
        writer = journal_reporter.new_attempt(self.run.journal, _attempt())
        reporter = JournalReporter(self.db, self.run, writer, self.place, leave=self.close)
        os.environ[ATTEMPT_VARIABLE] = reporter.attempt
        return reporter

    def rank_reporter(self, ranks: Ranks, speaks: bool) -> Reporter:
        """The voice of one of several processes that do a job together.

        Args:
            ranks: The process.
            speaks: Whether what it says is written; otherwise another says the same.
        """
        if not speaks:
            return QuietReporter(self.db, self.job_id, ranks)
        if self.run is None:
            return Reporter(self.db, self.job_id, ranks)
        writer = journal_reporter.new_rank(self.run.journal, self.place.attempt, ranks.number)
        return JournalReporter(self.db, self.run, writer, self.place, ranks)

    def close(self) -> None:
        """Leave nothing behind on this machine."""
        if self.scratch is not None:
            self.db.close()
            shutil.rmtree(self.scratch, ignore_errors=True)


def opened(data: DataDir, job_id: int, is_rank: bool = False) -> Workplace:
    """The workplace of a job; on a cluster with all that was said before.

    Args:
        data: The data folder, or a job's folder on a cluster.
        job_id: The job.
        is_rank: Whether another process has begun the job.

    Raises:
        UserError: As `connect` and `job_snapshot.open_copy`.
    """
    run = RunFolder.of(data, job_id)
    if run is None:
        return Workplace(connect(data), job_id)
    try:
        scratch = Path(tempfile.mkdtemp(prefix="radtui-", dir=os.environ.get(SCRATCH_VARIABLE) or None))
        db = job_snapshot.open_copy(run.snapshot, scratch / "radtui.db", run.root)
    except OSError as error:
        raise UserError(
            f"Cannot copy {run.snapshot} to this machine's disk: {error.strerror}; name another scratch in the profile."
        ) from error
    attempt = (os.environ.get(ATTEMPT_VARIABLE) or _attempt()) if is_rank else ""
    place = journal_reporter.read_what_was_said(db, run, attempt)
    return Workplace(db, job_id, run, scratch, place)


def looked_at(data: DataDir) -> sqlite3.Connection:
    """A connection for a process that helps a worker and only looks: to the database, or to a job's snapshot."""
    snapshot = data.root / SNAPSHOT
    return job_snapshot.look(snapshot) if snapshot.exists() else connect(data)


def _attempt() -> str:
    """Which start of the job this is, as Slurm counts them; the same on every machine of it."""
    submission = int(os.environ.get(SUBMISSION_VARIABLE, "1"))
    restart = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
    return f"{submission:03d}-{restart:03d}"
