"""Review sessions one after the other and side by side: restarts, kills, two terminals, several raters."""

from __future__ import annotations

import itertools
import signal
import sqlite3
import subprocess
import sys

import pytest

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import cases, jobs, ratings, studies
from radtui.store.database import connect, writing
from radtui.study import edits
from radtui.study.scheme_file import default_scheme, parse_scheme
from radtui.study.study import read_review, summarise_review
from tests.conftest import kept_case
from tests.unit.review_sessions import Clock, begin, described, prefer, shown
from tests.unit.test_review_agreement import alpha
from tests.unit.test_store import study_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_killed_session_comes_back_to_the_same_pair_on_the_same_sides(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    prefer(session, 1)
    session.next_unrated()
    before = shown(session)
    with writing(db):  # whatever an algorithm would say now: what was shown once stays
        flipped = "base" if before.left == "tuned" else "tuned"
        db.execute(
            "UPDATE assignments SET left_arm = ?, right_arm = left_arm WHERE case_id = ?",
            (flipped, before.pair.case_id),
        )
    fresh = connect(data)
    again = shown(begin(fresh, reviewed_job, clock))
    fresh.close()
    assert again.pair == before.pair
    assert again.left == flipped


def test_two_terminals_of_one_rater_agree_on_the_side(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    one, other = begin(db, reviewed_job, clock), begin(connect(data), reviewed_job, clock)
    pair = one.queue.pairs[-1]
    with writing(db):
        db.execute(
            "INSERT INTO assignments (study_id, case_id, rater, role, left_arm, right_arm, sort_key)"
            " VALUES (?, ?, 'ana', 'normal', 'base', 'tuned', 'x')",
            (pair.study_id, pair.case_id),
        )
    one.show(pair)
    other.show(pair)
    assert shown(one).left == shown(other).left == "base"


def test_two_terminals_of_one_rater_are_one_history(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    other = connect(data)
    here, there = begin(db, reviewed_job, clock), begin(other, reviewed_job, clock)
    first = shown(here).pair
    prefer(here, 0)
    here.next_unrated()
    assert there.pair == first
    note = there.answer(lambda rating: edits.noted(rating, "late"), judges=False)
    assert note is not None and note.preference is not None  # what the other terminal answered is kept
    assert there.next_unrated() == shown(here).pair
    prefer(there, 4)
    assert here.next_unrated() not in (first, there.pair)
    assert here.queue.progress().rated == 2
    assert here.undo() == there.pair  # the newest answer, wherever it was made
    assert [row.undoes for row in ratings.history(db, study_of(db, reviewed_job).id, "ana")] == [
        None,
        None,
        None,
        3,
    ]
    there.show(here.pair)
    there.reveal()
    assert not prefer(here, 1).blinded  # the same eyes
    other.close()


def test_undo_goes_back_over_pairs_and_over_a_restart(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    session = begin(db, reviewed_job, clock)
    judged = []
    for level in (0, 4, 2):
        judged.append(shown(session).pair)
        prefer(session, level)
        session.next_unrated()
    again = begin(connect(data), reviewed_job, clock)
    assert [again.undo() for _ in judged] == judged[::-1]
    assert ratings.current(db, study_of(db, reviewed_job).id, "ana") == []
    assert again.queue.progress().rated == 0


def test_a_reveal_outlives_a_restart_and_reaches_the_hidden_repeat(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    scheme = parse_scheme('id = "own"\nversion = 1\n[protocol]\nrepeat_share = 0.5\nrepeat_gap = 1')
    session = begin(db, reviewed_job, clock, scheme=scheme)
    repeat = next(pair for pair in session.queue.pairs if pair.occasion)
    session.show(repeat._replace(occasion=0))
    assert prefer(session, 0).blinded
    session.reveal()
    rows = len(ratings.history(db, study_of(db, reviewed_job).id, "ana"))

    other = connect(data)
    again = begin(other, reviewed_job, clock, scheme=scheme)  # a new process
    again.show(repeat._replace(occasion=0))
    assert shown(again).identity_known
    assert again.queue.mine[repeat._replace(occasion=0)].blinded  # as it was judged
    assert again.answer(edits.flag_turned, judges=False).blinded  # type: ignore[union-attr]
    assert not prefer(again, 4).blinded
    again.show(repeat)
    assert shown(again).identity_known and not prefer(again, 4).blinded
    ben = begin(other, reviewed_job, clock, rater="ben", scheme=scheme)
    ben.show(repeat._replace(occasion=0))
    assert not shown(ben).identity_known and prefer(ben, 4).blinded
    assert rows == 1  # a reveal of a rated pair is no rating
    other.close()


def test_raters_see_their_own_answers_only(db: sqlite3.Connection, reviewed_job: Job, clock: Clock) -> None:
    ana, ben = begin(db, reviewed_job, clock), begin(db, reviewed_job, clock, rater="ben")
    prefer(ana, 0)
    assert begin(db, reviewed_job, clock, rater="ben").queue.progress().rated == 0
    assert ana.queue.pairs != ben.queue.pairs
    assert ben.undo() is None


def test_pairs_that_come_in_later_move_no_other(
    db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    with writing(db):
        links = [tuple(row) for row in db.execute("SELECT * FROM arm_texts ORDER BY id")]
        db.execute("DELETE FROM arm_texts WHERE id > 6")
    session = begin(db, reviewed_job, clock)
    before = [pair.case_id for pair in session.queue.pairs]
    assert len(before) == 3
    with writing(db):
        db.executemany(f"INSERT OR IGNORE INTO arm_texts VALUES ({','.join('?' * len(links[0]))})", links)
    grown = session.sitting.order(studies.comparison_ids(db, study_of(db, reviewed_job)))
    assert session.grow(grown)
    assert [pair.case_id for pair in session.queue.pairs if pair.case_id in before] == before
    assert len(session.queue.pairs) == 6


KILLED = """
import os, signal, sys
from pathlib import Path
from radtui.study.scheme_file import default_scheme
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.session import ReviewSession, read_sitting
db = connect(Path(sys.argv[1]))
session = ReviewSession(db, read_sitting(db, int(sys.argv[2]), "ana", default_scheme()))
session.start()
session.answer(lambda rating: edits.preferred(rating, session.scheme, 4))
pair = session.next_unrated()
print(pair.case_id, session.shown().left, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_right_after_a_key_has_saved_it(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, clock: Clock
) -> None:
    command = [sys.executable, "-c", KILLED, str(data.root), str(study_of(db, reviewed_job).id)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [
        abs(row.preference or 0) for row in ratings.history(db, study_of(db, reviewed_job).id, "ana")
    ] == [2]
    now = shown(begin(db, reviewed_job, clock))
    assert f"{now.pair.case_id} {now.left}" == done.stdout.strip()


def test_over_2000_images_the_tuned_text_is_stored_left_in_half(db: sqlite3.Connection, clock: Clock) -> None:
    ids = without_files(db, 2000)
    session = begin(db, jobs.must_get(db, 1), clock)
    seen = dict.fromkeys(ids, 0)
    for place in range(1, len(session.queue.pairs) + 1):
        pair = session.jump(place)
        assert pair is not None
        if not pair.occasion:
            seen[pair.case_id] += shown(session).texts[0].startswith("tuned")
    left = sum(seen.values())
    assert 0.47 * 2000 <= left <= 0.53 * 2000
    rows = db.execute("SELECT left_arm, count(*) FROM assignments WHERE occasion = 0 GROUP BY 1").fetchall()
    assert dict(map(tuple, rows)) == {"tuned": left, "base": 2000 - left}


RATES = """
import sys, time
from pathlib import Path
from radtui.study.scheme_file import default_scheme
from radtui.store.database import connect
from radtui.study import edits
from radtui.study.session import ReviewSession, read_sitting
db, rater = connect(Path(sys.argv[1])), sys.argv[2]
session = ReviewSession(db, read_sitting(db, 1, rater, default_scheme()))
session.start()
print("ready", flush=True)
sys.stdin.readline()
while True:
    time.sleep(0.002)  # between answers, which wait for the disk one after another
    image_id, left = session.pair.case_id, session.shown().left
    wanted = (image_id % 5) - 2 if rater == "ana" or image_id % 10 else -2  # towards tuned; they differ on some
    level = 2 + (wanted if left == "base" else -wanted)
    session.answer(lambda rating: edits.preferred(rating, session.scheme, level))
    assert {row.rater for row in session.queue.mine.values()} == {rater}
    if session.next_unrated() is None:
        break
"""


def test_two_raters_at_once_lose_nothing_and_see_nothing_of_each_other(
    data: DataDir, db: sqlite3.Connection
) -> None:
    ids = without_files(db, 150)
    command = [sys.executable, "-c", RATES, str(data.root)]
    people = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("ana", "ben")
    ]
    for one in people:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in people:  # both are open: now they write at the same time
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.wait(timeout=60) for one in people] == [0, 0]
    for one in people:
        one.communicate()
    job = jobs.must_get(db, 1)
    for name in ("ana", "ben"):
        rows = ratings.history(db, 1, name)
        normal = {row.case_id: row.preference for row in rows if not row.occasion}
        assert sorted(normal) == ids and len(rows) == len({(row.case_id, row.occasion) for row in rows})
        assert all(
            value == (-2 if name == "ben" and not image_id % 10 else image_id % 5 - 2)
            for image_id, value in normal.items()
        )
    rows = ratings.history(db, 1, "ana") + ratings.history(db, 1, "ben")
    writers = [row.rater for row in sorted(rows, key=lambda row: row.id)]
    assert sum(a != b for a, b in itertools.pairwise(writers)) > 10  # they did take turns
    found = summarise_review(read_review(db, study_of(db, job), default_scheme()))
    expected = alpha([[i % 5 - 2, -2 if not i % 10 else i % 5 - 2] for i in ids]).value
    assert found.agreement is not None
    assert found.agreement.alpha.value == pytest.approx(expected)


def without_files(db: sqlite3.Connection, count: int) -> list[int]:
    """As many images that are rows only, described by job 1; returns their ids."""
    cases.ensure_dataset(db, "many", "drawn by a test")
    probe = cases.Probe("0" * 64, "PNG", 8, 8, "L")
    cases.add(
        db, "many", [kept_case("test", f"{n:05d}.png", probe, reference="A reference.") for n in range(count)]
    )
    ids = cases.find(db, cases.CaseQuery("many", "test"))
    described(db, ids)
    return ids
