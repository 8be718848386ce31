"""What is learnt of texts that readers corrected or accepted, what is not and why, and the job that learns it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, Study
from radtui.settings import TrainSettings
from radtui.store import cases, jobs, ratings, studies
from radtui.study.corrections import read_texts
from radtui.study.scheme_file import default_scheme
from tests.commands import invoked
from tests.unit.corrected_texts import EDITED, WRITTEN, described, judge

pytestmark = pytest.mark.usefixtures("launched")


@pytest.fixture
def train(data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """A finished training job that has left an adapter, with thirty training images and four of the test split."""
    add_images(30, split="train")
    add_images(4, start=100)
    settings = TrainSettings(
        model="org/tiny", dataset="drawn", instruction="Look.", learning_rate=3e-3, lora_r=4, batch_size=16
    )
    job = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", settings.to_dict())
    jobs.end(db, job.id, JobState.DONE)
    data.adapter(job.id).mkdir(parents=True)
    (data.adapter(job.id) / "adapter_config.json").write_text("{}")
    return jobs.must_get(db, job.id)


@pytest.fixture
def study(db: sqlite3.Connection, train: Job) -> Study:
    """Texts of the training images by base and by that adapter."""
    return described(db, train, cases.usable(db, "drawn", "train", 0))


def ids(db: sqlite3.Connection, split: str = "train") -> list[int]:
    return cases.usable(db, "drawn", split, 0)


def test_accepted_and_corrected_texts_are_learnt_as_readers_left_them(
    db: sqlite3.Connection, train: Job, study: Study
) -> None:
    first, second, third, fourth, *_ = ids(db)
    judge(db, study, first, accepted=1)
    judge(db, study, second, corrected=EDITED)
    judge(db, study, third, preference=1, acceptability=5)
    judge(db, study, fourth, preference=1, acceptability=4)
    found = read_texts(db, train, default_scheme())
    assert [(one.case.id, one.text, one.corrected) for one in found.texts] == [
        (first, f"{WRITTEN} {first}", False), (second, EDITED, True), (third, f"{WRITTEN} {third}", False),
    ]  # fmt: skip
    assert {one.asked for one in found.texts} == {"Look."}
    assert (found.corrected, found.accepted, found.left_out) == (1, 2, {})


def test_nothing_of_the_test_split_its_patients_or_leaked_cases_is_learnt(
    db: sqlite3.Connection, train: Job, study: Study
) -> None:
    tests = described(db, train, ids(db, "test"), split="test")
    judge(db, tests, ids(db, "test")[0], corrected=EDITED)
    of_patient, leaked, learnt, *_ = ids(db)
    with db:
        db.execute("UPDATE cases SET patient = 'p1' WHERE id IN (?, ?)", (of_patient, ids(db, "test")[1]))
        db.execute("UPDATE cases SET leaked = 1 WHERE id = ?", (leaked,))
    for case_id in (of_patient, leaked, learnt):
        judge(db, study, case_id, corrected=EDITED)
    found = read_texts(db, train, default_scheme())
    assert [one.case.id for one in found.texts] == [learnt]
    assert found.left_out == {
        "held_out_split": 1, "held_out_patient": 1, "same_image_in_another_split": 1,
    }  # fmt: skip


def test_what_is_left_out_has_a_reason(db: sqlite3.Connection, train: Job, study: Study) -> None:
    ofbase, emptied, twice, taken_back, *_ = ids(db)
    judge(db, study, ofbase, corrected=EDITED, arm="base")
    row = judge(db, study, emptied, corrected=" ")
    judge(db, study, twice, accepted=1)
    ratings.add(db, replace(row, id=0, case_id=twice, rater="ben", corrections={"tuned": EDITED}))
    undone = judge(db, study, taken_back, corrected=EDITED)
    ratings.add(db, replace(undone, id=0, corrections={}, undoes=undone.id))
    found = read_texts(db, train, default_scheme())
    assert [(one.case.id, one.text, one.rater) for one in found.texts] == [(twice, EDITED, "ben")]
    assert found.left_out["of_another_arm"] == 1
    assert found.left_out["empty_text"] == 1 and found.left_out["superseded"] == 1


def test_an_accepted_text_with_a_significant_error_is_not_learnt_but_a_corrected_one_is(
    db: sqlite3.Connection, train: Job, study: Study
) -> None:
    accepted, corrected, *_ = ids(db)
    error = "error.tuned.1.significant"
    row = judge(db, study, accepted, accepted=1)
    ratings.add(db, replace(row, id=0, answers={**row.answers, error: 1}))
    row = judge(db, study, corrected, corrected=EDITED)
    ratings.add(db, replace(row, id=0, answers={error: 1}))
    found = read_texts(db, train, default_scheme())
    assert [one.case.id for one in found.texts] == [corrected]
    assert found.left_out == {"accepted_with_significant_error": 1}


def test_texts_are_found_in_a_study_made_by_hand_under_another_name(
    db: sqlite3.Connection, train: Job, study: Study
) -> None:
    arm = next(each for each in study.arms if each.name == "tuned")
    base = next(each for each in study.arms if each.name == "base")
    by_hand = studies.create(
        db, replace(study, name="two", arms=(base, replace(arm, name="mine"))), ids(db)[:5]
    )
    judge(db, by_hand, ids(db)[0], corrected=EDITED, arm="mine")
    (one,) = read_texts(db, train, default_scheme()).texts
    assert (one.text, one.written) == (EDITED, f"{WRITTEN} {ids(db)[0]}")


def test_the_job_goes_on_from_the_adapter_that_wrote_the_texts(
    data: DataDir, db: sqlite3.Connection, train: Job, study: Study, launched: list[int]
) -> None:
    for place, case_id in enumerate(ids(db)):
        judge(db, study, case_id, **({"corrected": EDITED} if place < 6 else {"accepted": 1}))
    done = invoked(data, "train", "--from-corrections", "--correction-weight", "3", "--json")
    assert done.exit_code == 0, done.output
    assert "6 corrected and 24 accepted texts of job 1" in done.stderr
    job = jobs.must_get(db, launched[-1])
    assert json.loads(done.stdout)["id"] == job.id and job.name == "tiny on drawn, corrections of #1"
    found = TrainSettings.from_dict(job.settings)
    assert (found.objective, found.from_job, found.correction_weight) == ("corrections", train.id, 3)
    assert (found.model, found.instruction, found.lora_r, found.batch_size) == ("org/tiny", "Look.", 4, 16)
    assert found.learning_rate == pytest.approx(1e-3) and found.epochs == 4
    # (24 + 18) / 16 = 3 steps a pass, 4 passes
    assert found.keep_best and found.stop_after and found.eval_every == 2


def test_too_few_texts_are_one_sentence_with_their_number(
    data: DataDir, db: sqlite3.Connection, train: Job, study: Study, launched: list[int]
) -> None:
    nothing = invoked(data, "train", "--from-corrections")
    assert str(nothing.exception).startswith(
        "No texts are corrected or accepted yet and at least 10 are needed;"
    )
    judge(db, study, ids(db)[0], accepted=1)
    few = invoked(data, "train", "--from-corrections")
    assert "1 text of job 1 is corrected or accepted and at least 10 are needed; read more with" in str(
        few.exception
    )
    for case_id in ids(db):
        judge(db, study, case_id, accepted=1)
    uncorrected = invoked(data, "train", "--from-corrections", "--from-job", "1")
    assert str(uncorrected.exception).startswith("None of the 30 accepted texts of job 1 is corrected;")
    assert not launched


def test_ways_to_learn_exclude_each_other(data: DataDir, db: sqlite3.Connection, train: Job) -> None:
    for arguments in (["--from-corrections", "--from-preferences"], ["--from-corrections", "--from", "1"]):
        assert invoked(data, "train", *arguments).exit_code == 2
