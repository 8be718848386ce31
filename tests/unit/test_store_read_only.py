"""A data folder that can only be read: what is in it is told, nothing is written, and what needs writing says so."""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from radtui.jobs import reconcile
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, UserError
from radtui.store import cases, jobs, metrics, ratings, studies
from radtui.store.database import can_write, connect, reading
from tests.commands import invoked, ran
from tests.unit.test_store import rating, study_of

CAPABILITIES_V3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
PAST_PERMISSIONS = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Let permission bits hold for the super-user too, as they do for everyone else."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITIES_V3, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets):
        pytest.skip("the super-user's rights cannot be put aside here")
    effective, sets[0] = sets[0], sets[0] & ~PAST_PERMISSIONS
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = effective
        assert libc.capset(header, sets) == 0


@contextmanager
def sealed(data: DataDir) -> Iterator[None]:
    """Take the right to write away from everything in a data folder, and check that nothing in it has changed."""
    before = {path: path.stat() for path in (data.root, *data.root.rglob("*"))}
    content = data.database.read_bytes()
    for path, found in before.items():
        path.chmod(found.st_mode & ~0o222)
    try:
        with bound_by_permissions():
            yield
        assert {data.root, *data.root.rglob("*")} == set(before)
        assert data.database.read_bytes() == content
    finally:
        for path, found in before.items():
            path.chmod(found.st_mode)


@pytest.fixture
def study(data: DataDir, reviewed_job: Job, db: sqlite3.Connection) -> Job:
    """A job with a rating, in a folder that nobody has open."""
    opened = study_of(db, reviewed_job)
    first, *_ = studies.comparison_ids(db, opened)
    ratings.add(db, rating(opened.id, first, 2))
    metrics.log_step(db, 1, 1, 2, 0.5, 1.0, {"loss": 2.0})
    metrics.log_step(db, 1, 2, 2, 1.0, 2.0, {"loss": 1.0})
    db.close()
    return reviewed_job


def test_what_only_reads_works_and_leaves_nothing_behind(data: DataDir, study: Job, tmp_path: Path) -> None:
    with sealed(data):
        assert json.loads(ran(data, "stats", "--json").stdout)["n"] == 1
        assert json.loads(ran(data, "score", "--json").stdout)["base"]["cases"] == 6
        assert [job["id"] for job in json.loads(ran(data, "jobs", "list", "--json").stdout)] == [study.id, 1]
        assert "done" in ran(data, "jobs", "show", "1").stdout
        for form, name in (("csv", "c.csv"), ("jsonl", "r.jsonl"), ("errors", "e.csv")):
            ran(data, "export", "--format", form, "--out", tmp_path / name)
        assert len((tmp_path / "c.csv").read_text().splitlines()) == 2
        ran(data, "report", str(study.id), "--out", tmp_path / "report.html")
        ran(data, "plot", "1", "--out", tmp_path / "loss.svg")
        assert "not for clinical use" in ran(data, "show", "1", "--width", "20").stdout
        assert "6 cases, 2 jobs; it can only be read" in ran(data, "doctor").stdout


def test_what_would_write_says_in_a_sentence_what_can_be_done(
    data: DataDir, study: Job, tmp_path: Path
) -> None:
    ratings_file = tmp_path / "r.jsonl"
    ran(data, "export", "--format", "jsonl", "--out", ratings_file)
    with sealed(data):
        with pytest.raises(UserError, match="copy it to open the app"):
            connect(data)
        for arguments in (["generate"], ["jobs", "resume", "1"], ["import-ratings", ratings_file]):
            with pytest.raises(UserError, match=r"can only be read.*stats, score, export"):
                ran(data, *arguments)
        with pytest.raises(UserError, match="choose another file"):
            ran(data, "export", "--out", data.root / "c.csv")


def test_a_database_file_of_someone_else_in_an_open_folder_gets_no_log_beside_it(
    data: DataDir, study: Job
) -> None:
    data.database.chmod(0o444)
    with bound_by_permissions():
        with pytest.raises(UserError, match="can only be read"):
            connect(data)
        with reading(data) as db:
            assert cases.total(db) == 6 and not can_write(db)
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                jobs.request_stop(db, 1, "now")  # type: ignore[arg-type]
    assert [path.name for path in data.root.glob("radtui.db*")] == ["radtui.db"]


def test_jobs_that_seem_to_live_stay_as_they_are(data: DataDir, db: sqlite3.Connection) -> None:
    job = jobs.create(db, JobKind.IMPORT, "import", "rays", {})
    jobs.begin(db, job.id, 999_999_999)
    db.close()
    with sealed(data), reading(data) as read:
        assert [one.state for one in reconcile(data, read)] == [JobState.RUNNING]
        assert "as their rows say" in invoked(data, "jobs", "list").stderr
    reconcile(data, connect(data))
    assert jobs.must_get(connect(data), job.id).state is JobState.LOST


def test_rows_that_a_writer_at_work_has_not_moved_into_the_file_are_read(data: DataDir, study: Job) -> None:
    writer = connect(data)
    cases.ensure_dataset(writer, "new", "drawn")
    with sealed(data), reading(data) as db:
        assert "new" in [one.name for one in cases.datasets(db)]
    writer.close()


@pytest.fixture
def killed(data: DataDir, study: Job) -> DataDir:
    """A folder whose writer was killed: its last row is in the log alone."""
    code = (
        "import os, sys; from pathlib import Path; from radtui.store import cases;"
        " from radtui.store.database import connect;"
        " cases.ensure_dataset(connect(Path(sys.argv[1])), 'last', 'drawn'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(data.root)], check=False).returncode == -9
    return data


def test_rows_that_a_killed_writer_left_in_its_log_are_read(killed: DataDir) -> None:
    with sealed(killed), reading(killed) as db:
        assert "last" in [one.name for one in cases.datasets(db)]


def test_a_log_that_cannot_be_read_is_never_passed_over(killed: DataDir) -> None:
    killed.root.joinpath("radtui.db-shm").unlink()  # as when only two of the three files were copied
    with sealed(killed), pytest.raises(UserError, match=r"rows in radtui\.db-wal"), reading(killed):
        pass


def test_a_write_during_an_unlocked_read_is_noticed(data: DataDir, study: Job) -> None:
    def write() -> None:
        data.database.chmod(0o644)
        with sqlite3.connect(data.database) as other:
            other.execute("UPDATE jobs SET message = 'written meanwhile'")

    assert _read_while(data, lambda: None) == 6
    with pytest.raises(UserError, match="while it was read"):
        _read_while(data, write)


def _read_while(data: DataDir, act: Callable[[], None]) -> int:
    data.database.chmod(0o444)
    with bound_by_permissions(), reading(data) as db:
        found = cases.total(db)
        act()
    return found


def test_an_older_file_is_not_brought_up_to_date_where_it_cannot_be(data: DataDir, study: Job) -> None:
    db = connect(data)
    db.execute("PRAGMA user_version = 3")
    db.close()
    with sealed(data), pytest.raises(UserError, match="older radtui"), reading(data):
        pass


def test_a_folder_that_can_be_written_is_read_the_usual_way(data: DataDir) -> None:
    with reading(data) as db:
        assert can_write(db) and cases.total(db) == 0
