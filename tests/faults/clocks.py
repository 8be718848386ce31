"""The clock is set back, or jumps: order comes from row numbers and steps, states from locks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from radtui.jobs import launch, reconcile, resume, stop
from radtui.paths import DataDir
from radtui.records import JobKind, JobState, UserError
from radtui.settings import ImportSettings, TrainSettings
from radtui.store import jobs, ratings, studies
from radtui.store.database import connect
from tests.conftest import drawn_png
from tests.faults.folder import build
from tests.faults.harness import LIMIT_S, REPOSITORY, Facts, radtui, rating, rows, times, told_until
from tests.faults.kills_of_jobs import LOSSES, new_job
from tests.faults.workers import forked_workers, run_to_end, tiny_model
from tests.worker.conftest import fill, train_settings

HOOK = REPOSITORY / "tests" / "faults" / "clock_hook"
JUMPING = REPOSITORY / "tests" / "faults" / "jumping_clock_hook"
DAY_S = 86_400


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


def clock_jumps(scratch: Path, rounds: int) -> Facts:
    """The clock jumps a day forward and back in mid-training, with kills: losses are those of a run without."""
    settings, file = train_settings(tiny_model(), max_steps=20, checkpoint_every=2), scratch / "wrong by"
    file.write_text("0")
    kills, jumps = 0, 0
    with forked_workers():
        expected = losses(_trained(scratch / "unharmed", settings))
        with _environment(PYTHONPATH=f"{JUMPING}:{REPOSITORY}", CLOCK_FILE=str(file)):
            for number in range(rounds):
                data, job = new_job(scratch / str(number), JobKind.TRAIN, settings, fill)
                with contextlib.closing(connect(data)) as db:
                    resume(data, db, job.id)
                    for step, shift_s in ((3, DAY_S), (8, -DAY_S), (13, 0)):
                        _until_step(data, db, job.id, step)
                        file.write_text(str(shift_s))
                        jumps += 1
                        if number % 2 and shift_s < 0:
                            launch._children[job.id].kill()
                            kills += 1
                            _until_over(data, db, job.id)
                            resume(data, db, job.id)
                    run_to_end(data, db, job.id)
                    took = db.execute(
                        "SELECT min(elapsed_s), max(elapsed_s) FROM metrics WHERE name = 'loss'"
                    ).fetchone()
                assert took[0] >= 0 and took[1] < DAY_S / 2, tuple(took)
                assert losses(data) == expected
                for words in (["jobs", "list"], ["jobs", "show", "1"], ["check"]):
                    code, printed = radtui(data, *words)
                    assert code == 0 and b"-1 d" not in printed, printed
    return {"times": rounds, "jumps": jumps, "kills": kills, "other losses": 0}


def _trained(root: Path, settings: TrainSettings) -> DataDir:
    data, job = new_job(root, JobKind.TRAIN, settings, fill)
    with contextlib.closing(connect(data)) as db:
        run_to_end(data, db, job.id)
    return data


def losses(data: DataDir) -> list[tuple[object, ...]]:
    """Every step's losses."""
    with contextlib.closing(sqlite3.connect(data.database)) as db:
        rows = db.execute(LOSSES).fetchall()
    assert rows
    return rows


def _until_step(data: DataDir, db: sqlite3.Connection, job_id: int, step: int) -> None:
    end = time.monotonic() + LIMIT_S
    while (job := jobs.must_get(db, job_id)).state.live and job.step < step:
        assert time.monotonic() < end, data.log(job_id).read_text()[-1000:]
        time.sleep(0.005)
        reconcile(data, db)


def _until_over(data: DataDir, db: sqlite3.Connection, job_id: int) -> None:
    end = time.monotonic() + LIMIT_S
    while jobs.must_get(db, job_id).state.live:
        assert time.monotonic() < end, "a killed worker is still said to live"
        time.sleep(0.02)
        reconcile(data, db)


@contextlib.contextmanager
def _environment(**more: str) -> Iterator[None]:
    """Variables that the workers of this process inherit."""
    before = dict(os.environ)
    os.environ |= more
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before
