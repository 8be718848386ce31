"""A study of arms that the user named: everything goes with them, and nothing knows their names."""

from __future__ import annotations

import csv
import json
import sqlite3
from itertools import combinations
from pathlib import Path

import pytest
from textual.widgets import Static

from radtui.export.columns import ARMS_SCHEMA
from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, Job, Rating, Study, StudyArm, UserError
from radtui.store import arms, ratings, studies, texts
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.study import read_review, score_study, summarise_review
from radtui.tui.app import RadtuiApp
from radtui.tui.review.score_text import score_lines
from radtui.tui.review.screen import ReviewScreen
from radtui.tui.review.summary_text import rating_lines
from tests.commands import ran
from tests.conftest import new_text
from tests.tui.driving import text_of, until
from tests.unit.review_sessions import begun
from tests.unit.test_store import study_of

NAMES = ("base", "tuned", "gpt 4.csv", "tuned.v2")
SCHEME = default_scheme()


@pytest.fixture
def four(db: sqlite3.Connection, third_job: Job) -> Study:
    """A job's base and tuned beside a file of texts and another adapter's, on thirty cases; rated by ana."""
    opened = study_of(db, third_job)
    case_ids = studies.comparison_ids(db, opened)
    added = [
        arms.keep(db, Arm(0, "gpt 4.csv", ArmKind.FILE, model="gpt 4")),
        arms.keep(db, Arm(0, "tuned.v2", ArmKind.MODEL, model="tiny", adapter="v2", decoding="greedy")),
    ]
    for arm in added:
        texts.add(db, None, [new_text(case_id, arm, f"{arm.name} on {case_id}.") for case_id in case_ids])
    own = opened.arms[:2] + tuple(StudyArm(arm.name, arm.id, arm.kind) for arm in added)
    return studies.create(db, Study(0, "four arms", None, opened.dataset, 7, own, {}, 0.0), case_ids)


def rate_all(db: sqlite3.Connection, study: Study, rater: str = "ana") -> list[Rating]:
    """Every pair: the later arm is better in four of five, and has an error in one of three."""
    session = begun(db, study, rater, SCHEME)
    for number in range(len(session.queue.pairs)):
        now = session.shown()
        assert now is not None
        later = max(now.sides, key=NAMES.index)
        better = now.sides.index(later) if number % 5 else 1 - now.sides.index(later)
        session.answer(lambda row, side=now.sides[better]: edits.accepted(row, side, 5))
        session.answer(lambda row, side=now.sides[1 - better]: edits.accepted(row, side, 3))
        if number % 3 == 0:
            session.answer(lambda row, arm=later: edits.counted(row, arm, "2", True, 1))
        session.answer(lambda row, level=4 if better else 0: edits.preferred(row, SCHEME, level))
        session.next_unrated()
    return ratings.current(db, study.id, rater)


def judged(rows: list[Rating]) -> list[tuple[object, ...]]:
    return sorted(
        (
            r.case_id,
            r.rater,
            r.occasion,
            r.shown,
            r.later_left,
            r.preference,
            sorted(r.answers.items()),
            r.note,
        )
        for r in rows
    )


def test_two_of_four_are_compared_and_undo_takes_answers_back(db: sqlite3.Connection, four: Study) -> None:
    rows = rate_all(db, four)
    assert {row.shown for row in rows if not row.occasion} == set(combinations(NAMES, 2))
    assert all(row.earlier_text_id and row.later_text_id and row.chain for row in rows)
    session = begun(db, four, "ana", SCHEME)
    before = session.queue.mine[session.undo() or session.queue.pairs[0]]
    assert before.preference is None and before.answers  # the preference was the last answer
    assert session.undo() is not None


def test_statistics_tell_of_every_two_and_of_all(data: DataDir, db: sqlite3.Connection, four: Study) -> None:
    rate_all(db, four)
    rate_all(db, four, "ben")
    summary = summarise_review(read_review(db, four, SCHEME))
    assert summary.arms is not None
    assert [(one.earlier, one.later) for one in summary.arms.contrasts] == list(combinations(NAMES, 2))
    assert {strength.arm for strength in summary.arms.strengths} == set(NAMES)
    assert summary.arms.strengths[0].arm == "tuned.v2" and summary.arms.strengths[-1].arm == "base"
    printed = ran(data, "stats", "--study", str(four.id)).stdout
    assert "strength of gpt 4.csv" in printed and "tuned.v2 against gpt 4.csv" in printed
    told = json.loads(ran(data, "stats", "--study", str(four.id), "--json").stdout)
    assert told["study"] == four.id and told["arms"]["n"] == summary.arms.n
    scored = json.loads(ran(data, "score", "--study", str(four.id), "--json").stdout)
    assert tuple(scored) == NAMES


def test_the_summary_screen_draws_them(db: sqlite3.Connection, four: Study) -> None:
    rate_all(db, four)
    summary = summarise_review(read_review(db, four, SCHEME))
    lines = [str(line) for line in [*rating_lines(summary, SCHEME, 120), *score_lines(score_study(db, four))]]
    page = "\n".join(lines)
    assert "tuned.v2 beats gpt 4.csv" in page and "The arm gpt 4.csv" in page and "against base" in page


def test_a_table_has_a_row_a_comparison_with_answers_by_arm(
    data: DataDir, db: sqlite3.Connection, four: Study, tmp_path: Path
) -> None:
    rows = rate_all(db, four)
    ran(data, "export", "--study", str(four.id), "--out", tmp_path / "four.csv")
    with (tmp_path / "four.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(rows) and {row["export_schema"] for row in table} == {ARMS_SCHEMA}
    stored = {(r.case_id, r.occasion): r for r in rows}
    for row in table:
        own = stored[int(row["case_id"]), int(row["occasion"])]
        assert (row["study_id"], row["earlier_arm"], row["later_arm"]) == (str(four.id), *own.shown)
        assert row["left_arm"] == own.left_arm and row["preference"] == str(own.preference)
        for arm in NAMES:
            value = own.acceptability(arm)
            assert row[f"{arm}_acceptability"] == ("" if value is None else str(value))
        assert row["later_text"] and row["later_text"] != row["earlier_text"]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_ratings_go_out_and_come_back(
    data: DataDir, db: sqlite3.Connection, four: Study, tmp_path: Path, form: str
) -> None:
    before = rate_all(db, four)
    out = tmp_path / f"four.{form}"
    ran(data, "export", "--study", str(four.id), "--format", form, "--out", out)
    for table in ("ratings", "assignments"):
        db.execute(f"DELETE FROM {table}")
    told = json.loads(ran(data, "import-ratings", out, "--json").stdout)
    assert (told["added"], told["unmatched"], told["jobs"], told["studies"]) == (
        len(before),
        0,
        [],
        [four.id],
    )
    after = ratings.current(db, four.id, "ana")
    assert judged(after) == judged(before)
    assert [
        (r.earlier_text_id, r.later_text_id) for r in sorted(after, key=lambda r: (r.case_id, r.occasion))
    ] == [(r.earlier_text_id, r.later_text_id) for r in sorted(before, key=lambda r: (r.case_id, r.occasion))]
    assert json.loads(ran(data, "import-ratings", out, "--json").stdout)["added"] == 0


def test_all_other_forms_are_written(
    data: DataDir, db: sqlite3.Connection, four: Study, tmp_path: Path
) -> None:
    from pyarrow import parquet

    rows = rate_all(db, four)
    for form, name in (("errors", "e.csv"), ("parquet", "c.parquet"), ("dpo", "dpo"), ("kto", "kto")):
        ran(data, "export", "--study", str(four.id), "--format", form, "--out", tmp_path / name)
    with (tmp_path / "e.csv").open(newline="", encoding="utf-8") as file:
        assert {row["variant"] for row in csv.DictReader(file)} == set(NAMES)
    table = parquet.read_table(tmp_path / "c.parquet")
    assert table.num_rows == len(rows) and set(table["chain"].to_pylist()) == {row.chain for row in rows}
    assert set(table["tuned.v2_acceptability"].to_pylist()) == {None, 3, 5}
    learnt = (tmp_path / "dpo" / "train" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    assert learnt and any("gpt 4.csv on" in line for line in learnt)
    manifest = json.loads((tmp_path / "dpo.manifest.json").read_text(encoding="utf-8"))
    assert [arm["name"] for arm in manifest["study"]["arms"]] == list(NAMES)


@pytest.mark.parametrize("suffix", ["md", "html"])
def test_the_report_tells_of_all_four(
    data: DataDir, db: sqlite3.Connection, four: Study, tmp_path: Path, suffix: str
) -> None:
    rate_all(db, four)
    out = tmp_path / f"report.{suffix}"
    ran(data, "report", "--study", str(four.id), "--out", out)
    page = out.read_text(encoding="utf-8")
    assert "four arms" in page and "gpt 4" in page and "Bradley-Terry" in page and "tuned.v2" in page
    assert "before any training" not in page  # of no run: nothing is said of one


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("preference", 3, "not within -2 to 2"),
        ("answers", {"acceptability.base": 6}, "not within 1 to 5"),
        ("answers", {"acceptability.nobody": 3}, "about none of"),
        ("answers", {"error.base.1.significant": -1}, "not within"),
        ("answers", {"dim.correctness": "2"}, "dim.correctness is '2'"),
        ("flagged", 1, "flagged is 1"),
        ("active_s", "x", "active_s is 'x'"),
    ],
)
def test_a_line_with_an_answer_that_nobody_can_have_given_is_refused(
    data: DataDir,
    db: sqlite3.Connection,
    four: Study,
    tmp_path: Path,
    field: str,
    value: object,
    sentence: str,
) -> None:
    rate_all(db, four)
    out = tmp_path / "four.jsonl"
    ran(data, "export", "--study", str(four.id), "--format", "jsonl", "--out", out)
    first, *rest = out.read_text(encoding="utf-8").splitlines()
    line = json.loads(first)
    line["history"][-1][field] = value
    out.write_text("\n".join([json.dumps(line), *rest]) + "\n", encoding="utf-8")
    with pytest.raises(UserError, match=sentence):
        ran(data, "import-ratings", out)


async def test_a_study_of_four_arms_is_rated_by_keys_and_summed_up(
    data: DataDir, db: sqlite3.Connection, four: Study
) -> None:
    app = RadtuiApp(data, "ana", screen="review", live=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: getattr(app.screen, "session", None) is not None)
        assert isinstance(app.screen, ReviewScreen) and app.screen.session is not None
        assert app.screen.session.study.id == four.id  # the newest
        for name in ("gpt 4.csv", "tuned.v2"):
            assert f"{name}" not in app.screen.query_one("#a").border_title
        for _ in range(30):
            await pilot.press("5")
        assert len(ratings.current(db, four.id, "ana")) == 30
        await pilot.press("u")
        assert ratings.current(db, four.id, "ana") != [] and len(ratings.current(db, four.id, "ana")) == 29
        await pilot.press("T")
        await until(pilot, lambda: "All arms" in text_of(app))
        told = str(app.screen.query_one("#ratings", Static).content)
        assert "tuned.v2 beats gpt 4.csv" in told and "log odds against base" in told
        assert f"Summary of study {four.id}: four arms" in text_of(app)
