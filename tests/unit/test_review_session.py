"""The review session against a real database: what a key leaves behind, and what a restart finds."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace

import pytest

from radtui.paths import DataDir
from radtui.records import Job, Rating
from radtui.store import ratings, studies
from radtui.store.database import connect, writing
from radtui.study import edits
from radtui.study.queue import Pair
from radtui.study.scheme_file import default_scheme, parse_scheme
from tests.unit.review_sessions import Clock, begin, prefer, shown
from tests.unit.test_store import study_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


def judgement(rating: Rating) -> Rating:
    """What a snapshot says, whenever and in whatever order it was made."""
    return replace(
        rating, id=0, active_s=0.0, wall_s=0.0, rated_at=0.0, undoes=None, scheme="", scheme_hash="", chain=""
    )


def test_a_preference_is_a_committed_row_turned_towards_the_tuned_text(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    seen = set()
    for _ in range(6):
        left = shown(session).left
        seen.add(left)
        prefer(session, 0)  # A much better
        other = connect(data)  # another process sees it at once
        newest = ratings.history(other, study_of(other, reviewed_job).id, "ana")[-1]
        other.close()
        assert newest.preference == (2 if left == "tuned" else -2)
        assert newest.left_arm == left and newest.blinded and newest.scheme == "radtui-default"
        session.next_unrated()
    assert seen == {"base", "tuned"}
    assert session.next_unrated() is None


def test_texts_stand_on_the_side_that_is_stored(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    for _ in range(6):
        now = shown(session)
        pair = studies.comparison(db, study_of(db, reviewed_job), now.pair.case_id)
        assert pair is not None
        sides = {"base": pair.by("base").text, "tuned": pair.by("tuned").text}
        assert now.texts == (sides[now.arm(0)], sides[now.arm(1)])
        prefer(session, 2)
        session.next_unrated()


def test_five_undos_restore_five_states_in_ten_rows(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    first = shown(session).pair
    states: list[Rating | None] = []

    def remember() -> None:
        states.append(session.queue.mine.get(first))

    remember()
    session.answer(edits.flag_turned, judges=False)
    remember()
    session.answer(lambda rating: edits.noted(rating, "blurred"), judges=False)
    remember()
    session.answer(lambda rating: edits.accepted(rating, "base", 2))
    remember()
    prefer(session, 3)
    remember()
    session.answer(edits.both_bad)
    for expected in reversed(states):
        assert session.undo() == first
        now = session.queue.mine[first]
        if expected is None:
            assert now.empty and not now.note and not now.flagged and now.acceptability("base") is None
        else:
            assert judgement(now) == judgement(expected)
    rows = ratings.history(db, study_of(db, reviewed_job).id, "ana")
    assert len(rows) == 10
    assert [row.undoes for row in rows[5:]] == [row.id for row in reversed(rows[:5])]
    assert session.undo() is None


def test_identity_is_known_after_asking_only_and_unblinds_what_follows(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    assert prefer(session, 0).blinded
    assert not shown(session).identity_known
    session.reveal()  # after the rating: the row stays blind
    assert shown(session).identity_known
    assert session.queue.mine[shown(session).pair].blinded
    assert session.answer(edits.flag_turned, judges=False).blinded  # type: ignore[union-attr]
    assert not prefer(session, 4).blinded  # a change of mind with open eyes
    session.next_unrated()
    session.reveal()  # before the rating
    pair = shown(session).pair
    again = begin(connect(data), reviewed_job, clock)  # not undone by a restart
    again.show(pair)
    assert shown(again).identity_known
    assert not prefer(again, 1).blinded
    again.undo()
    assert not again.queue.mine[pair].blinded


def test_a_key_looks_nothing_up_by_reading_a_table_through(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    prefer(session, 1)
    session.next_unrated()
    session.shown()
    session.reveal()
    session.undo()
    db.set_trace_callback(None)
    read = {sql for sql in statements if sql.startswith("SELECT")}
    assert any("FROM ratings" in sql for sql in read) and any("FROM arm_texts" in sql for sql in read)
    plans = {sql: [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in read}
    assert [(sql, plan) for sql, plan in plans.items() if any("SCAN" in step for step in plan)] == []


def test_reference_waits_for_the_preference_unless_asked_for(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    assert shown(session).reference == "" and shown(session).reference_waits
    session.peek = True
    assert "nodule" in shown(session).reference
    session.peek = False
    prefer(session, 2)
    assert "nodule" in shown(session).reference
    for when, seen in (("before", True), ("never", False)):
        scheme = parse_scheme(f'id = "own"\nversion = 1\n[protocol]\nreference = "{when}"')
        fresh = begin(db, reviewed_job, clock, rater=when, scheme=scheme)
        assert bool(shown(fresh).reference) is seen


def test_time_stops_after_a_minute_without_a_key_and_elsewhere(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    clock.now_s += 10
    session.time.touch()
    clock.now_s += 300  # away from the desk
    session.time.pause()
    clock.now_s += 1000  # on another screen
    session.time.resume()
    clock.now_s += 5
    row = prefer(session, 1)
    assert row.active_s == pytest.approx(10 + 60 + 5)
    assert row.wall_s == pytest.approx(315)
    clock.now_s += 7
    later = session.answer(lambda rating: edits.noted(rating, "sure"), judges=False)
    assert later is not None and later.active_s == pytest.approx(82)


def test_time_spent_before_moving_on_without_an_answer_is_kept(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    clock.now_s += 20
    session.step(1)
    clock.now_s += 4
    session.step(-1)
    clock.now_s += 3
    assert prefer(session, 1).active_s == pytest.approx(23)


def test_hostile_text_is_harmless_and_stored_unchanged(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    hostile = "\x1b]0;owned\x07 [bold red]x[/] \u202etxt =HYPERLINK() " + "long " * 2000
    with writing(db):
        db.execute("UPDATE texts SET text = ? WHERE adapter = 'tuned'", (hostile,))
    session = begin(db, reviewed_job, clock)
    now = shown(session)
    text = now.texts[0 if now.left == "tuned" else 1]
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert "[bold red]x[/]" in text
    stored = studies.comparison(db, study_of(db, reviewed_job), now.pair.case_id)
    assert stored is not None and stored.by("tuned").text == hostile


def test_errors_and_dimensions_are_answers_of_the_scheme() -> None:
    scheme = default_scheme()
    rating = edits.blank(Pair(1, 2), "ana", scheme, "base", "tuned", later_left=True)
    rating = edits.counted(rating, "base", "2", True, 1)
    rating = edits.counted(rating, "base", "2", True, 1)
    assert rating.answers == {"error.base.2.significant": 2}
    rating = edits.counted(edits.counted(rating, "base", "2", True, -1), "base", "2", True, -1)
    assert rating.answers == {}
    assert edits.counted(rating, "base", "2", True, -1).answers == {}
    rating = edits.compared(rating, scheme, scheme.dimensions[0], 4)  # B much better, and B is the base text
    assert rating.answers == {"dim.correctness": -2}
    assert edits.chosen_level(rating, scheme, "dim.correctness") == 4
    assert edits.chosen_level(replace(rating, preference=1), scheme) == 1  # towards tuned, which is A


@pytest.mark.slow
def test_a_key_stays_fast_with_a_hundred_thousand_ratings(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    first = shown(begin(db, reviewed_job, clock)).pair
    blank = edits.blank(first, "ana", default_scheme(), "base", "tuned", later_left=False)
    columns = ratings.FIELDS
    values = [
        {
            **{name: getattr(blank, name) for name in columns},
            "answers": "{}",
            "corrections": "{}",
            "preference": 1,
        }
    ]
    with writing(db):
        names = list(values[0])
        db.executemany(
            f"INSERT INTO ratings ({','.join(names)}) VALUES ({','.join('?' * len(names))})",
            ([values[0][name] for name in names] for _ in range(100_000)),
        )
    session = begin(db, reviewed_job, clock)
    spent = []
    for n in range(60):
        start = time.process_time()
        prefer(session, n % 5)
        session.next_unrated()
        session.step(1)
        session.shown()
        spent.append(time.process_time() - start)
    assert sorted(spent)[-2] < 0.05
