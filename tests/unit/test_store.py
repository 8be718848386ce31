"""The store: opening, migrating, transactions, and the rows of jobs, metrics and ratings."""

from __future__ import annotations

import math
import multiprocessing
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, NewImage, Rating, StopRequest, UserError, Variant
from radtui.store import descriptions, images, jobs, metrics, ratings, schema
from radtui.store.database import connect, writing


def _tables(folder: str) -> int:
    return len(connect(Path(folder)).execute("SELECT name FROM sqlite_master").fetchall())


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        found = pool.map(_tables, [str(tmp_path)] * 8)
    assert len(set(found)) == 1 and found[0] > 10


def test_a_newer_or_foreign_file_is_refused_with_a_sentence(data: DataDir) -> None:
    db = connect(data)
    db.execute("PRAGMA user_version = 999")
    db.close()
    with pytest.raises(UserError, match="newer radtui"):
        connect(data)
    data.database.write_bytes(b"this is no database, but it is long enough to look like a file" * 20)
    with pytest.raises(UserError, match="--data-dir"):
        connect(data)


def test_a_file_of_the_first_schema_is_brought_up_with_what_is_in_it(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(schema, "FASTER_SEARCH", "")
        old.setattr(schema, "SCHEMA_VERSION", 1)
        db = connect(data)
        images.ensure_dataset(db, "rays", "drawn")
        probe = images.Probe("sha", "PNG", 1, 1, "L")
        images.add(db, "rays", [(NewImage("train", "a", b"", "Small nodule."), probe)])
        # The later migrations were not there yet.
        db.execute("DELETE FROM _sqlite_migrations WHERE name <> 'm001_first_tables'")
        db.execute("DROP TABLE reveals")
        db.execute("PRAGMA user_version = 1")
        db.close()
    db = connect(data)
    assert db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
    assert (
        "prefix='1 2'" in db.execute("SELECT sql FROM sqlite_master WHERE name = 'images_fts'").fetchone()[0]
    )
    assert len(images.find(db, images.ImageQuery("rays", search="nod"))) == 1
    assert ratings.revealed(db, 1, "ann") == {}
    images.add(db, "rays", [(NewImage("train", "b", b"", "A nodule too."), probe)])
    assert (
        len(images.find(db, images.ImageQuery("rays", search="nod"))) == 2
    )  # the triggers write to the new index


def test_a_failed_transaction_leaves_nothing(db: sqlite3.Connection) -> None:
    with pytest.raises(ZeroDivisionError), writing(db):
        db.execute("INSERT INTO datasets (name, source, created_at) VALUES ('a', 'b', 0)")
        raise ZeroDivisionError
    assert db.execute("SELECT count(*) FROM datasets").fetchone()[0] == 0


def _job(db: sqlite3.Connection, **more: object) -> Job:
    return jobs.create(db, JobKind.TRAIN, "tiny", "drawn", {"max_steps": 3}, **more)  # type: ignore[arg-type]


def test_a_job_from_row_to_end(db: sqlite3.Connection) -> None:
    job = _job(db)
    assert job.state is JobState.STARTING and job.settings == {"max_steps": 3}
    jobs.begin(db, job.id, pid=123)
    assert jobs.progress(db, job.id, 1, 3, "working") is StopRequest.NONE
    jobs.request_stop(db, job.id, StopRequest.CHECKPOINT)
    assert metrics.log_step(db, job.id, 2, 3, 0.5, 1.0, {"loss": 1.0}) is StopRequest.CHECKPOINT
    jobs.set_result(db, job.id, adapter="there")
    jobs.set_result(db, job.id, seconds=2)
    jobs.end(db, job.id, JobState.STOPPED)
    ended = jobs.must_get(db, job.id)
    assert (ended.step, ended.message, ended.state, ended.pid) == (2, "working", JobState.STOPPED, None)
    assert ended.result == {"adapter": "there", "seconds": 2}
    jobs.begin(db, job.id, pid=5)
    assert (
        jobs.must_get(db, job.id).stop_requested is StopRequest.NONE
    )  # an old request does not stop a resumed job


def test_the_time_between_two_attempts_is_not_time_that_a_job_ran(db: sqlite3.Connection) -> None:
    job = _job(db)
    jobs.begin(db, job.id, pid=123)
    jobs.end(db, job.id, JobState.STOPPED)
    now_s = jobs.must_get(db, job.id).ended_at or 0.0
    db.execute(
        "UPDATE jobs SET started_at = ?, ended_at = ? WHERE id = ?", (now_s - 500, now_s - 400, job.id)
    )
    jobs.restart(db, job.id)  # 100 s at work, 400 s over
    jobs.begin(db, job.id, pid=124)
    jobs.end(db, job.id, JobState.DONE)
    ended = jobs.must_get(db, job.id)
    assert ended.started_at is not None and ended.ended_at is not None
    assert 100 <= ended.ended_at - ended.started_at < 130


def test_a_stop_asked_for_while_the_worker_starts_is_heard(db: sqlite3.Connection) -> None:
    job = _job(db)
    jobs.request_stop(db, job.id, StopRequest.CHECKPOINT)
    jobs.begin(db, job.id, pid=123)
    assert jobs.progress(db, job.id, 1, 3) is StopRequest.CHECKPOINT
    jobs.end(db, job.id, JobState.STOPPED)
    assert jobs.restart(db, job.id)
    jobs.begin(db, job.id, pid=124)
    assert not jobs.restart(db, job.id)  # by another process that saw it stopped as well
    assert jobs.must_get(db, job.id).pid == 124
    assert jobs.progress(db, job.id, 1, 3) is StopRequest.NONE


def test_metrics_are_read_by_cursor_and_not_finite_means_a_gap(db: sqlite3.Connection) -> None:
    job, other = _job(db), _job(db)
    metrics.log_step(db, job.id, 1, 9, 0.1, 1.0, {"loss": 2.0, "grad_norm": math.inf})
    metrics.log_step(db, other.id, 1, 9, 0.1, 1.0, {"loss": 7.0})
    metrics.log_step(db, job.id, 2, 9, 0.2, 2.0, {"loss": math.nan})
    first = metrics.since(db, job.id, cursor=0, limit=2)
    rest = metrics.since(db, job.id, cursor=first[-1].id)
    assert [(m.name, m.value) for m in first + rest] == [("loss", 2.0), ("grad_norm", None), ("loss", None)]
    assert metrics.last_values(db, other.id) == {"loss": 7.0}
    metrics.drop_after(db, job.id, step=1)
    assert [m.step for m in metrics.since(db, job.id, 0)] == [1, 1]


def test_generation_goes_on_with_what_is_missing(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(3)
    job = jobs.create(db, JobKind.GENERATE, "g", "drawn", {}, image_ids=ids)
    text = descriptions.NewDescription(ids[0], Variant.BASE, "one", "p", "greedy", 1, 0.1, False)
    assert descriptions.add(db, job.id, [text]) == 1
    assert descriptions.add(db, job.id, [replace(text, text="again")]) == 0
    assert descriptions.missing(db, job.id, Variant.BASE) == ids[1:]
    assert descriptions.missing(db, job.id, Variant.TUNED) == ids
    watched = replace(text, variant=Variant.TUNED, step=50)
    descriptions.add(db, job.id, [watched])
    assert (
        descriptions.missing(db, job.id, Variant.TUNED) == ids
    )  # written while training: not this job's work
    assert descriptions.comparison(db, job.id, ids[0]) is None
    descriptions.add(db, job.id, [replace(text, variant=Variant.TUNED, text="two")])
    pair = descriptions.comparison(db, job.id, ids[0])
    assert pair is not None and (pair.base.text, pair.tuned.text) == ("one", "two")
    assert descriptions.comparison_ids(db, job.id) == [ids[0]]


def test_only_a_description_that_is_there_is_passed_over(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    job = jobs.create(db, JobKind.GENERATE, "g", "drawn", {}, image_ids=(ids := add_images(1)))
    broken = descriptions.NewDescription(ids[0], Variant.BASE, "one", "p", "greedy", 1, math.nan, False)
    with pytest.raises(sqlite3.IntegrityError, match="seconds"):
        descriptions.add(db, job.id, [broken])


def test_a_job_that_another_process_has_started_does_not_leave_the_queue(db: sqlite3.Connection) -> None:
    before = jobs.create(db, JobKind.TRAIN, "t", "x", {})
    waiting = jobs.create(db, JobKind.GENERATE, "g", "x", {}, after_job_id=before.id)
    assert jobs.claim(db, waiting.id)
    assert not jobs.leave_queue(db, waiting.id, "Taken out of the queue")
    assert jobs.must_get(db, waiting.id).state is JobState.STARTING
    other = jobs.create(db, JobKind.GENERATE, "g", "x", {}, after_job_id=before.id)
    assert jobs.leave_queue(db, other.id, "Taken out of the queue")
    assert jobs.must_get(db, other.id).state is JobState.STOPPED and not jobs.claim(db, other.id)


def rating(job_id: int, image_id: int, preference: int | None, **more: object) -> Rating:
    """A snapshot with a preference."""
    plain = Rating(0, job_id, image_id, "ann", 0, "radtui-default", "hash", preference, False, None, None, {}, "",
                   False, False, True, Variant.TUNED, 3.0, 4.0, time.time())  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def test_ratings_are_appended_and_the_newest_counts(db: sqlite3.Connection, reviewed_job: Job) -> None:
    image_id = descriptions.comparison_ids(db, reviewed_job.id)[0]
    first = ratings.add(db, rating(reviewed_job.id, image_id, 1))
    second = ratings.add(
        db, rating(reviewed_job.id, image_id, 2, note="sure", answers={"dim.correctness": 1})
    )
    assert [r.id for r in ratings.current(db, reviewed_job.id)] == [second.id]
    ratings.add(db, rating(reviewed_job.id, image_id, 1, undoes=second.id))
    ratings.add(db, rating(reviewed_job.id, image_id, None, undoes=first.id))
    assert ratings.current(db, reviewed_job.id) == []  # all taken back: unrated again
    history = ratings.history(db, reviewed_job.id, "ann")
    assert [r.preference for r in history] == [1, 2, 1, None]
    assert history[1].answers == {"dim.correctness": 1} and history[1].note == "sure"


def test_a_side_once_assigned_stays(db: sqlite3.Connection, reviewed_job: Job) -> None:
    image_id = descriptions.comparison_ids(db, reviewed_job.id)[0]
    given = ratings.Assignment(reviewed_job.id, image_id, "ann", 0, "normal", Variant.TUNED, "0005")
    ratings.assign(db, [given])
    ratings.assign(db, [replace(given, shown_left=Variant.BASE, sort_key="0001")])
    assert ratings.assigned(db, reviewed_job.id, "ann") == [given]
