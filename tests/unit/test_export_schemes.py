"""Ratings of several schemes, or versions of one, in one job: each file holds one scheme and says what it lacks."""

from __future__ import annotations

import csv
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.export.comparisons import write_csv
from radtui.export.formats import Options, write_export
from radtui.export.import_ratings import import_ratings
from radtui.measures.scheme import Scheme
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.store import ratings, studies
from radtui.study.scheme_file import default_scheme, parse_scheme
from radtui.study.study import read_review
from tests.unit.test_store import rating, study_of

DEFAULT = default_scheme()
OWN = parse_scheme(
    'id = "own"\nversion = 1\nerrors = []\n[[dimensions]]\nid = "tone"\nlabel = "Tone"\nquestion = "Which is calmer?"\n'
)


def rate(
    db: sqlite3.Connection, job: Job, n: int, scheme: Scheme, answers: dict[str, int], rater: str
) -> None:
    image_id = studies.comparison_ids(db, study_of(db, job))[n]
    pair = studies.comparison(db, study_of(db, job), image_id)
    assert pair is not None
    row = rating(
        pair.study_id, image_id, n % 5 - 2, rater=rater, answers=answers,
        earlier_text_id=pair.by("base").text_id, later_text_id=pair.by("tuned").text_id,
    )  # fmt: skip
    ratings.add(db, replace(row, scheme=scheme.id, scheme_hash=scheme.sha256, rated_at=1_700_000_000.25 + n))


@pytest.fixture
def both(db: sqlite3.Connection, reviewed_job: Job) -> Job:
    """Three ratings by the default scheme, two by another one that asks for other dimensions."""
    for n in range(3):
        rate(db, reviewed_job, n, DEFAULT, {"dim.correctness": n - 1, "error.base.1.significant": 2}, "ann")
    for n in range(2):
        rate(db, reviewed_job, n, OWN, {"dim.tone": 2 - n}, "ben")
    return reviewed_job


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_scheme_has_a_file_of_its_own_which_names_the_others(
    data: DataDir, db: sqlite3.Connection, both: Job, tmp_path: Path
) -> None:
    files = {}
    for scheme, other, rows, others in ((DEFAULT, OWN, 3, 2), (OWN, DEFAULT, 2, 3)):
        out = files[scheme.id] = tmp_path / f"{scheme.id}.csv"
        done = write_export(data, db, read_review(db, study_of(db, both), scheme), "csv", out, Options())
        assert (done.rows, done.left_out) == (rows, {"other_scheme": others})
        assert {row["scheme_hash"] for row in rows_of(out)} == {scheme.sha256}
        assert f"{others} by '{other.id}' ({other.sha256[:10]})" in done.note and "--scheme" in done.note
        manifest = json.loads(done.manifest.read_text(encoding="utf-8"))
        assert manifest["note_on_schemes"] == done.note and manifest["scheme_versions"] == {
            scheme.sha256: rows
        }
    assert [row["dim_tone"] for row in rows_of(files["own"])] == ["2", "1"]

    stored = [ratings.history(db, study_of(db, both).id, name) for name in ("ann", "ben")]
    db.execute("DELETE FROM ratings")
    assert import_ratings(db, files["radtui-default"], DEFAULT).added == 3
    with pytest.raises(UserError, match="--scheme"):
        import_ratings(db, files["own"], DEFAULT)
    assert import_ratings(db, files["own"], OWN).added == 2
    assert [ratings.history(db, study_of(db, both).id, name) for name in ("ann", "ben")] == stored


def test_jsonl_holds_all_schemes_together(
    data: DataDir, db: sqlite3.Connection, both: Job, tmp_path: Path
) -> None:
    out = tmp_path / "all.jsonl"
    done = write_export(data, db, read_review(db, study_of(db, both), DEFAULT), "jsonl", out, Options())
    assert (done.rows, done.left_out, done.note) == (5, {}, "")
    stored = [ratings.history(db, study_of(db, both).id, name) for name in ("ann", "ben")]
    db.execute("DELETE FROM ratings")
    assert import_ratings(db, out, DEFAULT).added == 5
    assert [ratings.history(db, study_of(db, both).id, name) for name in ("ann", "ben")] == stored


def test_versions_that_ask_the_same_share_a_file_and_are_told_apart(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    older = replace(DEFAULT, version=99)
    assert older.sha256 != DEFAULT.sha256
    rate(db, reviewed_job, 0, older, {"dim.correctness": 1}, "ann")
    rate(db, reviewed_job, 1, DEFAULT, {}, "ann")
    done = write_export(
        data, db, read_review(db, study_of(db, reviewed_job), DEFAULT), "csv", tmp_path / "a.csv", Options()
    )
    assert (done.rows, done.left_out) == (2, {})
    assert "2 versions" in done.note and "scheme_hash" in done.note and older.sha256[:10] in done.note
    assert [row["scheme_hash"] for row in rows_of(done.path)] == [older.sha256, DEFAULT.sha256]


def test_an_answer_without_a_column_is_never_dropped_in_silence(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    older = replace(DEFAULT, dimensions=(*DEFAULT.dimensions, *OWN.dimensions))  # asked one thing more
    rate(db, reviewed_job, 0, older, {"dim.tone": 1}, "ann")
    rate(db, reviewed_job, 1, older, {"dim.correctness": 1}, "ann")
    done = write_export(
        data, db, read_review(db, study_of(db, reviewed_job), DEFAULT), "csv", tmp_path / "a.csv", Options()
    )
    assert (done.rows, done.left_out) == (1, {"other_scheme": 1})
    assert older.sha256[:10] in done.note
    assert write_csv(db, study_of(db, reviewed_job), older, tmp_path / "b.csv") == 2
    assert [row["dim_tone"] for row in rows_of(tmp_path / "b.csv")] == ["1", ""]


def test_versions_that_are_counted_together_are_named_wherever_figures_are(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    newer = replace(DEFAULT, version=2)
    for n in range(3):
        rate(db, reviewed_job, n, newer if n == 2 else DEFAULT, {"dim.correctness": 1}, "ann")
    folder = ["--data-dir", str(data.root)]
    told = json.loads(CliRunner().invoke(cli, [*folder, "stats", "--json"]).stdout)
    assert told["n"] == 3 and told["scheme_versions"] == {DEFAULT.sha256: 2, newer.sha256: 1}
    said = (
        "2 versions of the rating scheme are counted together:"
        f" 2 of {DEFAULT.sha256[:10]}, 1 of {newer.sha256[:10]}"
    )
    assert said in CliRunner().invoke(cli, [*folder, "stats"]).stdout
    out = tmp_path / "report.md"
    CliRunner().invoke(cli, [*folder, "report", str(reviewed_job.id), "--out", str(out)])
    assert said in out.read_text()
