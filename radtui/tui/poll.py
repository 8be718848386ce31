"""The one poller: a thread with its own connection that reads what is new and posts it, frozen, to the app."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from radtui.jobs.progress import Paces
from radtui.paths import DataDir
from radtui.records import Job, JobState, Metric, UserError
from radtui.store import jobs, metrics, texts
from radtui.store.database import connect, in_place, log_stamp, move_log, same_moment
from radtui.store.place import Connection, FolderGoneError, check_in_place, check_schema
from radtui.tui.snapshot import News, Snapshot

LIVE_S = 0.2  # between looks while a job is live
QUICK_S = 0.08  # while somebody watches an answer being written
IDLE_S = 1.0  # between looks otherwise, and between snapshots when nothing has changed
CHUNK = 4_000  # rows of one snapshot: under 20 ms of the event loop when the charts take them in
DESCRIPTIONS_CHUNK = 2_000
SEED_ROWS = 200  # of a job's last metric rows: some ten steps


@dataclass(slots=True)
class _Follow:
    """Where a follower stands in a job's rows."""

    job_id: int
    metrics: bool
    descriptions: bool
    log_lines: int
    quick: bool = False  # looked for as often as an answer's words come
    metric_id: int = 0
    event_id: int = 0
    description_id: int = 0
    log_stamp: tuple[int, int] = (0, 0)
    first: bool = True


class Poller:
    """Reads the database again and again; `poll_once` is all it does, so that tests need no thread.

    Args:
        data: the data folder.
        post: takes each snapshot; called on the poller's thread.
        clock: Unix seconds now.
        reconcile: brings job rows in line with their processes; called about once a second.
    """

    def __init__(
        self,
        data: DataDir,
        post: Callable[[Snapshot], object],
        clock: Callable[[], float] = time.time,
        reconcile: Callable[[DataDir, sqlite3.Connection], object] | None = None,
    ) -> None:
        self._data, self._post, self._clock, self._reconcile = data, post, clock, reconcile
        self._db: Connection | None = None
        self._follows: dict[str, _Follow] = {}
        self._lock = threading.Lock()  # `_follows` is changed by screens and read by the thread
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="radtui-poll", daemon=True)
        self._paces = Paces()
        self._jobs: tuple[Job, ...] = ()
        self._jobs_at_s = self._reconciled_at_s = self._posted_at_s = float("-inf")
        self._version: tuple[object, ...] = ()
        # Size and time of the write-ahead log when it was moved.
        self._log_moved: tuple[int, int] | None = None
        self._log_moved_at_s = float("-inf")
        self._jobs_stale = True
        self._looked = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for the look in progress."""
        self._ending = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def nudge(self) -> None:
        """Look now: something has just been written."""
        self._jobs_stale = True
        self._jobs_at_s = float("-inf")
        self._wake.set()

    def follow(
        self, key: str, job_id: int, *, metrics: bool = False, descriptions: bool = False, log_lines: int = 0,
        quick: bool = False,
    ) -> None:  # fmt: skip
        """Deliver a job's rows from the first on as `snapshot.news[key]`, in place of what `key` followed."""
        with self._lock:
            self._follows[key] = _Follow(job_id, metrics, descriptions, log_lines, quick)
        self._wake.set()

    def unfollow(self, key: str) -> None:
        """Deliver nothing more under this key."""
        with self._lock:
            self._follows.pop(key, None)

    def poll_once(self) -> Snapshot:
        """Look once. A database that cannot be read becomes `trouble` in the snapshot."""
        now_s = self._clock()
        try:
            if self._db is None:
                self._db = connect(self._data)
            if (current := in_place(self._db, self._data)) is not self._db:
                self._db.close()
                self._db = current
                self._version = ()  # another file than before: worth posting although nothing in it is new
            check_in_place(self._db)
            check_schema(self._db)
            snapshot = self._look(self._db, now_s)
            if not snapshot.live:
                self._move_log(self._db, now_s)
            return snapshot
        except FolderGoneError as error:
            return Snapshot(now_s, jobs=self._jobs, trouble=str(error))
        except (sqlite3.Error, OSError, UserError) as error:
            return Snapshot(now_s, jobs=self._jobs, trouble=f"Cannot read {self._data.database}: {error}")

    def _move_log(self, db: Connection, now_s: float) -> None:
        """While nothing runs, let the database's own file hold all rows: people copy it while the app is open."""
        stamp = log_stamp(db)
        if stamp and stamp != self._log_moved and _is_due(now_s, self._log_moved_at_s):
            move_log(db)
            self._log_moved, self._log_moved_at_s = stamp, now_s

    def _run(self) -> None:
        while not self._ending:
            self._wake.clear()
            snapshot = self.poll_once()
            if self._ending:
                break
            more = any(news.more for news in snapshot.news.values())
            if self._worth_posting(snapshot):
                self._post(snapshot)
            if not more:
                self._wake.wait(self._pause_s(snapshot))
        if self._db is not None:
            self._db.close()

    def _pause_s(self, snapshot: Snapshot) -> float:
        """Until the next look."""
        if not snapshot.live:
            return IDLE_S
        with self._lock:
            quick = any(follow.quick for follow in self._follows.values())
        return QUICK_S if quick else LIVE_S

    def _worth_posting(self, snapshot: Snapshot) -> bool:
        """Whether anything has changed, or a second has passed in which a live job's times have gone on."""
        seen = (snapshot.jobs, snapshot.trouble)  # times left fall with every look: they are no news
        changed = bool(snapshot.news) or seen != self._version
        if not changed and (not snapshot.live or not _is_due(snapshot.at_s, self._posted_at_s)):
            return False
        self._version, self._posted_at_s = seen, snapshot.at_s
        return True

    def _look(self, db: sqlite3.Connection, now_s: float) -> Snapshot:
        if self._reconcile and _is_due(now_s, self._reconciled_at_s):
            self._reconciled_at_s = now_s
            try:
                self._reconcile(self._data, db)
            except UserError:
                self._jobs_stale = True  # a queued job that could not be started: the reason is on its row
        with same_moment(db):
            live = jobs.live(db)
            if self._jobs_stale or _is_due(now_s, self._jobs_at_s):
                self._jobs, self._jobs_at_s, self._jobs_stale = tuple(jobs.all_jobs(db)), now_s, False
            fresh = {job.id: job for job in live}
            self._jobs = tuple(fresh.get(job.id, job) for job in self._jobs)
            if [job.id for job in self._jobs if job.state.live] != [job.id for job in reversed(live)]:
                self._jobs = tuple(jobs.all_jobs(db))
            if not self._looked:
                self._seed_paces(db, live)
                self._looked = True
            with self._lock:
                follows = dict(self._follows)
            news = {key: heard for key, f in follows.items() if (heard := self._news(db, f)) is not None}
        self._paces.keep_only(fresh)
        return Snapshot(now_s, tuple(self._paces.look(job, now_s) for job in live), self._jobs, news)

    def _seed_paces(self, db: sqlite3.Connection, live: list[Job]) -> None:
        """Give the jobs that run already the speed of their last steps at once."""
        for job in live:
            if job.state is JobState.RUNNING and job.heartbeat_at is not None:
                recent = metrics.recent_steps(db, job.id, SEED_ROWS)
                end_s = recent[-1][1] if recent else 0.0
                samples = [(job.heartbeat_at - (end_s - s), step) for step, s in recent]
                self._paces.seed(job.id, job.total_steps, samples)

    def _news(self, db: sqlite3.Connection, follow: _Follow) -> News | None:
        job = next((job for job in self._jobs if job.id == follow.job_id), None) or jobs.get(
            db, follow.job_id
        )
        if job is None:
            return None
        points = metrics.since(db, job.id, follow.metric_id, CHUNK) if follow.metrics else []
        events = metrics.events_since(db, job.id, follow.event_id) if follow.metrics else []
        written = []
        if follow.descriptions:
            written = texts.since(db, job.id, follow.description_id, DESCRIPTIONS_CHUNK)
        log = self._log(follow)
        first, follow.first = follow.first, False
        if not (first or points or events or written or log is not None):
            return None
        follow.metric_id = points[-1].id if points else follow.metric_id
        follow.event_id = events[-1].id if events else follow.event_id
        follow.description_id = written[-1].id if written else follow.description_id
        more = len(points) == CHUNK or len(written) == DESCRIPTIONS_CHUNK
        return News(job, first, _by_name(points), tuple(events), tuple(written), log, more)

    def _log(self, follow: _Follow) -> tuple[str, ...] | None:
        """The tail of the log when the file has changed since the last look."""
        if not follow.log_lines:
            return None
        try:
            status = self._data.log(follow.job_id).stat()
            stamp = (status.st_size, status.st_mtime_ns)
        except FileNotFoundError:
            return () if follow.first else None
        except OSError as error:  # a job's folder that is none, or another user's: the tail says so
            stamp = (-1, error.errno or 0)
        if stamp == follow.log_stamp:
            return None
        from radtui.jobs import tail_log

        follow.log_stamp = stamp
        return tuple(tail_log(self._data, follow.job_id, follow.log_lines))


def _is_due(now_s: float, last_s: float) -> bool:
    """Whether a second has passed; also where the clock was set back, which must not stop anything for that long."""
    return not 0 <= now_s - last_s < IDLE_S


def _by_name(points: list[Metric]) -> dict[str, list[Metric]]:
    by_name: dict[str, list[Metric]] = {}
    for point in points:
        by_name.setdefault(point.name, []).append(point)
    return by_name
