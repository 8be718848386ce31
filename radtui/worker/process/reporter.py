"""The worker's voice: everything a job says goes through here into the store, and stop requests come back."""

from __future__ import annotations

import itertools
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from radtui.records import Arm, JobState, StopRequest
from radtui.store import arms, asks, entries, jobs, texts
from radtui.store.database import is_busy
from radtui.store.place import check_in_place
from radtui.worker.process.ranks import ALONE, Ranks

BUSY_TRIES = 10  # each waits for the store's busy timeout, 30 s

T = TypeVar("T")
log = logging.getLogger("radtui.worker")


class Stopped(Exception):  # noqa: N818 - no error: the job ends as it was asked to
    """The job was asked to stop at once, and everything worth keeping is written."""


class Reporter:
    """Writes the rows of one job. Every write is a heartbeat, so no thread is needed.

    All that a job writes goes through `_put` as an entry; `JournalReporter` puts the same entries elsewhere.

    Args:
        db: The worker's own connection, used from the main thread only.
        job_id: The job.
        ranks: The process that speaks, among those of its job.
    """

    def __init__(self, db: sqlite3.Connection, job_id: int, ranks: Ranks = ALONE) -> None:
        self.db = db
        self.job_id = job_id
        self.ranks = ranks
        self.terminated = False  # set by SIGTERM: from then on every request reads as "now"

    def begin(self, pid: int) -> None:
        """The worker is up; `pid` is its process number."""
        self._put("begin", pid=pid)

    def end(self, state: JobState, error: str) -> None:
        """The job is over, for now; `error` is one sentence when it failed."""
        self._put("end", state=state.value, error=error)

    def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
        """Write how far the job is, and what it is doing unless `message` is None.

        Returns:
            What the app asks of the worker.
        """
        if message is not None:
            log.info(message)
        return self._asked(self._put("progress", step=step, total=total, message=message))

    def advance(self, step: int, total: int, message: str | None = None) -> None:
        """As `progress`, for work that loses nothing by ending here.

        Raises:
            Stopped: The app asks to stop, with a checkpoint or now, and there is something left to do.
        """
        asked = self.progress(step, total, message)
        if asked is not StopRequest.NONE and step < total:
            raise Stopped

    def log_step(
        self, step: int, total: int, epoch: float, elapsed_s: float, values: Mapping[str, float]
    ) -> StopRequest:
        """Write one step's points, progress and heartbeat in one transaction.

        Returns:
            What the app asks of the worker.
        """
        return self._asked(
            self._put("step", step=step, total=total, epoch=epoch, elapsed_s=elapsed_s, values=dict(values))
        )

    def event(self, step: int, kind: str, text: str, elapsed_s: float = 0.0) -> None:
        """Record something that happened at a step: `checkpoint`, `eval`, `memory`, `warning`, `resume`."""
        log.log(logging.WARNING if kind == "warning" else logging.INFO, "%s: %s", kind, text)
        self._put("event", step=step, kind=kind, text=text, elapsed_s=elapsed_s)

    def described(self, batch: Sequence[texts.NewText]) -> int:
        """Commit texts; returns how many of them are new to the job."""
        known = arms.of_job(self.db, self.job_id)
        values = [entries.text_values(text, entries.place_of(known, text.arm_id)) for text in batch]
        return int(self._put("described", texts=values))

    def reused(self, arm_id: int, prompts: Mapping[int, str]) -> int:
        """Give the job what an arm has written already; returns how many texts that are.

        Args:
            arm_id: One of the job's arms.
            prompts: Case id -> the prompt as rendered for it.
        """
        ids = texts.reusable(self.db, arm_id, prompts)  # no others: an entry may be read where there are more
        runs = [[prompt, list(same)] for prompt, same in itertools.groupby(ids, prompts.__getitem__)]
        place = entries.place_of(arms.of_job(self.db, self.job_id), arm_id)
        return len(self._put("reused", arm=place, prompts=runs)) if ids else 0

    def result(self, **facts: object) -> None:
        """Add facts to the job's result."""
        self._put("result", **facts)

    def drop_after(self, step: int, beginning: tuple[str, str] | None = None) -> None:
        """Forget what was written past a step: a resumed job repeats those steps.

        Args:
            step: The last one that stays.
            beginning: Ends of names of series and beginnings of events' texts that go at this step too.
        """
        series_end, text_start = beginning or ("", "")
        self._put(
            "drop", step=step, **({"series_end": series_end, "text_start": text_start} if beginning else {})
        )

    def begin_again(self) -> None:
        """Another process of the same job is about to take this one's place: say so, and close what is open."""
        self._put("again")
        self.db.close()

    def give_arms(self, wanted: Sequence[Arm]) -> tuple[Arm, ...]:
        """Say what the job's arms are, once; returns them with their ids, those of the first attempt if any."""
        made: tuple[Arm, ...] = self._put("arms", arms=[entries.arm_values(arm) for arm in wanted])
        return made

    def open_study(self) -> None:
        """Open the study that a generation job has by itself; its arms are known by then."""
        self._put("study")

    def ensure_work(self, case_ids: list[int]) -> None:
        """Give the job its work list unless it has one."""
        self._put("work", cases=case_ids)

    def catch_up(self, ended: bool = False) -> None:
        """See what the job's other processes have written: in a database that all share, it is there already.

        Args:
            ended: Whether these processes are over, so that nothing more can come from them.
        """

    def asked(self) -> StopRequest:
        """What the app asks of the worker now."""
        return self._asked(jobs.must_get(self.db, self.job_id).stop_requested)

    def _asked(self, request: StopRequest) -> StopRequest:
        return StopRequest.NOW if self.terminated else request

    def _put(self, kind: str, /, **facts: Any) -> Any:
        """Write an entry; returns what it brought about."""
        return self._write(lambda: entries.apply(self.db, self.job_id, kind, facts))

    def _write(self, write: Callable[[], T]) -> T:
        """Run a write again while another process keeps the database locked; a run of hours must survive that."""
        for _ in range(BUSY_TRIES - 1):
            check_in_place(self.db)  # not every write is a transaction that looks
            try:
                return write()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                log.warning("The database is busy (%s); trying again", error)
        return write()


class AskReporter(Reporter):
    """The voice of a job that answers questions: how many there are is counted by those who ask."""

    def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
        """Write a heartbeat, and what the worker is doing unless `message` is None."""
        if message is not None:
            log.info(message)
        return self._asked(self._write(lambda: asks.say(self.db, self.job_id, message)))

    def piece(self, number: int, arm: str, place: int, text: str, tokens: int, seconds: float) -> None:
        """Write how an answer goes on; see `asks.add_piece`.

        Raises:
            Stopped: The worker is to end now.
        """
        request = self._write(
            lambda: asks.add_piece(self.db, self.job_id, number, arm, place, text, tokens, seconds)
        )
        if self._asked(request) is StopRequest.NOW:
            raise Stopped

    def answered(self, number: int, answer: asks.Answer) -> None:
        """Write an arm's whole answer."""
        self._write(lambda: asks.answer(self.db, self.job_id, number, answer))

    def finished(self, number: int, error: str = "") -> None:
        """Say that nothing more comes to a question, and why where that is no answer."""
        self._write(lambda: asks.finish(self.db, self.job_id, number, error))

    def closed(self, message: str, *, leave_open: bool = False) -> bool:
        """End the job unless a question has come meanwhile; see `asks.close`."""
        return self._write(lambda: asks.close(self.db, self.job_id, message, leave_open=leave_open))


class QuietReporter(Reporter):
    """Writes to this process's log alone: of several processes that train one model, the first speaks for all."""

    def progress(self, step: int, total: int, message: str | None = None) -> StopRequest:
        """Log what is done."""
        if message is not None:
            log.info(message)
        return StopRequest.NONE

    def log_step(
        self, step: int, total: int, epoch: float, elapsed_s: float, values: Mapping[str, float]
    ) -> StopRequest:
        """Nothing: the first process writes the same values."""
        return StopRequest.NONE

    def event(self, step: int, kind: str, text: str, elapsed_s: float = 0.0) -> None:
        """Log it."""
        log.info("%s: %s", kind, text)

    def described(self, batch: Sequence[texts.NewText]) -> int:
        """Nothing: the first process describes."""
        return 0

    def result(self, **facts: object) -> None:
        """Nothing: the first process has the same facts."""
