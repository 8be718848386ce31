"""Which cases a describing job takes of a split: new ones first, drawn ones, or the first."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from radtui.records import Job, JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs, ratings, texts
from radtui.store.choosing import split_state, taken_by, taken_words
from tests.conftest import give_arms, new_text
from tests.unit.test_store import rating, study_of

FEW = GenerateSettings(dataset="drawn", split="test", limit=3)


def describe(db: sqlite3.Connection, case_ids: list[int], written: int | None = None) -> Job:
    """A describing job of these cases, of which the first `written` have texts; it is done where all have."""
    job = jobs.create(db, JobKind.GENERATE, "x", "drawn", FEW.to_dict(), case_ids=case_ids)
    arm = give_arms(db, job, "base", "tuned")
    done = case_ids[: len(case_ids) if written is None else written]
    texts.add(db, job.id, [new_text(case_id, each, "Text.") for case_id in done for each in arm.values()])
    jobs.end(db, job.id, JobState.DONE if written is None else JobState.STOPPED)
    return job


def test_each_round_takes_cases_that_no_round_had_before(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(8)
    taken = taken_by(db, FEW)
    assert list(taken.cases) == ids[:3]
    assert taken.words == "3 of 8 images, new ones first: 3 not described before"
    describe(db, ids[:3])
    taken = taken_by(db, FEW)
    assert list(taken.cases) == ids[3:6]
    describe(db, ids[3:6])
    taken = taken_by(db, FEW)
    assert list(taken.cases) == [ids[0], *ids[6:]]
    assert taken.words.endswith("2 not described before, 1 described but not judged")
    assert taken_words(taken.to_dict()) == taken.words


def test_cases_that_a_reader_judged_come_last(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(5)
    job = describe(db, ids)
    for case_id in ids[:2]:
        ratings.add(db, rating(study_of(db, job).id, case_id, 1))
    assert list(taken_by(db, FEW).cases) == ids[2:]
    taken = taken_by(db, replace(FEW, limit=4))
    assert list(taken.cases) == [ids[0], *ids[2:]]
    assert taken.counts == {"described but not judged": 3, "judged before": 1}
    assert split_state(db, "drawn", "test").words == "5 images: 3 described but not judged, 2 judged before"


def test_what_another_job_is_about_to_describe_is_not_new(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(8)
    under_way = jobs.create(db, JobKind.GENERATE, "x", "drawn", FEW.to_dict(), case_ids=ids[:3])
    assert list(taken_by(db, FEW).cases) == ids[3:6]
    assert list(taken_by(db, FEW, but_job=under_way.id).cases) == ids[:3]
    describe(db, ids[3:6], written=1)  # stopped: two of its cases were never described
    assert list(taken_by(db, FEW).cases) == ids[4:7]


def test_a_draw_is_the_same_in_every_folder_and_another_with_another_seed(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(30)
    drawn = replace(FEW, take="random", limit=8)
    first = taken_by(db, drawn)
    assert first == taken_by(db, drawn) and list(first.cases) == sorted(first.cases)
    assert [ids.index(case_id) for case_id in first.cases] == [0, 3, 9, 12, 15, 21, 24, 29]
    assert taken_by(db, replace(drawn, seed=1)).cases != first.cases
    assert first.words == "8 of 30 images, drawn with seed 3407: 8 not described before"


def test_the_first_are_the_first_whatever_is_known_of_them(
    db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(8)
    describe(db, ids[:2])
    taken = taken_by(db, replace(FEW, take="first"))
    assert list(taken.cases) == ids[:3]
    assert taken.words == "3 of 8 images, the first: 1 not described before, 2 described but not judged"


def test_all_cases_need_no_word(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> None:
    ids = add_images(3)
    for limit in (0, 3, 9):
        taken = taken_by(db, replace(FEW, limit=limit))
        assert list(taken.cases) == ids and taken.words == ""
    assert taken_words(None) == ""
    assert split_state(db, "drawn", "nowhere").words == "no readable images"
