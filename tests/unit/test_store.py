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
from radtui.records import Job, JobKind, JobState, Rating, StopRequest, Study, UserError
from radtui.store import cases, jobs, metrics, ratings, schema, studies, texts
from radtui.store.database import connect, writing
from tests.conftest import give_arms, kept_case, new_text
from tests.unit.old_databases import old_database


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


def test_a_file_of_the_first_schema_is_brought_up_and_searched(tmp_path: Path) -> None:
    db = connect(old_database(1, tmp_path))
    assert db.execute("PRAGMA user_version").fetchone()[0] == schema.SCHEMA_VERSION
    sql = db.execute("SELECT sql FROM sqlite_master WHERE name = 'cases_fts'").fetchone()[0]
    assert "prefix='1 2'" in sql
    (dataset,) = cases.datasets(db)
    before = len(cases.find(db, cases.CaseQuery(dataset.name, search="effu")))
    assert before
    assert ratings.revealed(db, 10**6, "ann") == {}
    cases.add(db, dataset.name, [
        kept_case("train", "b", cases.Probe("sha", "PNG", 1, 1, "L"), reference="An effusion too.")
    ])  # fmt: skip
    # The triggers write to the new index.
    assert len(cases.find(db, cases.CaseQuery(dataset.name, search="effu"))) == before + 1


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
    # An old request does not stop a resumed job.
    assert jobs.must_get(db, job.id).stop_requested is StopRequest.NONE


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
    job = jobs.create(db, JobKind.GENERATE, "g", "drawn", {}, case_ids=ids)
    arm = give_arms(db, job, "base", "tuned")
    study = studies.of_job(db, job.id)
    assert study is not None
    text = new_text(ids[0], arm["base"], "one")
    assert texts.add(db, job.id, [text]) == 1
    assert texts.add(db, job.id, [replace(text, text="again")]) == 0
    assert texts.missing(db, job.id, arm["base"].id) == ids[1:]
    assert texts.missing(db, job.id, arm["tuned"].id) == ids
    texts.add(db, job.id, [new_text(ids[0], arm["tuned"], "one", step=50)])
    assert texts.missing(db, job.id, arm["tuned"].id) == ids  # written while training: not this job's work
    assert studies.comparison(db, study, ids[0]) is None
    texts.add(db, job.id, [new_text(ids[0], arm["tuned"], "two")])
    pair = studies.comparison(db, study, ids[0])
    assert pair is not None and (pair.by("base").text, pair.by("tuned").text) == ("one", "two")
    assert studies.comparison_ids(db, study) == [ids[0]]


def test_a_text_belongs_to_every_job_that_would_write_it(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(3)
    first, second = (jobs.create(db, JobKind.GENERATE, "g", "drawn", {}, case_ids=ids) for _ in range(2))
    arm = give_arms(db, first, "base", "tuned")
    texts.add(db, first.id, [new_text(ids[0], arm["base"], "one"), new_text(ids[1], arm["base"], "two")])
    assert give_arms(db, second, "base", "tuned") == arm
    prompts = {ids[0]: "Describe.", ids[1]: "Describe in detail.", ids[2]: "Describe."}
    assert texts.reuse(db, second.id, arm["base"].id, prompts) == [ids[0]]
    assert texts.reuse(db, second.id, arm["tuned"].id, prompts) == []
    assert texts.missing(db, second.id, arm["base"].id) == ids[1:]
    assert [d.text_id for d in texts.finished(db, second.id)] == [texts.finished(db, first.id)[0].text_id]


def test_only_a_description_that_is_there_is_passed_over(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    job = jobs.create(db, JobKind.GENERATE, "g", "drawn", {}, case_ids=(ids := add_images(1)))
    broken = new_text(ids[0], give_arms(db, job, "base")["base"], "one", seconds=math.nan)
    with pytest.raises(sqlite3.IntegrityError, match="seconds"):
        texts.add(db, job.id, [broken])


def test_a_job_that_another_process_has_started_does_not_leave_the_queue(db: sqlite3.Connection) -> None:
    before = jobs.create(db, JobKind.TRAIN, "t", "x", {})
    waiting = jobs.create(db, JobKind.GENERATE, "g", "x", {}, after_job_id=before.id)
    assert jobs.claim(db, waiting.id)
    assert not jobs.leave_queue(db, waiting.id, "Taken out of the queue")
    assert jobs.must_get(db, waiting.id).state is JobState.STARTING
    other = jobs.create(db, JobKind.GENERATE, "g", "x", {}, after_job_id=before.id)
    assert jobs.leave_queue(db, other.id, "Taken out of the queue")
    assert jobs.must_get(db, other.id).state is JobState.STOPPED and not jobs.claim(db, other.id)


def rating(study_id: int, case_id: int, preference: int | None, **more: object) -> Rating:
    """A snapshot with a preference between base and tuned, tuned on the left."""
    plain = Rating(
        id=0, study_id=study_id, case_id=case_id, rater="ann", occasion=0, scheme="radtui-default",
        scheme_hash="hash", earlier_arm="base", later_arm="tuned", later_left=True, preference=preference,
        both_bad=False, answers={}, note="", flagged=False, skipped=False, blinded=True, active_s=3.0, wall_s=4.0,
        rated_at=time.time(),
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def study_of(db: sqlite3.Connection, job: Job) -> Study:
    """The study that a generation job opened."""
    study = studies.of_job(db, job.id)
    assert study is not None
    return study


def test_ratings_are_appended_and_the_newest_counts(db: sqlite3.Connection, reviewed_job: Job) -> None:
    study = study_of(db, reviewed_job)
    case_id = studies.comparison_ids(db, study)[0]
    first = ratings.add(db, rating(study.id, case_id, 1))
    second = ratings.add(db, rating(study.id, case_id, 2, note="sure", answers={"dim.correctness": 1}))
    assert [r.id for r in ratings.current(db, study.id)] == [second.id]
    ratings.add(db, rating(study.id, case_id, 1, undoes=second.id))
    ratings.add(db, rating(study.id, case_id, None, undoes=first.id))
    assert ratings.current(db, study.id) == []  # all taken back: unrated again
    history = ratings.history(db, study.id, "ann")
    assert [r.preference for r in history] == [1, 2, 1, None]
    assert history[1].answers == {"dim.correctness": 1} and history[1].note == "sure"


def test_a_side_once_assigned_stays(db: sqlite3.Connection, reviewed_job: Job) -> None:
    study = study_of(db, reviewed_job)
    case_id = studies.comparison_ids(db, study)[0]
    given = ratings.Assignment(study.id, case_id, "ann", 0, "normal", "tuned", "base", "0005")
    ratings.assign(db, [given])
    ratings.assign(db, [replace(given, left_arm="base", right_arm="tuned", sort_key="0001")])
    assert ratings.assigned(db, study.id, "ann") == [given]
