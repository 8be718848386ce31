"""Ratings through files and back: byte for byte, in this data folder and in another, once and not twice."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radtui.export import import_ratings as importing
from radtui.export.columns import paired_columns
from radtui.export.comparisons import write_csv
from radtui.export.csv_text import cell, csv_line, read_csv, storable
from radtui.export.formula_quote import RISKY_FIRST, unquote_formula
from radtui.export.import_ratings import import_ratings
from radtui.export.jsonl import write_jsonl
from radtui.export.verifying import LINK_FIELDS
from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, ratings, studies, texts
from radtui.store.database import connect
from radtui.study.scheme_file import default_scheme, parse_scheme
from radtui.study.study import read_review
from tests.conftest import give_arms, kept_case, new_text
from tests.unit.test_store import rating, study_of

NASTY = [
    '=HYPERLINK("http://x","y")', "- mild edema", "[bold]red[/bold]", "\x1b[2J\x1b]0;owned\x07",
    "عُقيدة في الرئة اليمنى \u202e",
    "before\0after", "\0", "x" * 10_000, "carriage\rreturn", "\r", "line\nfeed\r\n", '"', '""', ",", "'", "''=1",
    "＝1+1", "\ufeffBOM", "  spaces  ", "", "tab\t", "\u2028\u2029\x85", "😀 é", "it's",
]  # fmt: skip
SCHEME = default_scheme()


def read_back(text: str, raw: bool = False) -> str:
    """A text after a trip through one cell of a CSV file, between two others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(csv_line(["a", "b", "c"]) + csv_line(["1", cell(text, raw), "3"]))
        (row,) = read_csv(path)
    assert (row["a"], row["c"]) == ("1", "3")
    return row["b"] if raw else unquote_formula(row["b"])


@given(st.text(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back_from_a_cell(text: str, raw: bool) -> None:
    assert read_back(text, raw) == text


@pytest.mark.parametrize("text", NASTY)
def test_nasty_texts_come_back_and_run_nowhere(text: str) -> None:
    assert read_back(text) == text
    assert read_back(text, raw=True) == text
    shown = next(csv.reader(io.StringIO(csv_line([cell(text), ""]), newline=""), strict=True))[0]
    assert not shown or shown[0] not in RISKY_FIRST - {"'"}


@given(st.text(alphabet=st.characters()))  # lone surrogates too
def test_half_a_surrogate_pair_is_written_as_its_code_point(text: str) -> None:
    assert storable(text).encode("utf-8").decode("utf-8") == storable(text)
    assert (storable(text) == text) == (not any("\ud800" <= c <= "\udfff" for c in text))


@pytest.fixture
def nasty_job(db: sqlite3.Connection, add_images: Callable[..., list[int]]) -> Job:
    """A generation job whose texts, and the notes on them, are all of the nasty ones."""
    return make_nasty_job(db, add_images)


def make_nasty_job(db: sqlite3.Connection, add_images: Callable[..., list[int]], before: int = 0) -> Job:
    """The job, in a folder that already has so many other images and jobs."""
    if before:
        add_images(before, dataset="other", start=500)
        for n in range(before):
            jobs.create(db, JobKind.TRAIN, f"other {n}", "other", {})
    ids = add_images(len(NASTY), start=100)
    made = jobs.create(db, JobKind.GENERATE, "nasty", "drawn", GenerateSettings(dataset="drawn").to_dict())
    arm = give_arms(db, made, "base", "tuned")
    for text, case_id in zip(NASTY, ids, strict=True):
        texts.add(
            db,
            made.id,
            [new_text(case_id, arm["base"], text), new_text(case_id, arm["tuned"], "tuned" + text)],
        )
    return made


def rate_all(db: sqlite3.Connection, job: Job) -> None:
    """Every comparison by two raters, with histories, hidden repeats, calibration and an undo."""
    study = study_of(db, job)
    for n, image_id in enumerate(studies.comparison_ids(db, study)):
        for rater, occasion in (("ann", 0), ("=bob", 0), *((("ann", 1),) if n % 5 == 0 else ())):
            side, other = ("base", "tuned") if n % 3 else ("tuned", "base")
            role = "repeat" if occasion else "calibration" if n < 2 else "normal"
            place = (study.id, image_id, rater, occasion, role, side, other, f"1-{n:020d}")
            ratings.assign(db, [ratings.Assignment(*place)])
            first = rating(
                study.id, image_id, n % 5 - 2, rater=rater, occasion=occasion, later_left=side == "tuned",
                active_s=1.26 + n, wall_s=2.04 + n, rated_at=1_700_000_000.1239 + n, blinded=n % 7 != 0,
            )  # fmt: skip
            kept = ratings.add(db, first)
            more = replace(
                first, note=NASTY[n], flagged=n % 2 == 0, rated_at=first.rated_at + 1,
                answers={
                    "dim.correctness": n % 5 - 2, "error.tuned.2.significant": n + 1,
                    "acceptability.tuned": n % 5 + 1,
                },
            )  # fmt: skip
            last = ratings.add(db, more)
            if n % 4 == 0:
                ratings.add(db, replace(kept, undoes=last.id, rated_at=first.rated_at + 2))
        ratings.reveal(db, ratings.Reveal(study.id, image_id, "ann", 1_700_000_100.5 + n))


def exported(db: sqlite3.Connection, job: Job, folder: Path, name: str) -> Path:
    """The job's ratings in a file of a form."""
    out = folder / name
    if out.suffix == ".jsonl":
        write_jsonl(db, read_review(db, study_of(db, job), SCHEME), out)
    else:
        write_csv(db, study_of(db, job), SCHEME, out, raw="raw" in name)
    return out


def forget_ratings(db: sqlite3.Connection) -> None:
    """What happens to the ratings of a folder that is lost, but for its descriptions."""
    db.execute("DELETE FROM ratings")
    db.execute("DELETE FROM assignments")
    db.execute("DELETE FROM reveals")


@pytest.mark.parametrize("name", ["guarded.csv", "raw.csv", "all.jsonl"])
def test_an_export_restores_the_same_rows_byte_for_byte(
    db: sqlite3.Connection, nasty_job: Job, tmp_path: Path, name: str
) -> None:
    rate_all(db, nasty_job)
    file = exported(db, nasty_job, tmp_path, name)
    before = exported(db, nasty_job, tmp_path, "before.csv").read_bytes()
    history = [
        replace(row, id=0, undoes=None, chain="")
        for row in ratings.history(db, study_of(db, nasty_job).id, "ann")
    ]
    revealed = set(ratings.revealed(db, study_of(db, nasty_job).id, "ann").values())
    forget_ratings(db)

    done = import_ratings(db, file, SCHEME)
    assert (done.added, done.known, done.unmatched, done.problems) == (done.rows, 0, 0, ())
    assert exported(db, nasty_job, tmp_path, "after.csv").read_bytes() == before
    if name == "all.jsonl":
        again = ratings.history(db, study_of(db, nasty_job).id, "ann")
        assert [replace(row, id=0, undoes=None, chain="") for row in again] == history
        undone = [row for row in again if row.undoes is not None]
        assert undone and all(row.undoes == row.id - 1 for row in undone)  # ids of this folder
        assert exported(db, nasty_job, tmp_path, "again.jsonl").exists()
        assert set(ratings.revealed(db, study_of(db, nasty_job).id, "ann").values()) == revealed

    twice = import_ratings(db, file, SCHEME)
    assert (twice.added, twice.known) == (0, done.rows)
    assert exported(db, nasty_job, tmp_path, "twice.csv").read_bytes() == before


def test_all_that_is_stored_survives_json(db: sqlite3.Connection, nasty_job: Job, tmp_path: Path) -> None:
    rate_all(db, nasty_job)
    first = exported(db, nasty_job, tmp_path, "first.jsonl").read_bytes()
    forget_ratings(db)
    import_ratings(db, tmp_path / "first.jsonl", SCHEME)
    assert exported(db, nasty_job, tmp_path, "second.jsonl").read_bytes() == first


@pytest.mark.parametrize("name", ["guarded.csv", "all.jsonl"])
def test_another_folder_with_the_same_descriptions_takes_them(
    db: sqlite3.Connection, nasty_job: Job, add_images: Callable[..., list[int]], data: DataDir, tmp_path: Path,
    name: str,
) -> None:  # fmt: skip
    rate_all(db, nasty_job)
    file = exported(db, nasty_job, tmp_path, name)
    with file.open(newline="", encoding="utf-8") as opened:
        here = list(csv.DictReader(opened)) if name.endswith("csv") else []
    other = connect(DataDir(tmp_path / "other").create())
    job = make_nasty_job(other, lambda *a, **k: add_into(other, *a, **k), before=3)
    assert job.id != nasty_job.id

    done = import_ratings(other, file, SCHEME)
    assert (done.added, done.unmatched, done.jobs) == (done.rows, 0, (job.id,))
    if here:
        with exported(other, job, tmp_path, "there.csv").open(newline="", encoding="utf-8") as opened:
            there = list(csv.DictReader(opened))
        ids = {"job_id", "image_id"}
        plain = [[{k: v for k, v in row.items() if k not in ids} for row in rows] for rows in (here, there)]
        assert plain[0] == plain[1]
    sides = {
        a.case_id: a.left_arm
        for a in ratings.assigned(other, study_of(other, job).id, "ann")
        if not a.occasion
    }
    assert all(
        sides[r.case_id] == r.left_arm
        for r in ratings.current(other, study_of(other, job).id, "ann")
        if not r.occasion
    )
    roles = {a.role for a in ratings.assigned(other, study_of(other, job).id, "ann")}
    assert roles == {"normal", "calibration", "repeat"}
    other.close()


def add_into(db: sqlite3.Connection, count: int, dataset: str = "drawn", start: int = 0) -> list[int]:
    """Rows of drawn images, without their bytes."""
    import hashlib

    from tests.conftest import drawn_png

    cases.ensure_dataset(db, dataset, "test")
    cases.add(db, dataset, [
        kept_case("test", f"test-{n:03d}.png",
                  cases.Probe(hashlib.sha256(drawn_png(n)).hexdigest(), "PNG", 64, 64, "L"),
                  reference=f"Chest radiograph shows a {'right' if n % 2 else 'left'} nodule, number {n}.")
        for n in range(start, start + count)
    ])  # fmt: skip
    return cases.find(db, cases.CaseQuery(dataset, "test"))


def test_a_rater_who_went_on_elsewhere_brings_only_the_news(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    first = ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1, rated_at=1000.0))
    second = ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, -2, rated_at=1001.0))
    ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1, rated_at=1002.0, undoes=second.id))
    file = exported(db, reviewed_job, tmp_path, "x.jsonl")
    db.execute("DELETE FROM ratings WHERE id > ?", (first.id,))
    assert import_ratings(db, file, SCHEME).added == 1
    history = ratings.history(db, study_of(db, reviewed_job).id, "ann")
    assert [row.preference for row in history] == [1, -2, 1]
    assert history[2].undoes == history[1].id


def test_what_does_not_match_is_said_and_what_differs_stays(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    a, b, c = studies.comparison_ids(db, study_of(db, reviewed_job))[:3]
    for image_id in (a, b, c):
        ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1, rated_at=1000.0))
    file = exported(db, reviewed_job, tmp_path, "x.csv")
    forget_ratings(db)
    ratings.add(db, rating(study_of(db, reviewed_job).id, a, -1, rated_at=2000.0))
    db.execute("UPDATE texts SET text = 'Another text.' WHERE case_id = ? AND adapter = ''", (b,))
    done = import_ratings(db, file, SCHEME)
    assert (done.rows, done.added, done.conflicts, done.unmatched) == (3, 1, 1, 1)
    assert any("by ann differ" in problem for problem in done.problems)
    assert any("described again" in problem for problem in done.problems)
    assert {r.case_id: r.preference for r in ratings.current(db, study_of(db, reviewed_job).id)} == {
        a: -1,
        c: 1,
    }
    db.execute("UPDATE texts SET text = text || '!'")
    with pytest.raises(UserError, match="None of the 3 ratings"):
        import_ratings(db, file, SCHEME)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace(",tuned much better,", ",tuned much better,extra,", 1), "cells where the header"),
        (lambda text: text.replace("radtui-comparisons-1", "radtui-comparisons-9"), "reads radtui-comparisons-1"),
        (lambda text: text.replace(",ann,2,", ",ann,7,"), "not within -2 to 2"),
        (lambda text: text.replace("dim_correctness", "dim_beauty"), "--scheme"),
        (lambda text: "name,age\nann,3\n", "holds no ratings"),
        (lambda text: '{"rating": 1}\n', "Line 1"),
    ],
)  # fmt: skip
def test_a_changed_file_is_refused_with_a_sentence(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path, change: Callable[[str], str], sentence: str
) -> None:
    ratings.add(
        db,
        rating(study_of(db, reviewed_job).id, studies.comparison_ids(db, study_of(db, reviewed_job))[0], 2),
    )
    file = exported(db, reviewed_job, tmp_path, "x.csv")
    forget_ratings(db)
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UserError, match=sentence):
        import_ratings(db, file, SCHEME)
    assert ratings.current(db, study_of(db, reviewed_job).id) == []


def test_a_scheme_of_ones_own_goes_through(db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path) -> None:
    own = parse_scheme('id = "ward"\nversion = 1\n[[dimensions]]\nid = "urgency"\nlabel = "Urgency"\n')
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    ratings.add(
        db,
        rating(
            study_of(db, reviewed_job).id,
            image_id,
            1,
            scheme="ward",
            answers={"dim.urgency": -1},
            rated_at=1000.0,
        ),
    )
    out = tmp_path / "ward.csv"
    write_csv(db, study_of(db, reviewed_job), own, out)
    assert "dim_urgency" in paired_columns(own)
    forget_ratings(db)
    with pytest.raises(UserError, match="--scheme"):
        import_ratings(db, out, SCHEME)
    import_ratings(db, out, own)
    assert ratings.current(db, study_of(db, reviewed_job).id)[0].answers == {"dim.urgency": -1}


@given(note=st.text(), texts=st.tuples(st.text(), st.text()))
@settings(
    max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
def test_any_note_and_text_survive_the_store_and_the_file(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path, note: str, texts: tuple[str, str]
) -> None:
    forget_ratings(db)
    image_id = studies.comparison_ids(db, study_of(db, reviewed_job))[0]
    for adapter, text in zip(("", "tuned"), texts, strict=True):
        db.execute("UPDATE texts SET text = ? WHERE case_id = ? AND adapter = ?", (text, image_id, adapter))
    ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1, note=note, rated_at=1000.0))
    file = exported(db, reviewed_job, tmp_path, "x.csv")
    before = file.read_bytes()
    forget_ratings(db)
    assert import_ratings(db, file, SCHEME).added == 1
    assert ratings.current(db, study_of(db, reviewed_job).id)[0].note == note
    assert exported(db, reviewed_job, tmp_path, "y.csv").read_bytes() == before


def test_json_lines_hold_the_texts_as_they_are(
    db: sqlite3.Connection, nasty_job: Job, tmp_path: Path
) -> None:
    rate_all(db, nasty_job)
    lines = exported(db, nasty_job, tmp_path, "x.jsonl").read_text(encoding="ascii").splitlines()
    texts = {json.loads(line)["base"]["text"] for line in lines}
    assert texts == set(NASTY)
    first = json.loads(lines[0])
    newest = {name: value for name, value in first["history"][-1].items() if name not in LINK_FIELDS}
    assert first["rating"] == newest and len(first["history"]) >= 2


def test_a_rater_who_goes_on_while_a_file_is_read_is_not_overruled_by_it(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = studies.comparison_ids(db, study_of(db, reviewed_job))
    ratings.add(db, rating(study_of(db, reviewed_job).id, first, -2))
    out = tmp_path / "ratings.jsonl"
    write_jsonl(db, read_review(db, study_of(db, reviewed_job), SCHEME), out)
    db.execute("DELETE FROM ratings")
    ratings.add(db, rating(study_of(db, reviewed_job).id, second, 1))
    planned = importing._match

    def slow(*args: object) -> None:
        planned(*args)  # type: ignore[arg-type]
        ratings.add(connect(data), rating(study_of(db, reviewed_job).id, first, 2))

    with monkeypatch.context() as patch:
        patch.setattr(importing, "_match", slow)
        with pytest.raises(UserError, match="nothing was imported"):
            import_ratings(db, out, SCHEME)
    assert {row.case_id: row.preference for row in ratings.current(db, study_of(db, reviewed_job).id)} == {
        first: 2,
        second: 1,
    }
    assert import_ratings(db, out, SCHEME).conflicts == 1


def test_a_history_ends_with_the_rating_that_counts(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    first, *_ = studies.comparison_ids(db, study_of(db, reviewed_job))
    ratings.add(db, rating(study_of(db, reviewed_job).id, first, 1))
    review = read_review(db, study_of(db, reviewed_job), SCHEME)
    ratings.add(db, rating(study_of(db, reviewed_job).id, first, 2))  # while the export runs
    write_jsonl(db, review, out := tmp_path / "ratings.jsonl")
    line = json.loads(out.read_text())
    assert [one["preference"] for one in line["history"]] == [1] == [line["rating"]["preference"]]


def test_an_export_asks_the_database_as_often_whatever_there_is(
    db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    asked: list[str] = []

    def queries() -> int:
        asked.clear()
        db.set_trace_callback(asked.append)
        write_csv(db, study_of(db, reviewed_job), SCHEME, tmp_path / "c.csv")
        db.set_trace_callback(None)
        return len(asked)

    ids = studies.comparison_ids(db, study_of(db, reviewed_job))
    ratings.add(db, rating(study_of(db, reviewed_job).id, ids[0], 1))
    few = queries()
    for image_id in ids[1:]:
        ratings.add(db, rating(study_of(db, reviewed_job).id, image_id, 1))
    assert queries() == few
