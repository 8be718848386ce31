"""An export's chains: whole as exported, and each kind of change is named."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.export.verifying import verify_export
from radtui.paths import DataDir
from radtui.records import Job, Study, UserError
from radtui.study import edits
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from tests.unit.test_store import study_of

SCHEME = default_scheme()
Lines = list[dict[str, Any]]


def rate(db: sqlite3.Connection, study: Study, rater: str) -> None:
    """Seven pairs, one of them undone wholly, one changed, one with a note and errors."""
    session = ReviewSession(db, read_sitting(db, study.id, rater, SCHEME))
    session.start()
    for number in range(6):
        session.answer(lambda row, level=number % 5: edits.preferred(row, SCHEME, level))
        if number == 2:
            session.undo()
        if number == 3:
            arm = session.sitting.sides[session.pair][0] if session.pair is not None else ""
            session.answer(lambda row, arm=arm: edits.counted(row, arm, "2", True, 1))
            session.answer(lambda row: edits.noted(row, "schön \u202e"), judges=False)
        session.next_unrated()


@pytest.fixture(params=["job", "study"])
def exported(
    request: pytest.FixtureRequest, data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> Path:
    """Two readers' ratings of a job's own study, whose form is the old one, or of one made by hand."""
    made = make_study(db, parse_arms(["base,tuned,dpo,reference"]), "train").study
    study = study_of(db, third_job) if request.param == "job" else made
    for rater in ("ana", "ben"):
        rate(db, study, rater)
    out = tmp_path / "ratings.jsonl"
    words = ["--study", str(study.id), "--format", "jsonl", "--out", str(out)]
    done = CliRunner().invoke(cli, ["--data-dir", str(data.root), "export", *words])
    assert done.exit_code == 0, done.output
    return out


def change(path: Path, edit: Callable[[Lines], object]) -> tuple[str, ...]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    edit(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return verify_export(path).problems


def test_an_export_is_whole_and_says_what_that_means(exported: Path) -> None:
    done = CliRunner().invoke(cli, ["verify", str(exported)])
    assert done.exit_code == 0, done.output
    assert "Whole: " in done.output and "in 2 chains" in done.output and "not who wrote them" in done.output
    assert verify_export(exported).unchained == 0


def test_a_changed_answer_is_named(exported: Path) -> None:
    def edit(lines: Lines) -> None:
        lines[1]["history"][-1]["preference"] = -2 if lines[1]["history"][-1]["preference"] != -2 else 2

    problems = change(exported, edit)
    assert len(problems) == 2 and all(each.startswith("line 2, row ") for each in problems)
    assert any("it was changed" in each for each in problems)
    assert any("is not the newest row" in each for each in problems)


def test_a_reader_who_is_renamed_is_noticed(exported: Path) -> None:
    assert any(
        "it was changed" in each for each in change(exported, lambda lines: lines[0].update(rater="eve"))
    )


@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_dropped_line_is_noticed(exported: Path, at: int) -> None:
    problems = change(exported, lambda lines: lines.pop(at))
    assert problems and any("dropped" in each for each in problems)


def test_a_dropped_row_and_a_moved_line_are_named(exported: Path) -> None:
    text = exported.read_text()
    longest = max(range(4), key=lambda at: len(json.loads(text.splitlines()[at])["history"]))
    assert any("dropped" in each for each in change(exported, lambda lines: lines[longest]["history"].pop(0)))
    exported.write_text(text)
    problems = change(exported, lambda lines: lines.insert(0, lines.pop(3)))
    assert problems and all("moved" in each for each in problems)


def test_what_an_undo_took_away_is_named_by_its_links(exported: Path) -> None:
    checked = verify_export(exported)
    assert checked.left_out in (0, 4)  # both rows of a pair that was taken back, of two readers

    def forget(lines: Lines) -> None:
        for line in lines:
            for row in line["history"]:
                row.pop("left_out_before", None)

    assert bool(change(exported, forget)) is bool(checked.left_out)


def test_rows_from_before_chains_are_counted_apart(exported: Path) -> None:
    def age(lines: Lines) -> None:
        for line in lines:
            for row in [*line["history"], line["rating"]]:
                for name in ("chain", "chain_before", "left_out_before", "left_out_after", "chain_ends"):
                    row.pop(name, None)

    assert change(exported, age) == ()
    assert verify_export(exported).unchained == verify_export(exported).rows > 0


def test_a_file_that_is_no_export_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "x.jsonl"
    other.write_text("{}\n")
    with pytest.raises(UserError, match="no JSONL that radtui exported"):
        verify_export(other)
    done = CliRunner().invoke(cli, ["verify", str(tmp_path / "none.jsonl")])
    assert done.exit_code == 1
