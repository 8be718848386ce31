"""The app is used for a long time beside a job at work: memory, handles, threads and the log stay within bounds."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from radtui.paths import DataDir
from radtui.records import JobKind
from radtui.settings import TrainSettings
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.store.place import Connection
from tests.faults.folder import build
from tests.faults.harness import Facts, app, rows

MOST_MIB = 60.0  # that memory may grow by after the app is warm
MOST_LATER_MIB = 20.0  # of it in the second half
MOST_HANDLES, MOST_THREADS, MOST_LOG_MIB = 8, 8, 16.0
WARM_KEYS = 60
TOUR = "r1245djtrJ?\x1br"
ROWS_A_KEY = 5


def soak(scratch: Path, rounds: int) -> Facts:
    """The app is used for some seconds, all screens and ratings, beside a worker's rows: nothing grows."""
    data, keys, steps = build(scratch / "data", pairs=2000), itertools.cycle(TOUR), 0
    most_log_mib = 0.0
    with contextlib.closing(connect(data)) as db, _training(data, db) as job_id, app(data) as terminal:
        terminal.settle(first_s=20)
        process = psutil.Process(terminal.pid)
        for _ in range(WARM_KEYS):
            terminal.press(next(keys), patience_s=1.0, quiet_s=0.05)
        start, pressed, unanswered = time.monotonic(), 0, 0
        warm = half = _sizes(process)
        while (now := time.monotonic()) < start + rounds:
            unanswered += not terminal.press(next(keys), patience_s=2.0, quiet_s=0.05).text
            pressed += 1
            for _ in range(ROWS_A_KEY):
                steps += 1
                metrics.log_step(
                    db, job_id, steps, 10**6, 1.0, float(steps), {"loss": 1 / steps, "grad_norm": 1.0}
                )
            log = data.root / "radtui.db-wal"
            most_log_mib = max(most_log_mib, log.stat().st_size / 2**20 if log.exists() else 0.0)
            if now < start + rounds / 2:
                half = _sizes(process)
        assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), "the app is not there any more"
        after = _sizes(process)
    grown = [round(later - earlier, 1) for earlier, later in zip(warm, after, strict=True)]
    later_mib = round(after[0] - half[0], 1)
    assert grown[0] <= MOST_MIB and grown[1] <= MOST_HANDLES and grown[2] <= MOST_THREADS, grown
    assert later_mib <= MOST_LATER_MIB, f"{later_mib} MiB in the second half"
    assert most_log_mib <= MOST_LOG_MIB, most_log_mib
    answers = len(rows(data))
    assert unanswered < pressed / 4 and answers, f"{unanswered} of {pressed} keys changed nothing"
    return {
        "seconds": rounds, "keys": pressed, "ratings": answers, "rows of a worker": steps,
        "memory MiB": round(after[0]), "grown MiB": grown[0], "of it in the second half MiB": later_mib,
        "handles grown": grown[1], "threads grown": grown[2], "log MiB": round(most_log_mib, 1),
    }  # fmt: skip


@contextlib.contextmanager
def _training(data: DataDir, db: Connection) -> Iterator[int]:
    """A training job whose worker this process is: it holds the lock and writes the rows."""
    job = jobs.create(
        db, JobKind.TRAIN, "a long run", "many", TrainSettings(dataset="many", model="tiny").to_dict()
    )
    data.job(job.id).mkdir(parents=True)
    with data.lock(job.id).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        jobs.begin(db, job.id, os.getpid())
        yield job.id


def _sizes(process: psutil.Process) -> tuple[float, int, int]:
    """Memory MiB, open handles, threads."""
    return process.memory_info().rss / 2**20, process.num_fds(), process.num_threads()
