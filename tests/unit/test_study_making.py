"""Studies made by hand: arms from several places, balanced pairs, ties without a reader, a blind reference."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, Study, UserError
from radtui.store import cases, jobs, ratings, studies, texts
from radtui.study import edits
from radtui.study.drawing import DrawnPairs, draw, read_drawn
from radtui.study.giveaways import giveaways
from radtui.study.making import make_study, parse_arms
from radtui.study.overview import identical_pairs, overview
from radtui.study.reading import Reading
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from tests.commands import ran
from tests.conftest import give_arms, new_text
from tests.unit.review_sessions import begun, shown
from tests.unit.test_store import study_of

SCHEME = default_scheme()
FOUR = "base,tuned,reference,file:"


@pytest.fixture
def gpt(db: sqlite3.Connection, third_job: Job, tmp_path: Path) -> Path:
    """Texts without the last ten of thirty cases; two are the tuned model's, one is of no case."""
    ids = studies.comparison_ids(db, study_of(db, third_job))
    tuned = texts.of_arm(db, study_of(db, third_job).arms[1].arm_id, third_job.id, ids)
    keys = {case.id: case.source_key for case in cases.get_many(db, ids)}
    said = {
        case_id: tuned[case_id].text + "\n" if at < 2 else f"Nodule seen on film {at}."
        for at, case_id in enumerate(ids)
    }
    rows = [f'{keys[case_id]},"{said[case_id]}"' for case_id in ids[:20]]
    path = tmp_path / "gpt.csv"
    path.write_text("\n".join(["file_name,report", *rows, "stranger.png,No."]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def four(db: sqlite3.Connection, third_job: Job, gpt: Path) -> Study:
    return make_study(db, parse_arms([FOUR + str(gpt)]), "train").study


def drawn_of(db: sqlite3.Connection, study: Study) -> DrawnPairs:
    drawn = read_drawn(db, study)
    assert drawn is not None
    return drawn


def test_the_command_line_makes_lists_and_shows_a_study_of_four(
    data: DataDir, db: sqlite3.Connection, third_job: Job, gpt: Path
) -> None:
    said = ran(data, "study", "new", "--arms", FOUR + str(gpt), "--cases", "train", "--name", "four").output
    assert "gpt.csv has no text of 10 of 30 cases" in said and "1 row of gpt.csv is about none" in said
    assert "Study 2 'four' is made." in said
    assert (
        "study 2: four (base, tuned, reference, gpt.csv): 30 cases, not rated yet"
        in ran(data, "study", "list").output
    )
    facts = json.loads(ran(data, "study", "show", "2", "--json").output)
    assert [arm["texts"] for arm in facts["arms"].values()] == [30, 30, 30, 20]
    assert sum(facts["pairs"].values()) + sum(facts["identical"].values()) == 30


def test_one_pair_a_case_balanced_over_the_pairs_that_can_be(db: sqlite3.Connection, four: Study) -> None:
    drawn = drawn_of(db, four)
    assert all(len(pairs) == 1 for pairs in drawn.pairs.values()) and len(drawn.pairs) == 30
    counts = Counter(pairs[0] for pairs in drawn.pairs.values())
    assert set(counts) == set(combinations(four.arm_names, 2))
    assert max(counts.values()) - min(counts.values()) <= 2


@pytest.mark.parametrize("wanted", [2, 6, 9])
def test_several_pairs_a_case_are_different_ones(
    db: sqlite3.Connection, third_job: Job, gpt: Path, wanted: int
) -> None:
    made = make_study(db, parse_arms([FOUR + str(gpt)]), "train", pairs_per_case=wanted)
    drawn = drawn_of(db, made.study)
    for case_id, pairs in drawn.pairs.items():
        there = len(studies.comparisons(db, made.study, [case_id])[case_id].texts)
        assert len(set(pairs)) == len(pairs) == min(wanted, there * (there - 1) // 2)


def test_both_sides_and_the_same_pairs_for_every_reader(db: sqlite3.Connection, third_job: Job) -> None:
    study = make_study(db, parse_arms(["base,tuned"]), "train").study
    drawn = drawn_of(db, study)
    for reader in ("ana", "ben"):
        pairs = [pair for pair in read_sitting(db, study.id, reader, SCHEME).pairs if not pair.occasion]
        left = Counter(drawn.sides(study, pair, reader)[0] for pair in pairs)
        assert abs(left["base"] - left["tuned"]) <= 2  # 30 in blocks of four
    assert draw(study, studies.comparisons(db, study, studies.comparison_ids(db, study))) == drawn


def test_texts_that_read_the_same_are_ties_that_nobody_is_asked_about(
    data: DataDir, db: sqlite3.Connection, third_job: Job, gpt: Path
) -> None:
    study = make_study(db, parse_arms(["tuned,file:" + str(gpt)]), "train").study
    drawn = drawn_of(db, study)
    assert len(drawn.pairs) == 20 and len(drawn.identical) == 2
    asked = {pair.case_id for pair in read_sitting(db, study.id, "ana", SCHEME).pairs}
    assert len(asked) == 18 and asked.isdisjoint(case_id for case_id, _ in drawn.identical)
    session = begun(db, study)
    session.answer(lambda row: edits.preferred(row, SCHEME, 4))
    said = ran(data, "stats", "--study", str(study.id)).output
    assert "2 pairs of gpt.csv against tuned read the same: ties, which no reader is asked about." in said


def test_the_newest_arm_comes_first_until_the_study_is_locked(db: sqlite3.Connection, third_job: Job) -> None:
    study = make_study(db, parse_arms(["base,tuned,dpo"]), "train").study
    drawn = drawn_of(db, study)
    order = [drawn.pairs[pair.case_id][0] for pair in read_sitting(db, study.id, "ana", SCHEME).pairs]
    assert set(order[:10]) == {("tuned", "dpo")}
    studies.lock(db, study.id, study.protocol)
    order = [drawn.pairs[pair.case_id][0] for pair in read_sitting(db, study.id, "ana", SCHEME).pairs]
    assert len(set(order[:10])) > 1


def test_a_blind_reference_stays_hidden_until_the_case_is_finished(
    db: sqlite3.Connection, four: Study
) -> None:
    session = begun(db, four)
    now = shown(session)
    assert now.reference == "" and now.reference_barred
    session.peek = True
    assert shown(session).reference == ""
    session.answer(lambda row: edits.preferred(row, SCHEME, 4))
    session.show(now.pair)
    repeats = [pair for pair in session.queue.pairs if pair == now.pair._replace(occasion=1)]
    assert shown(session).reference_barred is bool(repeats)  # one that comes back is not finished
    for pair in repeats:
        session.show(pair)
        session.answer(lambda row: edits.preferred(row, SCHEME, 4))
    session.show(now.pair)
    assert shown(session).reference == "" and shown(session).reference_marks  # it would tell whose text it is
    session.reveal("reference")
    session.peek = True
    assert "nodule" in shown(session).reference and not shown(session).identity_known
    assert session.mine is not None and session.mine.blinded
    changed = session.answer(lambda row: edits.preferred(row, SCHEME, 0))
    assert changed is not None and not changed.blinded


def test_arms_of_two_jobs_are_told_apart(data: DataDir, db: sqlite3.Connection, third_job: Job) -> None:
    ids = studies.comparison_ids(db, study_of(db, third_job))
    other = jobs.create(db, JobKind.GENERATE, "again", "drawn", {}, case_ids=ids)
    arm = give_arms(db, other, "base", "tuned", instruction="Describe briefly.")
    texts.add(db, other.id, [
        new_text(case_id, arm[name], f"Briefly, {name} {case_id}.") for case_id in ids for name in arm
    ])  # fmt: skip
    jobs.end(db, other.id, JobState.DONE)
    both = [third_job.id, other.id]
    with pytest.raises(UserError, match=rf"write base#{third_job.id} or base#{other.id}"):
        make_study(db, parse_arms(["base,dpo"]), "train", job_ids=both)
    wishes = parse_arms([f"base#{third_job.id},brief=base#{other.id},dpo"])
    study = make_study(db, wishes, "train", job_ids=both).study
    assert study.arm_names == (f"base#{third_job.id}", "brief", "dpo")
    one = studies.comparisons(db, study, ids[:1])[ids[0]]
    assert one.by("brief").text == f"Briefly, base {ids[0]}."
    with pytest.raises(UserError, match="two names"):
        make_study(db, parse_arms([f"a=base#{other.id},b=base#{other.id}"]), "train")


def test_texts_as_readers_left_them_are_an_arm_that_nobody_rates_blind_who_made_it(
    data: DataDir, db: sqlite3.Connection, third_job: Job
) -> None:
    ids = studies.comparison_ids(db, study_of(db, third_job))
    with pytest.raises(UserError, match="No text of these cases is corrected"):
        make_study(db, parse_arms(["tuned,corrections"]), "train")
    for rater, text in (("ana", "First said."), ("ben", "Nodule, as ben says.")):
        reading = Reading(db, study_of(db, third_job), "tuned", rater, SCHEME)
        reading.start()
        reading.leave(text)
    reading.next_unread()
    reading.accept()  # ben takes the second case's text as it is
    told = ran(data, "study", "new", "--arms", "tuned,corrections", "--cases", "train", "--json").output
    facts = json.loads(told[told.index("{") :])
    assert "corrections has no text of 28 of 30 cases." in facts["notes"]
    study = studies.must_get(db, facts["study"])
    by_case = studies.comparisons(db, study, ids)
    assert by_case[ids[0]].by("corrections").text == "Nodule, as ben says."  # the newest
    assert by_case[ids[1]].by("corrections").text == by_case[ids[1]].by("tuned").text.strip()
    for rater, blind in (("ana", False), ("ben", False), ("cora", True)):
        session = begun(db, study, rater)
        session.show(next(pair for pair in session.queue.pairs if pair.case_id == ids[0]))
        row = session.answer(lambda rating: edits.preferred(rating, SCHEME, 0))
        assert row is not None and row.blinded is blind, rater
    of_job = make_study(db, parse_arms([f"tuned,corrections#{third_job.id}"]), "train", name="again")
    assert of_job.cases == 2 and of_job.study.arms[1].arm_id == study.arms[1].arm_id


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("file,text\ntrain-000.png,A.\ntrain-000,B.\n", "twice, in rows 1 and 2"),
        ("file,text\nx.png,A.\n", "no text of any of the 30 cases"),
        ("image,score\ntrain-000.png,A.\n", "one with the text"),
    ],
)
def test_a_file_that_cannot_be_an_arm_is_refused_and_nothing_is_stored(
    db: sqlite3.Connection, third_job: Job, tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content, encoding="utf-8")
    before = len(studies.all_studies(db))
    with pytest.raises(UserError, match=reason):
        make_study(db, parse_arms([f"base,file:{path}"]), "train")
    assert len(studies.all_studies(db)) == before
    assert db.execute("SELECT count(*) FROM arms WHERE kind = 'file'").fetchone()[0] == 0


def test_jsonl_by_numbers_and_a_file_of_cases(db: sqlite3.Connection, third_job: Job, tmp_path: Path) -> None:
    ids = studies.comparison_ids(db, study_of(db, third_job))
    path, chosen = tmp_path / "x.jsonl", tmp_path / "chosen.txt"
    path.write_text("".join(json.dumps({"id": n, "text": f"About {n}."}) + "\n" for n in ids))
    chosen.write_text(f"{ids[3]}\ntrain-007.png\n")
    study = make_study(db, parse_arms([f"base,mine=file:{path}"]), str(chosen)).study
    assert studies.comparison_ids(db, study) == [ids[3], ids[7]] and study.arm_names == ("base", "mine")


def test_what_gives_an_arm_away_is_said() -> None:
    plain = {
        n: f"{('Nodule', 'Mass', 'Scar')[n % 3]} in the {'left' if n % 2 else 'right'} base, number {n} of many."
        for n in range(20)
    }
    other = {n: f"Film {n} has {'an opacity' if n % 3 else 'a nodule'} in a lobe, {n}." for n in range(20)}
    assert giveaways({"base": plain, "tuned": other}, {}) == []
    chatty = {n: f"As an AI, I see {' '.join(['more'] * (30 + n))} on {n}." for n in range(20)}
    named = other | {4: "gpt-4o finds a nodule."}
    sentences = giveaways({"base": plain, "x": chatty, "y": named}, {"y": ["gpt-4o"]})
    assert any("20 of 20 texts of x say what it is itself" in each for each in sentences)
    assert any("1 of 20 texts of y say 'gpt-4o'" in each for each in sentences)
    assert any("x is longer than base in 100 % of cases" in each for each in sentences)
    assert any("x begin with 'as an ai'" in each for each in sentences)


def test_reading_too_fast_and_long_pauses_are_marked_and_counted(
    data: DataDir, db: sqlite3.Connection, third_job: Job
) -> None:
    study = make_study(db, parse_arms(["base,tuned"]), "train").study
    now = [0.0]
    session = ReviewSession(db, read_sitting(db, study.id, "ana", SCHEME), clock=lambda: now[0])
    session.start()
    for spent in (0.5, 20.0, 2000.0):
        now[0] += spent
        session.answer(lambda row: edits.preferred(row, SCHEME, 4))
        session.next_unrated()
    said = ran(data, "study", "show", str(study.id)).output
    assert "ana has rated 3 pairs, 1 too fast, 1 long idle." in said
    assert len([row for row in ratings.current(db, study.id) if row.preference is not None]) == 3


def test_identical_texts_of_a_jobs_own_study_are_ties_that_no_reader_is_asked_about(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    study = study_of(db, reviewed_job)
    told = ran(data, "study", "show", str(study.id)).output
    assert "Each reader is asked for 6 pairs, 1 a case:\n  tuned against base: 6" in told
    alone = jobs.create(db, JobKind.GENERATE, "one model", "many", {})
    texts.add(db, alone.id, [new_text(1, give_arms(db, alone, "base")["base"], "Clear.")])
    studies_of_jobs = {each.job_id: each.id for each in studies.all_studies(db)}
    told = ran(data, "study", "show", str(studies_of_jobs[alone.id])).output
    assert "texts of 1 of 1 case)" in told and "asked for 0 pairs" in told
    ids = studies.comparison_ids(db, study)
    rated, same = ids[0], ids[1]
    session = begun(db, study)
    while session.pair is not None and session.pair.case_id != rated:
        session.show(session.queue.step(session.pair, 1))
    session.answer(lambda row: edits.preferred(row, SCHEME, 1))
    for case_id in (rated, same):  # the second differs by a mark that readers do not see
        text = "The lungs are clear." if case_id == rated else "**The lungs are clear.**"
        db.execute(
            "UPDATE texts SET text = ? WHERE case_id = ? AND adapter = ''", ("The lungs are clear.", case_id)
        )
        db.execute("UPDATE texts SET text = ? WHERE case_id = ? AND adapter <> ''", (text, case_id))
    again = read_sitting(db, study.id, "ana", SCHEME)
    asked = {pair.case_id for pair in again.pairs}
    assert same not in asked and rated in asked and len(asked) == len(ids) - 1  # what was rated stays
    assert {pair.case_id for pair in again.order(ids)} == asked
    assert {pair.case_id for pair in read_sitting(db, study.id, "ben", SCHEME).pairs} == set(ids) - {
        rated,
        same,
    }
    assert identical_pairs(db, study) == {"tuned against base": 2}
    seen = overview(db, study)
    (reader,) = seen.readers
    assert (reader.rated, reader.repeats) == (1, 0)
    seen = replace(seen, readers=(replace(reader, repeats=1, unblinded=2, too_fast=0),))
    assert "ana has rated 1 pair, 1 hidden repeat, 2 un-blinded." in seen.lines()
