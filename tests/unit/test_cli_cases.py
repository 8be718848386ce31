"""Data sets told to scripts: a line of JSON a case, and what an import left out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, NewCase, NewCaseImage, Problem, UserError
from radtui.store import cases, jobs, listing
from radtui.store.cases import KeptCase, Probe
from tests.commands import ran
from tests.conftest import kept_case

AddImages = Callable[..., list[int]]


def test_every_case_is_a_line_with_all_its_images(
    data: DataDir, db: sqlite3.Connection, add_images: AddImages
) -> None:
    add_images(2)
    images = (NewCaseImage(name="a.png", role="frontal"), NewCaseImage(name="b.png", role="lateral"))
    case = NewCase("train", "exam 7", images, "Keine Luftnot – Ö.", "Effusion?", facts={"age": "61"})
    probes = (Probe("a" * 64, "PNG", 10, 20, "L"), Probe("b" * 64, "PNG", 30, 40, "L"))
    cases.ensure_dataset(db, "exams", "made by a test")
    cases.add(db, "exams", [
        KeptCase(case, probes, patient="p1", exam="e1"),
        kept_case("train", "gone", Probe("", error="It is gone.")),
    ])  # fmt: skip
    lines = [json.loads(line) for line in ran(data, "cases", "--jsonl").stdout.splitlines()]
    assert [line["key"] for line in lines] == ["test-000.png", "test-001.png", "exam 7", "gone"]
    assert lines[2] == {
        "id": 3, "dataset": "exams", "split": "train", "key": "exam 7", "question": "Effusion?",
        "reference": "Keine Luftnot – Ö.", "error": "", "leaked": False, "facts": {"age": "61"}, "patient": "p1",
        "exam": "e1", "images": [
            {"sha256": "a" * 64, "width_px": 10, "height_px": 20, "name": "a.png", "role": "frontal"},
            {"sha256": "b" * 64, "width_px": 30, "height_px": 40, "name": "b.png", "role": "lateral"},
        ],
    }  # fmt: skip
    assert (lines[3]["error"], lines[3]["images"]) == ("It is gone.", [])
    only = ran(data, "cases", "--jsonl", "--dataset", "exams").stdout.splitlines()
    assert [json.loads(line)["id"] for line in only] == [3, 4]
    assert "exams: train 2, from made by a test" in ran(data, "cases").stdout
    with pytest.raises(UserError, match="There is no data set 'other'"):
        ran(data, "cases", "--jsonl", "--dataset", "other")


def test_many_cases_are_read_a_chunk_at_a_time(
    data: DataDir, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = Probe("c" * 64, "PNG", 1, 1, "L")
    cases.ensure_dataset(db, "many", "made by a test")
    cases.add(db, "many", [kept_case("train", str(n), probe) for n in range(25)])
    monkeypatch.setattr(listing, "READ_CHUNK", 10)
    sizes: list[int] = []
    whole = cases.get_many
    monkeypatch.setattr(cases, "get_many", lambda db, ids: sizes.append(len(ids)) or whole(db, ids))
    assert [case.source_key for case in listing.each(db)] == [str(n) for n in range(25)]
    assert sizes == [10, 10, 5]


def test_what_the_newest_import_left_out_is_listed(data: DataDir, db: sqlite3.Connection) -> None:
    with pytest.raises(UserError, match="There is no import"):
        ran(data, "show", "--problems")
    older = jobs.create(db, JobKind.IMPORT, "rays", "rays", {})
    cases.add_problems(db, older.id, [Problem("old.csv", "was left")])
    newest = jobs.create(db, JobKind.IMPORT, "rays", "rays", {})
    problems = [
        Problem("reports.csv, line 12", "The row names no image."),
        Problem("*.mp4", "No image.", 1200),
    ]
    cases.add_problems(db, newest.id, problems)
    jobs.create(db, JobKind.IMPORT, "other", "other", {})
    assert ran(data, "show", "--problems").stdout == ""
    assert ran(data, "show", "--problems", "--dataset", "rays").stdout.splitlines() == [
        "reports.csv, line 12: The row names no image.", "*.mp4: No image. (1,200 of them)",
    ]  # fmt: skip
    ran(data, "show", code=2)
