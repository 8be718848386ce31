"""The commands over ratings: stats, export in its forms, import-ratings; their sentences, JSON and exit codes."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from radtui.measures.statistics import summarise
from radtui.measures.text import word_count
from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.store import cases, jobs, ratings, studies
from radtui.study.scheme_file import default_scheme
from tests.commands import ran
from tests.unit.test_store import rating, study_of


def rate(db: sqlite3.Connection, job: Job) -> None:
    """Six ratings by ann and two by bob, one of them un-blinded."""
    for n, image_id in enumerate(studies.comparison_ids(db, study_of(db, job))):
        answers = {"dim.correctness": n % 3 - 1, "error.base.2.significant": 1, "acceptability.base": 3,
                   "acceptability.tuned": 5 - n % 2}  # fmt: skip
        ratings.add(db, rating(
            study_of(db, job).id, image_id, (2, 1, 1, 0, -1, 2)[n], answers=answers,
        ))  # fmt: skip
        if n < 2:
            ratings.add(db, rating(study_of(db, job).id, image_id, 2, rater="bob", blinded=n == 0))


def test_stats_prints_what_the_summary_says(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> None:
    rate(db, reviewed_job)
    told = json.loads(ran(data, "stats", "--json").stdout)
    words = {
        (study_of(db, reviewed_job).id, image_id): {
            name: word_count(text.text) for name, text in pair.texts.items()
        }
        for image_id in studies.comparison_ids(db, study_of(db, reviewed_job))
        if (pair := studies.comparison(db, study_of(db, reviewed_job), image_id))
    }  # fmt: skip
    summary = summarise(
        ratings.current(db, study_of(db, reviewed_job).id), default_scheme(), "base", "tuned", words
    )
    expected = json.loads(json.dumps(summary.to_dict()))
    assert {name: told[name] for name in expected} == expected
    assert (told["job"], told["n"], told["left_out"]["unblinded"]) == (reviewed_job.id, 7, 1)

    text = ran(data, "stats").stdout
    assert "7 ratings of 6 images by ann, bob; left out: 1 un-blinded" in text
    assert "too few to conclude" in text and "Correctness" in text and "2 Omission of finding" in text
    assert "not for clinical use" in text
    everything = json.loads(ran(data, "stats", "--json", "--include-unblinded").stdout)
    assert everything["n"] == 8
    assert json.loads(ran(data, "stats", "--json", "--rater", "bob").stdout)["n"] == 1


def test_stats_leaves_calibration_pairs_out(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> None:
    rate(db, reviewed_job)
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[2]
    study = study_of(db, reviewed_job)
    sides = ("tuned", "base")
    ratings.assign(db, [ratings.Assignment(study.id, image_id, "ann", 0, "calibration", *sides, "0")])
    told = json.loads(ran(data, "stats", "--json").stdout)
    assert (told["n"], told["left_out"]["calibration"]) == (6, 1)


def test_stats_say_that_rated_cases_are_in_two_splits(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    rate(db, reviewed_job)
    assert "Leakage" not in ran(data, "stats").stdout
    with db:
        db.execute("UPDATE cases SET leaked = 1")
    count = json.loads(ran(data, "stats", "--json").stdout)["leaked"]
    assert count and f"Leakage: {count} of these cases, or their patients" in ran(data, "stats").stdout


def test_stats_of_nothing_is_no_error(data: DataDir, reviewed_job: Job) -> None:
    result = ran(data, "stats")
    assert result.exit_code == 0 and "press r" in result.stderr
    assert json.loads(ran(data, "stats", "--json").stdout)["n"] == 0


def test_another_scheme_has_to_be_named(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1, scheme="ward"))
    with pytest.raises(UserError, match=r"'ward'.*--scheme"):
        ran(data, "stats")
    own = 'id = "ward"\nversion = 1\n'
    (tmp_path / "ward.toml").write_text(own)
    assert (
        json.loads(ran(data, "stats", "--json", "--scheme", tmp_path / "ward.toml").stdout)["scheme"]
        == "ward"
    )
    (data.root / "scheme.toml").write_text(own)
    assert json.loads(ran(data, "stats", "--json").stdout)["n"] == 1


def test_plain_export_and_back(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    rate(db, reviewed_job)
    out = tmp_path / "comparisons.csv"
    said = f"8 rows: 8 ratings, of job {reviewed_job.id}"
    assert said in ran(data, "export", "--out", out).stdout
    assert out.with_name("comparisons.csv.manifest.json").exists()
    before = out.read_bytes()
    db.execute("DELETE FROM ratings")
    told = json.loads(ran(data, "import-ratings", out, "--json").stdout)
    assert (told["added"], told["rows"], told["jobs"]) == (8, 8, [reviewed_job.id])
    assert "0 of 8 rows added" in ran(data, "import-ratings", out).stdout
    ran(data, "export", "--out", out)
    assert out.read_bytes() == before


def test_an_export_and_the_statistics_count_the_same(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    first, second, *others = studies.comparison_ids(db, study_of(db, reviewed_job))
    ratings.add(db, rating(study_of(db, reviewed_job).id, first, None, skipped=True))
    ratings.add(db, rating(study_of(db, reviewed_job).id, second, None, flagged=True))
    for image_id in others:
        ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1))
    for form in ("csv", "jsonl"):
        words = ("export", "--format", form, "--out", tmp_path / f"out.{form}")
        assert ran(data, *words).stdout.startswith(
            "6 rows: 4 ratings, 1 skipped, 1 without an answer, of job "
        )
        told = json.loads(ran(data, *words, "--json").stdout)
        assert [told[name] for name in ("rows", "ratings", "skipped", "unrated")] == [6, 4, 1, 1]
    assert (
        "4 ratings of 4 images by ann; left out: 1 without an answer, 1 skipped" in ran(data, "stats").stdout
    )


@pytest.mark.parametrize(("form", "rows"), [("csv", 8), ("errors", 168), ("jsonl", 8), ("parquet", 8)])
def test_every_form_by_its_name(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path, form: str, rows: int
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    rate(db, reviewed_job)
    out = tmp_path / f"out.{form}"
    told = json.loads(ran(data, "export", "--format", form, "--out", out, "--json").stdout)
    assert told["rows"] == rows and Path(told["path"]) == out and Path(told["manifest"]).exists()


def test_a_file_that_is_not_there_is_one_sentence(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="name a file that radtui exported"):
        ran(data, "import-ratings", tmp_path / "nowhere.csv")
    with pytest.raises(UserError, match="choose another"):
        ran(data, "report", reviewed_job.id, "--out", tmp_path / "no" / "folder.html")
    (image, *_) = cases.get_many(db, cases.find(db, cases.CaseQuery("drawn")))
    data.blob(image.first.sha256).unlink()
    with pytest.raises(UserError, match="bytes of this image are gone; import"):
        ran(data, "show", str(image.id))


def test_what_is_printed_as_json_is_exact(data: DataDir, db: sqlite3.Connection) -> None:
    job = jobs.create(db, JobKind.TRAIN, "x", "x", {"learning_rate": 2e-4})
    jobs.set_result(db, job.id, gib=1.16948664188385, splits={"train": 1})
    shown = ran(data, "jobs", "show", str(job.id))
    assert "gib     1.16949\n" in shown.stdout and "splits  train 1\n" in shown.stdout
    told = json.loads(ran(data, "jobs", "show", str(job.id), "--json").stdout)
    assert told["result"] == {"gib": 1.16948664188385, "splits": {"train": 1}}
