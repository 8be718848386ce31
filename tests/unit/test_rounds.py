"""What corrections are exported as, their figures, and whether a round of learning made the texts better."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.measures.change import NO_CHANGE, changes_of
from radtui.measures.intervals import Estimate
from radtui.measures.scores import ScoredText
from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, Job, JobKind, JobState, Truth
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import arms, jobs, ratings, studies, texts
from radtui.study import correcting, edits
from radtui.study.queue import Pair
from radtui.study.reading import Reading
from radtui.study.round_lines import read_rounds
from radtui.study.round_words import drawn
from radtui.study.scheme_file import default_scheme
from tests.commands import ran
from tests.conftest import give_arms, new_text
from tests.unit.review_sessions import begun
from tests.unit.test_store import study_of

SCHEME = default_scheme()
RIGHT, WRONG = "There is a nodule in the left upper lobe.", "There is no nodule."


@pytest.fixture
def read(db: sqlite3.Connection, reviewed_job: Job) -> Job:
    """Comparisons of which one is rated and then corrected, and two texts read by themselves."""
    study = study_of(db, reviewed_job)
    session = begun(db, study, "ann", SCHEME)
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
    done = ran(data, "export", "--job", str(read.id), "--format", "corrections", "--out", str(out))
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
    assert "1 row: 1 rating" in ran(data, "export", "--job", str(read.id), "--out", str(out)).output
    assert [row["rater"] for row in table(out)] == ["ann"]
    lines = tmp_path / "ratings.jsonl"
    ran(data, "export", "--job", str(read.id), "--format", "jsonl", "--out", str(lines))
    before = ratings.current(db, study_of(db, read).id)
    with db:
        db.execute("DELETE FROM ratings")
        db.execute("DELETE FROM assignments")
    ran(data, "import-ratings", str(lines))
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
    told = ran(data, "stats", "--job", str(read.id)).output
    assert "Texts corrected or accepted" in told and "unchanged" in told
    figures = json.loads(ran(data, "stats", "--job", str(read.id), "--json").output)
    assert sum(arm["texts"] for arm in figures["readings"].values()) == 3
    out = tmp_path / "report.html"
    ran(data, "report", str(read.id), "--out", str(out), "--tables", str(tmp_path / "tables"))
    assert "Texts corrected and accepted" in out.read_text(encoding="utf-8")
    rows = table(tmp_path / "tables" / "readings.csv")
    assert sum(int(row["Texts"]) for row in rows) == 3


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
    told = ran(data, "stats", "--job", str(job.id)).stdout
    assert "Did it get better? corrected against tuned, 40 held-out cases" in told
    (line,) = [line for line in told.splitlines() if "F1 of findings" in line]
    assert "better: +" in line and "n=40" in line
    figures = json.loads(ran(data, "stats", "--job", str(job.id), "--json").stdout)
    assert figures["round"]["changes"][0]["verdict"] == "better" and figures["round"]["held_out"]


def test_the_same_texts_show_no_change_in_those_words(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(30, split="train")
    job = described_round(db, ids, [RIGHT] * 30, [RIGHT] * 30, split="train")
    told = ran(data, "stats", "--job", str(job.id)).stdout
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


def trained(db: sqlite3.Connection, before: Job | None = None) -> Job:
    """A finished training job: of references, or of what readers corrected of an earlier one's texts."""
    settings = TrainSettings(dataset="drawn")
    if before is not None:
        settings = TrainSettings(dataset="drawn", objective="corrections", from_job=before.id)
    job = jobs.create(
        db, JobKind.TRAIN, "t", "drawn", settings.to_dict(), parent_job_id=before.id if before else None
    )
    jobs.end(db, job.id, JobState.DONE)
    return job


def held_out(db: sqlite3.Connection, ids: list[int], written: dict[str, tuple[Job, list[str]]]) -> Job:
    """A generation job over held-out cases: by arm, the training job of its adapter and its texts."""
    newest = list(written.values())[-1][0]
    asked = GenerateSettings(dataset="drawn", train_job=newest.id, split="test", more_adapters="corrected=c")
    job = jobs.create(
        db, JobKind.GENERATE, "g", "drawn", asked.to_dict(), parent_job_id=newest.id, case_ids=ids
    )
    made = arms.give_job(db, job.id, [
        Arm(0, name, ArmKind.MODEL, "tiny", "", f"job {train.id:04}, 0123456789ab", "Look.", decoding="greedy")
        for name, (train, _) in written.items()
    ])  # fmt: skip
    for arm, (_, said) in zip(made, written.values(), strict=True):
        texts.add(db, job.id, [new_text(case_id, arm, text) for case_id, text in zip(ids, said, strict=True)])
    jobs.end(db, job.id, JobState.DONE)
    studies.open_for_job(db, job)
    return job


@pytest.fixture
def two_rounds(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """Two rounds of corrections after a training: the first one is better, the second writes the same again."""
    ids, better = add_images(40), [RIGHT] * 30 + [WRONG] * 10
    first = trained(db)
    second = trained(db, first)
    third = trained(db, second)
    held_out(db, ids, {"tuned": (first, [WRONG] * 40), "corrected": (second, better)})
    return held_out(db, ids, {"tuned": (second, better), "corrected": (third, better)})


def test_all_rounds_stand_on_one_scale_each_against_the_one_before(
    data: DataDir, db: sqlite3.Connection, two_rounds: Job
) -> None:
    told = ran(data, "stats", "--job", str(two_rounds.id)).stdout
    assert "Rounds: F1 of findings (micro) on held-out cases, each against the round before" in told
    lines = told.splitlines()
    (first,) = (at for at, line in enumerate(lines) if line.startswith("  #1 references"))
    assert "where the rounds begin" in lines[first + 1]
    assert lines[first + 2].startswith("  #2 corrections") and lines[first + 3].strip().startswith(
        "better: +"
    )
    assert lines[first + 4].startswith("  #3 corrections") and NO_CHANGE in lines[first + 5]
    figures = json.loads(ran(data, "stats", "--job", str(two_rounds.id), "--json").stdout)["rounds"]
    assert [(line["job"], line["learnt"], line["cases"]) for line in figures] == [
        (1, "references", 40), (2, "corrections", 40), (3, "corrections", 40),
    ]  # fmt: skip
    assert [(line["change"] or {}).get("verdict") for line in figures] == [None, "better", NO_CHANGE]
    assert figures[0]["value"]["value"] < figures[1]["value"]["value"] == figures[2]["value"]["value"]


def test_blind_ratings_of_a_round_are_told_with_it_and_show_no_change_in_those_words(
    db: sqlite3.Connection, two_rounds: Job
) -> None:
    study = study_of(db, two_rounds)
    for rater, case_id in (("ann", 1), ("ann", 2), ("ben", 3)):
        row = edits.blank(Pair(study.id, case_id), rater, SCHEME, "tuned", "corrected", later_left=True)
        ratings.add(db, edits.preferred(row, SCHEME, 0))
    newest = read_rounds(db, study, SCHEME)[-1]
    assert newest.readers.startswith(f"{NO_CHANGE}: 3 won, 0 equal, 0 lost")
    assert read_rounds(db, study, SCHEME, "ben")[-1].readers.startswith(f"{NO_CHANGE}: 1 won")
    assert read_rounds(db, study, SCHEME, "cora")[-1].readers == ""


def test_rounds_are_in_the_report_with_a_drawing(data: DataDir, two_rounds: Job, tmp_path: Path) -> None:
    out, tables = tmp_path / "report.html", tmp_path / "tables"
    ran(data, "report", str(two_rounds.id), "--out", str(out), "--tables", str(tables))
    page = out.read_text(encoding="utf-8")
    assert "Did it get better?" in page and "by round</title>" in page and page.count("<circle") >= 6
    rows = list(csv.reader((tables / "rounds-2.csv").open(encoding="utf-8")))
    assert [row[0] for row in rows[1:]] == ["#1 references", "#2 corrections", "#3 corrections"]
    assert rows[3][3].startswith(NO_CHANGE)
    assert "direct preference optimisation" not in page and "what readers made of its texts" in page


def test_an_interval_is_drawn_to_scale() -> None:
    assert drawn(Estimate(0.5, 0.25, 0.75, 9, ""), (0.0, 1.0), 9) == "  ──●──  "
    assert drawn(Estimate(1.0, None, None, 9, ""), (0.0, 1.0), 9) == "        ●"
    assert drawn(None, (0.0, 1.0), 9) == " " * 9
