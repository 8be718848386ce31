"""A locked protocol: before the first rating alone, hashed, and later changes are listed."""

from __future__ import annotations

import sqlite3

import pytest

from radtui.paths import DataDir
from radtui.records import Job, Study, UserError
from radtui.store import studies
from radtui.study import edits
from radtui.study.drawing import read_drawn
from radtui.study.locking import changes_since, hash_of, lock_study
from radtui.study.making import make_study, parse_arms
from radtui.study.scheme_file import default_scheme, parse_scheme
from tests.commands import invoked
from tests.unit.review_sessions import begun
from tests.unit.test_store import study_of

SCHEME = default_scheme()


@pytest.fixture
def study(db: sqlite3.Connection, third_job: Job) -> Study:
    return make_study(db, parse_arms(["base,tuned,dpo"]), "train").study


def test_a_lock_fixes_hash_and_pairs(data: DataDir, db: sqlite3.Connection, study: Study) -> None:
    before = read_drawn(db, study)
    done = invoked(data, "study", "lock", study.id)
    assert done.exit_code == 0, done.output
    locked = studies.must_get(db, study.id)
    assert locked.locked_at is not None and str(locked.protocol["sha256"]) in done.output
    assert hash_of(locked.protocol["facts"]) == locked.protocol["sha256"]
    assert read_drawn(db, locked) == before and changes_since(db, locked) == []
    with pytest.raises(UserError, match="locked already"):
        lock_study(db, locked, SCHEME)


def test_a_study_that_somebody_rated_is_not_locked(
    db: sqlite3.Connection, study: Study, third_job: Job
) -> None:
    session = begun(db, study, "ana", SCHEME)
    session.answer(lambda row: edits.preferred(row, SCHEME, 4))
    with pytest.raises(UserError, match="ana rated already"):
        lock_study(db, study, SCHEME)
    with pytest.raises(UserError, match="grows with its job"):
        lock_study(db, study_of(db, third_job), SCHEME)


def test_changes_after_the_lock_are_listed(data: DataDir, db: sqlite3.Connection, study: Study) -> None:
    lock_study(db, study, SCHEME)
    db.execute("UPDATE texts SET text = text || ' And more.' WHERE id = (SELECT min(id) FROM texts)")
    db.execute("UPDATE studies SET seed = 5 WHERE id = ?", (study.id,))
    other = parse_scheme('id = "own"\nversion = 1\n')
    session = begun(db, study, "ana", other)
    session.answer(lambda row: edits.preferred(row, other, 4))
    changes = changes_since(db, studies.must_get(db, study.id))
    assert "texts differ from those that were locked." in changes
    assert "seed was 42 and is 5." in changes and "pairs differ from those that were locked." in changes
    assert "1 answer was given by another rating scheme than the locked one." in changes
    shown = invoked(data, "study", "show", study.id)
    assert "Changed since: seed was 42 and is 5." in shown.output
