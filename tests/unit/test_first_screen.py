"""The screen that radtui opens on is the one where its user's work is."""

import sqlite3
from collections.abc import Callable

from radtui.records import JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, studies
from radtui.tui.first_screen import first_screen
from tests.unit.review_sessions import Clock, begin, described, prefer

AddImages = Callable[..., list[int]]


def test_nothing_opens_on_welcome_and_an_import_on_data(db: sqlite3.Connection) -> None:
    assert first_screen(db, "ana") == "welcome"
    cases.ensure_dataset(db, "empty", "a folder that could not be read")
    failed = jobs.create(db, JobKind.IMPORT, "empty", "empty", {})
    assert first_screen(db, "ana") == "data"
    jobs.end(db, failed.id, JobState.FAILED, "There is no such folder.")
    assert first_screen(db, "ana", "jobs") == "welcome"  # a name alone is nothing to work on


def test_who_has_rated_and_has_pairs_left_opens_on_review(
    db: sqlite3.Connection, add_images: AddImages
) -> None:
    job = described(db, add_images(3))
    assert first_screen(db, "ana") == "data" and first_screen(db, "ana", "jobs") == "jobs"
    session = begin(db, job, Clock())
    prefer(session, 0)
    assert first_screen(db, "ana") == "review"
    assert first_screen(db, "ben") == "data"  # never rated before
    while session.next_unrated() is not None:
        prefer(session, 1)
    assert first_screen(db, "ana", "jobs") == "jobs"


def test_only_the_study_that_review_opens_counts(db: sqlite3.Connection, add_images: AddImages) -> None:
    ids = add_images(2)
    session = begin(db, described(db, ids), Clock())
    prefer(session, 0)
    waiting = jobs.create(db, JobKind.GENERATE, "later", "many", GenerateSettings().to_dict(), case_ids=ids)
    studies.open_for_job(db, waiting)
    assert studies.waits_for(db, "ana")  # the newer one has no text yet: Review opens the one before


def test_a_model_that_learns_comes_first(db: sqlite3.Connection, add_images: AddImages) -> None:
    session = begin(db, described(db, add_images(2)), Clock())
    prefer(session, 0)
    train = jobs.create(db, JobKind.TRAIN, "tiny", "drawn", {})
    jobs.begin(db, train.id, 1)
    assert first_screen(db, "ana") == "train"
