"""Outside of Review nobody is told whose text is whose while they have the pair to rate."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import ratings, studies, texts
from radtui.store.ratings import Reveal
from radtui.study.kept_back import WHOSE, pairs_begun, without_names
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from tests.unit.test_store import rating, study_of


def told(db: sqlite3.Connection, case_id: int, reader: str) -> set[str]:
    """The names and jobs that a reader is told of a case's texts."""
    written = without_names(db, texts.of_case(db, case_id), reader)
    assert written  # the texts themselves are always there
    return {f"{text.arm} {text.job_id}" for text in written}


def test_a_text_has_no_name_until_its_pair_is_rated(db: sqlite3.Connection, reviewed_job: Job) -> None:
    study = study_of(db, reviewed_job)
    first, second = studies.comparison_ids(db, study)[:2]
    hidden = {f"{WHOSE} None"}
    assert told(db, first, "ann") == hidden == told(db, first, "ben")
    ratings.add(db, rating(study.id, first, 1))  # by ann
    named = {f"{arm} {reviewed_job.id}" for arm in ("base", "tuned")}
    assert told(db, first, "ann") == named and told(db, first, "ben") == hidden == told(db, second, "ann")
    ratings.reveal(db, Reveal(study.id, second, "ann", 1.0))  # asked for, and counted as un-blinded
    assert told(db, second, "ann") == named


def test_the_order_of_texts_without_names_says_nothing(db: sqlite3.Connection, reviewed_job: Job) -> None:
    case_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    written = texts.of_case(db, case_id)
    shown = without_names(db, written, "ann")
    assert [text.text for text in shown] == sorted({text.text for text in written})
    assert without_names(db, list(reversed(written)), "ann") == shown
    assert {text.tokens for text in shown} == {0}


def test_an_empty_rating_is_none_and_a_skip_is_one(db: sqlite3.Connection, reviewed_job: Job) -> None:
    study = study_of(db, reviewed_job)
    case_id = studies.comparison_ids(db, study)[0]
    kept = ratings.add(db, rating(study.id, case_id, 1))
    ratings.add(db, replace(kept, id=0, preference=None, undoes=kept.id))  # taken back
    assert ratings.pairs_judged(db, study.id, "ann", case_id) == 0
    assert told(db, case_id, "ann") == {f"{WHOSE} None"}
    ratings.add(db, rating(study.id, case_id, None, skipped=True))
    assert WHOSE not in " ".join(told(db, case_id, "ann"))


def test_a_study_made_by_hand_keeps_the_names_of_its_own_cases_alone(
    db: sqlite3.Connection, third_job: Job
) -> None:
    own = study_of(db, third_job)
    case_ids = studies.comparison_ids(db, own)
    for case_id in case_ids[:2]:
        ratings.add(db, rating(own.id, case_id, 1))
        assert WHOSE not in " ".join(told(db, case_id, "ann"))
    study = make_study(db, parse_arms(["base,tuned,dpo"]), "train", pairs_per_case=2).study
    assert told(db, case_ids[0], "ann") == {f"{WHOSE} None"}
    for number, arms in enumerate([("base", "tuned"), ("tuned", "dpo")]):
        assert told(db, case_ids[0], "ann") == {f"{WHOSE} None"}
        ratings.add(db, rating(study.id, case_ids[0], 1, pair=number, earlier_arm=arms[0], later_arm=arms[1]))
    assert WHOSE not in " ".join(told(db, case_ids[0], "ann"))


def test_texts_that_read_the_same_are_nobody_s_to_rate(db: sqlite3.Connection, reviewed_job: Job) -> None:
    case_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    db.execute("UPDATE texts SET text = 'The same.' WHERE case_id = ?", (case_id,))
    assert WHOSE not in " ".join(told(db, case_id, "ann"))


@pytest.mark.parametrize(("reader", "warned"), [("ann", True), ("ben", False)])
def test_statistics_say_to_a_reader_who_is_not_done_that_they_are(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, reader: str, warned: bool
) -> None:
    study = study_of(db, reviewed_job)
    case_ids = studies.comparison_ids(db, study)
    ratings.add(db, rating(study.id, case_ids[0], 1))
    left = pairs_begun(db, study, reader, default_scheme())
    assert (left > 0) is warned
    words = [
        "--data-dir",
        str(data.root),
        "--rater",
        reader,
        "stats",
        "--job",
        str(reviewed_job.id),
        "--no-scores",
    ]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert (f"{reader} has {left} pairs of this left to rate" in done.stderr) is warned
    assert "left to rate" not in done.stdout
