"""An export's chains: whole as exported, and each kind of change is named."""

from __future__ import annotations

import csv
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
from tests.commands import invoked
from tests.unit.review_sessions import begun
from tests.unit.test_store import study_of

SCHEME = default_scheme()
Lines = list[dict[str, Any]]


def rate(db: sqlite3.Connection, study: Study, rater: str) -> None:
    """Seven pairs, one of them undone wholly, one changed, one with a note and errors."""
    session = begun(db, study, rater, SCHEME)
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
    done = invoked(data, "export", *words)
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

    problems = change(without_manifest(exported), edit)
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
    problems = change(without_manifest(exported), lambda lines: lines.insert(0, lines.pop(3)))
    assert problems and all("moved" in each for each in problems)


def test_what_an_undo_took_away_is_named_by_its_links(exported: Path) -> None:
    without_manifest(exported)
    checked = verify_export(exported)
    assert checked.left_out in (0, 4)  # both rows of a pair that was taken back, of two readers

    def forget(lines: Lines) -> None:
        for line in lines:
            for row in line["history"]:
                row.pop("left_out_before", None)

    assert bool(change(exported, forget)) is bool(checked.left_out)


def test_rows_from_before_chains_are_counted_apart(exported: Path) -> None:
    without_manifest(exported)

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


def named(path: Path, edit: Callable[[list[bytes]], object]) -> tuple[str, ...]:
    """What is said of a file whose lines were edited as bytes."""
    lines = path.read_bytes().splitlines(keepends=True)
    edit(lines)
    path.write_bytes(b"".join(lines))
    return verify_export(path).problems


def without_manifest(path: Path) -> Path:
    path.with_name(path.name + ".manifest.json").unlink()
    return path


def test_a_line_that_is_cut_off_is_named_and_the_others_are_read_on(exported: Path) -> None:
    def cut(lines: list[bytes]) -> None:
        lines[2] = lines[2][: len(lines[2]) // 2] + b"\n"
        lines[-1] = lines[-1][:-40]

    problems = named(exported, cut)
    last = len(exported.read_bytes().splitlines())
    assert problems[0].startswith("line 3: it is cut off, or no JSON (")
    assert problems[1].startswith(f"line {last}: it is cut off")
    assert any("was dropped or moved" in each for each in problems)  # the rows that cannot be read are missed


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda line: line["history"][-1].update(preference="2"), "preference is '2'"),
        (lambda line: line["history"][-1].update(preference=7), "7 is not within -2 to 2"),
        (lambda line: line.pop("rater"), "'rater' is missing"),
        (lambda line: line.update(export_schema="mine-1"), "form 'mine-1'"),
        (lambda line: line.update(history=[]), "index out of range"),
        (lambda line: line["history"][0].update(note=None), "note is None"),
    ],
)
def test_a_row_that_no_radtui_writes_is_named_by_its_line(
    exported: Path, edit: Callable[[dict[str, Any]], object], words: str
) -> None:
    problems = change(exported, lambda lines: edit(lines[1]))
    assert problems[0].startswith("line 2: it is no rating as radtui writes it (") and words in problems[0]


def test_a_line_that_is_there_twice_is_named(exported: Path) -> None:
    problems = named(exported, lambda lines: lines.insert(1, lines[0]))
    assert any(each.startswith("line 2, row ") and "it is there twice" in each for each in problems)


def test_rows_of_a_history_that_were_moved_are_named(exported: Path) -> None:
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    longest = max(range(len(lines)), key=lambda at: len(lines[at]["history"]))
    assert len(lines[longest]["history"]) > 2

    def swap(rows: Lines) -> None:
        history = rows[longest]["history"]
        history[0], history[1] = history[1], history[0]

    assert any("rows of its history were moved" in each for each in change(exported, swap))


def test_a_text_that_no_link_covers_is_held_against_the_other_reader_s_line(exported: Path) -> None:
    without_manifest(exported)

    def edit(lines: Lines) -> None:
        line = lines[-1]
        texts = line["texts"] if "texts" in line else {"base": line["base"]}
        next(iter(texts.values()))["text"] += " Changed."

    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    case = "case_id" if "case_id" in lines[-1] else "image_id"
    shared = [at for at, line in enumerate(lines, 1) if line[case] == lines[-1][case]]
    problems = change(exported, edit)
    if len(shared) > 1:  # both readers rated that case
        assert len(problems) == 1 and f"is not that of line {shared[0]}" in problems[0], problems
    else:
        assert not problems


def test_a_text_of_one_line_alone_shows_in_the_manifest(exported: Path) -> None:
    problems = change(exported, lambda lines: lines[0].update(reference="another one"))
    assert any("not those that its manifest names" in each for each in problems)


def test_other_line_ends_are_no_change(exported: Path) -> None:
    def windows(lines: list[bytes]) -> None:
        lines[:] = [line.replace(b"\n", b"\r\n") for line in lines]
        lines[0] = b"\xef\xbb\xbf" + lines[0]

    assert named(exported, windows) == ()
    assert "Its line ends were changed" in "\n".join(verify_export(exported).lines())


def test_readers_are_named_since_one_left_out_shows_nowhere_else(exported: Path) -> None:
    without_manifest(exported)
    kept = [line for line in exported.read_text().splitlines() if json.loads(line)["rater"] == "ana"]
    exported.write_text("\n".join(kept) + "\n")
    said = "\n".join(verify_export(exported).lines())
    assert (
        "Whole: " in said and "Rows by reader: ana" in said and "ben" not in said.split("Rows by reader")[1]
    )
    assert "leaves a whole reader out" in said


def test_merged_exports_are_whole_and_those_that_overlap_are_named(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    studies = [study_of(db, third_job), make_study(db, parse_arms(["base,tuned,reference"]), "train").study]
    files = []
    for rater in ("ana", "ben"):
        for study in studies:
            rate(db, study, rater)
    for number, (study, reader) in enumerate([(studies[0], "ana"), (studies[0], "ben"), (studies[1], "")]):
        files.append(tmp_path / f"{number}.jsonl")
        words = ["--study", str(study.id), "--format", "jsonl", "--out", str(files[-1])]
        words += ["--rater", reader] if reader else []
        assert invoked(data, "export", *words).exit_code == 0
    merged = tmp_path / "merged.jsonl"
    # The rows of another study's export come after all of the first one's, though some are older.
    merged.write_bytes(files[2].read_bytes() + files[0].read_bytes())
    checked = verify_export(merged)
    assert checked.problems == () and len(checked.readers) == 2
    merged.write_bytes(files[0].read_bytes() * 2)
    assert any("it is there twice" in each for each in verify_export(merged).problems)


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff\xfe" * 400,
        b"[]\n",
        b"null\n",
        b'"x"\n',
        b"[" * 100_000,
        b"{}",
        b"\xff\xfe{\x00}\x00",
        b"1e999\n",
    ],
)
def test_garbage_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    for name in ("x.jsonl", "x.csv"):
        other = tmp_path / name
        other.write_bytes(content)
        done = CliRunner().invoke(cli, ["verify", str(other)])
        assert done.exit_code == 1 and isinstance(done.exception, UserError | SystemExit), done.output


def test_an_empty_file_has_nothing_to_check(tmp_path: Path) -> None:
    empty = tmp_path / "x.jsonl"
    empty.touch()
    assert verify_export(empty).lines()[0] == "Nothing to check: it holds no row."


@pytest.fixture
def table(exported: Path, data: DataDir) -> Path:
    """The same ratings as a CSV."""
    study = str(json.loads(exported.read_text().splitlines()[0])["study_id"])
    out = exported.with_name("comparisons.csv")
    done = invoked(data, "export", "--study", study, "--out", out)
    assert done.exit_code == 0, done.output
    return out


def test_a_csv_is_held_against_its_manifest_and_itself(table: Path) -> None:
    done = CliRunner().invoke(cli, ["verify", str(table)])
    assert done.exit_code == 0 and "Whole: " in done.output and "not who wrote them" in done.output
    assert "have no links" in done.output
    without_manifest(table)
    done = CliRunner().invoke(cli, ["verify", str(table)])
    assert done.exit_code == 0 and "No manifest lies beside it" in done.output and "Whole" not in done.output


def recell(path: Path, row: int, **cells: str) -> tuple[str, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for name, value in cells.items():
        rows[row][rows[0].index(name)] = value
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return verify_export(path).problems


def test_rows_of_a_csv_that_contradict_themselves_are_named(table: Path) -> None:
    kept = table.read_bytes()
    without_manifest(table)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at = next(number for number, row in enumerate(rows, 1) if row["preference"] in ("1", "-1", "2", "-2"))
    other = "-2" if rows[at - 1]["preference"] != "-2" else "2"
    assert "preference_label" in recell(table, at, preference=other)[0]
    table.write_bytes(kept)
    (problem,) = recell(table, at, rated_at="28/11/2026 10:41")  # as a spreadsheet rewrites it
    assert problem.startswith(f"row {at}, ") and "no time as radtui writes it" in problem
    table.write_bytes(kept)
    place = "earlier" if "earlier_text" in rows[0] else "base"
    problems = recell(table, at, **{f"{place}_text": "Three other words"})
    assert problems and all(each.startswith("row ") for each in problems)
    table.write_bytes(kept)
    lines = kept.splitlines(keepends=True)
    table.write_bytes(b"".join([*lines, lines[at]]))
    assert f"it is there twice, row {at} is of the same" in verify_export(table).problems[-1]


def test_a_csv_saved_by_a_spreadsheet_is_said_to_be_so(table: Path) -> None:
    kept = table.read_bytes()
    table.write_bytes(b"\xef\xbb\xbf" + kept.replace(b"\n", b"\r\n"))
    checked = verify_export(table)
    assert checked.problems == () and "Its line ends were changed" in "\n".join(checked.lines())
    table.write_bytes(kept.replace(b",", b";"))
    with pytest.raises(UserError, match="semicolons between its cells"):
        verify_export(table)
    table.write_bytes(kept.replace(b"export_schema", b"exportschema", 1))
    assert verify_export(table).problems[0] == "header: export_schema is missing."
    table.write_bytes(kept[:-30])
    assert any("cells where the header has" in each for each in verify_export(table).problems)
    table.write_bytes(kept.replace(b"Chest", b"Ch\xe9st"))
    with pytest.raises(UserError, match="no CSV in UTF-8"):
        verify_export(table)


def test_a_changed_cell_of_a_csv_shows_in_its_manifest(table: Path) -> None:
    with table.open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    assert recell(table, 1, flagged="0" if row["flagged"] == "1" else "1")[-1].startswith(
        "Its bytes are not those"
    )
