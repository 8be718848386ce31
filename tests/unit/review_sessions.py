"""Review sessions in tests: begun, looked at and answered, where asked on a clock that stands still."""

from __future__ import annotations

import sqlite3

from radtui.measures.scheme import Scheme
from radtui.records import Job, JobKind, JobState, Rating, Study
from radtui.settings import GenerateSettings
from radtui.store import jobs, texts
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.shown import Shown
from tests.conftest import give_arms, new_text
from tests.unit.test_store import study_of


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def begun(
    db: sqlite3.Connection,
    study: Study,
    rater: str = "ana",
    scheme: Scheme | None = None,
    clock: Clock | None = None,
) -> ReviewSession:
    """A session that has begun."""
    clocks = () if clock is None else (clock, clock)
    session = ReviewSession(db, read_sitting(db, study.id, rater, scheme or default_scheme()), *clocks)
    session.start()
    return session


def begin(
    db: sqlite3.Connection, job: Job, clock: Clock, rater: str = "ana", scheme: Scheme | None = None
) -> ReviewSession:
    """A session with a job's study, on this clock."""
    return begun(db, study_of(db, job), rater, scheme, clock)


def shown(session: ReviewSession) -> Shown:
    """What the rater sees."""
    found = session.shown()
    assert found is not None
    return found


def prefer(session: ReviewSession, level: int) -> Rating:
    """Answer the preference."""
    row = session.answer(lambda rating: edits.preferred(rating, session.scheme, level))
    assert row is not None
    return row


def described(db: sqlite3.Connection, case_ids: list[int]) -> Job:
    """A finished generation job whose texts say of which arm and case they are."""
    settings = GenerateSettings(dataset="many").to_dict()
    job = jobs.create(db, JobKind.GENERATE, "many", "many", settings, case_ids=case_ids)
    made = give_arms(db, job, "base", "tuned")
    texts.add(
        db, job.id,
        [new_text(case_id, arm, f"{name} text of {case_id}") for case_id in case_ids for name, arm in made.items()],
    )  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    return jobs.must_get(db, job.id)
