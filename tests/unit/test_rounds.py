"""What corrections are exported as, their figures, and whether a round of learning made the texts better."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from radtui.cli import cli
from radtui.measures.change import NO_CHANGE, changes_of
from radtui.measures.scores import ScoredText
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, Truth
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import jobs, ratings, texts
from radtui.study import correcting, edits
from radtui.study.reading import Reading
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from tests.conftest import give_arms, new_text
from tests.unit.test_store import study_of

SCHEME = default_scheme()
RIGHT, WRONG = "There is a nodule in the left upper lobe.", "There is no nodule."


def run(data: DataDir, *arguments: str) -> Result:
    done = CliRunner().invoke(cli, ["--data-dir", str(data.root), *arguments])
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture
def read(db: sqlite3.Connection, reviewed_job: Job) -> Job:
    """Comparisons of which one is rated and then corrected, and two texts read by themselves."""
    study = study_of(db, reviewed_job)
    session = ReviewSession(db, read_sitting(db, study.id, "ann", SCHEME))
    session.start()
    session.answer(lambda rating: edits.preferred(rating, SCHEME, 0))
    correcting.correct(session, 0, "Two =words, wholly other.")
    reading = Reading(db, study, "tuned", "ben", SCHEME)
    reading.start()
    reading.accept()
    reading.next_unread()
    reading.leave("Nodule in the right upper lobe.")
    return reviewed_job


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_corrections_are_exported_with_the_words_changed(data: DataDir, read: Job, tmp_path: Path) -> None:
    out = tmp_path / "corrections.csv"
    done = run(data, "export", "--job", str(read.id), "--format", "corrections", "--out", str(out))
    assert "3 texts" in done.output
    rows = table(out)
    assert [(row["rater"], row["read_alone"], row["accepted"]) for row in rows] == [
        ("ann", "0", "0"), ("ben", "1", "1"), ("ben", "1", "0"),
    ]  # fmt: skip
    assert rows[2]["corrected_text"] == "Nodule in the right upper lobe." and rows[2]["arm"] == "tuned"
    assert int(rows[1]["words_changed"]) == 0 and 1 <= int(rows[2]["words_changed"]) <= 3
    assert (
        json.loads((tmp_path / "corrections.csv.manifest.json").read_text())["export_schema"]
        == "radtui-corrections-1"
    )


def test_texts_read_alone_are_in_the_jsonl_and_come_back_but_not_among_comparisons(
    data: DataDir, db: sqlite3.Connection, read: Job, tmp_path: Path
) -> None:
    out = tmp_path / "comparisons.csv"
    assert "1 row: 1 rating" in run(data, "export", "--job", str(read.id), "--out", str(out)).output
    assert [row["rater"] for row in table(out)] == ["ann"]
    lines = tmp_path / "ratings.jsonl"
    run(data, "export", "--job", str(read.id), "--format", "jsonl", "--out", str(lines))
    before = ratings.current(db, study_of(db, read).id)
    with db:
        db.execute("DELETE FROM ratings")
        db.execute("DELETE FROM assignments")
    run(data, "import-ratings", str(lines))
    after = ratings.current(db, study_of(db, read).id)

    def told(rows: list) -> set[tuple[object, ...]]:
        return {
            (r.case_id, r.rater, r.earlier_arm, r.later_arm, r.pair, json.dumps(r.corrections), r.preference)
            for r in rows
        }

    assert told(after) == told(before) and len(after) == 3


def test_figures_of_corrections_are_in_the_statistics_and_the_report(
    data: DataDir, read: Job, tmp_path: Path
) -> None:
    told = run(data, "stats", "--job", str(read.id)).output
    assert "Texts corrected or accepted" in told and "unchanged" in told
    figures = json.loads(run(data, "stats", "--job", str(read.id), "--json").output)
    assert sum(arm["texts"] for arm in figures["readings"].values()) == 3
    run(data, "report", str(read.id), "--out", str(tmp_path / "report.html"))


def described_round(
    db: sqlite3.Connection, ids: list[int], before: list[str], after: list[str], split: str = "test"
) -> Job:
    """A generation job after one that learnt corrections: base, tuned, and the new arm."""
    sft = jobs.create(db, JobKind.TRAIN, "tiny on drawn", "drawn", TrainSettings(dataset="drawn").to_dict())
    settings = TrainSettings(dataset="drawn", objective="corrections", from_job=sft.id)
    train = jobs.create(db, JobKind.TRAIN, "c", "drawn", settings.to_dict(), parent_job_id=sft.id)
    asked = GenerateSettings(dataset="drawn", train_job=train.id, split=split, more_adapters="corrected=c")
    job = jobs.create(
        db, JobKind.GENERATE, "g", "drawn", asked.to_dict(), parent_job_id=train.id, case_ids=ids
    )
    made = give_arms(db, job, "base", "tuned", "corrected")
    for case_id, one, other in zip(ids, before, after, strict=True):
        texts.add(db, job.id, [
            new_text(case_id, made["base"], "An image."), new_text(case_id, made["tuned"], one),
            new_text(case_id, made["corrected"], other),
        ])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    return job


def test_a_better_round_is_told_as_better_before_anything_is_rated(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(40)
    job = described_round(db, ids, [WRONG] * 40, [RIGHT] * 30 + [WRONG] * 10)
    told = run(data, "stats", "--job", str(job.id)).stdout
    assert "Did it get better? corrected against tuned, 40 held-out cases" in told
    (line,) = [line for line in told.splitlines() if "F1 of findings" in line]
    assert "better: +" in line and "n=40" in line
    figures = json.loads(run(data, "stats", "--job", str(job.id), "--json").stdout)
    assert figures["round"]["changes"][0]["verdict"] == "better" and figures["round"]["held_out"]


def test_the_same_texts_show_no_change_in_those_words(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(30, split="train")
    job = described_round(db, ids, [RIGHT] * 30, [RIGHT] * 30, split="train")
    told = run(data, "stats", "--job", str(job.id)).stdout
    assert "30 cases of a split that may be learnt from" in told
    assert (
        all(NO_CHANGE in line for line in told.splitlines()[1:] if line.startswith("  "))
        and NO_CHANGE in told
    )


def test_a_change_has_a_direction_that_follows_from_its_score() -> None:
    truth = (Truth("nodule", "left", "upper"),)
    right = [ScoredText(RIGHT, RIGHT, truth)] * 40
    wrong = [ScoredText("Lungs clear. " * 6, RIGHT, truth)] * 30 + right[:10]
    worse = {change.score.key: change.verdict for change in changes_of(right, wrong, ("a", "b"))}
    assert worse["f1"] == "worse" and worse["rouge_l"] == "worse" and worse["words"] == "more"
    assert next(iter(worse)) == "f1"
