"""JSON Lines of ratings that stay in the database: the same bytes, a few showings at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from radtui.export import jsonl
from radtui.export.jsonl import write_jsonl
from radtui.export.verifying import verify_export
from radtui.records import Job, Rating
from radtui.store import ratings, showings, studies
from radtui.study.scheme_file import default_scheme
from radtui.study.study import read_review, stored_review
from tests.unit.test_export_round_trip import make_nasty_job, rate_all
from tests.unit.test_store import rating, study_of

SCHEME = default_scheme()


@pytest.fixture
def rated_job(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """Two readers with histories, repeats, calibration, undone and wholly taken back pairs."""
    job = make_nasty_job(db, add_images)
    rate_all(db, job)
    study = study_of(db, job)
    undone = studies.comparison_ids(db, study)[6:9]  # no line of the file, and their links in it
    for row in [row for row in ratings.current(db, study.id, "ann") if row.case_id in undone]:
        empty = rating(study.id, row.case_id, None, rater="ann", occasion=row.occasion, undoes=row.id)
        ratings.add(db, empty)
    return job


@pytest.mark.parametrize("rater", ["", "ann"])
def test_what_is_not_held_is_written_to_the_same_bytes(
    db: sqlite3.Connection, rated_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rater: str
) -> None:
    study = study_of(db, rated_job)
    written = []
    for held, chunk in ((True, 500), (False, 500), (False, 3)):
        monkeypatch.setattr(jsonl, "CHUNK", chunk)
        review = (read_review if held else stored_review)(db, study, SCHEME, rater)
        count = write_jsonl(db, review, out := tmp_path / f"{held}{chunk}.jsonl")
        assert count == len(out.read_text().splitlines()) > 20
        written.append(out.read_bytes())
    assert len(set(written)) == 1
    lines = [json.loads(line) for line in written[0].splitlines()]
    assert {line["role"] for line in lines} == {"normal", "calibration", "repeat"}
    assert all(line["assigned_left"] and line["sort_key"] for line in lines)


def test_the_links_of_what_was_taken_back_are_in_it(
    db: sqlite3.Connection, rated_job: Job, tmp_path: Path
) -> None:
    review = stored_review(db, study_of(db, rated_job), SCHEME)
    write_jsonl(db, review, out := tmp_path / "ratings.jsonl")
    checked = verify_export(out)
    assert not checked.problems and checked.to_dict()["left_out"]


def test_few_ratings_are_asked_for_at_once(
    db: sqlite3.Connection, rated_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    read = showings.snapshots

    def counted(db: sqlite3.Connection, study_id: int, keys: Sequence[showings.Showing]) -> Iterator[Rating]:
        asked.append(len(keys))
        return read(db, study_id, keys)

    monkeypatch.setattr(showings, "snapshots", counted)
    monkeypatch.setattr(jsonl, "CHUNK", 4)
    review = stored_review(db, study_of(db, rated_job), SCHEME)
    assert write_jsonl(db, review, tmp_path / "ratings.jsonl") == sum(asked) and max(asked) == 4
