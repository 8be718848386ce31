"""Three arms: pairs drawn blind and stable, ratings that point to the later one, statistics that find the truth."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from radtui.export.columns import paired_columns
from radtui.export.comparisons import write_csv
from radtui.export.errors import error_rows
from radtui.export.formats import Options, write_export
from radtui.export.import_ratings import import_ratings
from radtui.export.report import write_report
from radtui.measures.arms import compare_arms
from radtui.measures.scheme import toward_later
from radtui.paths import DataDir
from radtui.records import Job, Rating, UserError
from radtui.settings import GenerateSettings
from radtui.store import ratings, studies
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.blinding import later_left, shown_sides
from radtui.study.preferences import choose
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession
from radtui.study.study import read_review, score_study, summarise_review
from tests.commands import invoked
from tests.unit.review_sessions import begun, shown
from tests.unit.test_store import rating, study_of

THREE = BASE, TUNED, DPO = ("base", "tuned", "dpo")
PAIRS = list(combinations(THREE, 2))
SCHEME = replace(default_scheme(), protocol=replace(default_scheme().protocol, repeat_share=0.0))


def begin(db: sqlite3.Connection, job: Job, rater: str = "ana") -> ReviewSession:
    return begun(db, study_of(db, job), rater, SCHEME)


def rate_all(db: sqlite3.Connection, job: Job, rater: str = "ana") -> list[Rating]:
    """One rater judges every pair: the later arm is better, of tuned and dpo in two of three."""
    session, given = begin(db, job, rater), []
    for number in range(len(session.queue.pairs)):
        now = shown(session)
        later = max(now.sides, key=THREE.index)
        wins = number % 6 != 0 if set(now.sides) == {TUNED, DPO} else number % 5 != 0
        better = now.sides.index(later) if wins else 1 - now.sides.index(later)
        session.answer(lambda row, side=now.sides[better]: edits.accepted(row, side, 5))
        session.answer(lambda row, other=now.sides[1 - better]: edits.accepted(row, other, 2))
        row = session.answer(lambda row, better=better: edits.preferred(row, SCHEME, 4 if better else 0))
        assert row is not None
        given.append(row)
        session.next_unrated()
    return given


def test_two_arms_stand_by_side_alone() -> None:
    for case_id in range(400):
        later = later_left(3, case_id, "ana", 0, 42)
        expected = (TUNED, BASE) if later else (BASE, TUNED)
        assert shown_sides((BASE, TUNED), 3, case_id, "ana", 0, 42) == expected


def test_every_pair_is_drawn_equally_often_on_both_sides() -> None:
    drawn = [shown_sides(THREE, 3, case_id, "ana", 0, 42) for case_id in range(3000)]
    assert Counter(frozenset(sides) for sides in drawn) == {frozenset(pair): 1000 for pair in PAIRS}
    for pair in PAIRS:
        left = sum(sides[0] == pair[1] for sides in drawn if set(sides) == set(pair))
        assert 440 < left < 560


def test_raters_and_repeats_get_the_same_pair_and_sides_of_their_own() -> None:
    images = range(600)
    ana, ben, again = (
        [shown_sides(THREE, 3, case_id, rater, occasion, 42) for case_id in images]
        for rater, occasion in (("ana", 0), ("ben", 0), ("ana", 1))
    )
    for others in (ben, again):
        assert [set(one) for one in ana] == [set(other) for other in others]
        assert 230 < sum(one == other for one, other in zip(ana, others, strict=True)) < 370
    other_seed = [shown_sides(THREE, 3, case_id, "ana", 0, 43) for case_id in images]
    assert sum(set(a) == set(b) for a, b in zip(ana, other_seed, strict=True)) < 300


def test_another_process_draws_the_same() -> None:
    code = (
        "from radtui.study.blinding import shown_sides\n"
        "print([shown_sides(('base', 'tuned', 'dpo'), 7, i, 'zoë', 0, 5) for i in range(40)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([shown_sides(THREE, 7, i, "zoë", 0, 5) for i in range(40)])


def test_a_preference_points_to_the_later_arm() -> None:
    assert toward_later(2, later_left=False) == 2 and toward_later(2, later_left=True) == -2
    assert toward_later(-1, later_left=False) == -1 and toward_later(-1, later_left=True) == 1


def test_a_rater_sees_two_of_the_three_texts_and_the_same_after_a_restart(
    data: DataDir, db: sqlite3.Connection, third_job: Job
) -> None:
    session, seen = begin(db, third_job), {}
    for number in range(len(session.queue.pairs)):
        now = shown(session)
        pair = studies.comparison(db, study_of(db, third_job), now.pair.case_id)
        assert pair is not None
        assert now.texts == tuple(pair.by(side).text for side in now.sides)
        seen[now.pair] = now.sides
        if number < 12:
            session.answer(lambda row: edits.preferred(row, SCHEME, 2))
            session.next_unrated()
        else:
            session.step(1)
    assert {frozenset(sides) for sides in seen.values()} == {frozenset(pair) for pair in PAIRS}
    fresh = connect(data)
    again = begin(fresh, third_job)
    assert again.queue.progress().rated == 12
    for pair, sides in seen.items():
        again.show(pair)
        assert shown(again).sides == sides
    rows = ratings.current(fresh, study_of(fresh, third_job).id, "ana")
    assert {frozenset((row.left_arm, row.right_arm)) for row in rows} <= {frozenset(pair) for pair in PAIRS}
    fresh.close()


def test_answers_are_kept_for_the_arms_they_are_about(db: sqlite3.Connection, third_job: Job) -> None:
    session = begin(db, third_job)
    while set(shown(session).sides) != {TUNED, DPO}:
        session.step(1)
    place = shown(session).sides.index(DPO)
    session.answer(lambda row: edits.preferred(row, SCHEME, 4 if place else 0))
    session.answer(lambda row: edits.accepted(row, DPO, 5))
    session.answer(lambda row: edits.accepted(row, TUNED, 3))
    row = session.answer(lambda row: edits.counted(row, DPO, "1", True, 2))
    assert row is not None
    assert (row.preference, *map(row.acceptability, THREE)) == (2, None, 3, 5)
    assert row.answers == {"error.dpo.1.significant": 2, "acceptability.dpo": 5, "acceptability.tuned": 3}
    assert row.shown == (TUNED, DPO) and row.later_left == (place == 0)
    assert row.later_text_id and row.earlier_text_id and row.later_text_id != row.earlier_text_id
    assert edits.chosen_level(row, SCHEME) == (4 if place else 0)
    assert edits.acceptability_of(row, DPO) == 5


def test_the_summary_compares_all_three(db: sqlite3.Connection, third_job: Job) -> None:
    given = rate_all(db, third_job)
    assert len(given) == 30
    found = summarise_review(read_review(db, study_of(db, third_job), SCHEME))
    assert found.arms is not None and found.arms.n == 30
    assert found.n == 10 and found.raters[0].n == 10  # base against tuned alone
    assert [(one.earlier, one.later) for one in found.arms.contrasts] == PAIRS
    assert sum(one.summary.n for one in found.arms.contrasts) == 30
    assert [strength.arm for strength in found.arms.strengths][-1] == "base"
    assert all(one.low < one.log_odds < one.high for one in found.arms.strengths if one.arm != "base")
    accepted = found.arms.contrasts[2].summary.acceptability
    assert accepted is not None and (accepted.later.value or 0) > (accepted.earlier.value or 0)
    told = found.to_dict()["arms"]
    assert isinstance(told, dict) and [one["later"] for one in told["contrasts"]] == ["tuned", "dpo", "dpo"]


def test_two_arms_have_no_such_part(db: sqlite3.Connection, reviewed_job: Job) -> None:
    found = summarise_review(read_review(db, study_of(db, reviewed_job), SCHEME))
    assert found.arms is None and "arms" not in found.to_dict()


def test_a_known_truth_is_found() -> None:
    strength = {BASE: 0.0, TUNED: 1.0, DPO: 1.8}
    rng, rows = random.Random(5), []
    for case_id in range(1200):
        left, right = shown_sides(THREE, 1, case_id, "ana", 0, 3)
        earlier, later = sorted((left, right), key=THREE.index)
        chance = 1 / (1 + 2.718281828 ** (strength[earlier] - strength[later]))
        preference = 1 if rng.random() < chance else -1
        rows.append(
            rating(
                1,
                case_id,
                preference,
                id=case_id,
                earlier_arm=earlier,
                later_arm=later,
                later_left=later == left,
            )
        )
    found = compare_arms(rows, THREE, SCHEME)
    assert [one.arm for one in found.strengths] == ["dpo", "tuned", "base"]
    for one in found.strengths[:2]:
        assert one.low <= strength[one.arm] <= one.high and one.high - one.low < 0.8
    assert [one.verdict for one in found.contrasts] == ["tuned preferred", "dpo preferred", "dpo preferred"]


def test_without_a_common_scale_there_are_no_strengths(db: sqlite3.Connection, third_job: Job) -> None:
    session = begin(db, third_job)
    session.answer(lambda row: edits.preferred(row, SCHEME, 0))
    found = summarise_review(read_review(db, study_of(db, third_job), SCHEME))
    assert found.arms is not None and found.arms.strengths == () and found.arms.n == 1


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_of_three_comes_back(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path, form: str
) -> None:
    rate_all(db, third_job)
    before = ratings.current(db, study_of(db, third_job).id)
    out = tmp_path / f"ratings.{form}"
    write_export(data, db, read_review(db, study_of(db, third_job), SCHEME), form, out, Options())
    db.execute("DELETE FROM ratings")
    db.execute("DELETE FROM assignments")
    done = import_ratings(db, out, SCHEME)
    assert (done.rows, done.added, done.unmatched) == (30, 30, 0)
    after = ratings.current(db, study_of(db, third_job).id)

    def said(row: Rating) -> tuple[object, ...]:
        return (row.case_id, row.left_arm, row.right_arm, row.preference,
                *map(row.acceptability, THREE), row.answers)  # fmt: skip

    assert sorted(map(said, after), key=str) == sorted(map(said, before), key=str)
    assert import_ratings(db, out, SCHEME).added == 0
    sides = {a.case_id: a.sides for a in ratings.assigned(db, study_of(db, third_job).id, "ana")}
    assert sides == {row.case_id: (row.left_arm, row.right_arm) for row in before}


def test_the_csv_keeps_its_columns_and_adds_the_thirds_behind_them(
    db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    import csv

    two, three = paired_columns(SCHEME), paired_columns(SCHEME, THREE)
    assert three[: len(two)] == two and three[len(two) :][:3] == ["shown_right", "dpo_adapter", "dpo_text"]
    given = {row.case_id: row for row in rate_all(db, third_job)}
    write_csv(db, study_of(db, third_job), SCHEME, tmp_path / "c.csv")
    with (tmp_path / "c.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    for row in rows:
        judged = given[int(row["image_id"])]
        assert (row["shown_left"], row["shown_right"]) == (judged.left_arm, judged.right_arm)
        better = judged.shown[1] if (judged.preference or 0) > 0 else judged.shown[0]
        assert row["preference_label"] == f"{better} much better"
        assert row[f"{better}_acceptability"] == "5" and row["dpo_text"].startswith("dpo writes about")


def test_every_form_of_export_is_written(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    import json

    from pyarrow import parquet

    rate_all(db, third_job)
    review = read_review(db, study_of(db, third_job), SCHEME)
    write_export(data, db, review, "parquet", tmp_path / "c.parquet", Options())
    table = parquet.read_table(tmp_path / "c.parquet")
    assert table.column_names == [*paired_columns(SCHEME, THREE, pace=True), "chain"] and table.num_rows == 30
    assert set(table["dpo_acceptability"].to_pylist()) == {None, 2, 5}
    done = write_export(data, db, review, "dpo", tmp_path / "dpo", Options())
    assert done.rows == 30
    assert json.loads(done.manifest.read_text())["job"]["dpo_adapter"] == "b"
    rows = [
        json.loads(line) for line in (tmp_path / "dpo" / "train" / "metadata.jsonl").read_text().splitlines()
    ]
    first = {row["chosen"][0]["content"].split()[0] for row in rows}
    assert first == {"base", "tuned", "dpo"}


def test_errors_and_preferences_name_the_arms_shown(db: sqlite3.Connection, third_job: Job) -> None:
    given = rate_all(db, third_job)
    session = begin(db, third_job)
    session.answer(lambda row: edits.counted(row, row.shown[1], "1", False, 1))
    review = read_review(db, study_of(db, third_job), SCHEME)
    per_image: dict[int, set[str]] = {}
    for case_id, _, arm, *_ in error_rows(review):
        per_image.setdefault(int(str(case_id)), set()).add(str(arm))
    assert per_image == {row.case_id: {row.left_arm, row.right_arm} for row in given}
    choice = choose(db, review)
    assert len(choice.pairs) == 30
    for pair in choice.pairs:
        row = next(one for one in given if one.case_id == pair.case.id)
        assert (pair.chosen, pair.rejected) == (row.shown[::-1] if (row.preference or 0) > 0 else row.shown)
        assert pair.texts == (pair.pair.by(pair.chosen).text, pair.pair.by(pair.rejected).text)


def test_raters_of_the_same_pair_can_be_told_how_far_they_agree(
    db: sqlite3.Connection, third_job: Job
) -> None:
    rate_all(db, third_job, "ana")
    rate_all(db, third_job, "ben")
    found = summarise_review(read_review(db, study_of(db, third_job), SCHEME))
    assert found.arms is not None and found.arms.n == 60
    assert all(one.summary.agreement is not None for one in found.arms.contrasts)


def test_scores_and_report_tell_of_the_third(
    data: DataDir, db: sqlite3.Connection, third_job: Job, tmp_path: Path
) -> None:
    rate_all(db, third_job)
    assert tuple(score_study(db, study_of(db, third_job))) == THREE
    write_report(data, db, study_of(db, third_job), SCHEME, tmp_path / "r.md")
    page = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert "Bradley-Terry strengths over 30 blind ratings" in page and "dpo against tuned" in page
    assert "direct preference optimisation on 24 rated pairs" in page and "(job 1)" in page
    assert "10 blind ratings of 10 pairs" in page and "In all, 30 ratings count" in page
    assert "Dpo says: dpo writes about" in page


def test_the_command_prints_all_three(data: DataDir, db: sqlite3.Connection, third_job: Job) -> None:
    rate_all(db, third_job)
    done = invoked(data, "stats", "--job", third_job.id)
    assert done.exit_code == 0, done.output
    assert "All arms, 30 ratings" in done.output and "strength of dpo" in done.output
    assert "dpo against tuned" in done.output
    scored = invoked(data, "score", "--job", third_job.id)
    assert scored.exit_code == 0 and scored.output.splitlines()[0].split() == ["base", "tuned", "dpo"]


def test_generating_with_a_job_of_preferences_takes_both_adapters(
    data: DataDir, db: sqlite3.Connection, third_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from radtui.jobs import launch, submit_generate

    monkeypatch.setattr(launch, "launch", lambda data, db, job_id: None)
    asked = GenerateSettings(train_job=2, split="train", model="org/tiny")
    with pytest.raises(UserError, match="Job 2 has left no adapter"):
        submit_generate(data, db, asked)
    for number in (1, 2):
        data.adapter(number).mkdir(parents=True)
        (data.adapter(number) / "adapter_config.json").write_text("{}")
    job = submit_generate(data, db, asked)
    assert job.settings["adapter"] == str(data.adapter(1)) and job.parent_job_id == 2
    assert GenerateSettings.from_dict(job.settings).further_adapters == {"dpo": str(data.adapter(2))}
    plain = submit_generate(data, db, replace(asked, train_job=1))
    assert plain.settings["more_adapters"] == ""
