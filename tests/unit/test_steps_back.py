"""A commit that fails leaves a session as one that is read anew, and reads no history for it."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace

import pytest

from radtui.paths import DataDir
from radtui.records import Job, Study
from radtui.store import ratings, studies
from radtui.store.database import connect
from radtui.store.holding import commit, hold, let_go
from radtui.store.place import Connection
from radtui.study import edits
from radtui.study.seen import ARMS, REFERENCE
from radtui.study.session import ReviewSession
from tests.unit.review_sessions import Clock, begun, prefer, shown
from tests.unit.test_store import study_of


@pytest.fixture
def study(db: sqlite3.Connection, reviewed_job: Job) -> Study:
    return study_of(db, reviewed_job)


def act(session: ReviewSession, chance: random.Random) -> None:
    """Something that a rater does by a key."""
    what = chance.randrange(8)
    if what == 0:
        session.undo()
    elif what == 1:
        session.reveal(chance.choice((ARMS, REFERENCE)))
    elif what == 2:
        session.answer(lambda row: edits.noted(row, "a note"), judges=False)
    elif what == 3:
        session.answer(edits.flag_turned, judges=False)
    elif what == 4:
        session.show(chance.choice(session.queue.pairs))
    else:
        session.answer(lambda row: edits.preferred(row, session.scheme, chance.randrange(5)))
        session.next_unrated()


def state(session: ReviewSession) -> dict[str, object]:
    """All that a session knows of what was answered and seen."""
    history, queue = session._history, session.queue
    return {
        "current": dict(history.current), "steps": list(history._steps.get("ana", {}).values()),
        "standing": {slot: list(rows.values()) for slot, rows in history._standing.items() if rows},
        "mine": dict(queue.mine), "judged": set(queue._judged_at), "recent": list(queue._recent),
        "progress": replace(queue.progress(), active_s=round(queue.progress().active_s, 6)),
        "sides": dict(session.sitting.sides), "seen": (session._seen.arms, session._seen.reference),
        "newest": session._newest_id,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_after_a_commit_that_failed_a_session_is_as_one_that_is_read_anew(
    db: Connection, study: Study, seed: int
) -> None:
    chance, session = random.Random(seed), begun(db, study)
    failed = 0
    for _ in range(40):
        assert hold(db)
        stood_at, before, last = session.pair, state(session), session.queue.last
        act(session, chance)
        if chance.random() < 0.6:
            commit(db)
            session.saved()
            continue
        let_go(db)
        session.go_back(stood_at)
        assert state(session) == before and session.queue.last == last
        anew = begun(db, study)
        anew.show(stood_at)
        assert before == state(anew)
        failed += 1
    assert failed > 5 and session._history.current


def test_what_another_terminal_answers_meanwhile_is_not_lost_by_it(
    data: DataDir, db: Connection, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, other = begun(db, study), begun(connect(data), study)
    first, last = session.pair, other.show(other.queue.pairs[-1])
    other.answer(edits.both_bad)  # taken in by the turn that fails
    assert hold(db)
    session.answer(lambda row: edits.preferred(row, session.scheme, 1))
    let_go(db)
    other.answer(edits.skipped)  # takes the number that the failed answer had
    monkeypatch.setattr(ratings, "history", None)  # a rater's history is not read again
    session.go_back(first)
    assert session.mine is None and list(session.queue.mine) == [last]
    assert session.undo() == last and session.queue.mine[last].both_bad


def test_a_pair_keeps_its_own_texts_where_nothing_can_be_read_and_its_time_where_nothing_was_saved(
    db: Connection, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    clock = Clock()
    session = begun(db, study, clock=clock)
    first = session.pair
    for unread in (studies, "comparison"), (ratings, "is_revealed"), (ratings, "since"):
        clock.now_s += 10
        assert hold(db)
        prefer(session, 1)
        session.next_unrated()
        let_go(db)
        with monkeypatch.context() as patched, pytest.raises(sqlite3.OperationalError):
            patched.setattr(*unread, unreadable)
            session.go_back(first)
        seen = shown(session)
        assert seen.pair == session.pair == first and first is not None and seen.case.id == first.case_id
    clock.now_s += 2
    row = prefer(session, 2)
    assert (row.active_s, row.wall_s) == (32, 32)
    clock.now_s += 5
    assert hold(db)
    assert prefer(session, 3).active_s == 37
    commit(db)
    session.go_back(first)  # as where an error comes after the commit
    assert session.time.unstored_s() == (0, 0) and session.mine is not None and session.mine.active_s == 37
