"""The clock is set back: order comes from row numbers and steps, states from locks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from radtui.jobs import reconcile, resume, stop
from radtui.paths import DataDir
from radtui.records import JobKind, JobState, UserError
from radtui.settings import ImportSettings
from radtui.store import jobs, ratings, studies
from radtui.store.database import connect
from tests.conftest import drawn_png
from tests.faults.folder import build
from tests.faults.harness import REPOSITORY, Facts, radtui, rating, rows, times, told_until

HOOK = REPOSITORY / "tests" / "faults" / "clock_hook"


def clock_set_back(scratch: Path, rounds: int) -> Facts:
    """The clock is set back by a day while somebody rates and a job starts: the last answer counts, the job ends."""
    data, answers = build(scratch / "data"), 0
    source = scratch / "source"
    source.mkdir()
    for number in range(4):
        (source / f"{number}.png").write_bytes(drawn_png(number))
    for _ in range(rounds):
        for shift_s in (86_400, -86_400):
            shifted = {**os.environ, "PYTHONPATH": f"{HOOK}:{REPOSITORY}", "CLOCK_SHIFT_S": str(shift_s)}
            saved = times(told_until(rating(data, shifted), 0.2), "saved")
            stored = rows(data)
            assert set(saved) <= set(stored) and stored[-1] in (saved[-1], stored[-1])
            assert abs(stored[-1] - time.time() - shift_s) < 3600, "the clock was not shifted"
            answers += len(saved)
        with contextlib.closing(connect(data)) as db:
            study, *_ = studies.all_studies(db)
            newest = {}
            for row in ratings.history(db, study.id, "ana"):
                newest[row.case_id, row.occasion, row.pair] = row.id
            current = {(r.case_id, r.occasion, r.pair): r.id for r in ratings.current(db, study.id, "ana")}
            assert current == newest, "an answer of yesterday's clock counts before a later one"
            _stale_start(data, db, source)
        assert radtui(data, "jobs", "list")[0] == 0
    return {"times": rounds, "answers": answers, "lost": 0}


def _stale_start(data: DataDir, db: sqlite3.Connection, source: Path) -> None:
    """A row that says `starting`, dated tomorrow, whose worker is not there: it is lost, can be resumed and stopped."""
    settings = ImportSettings(source=str(source), name="drawn anew")
    job = jobs.create(db, JobKind.IMPORT, "import", "drawn anew", settings.to_dict())
    db.execute("UPDATE jobs SET created_at = ?1, started_at = ?1, heartbeat_at = ?1 WHERE id = ?2",
               (time.time() + 86_400, job.id))  # fmt: skip
    reconcile(data, db)
    assert jobs.must_get(db, job.id).state is JobState.LOST
    resume(data, db, job.id)
    with contextlib.suppress(UserError):  # it may have ended already
        stop(data, db, job.id)
    end = time.monotonic() + 120
    while jobs.must_get(db, job.id).state.live:
        assert time.monotonic() < end, "a job dated tomorrow does not end"
        time.sleep(0.1)
        reconcile(data, db)
