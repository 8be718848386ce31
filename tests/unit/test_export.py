"""comparisons.csv: a golden file, the quote before formulas, and whole files only."""

from __future__ import annotations

import csv
import errno
import fcntl
import json
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radtui.durable import digest
from radtui.export.columns import paired_columns
from radtui.export.comparisons import write_csv
from radtui.export.files import check_replaceable, passing_folder, together, whole_file
from radtui.export.formula_quote import RISKY_FIRST, quote_formula, unquote_formula
from radtui.export.rating_files import read_ratings
from radtui.jobs import launch
from radtui.paths import DataDir
from radtui.records import Job, UserError
from radtui.store import ratings, studies
from radtui.study.scheme_file import default_scheme
from tests.unit.test_store import rating, study_of

GOLDEN = Path(__file__).parents[1] / "data" / "comparisons.csv"


@given(st.text())
def test_a_guarded_text_comes_back_exactly(text: str) -> None:
    assert unquote_formula(quote_formula(text)) == text


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "- mild edema", "+1", "@a", "\tx", "\rx", "\nx", "\0x", "＝1", "'quoted"]
)
def test_no_cell_starts_as_a_formula(text: str) -> None:
    assert quote_formula(text)[0] == "'" and text[0] in RISKY_FIRST
    assert quote_formula("No finding - at all") == "No finding - at all"


def _rate(db: sqlite3.Connection, job: Job) -> None:
    first, second = studies.comparison_ids(db, study_of(db, job))[:2]
    answers = {"dim.correctness": -1, "error.base.2.significant": 1, "acceptability.tuned": 4}
    fixed = {"rated_at": 1_700_000_000.25, "active_s": 3.04, "wall_s": 12.5}
    ratings.add(db, rating(study_of(db, job).id, first, 2, note='=1+1, "quoted"\nsecond line',
                           answers=answers, **fixed))  # fmt: skip
    ratings.add(
        db, rating(study_of(db, job).id, second, None, both_bad=True, later_left=False, flagged=True, **fixed)
    )


def test_the_csv_is_the_golden_file_byte_for_byte(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    _rate(db, reviewed_job)
    out = tmp_path / "comparisons.csv"
    assert write_csv(db, study_of(db, reviewed_job), default_scheme(), out) == 2
    assert out.read_bytes() == GOLDEN.read_bytes()


def test_a_row_reads_back_by_column(db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path) -> None:
    _rate(db, reviewed_job)
    out = tmp_path / "comparisons.csv"
    write_csv(db, study_of(db, reviewed_job), default_scheme(), out)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == paired_columns(default_scheme())
    assert unquote_formula(rows[0]["note"]) == '=1+1, "quoted"\nsecond line'
    assert (rows[0]["preference"], rows[0]["preference_label"]) == ("2", "tuned much better")
    assert (rows[0]["dim_correctness"], rows[0]["base_sig_2_omission"]) == ("-1", "1")
    assert (rows[1]["both_bad"], rows[1]["preference"], rows[1]["shown_left"]) == ("1", "", "base")


def test_a_failure_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "comparisons.csv"
    out.write_text("old")
    with pytest.raises(RuntimeError), whole_file(out) as file:
        file.write("half")
        raise RuntimeError
    assert out.read_text() == "old" and list(tmp_path.iterdir()) == [out]
    with pytest.raises(UserError, match="--out"), whole_file(tmp_path / "nowhere" / "x.csv"):
        pass


def test_an_export_that_was_killed_before_its_manifest_had_its_name_may_be_written_again(
    tmp_path: Path,
) -> None:
    out, killed = (
        tmp_path / "comparisons.csv",
        tmp_path / ".comparisons.csv.manifest.json.abcd1234.radtui-part",
    )
    out.write_text("new")
    told = json.dumps({"files": [{"sha256": digest(out)}]})
    out.with_name("comparisons.csv.manifest.json").write_text(told.replace(digest(out), "of the one before"))
    with pytest.raises(UserError, match="was changed since"):
        check_replaceable(out)
    killed.write_text(told[:9])
    with pytest.raises(UserError, match="was changed since"):
        check_replaceable(out)
    killed.write_text(told)
    assert check_replaceable(out)


def test_a_manifest_that_cannot_have_its_name_leaves_none_that_tells_of_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, manifest = tmp_path / "comparisons.csv", tmp_path / "comparisons.csv.manifest.json"

    def write(content: str) -> None:
        with together():
            for path in (out, manifest):
                with whole_file(path) as file:
                    file.write(content)

    def failing(self: Path, target: Path) -> Path:
        if target == fails:
            raise OSError(errno.EIO, "Input/output error")
        return replace_path(self, target)

    replace_path, fails = Path.replace, out
    write("before")
    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(UserError, match=r"comparisons\.csv: Input/output error"):
        write("new")
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["before", "before"]
    fails = manifest
    with pytest.raises(UserError, match=r"manifest\.json: Input/output error"):
        write("new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_a_file_system_without_locks_takes_exports_and_keeps_what_others_may_still_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(handle: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / ".comparisons.csv.abcd1234.radtui-part").write_text("of a process that may be at work")
    monkeypatch.setattr(fcntl, "flock", none)
    with whole_file(tmp_path / "comparisons.csv") as file:
        file.write("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".comparisons.csv.abcd1234.radtui-part",
        "comparisons.csv",
    ]
    with passing_folder("radtui-open-") as folder:
        assert folder.is_dir()
    with pytest.raises(UserError, match="takes no lock"), launch.starting(DataDir(tmp_path)):
        pass


def test_what_a_killed_process_left_in_a_folder_of_the_moment_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "radtui-open-killed__.radtui-part").mkdir()
    (tmp_path / "radtui-open-killed__.radtui-part" / "image").write_bytes(b"pixels")
    users = tmp_path / "radtui-open-reader01"  # as many letters as a folder of the moment has
    users.mkdir()
    with passing_folder("radtui-open-") as at_work, passing_folder("radtui-open-") as other:
        assert {*tmp_path.iterdir()} == {at_work, other, users}
    assert [*tmp_path.iterdir()] == [users]


def test_a_table_says_of_an_answer_that_it_came_too_fast(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    study = study_of(db, reviewed_job)
    for case_id, active_s in zip(studies.comparison_ids(db, study)[:2], (1.2, 8.0), strict=True):
        ratings.add(db, rating(study.id, case_id, 1, active_s=active_s, wall_s=9.0))
    out = tmp_path / "comparisons.csv"
    write_csv(db, study, default_scheme(), out)
    with out.open(newline="", encoding="utf-8") as file:
        assert [row["pace"] for row in csv.DictReader(file)] == ["too fast", ""]
    assert len(read_ratings(out, default_scheme())) == 2
