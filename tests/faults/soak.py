"""The app is used for a long time: memory, handles, threads and the log stay within bounds."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path

import psutil

from radtui.store import metrics
from radtui.store.database import connect
from tests.faults.folder import build
from tests.faults.harness import Facts, app, rows

MOST_MIB = 60.0  # that memory may grow by after the app is warm
MOST_HANDLES, MOST_THREADS, MOST_LOG_MIB = 8, 8, 16.0
WARM_KEYS = 60
TOUR = "r1245djtrJ?\x1br"


def soak(scratch: Path, rounds: int) -> Facts:
    """The app is used for some seconds, all screens and ratings, beside a worker's rows: nothing grows."""
    data, keys, steps = build(scratch / "data", pairs=200), itertools.cycle(TOUR), 0
    most_log_mib = 0.0
    with app(data) as terminal, contextlib.closing(connect(data)) as db:
        terminal.settle(first_s=20)
        process = psutil.Process(terminal.pid)
        for _ in range(WARM_KEYS):
            terminal.press(next(keys), patience_s=1.0, quiet_s=0.05)
        warm, end, pressed = _sizes(process), time.monotonic() + rounds, 0
        while time.monotonic() < end:
            assert terminal.press(next(keys), patience_s=2.0, quiet_s=0.05) is not None
            pressed += 1
            for _ in range(5):
                steps += 1
                metrics.log_step(db, 1, steps, 10**6, 1.0, float(steps), {"loss": 1.0})
            log = data.root / "radtui.db-wal"
            most_log_mib = max(most_log_mib, log.stat().st_size / 2**20 if log.exists() else 0.0)
        assert process.is_running()
        after = _sizes(process)
    grown = [round(later - earlier, 1) for earlier, later in zip(warm, after, strict=True)]
    assert grown[0] <= MOST_MIB and grown[1] <= MOST_HANDLES and grown[2] <= MOST_THREADS, grown
    assert most_log_mib <= MOST_LOG_MIB, most_log_mib
    rows(data)
    return {
        "seconds": rounds, "keys": pressed, "rows of a worker": steps, "memory MiB": round(after[0]),
        "grown MiB": grown[0], "handles grown": grown[1], "threads grown": grown[2], "log MiB": round(most_log_mib, 1),
    }  # fmt: skip


def _sizes(process: psutil.Process) -> tuple[float, int, int]:
    """Memory MiB, open handles, threads."""
    return process.memory_info().rss / 2**20, process.num_fds(), process.num_threads()
