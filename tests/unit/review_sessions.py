"""Review sessions on a clock that stands still, for the tests of sessions, restarts and several terminals."""

from __future__ import annotations

import sqlite3

from radtui.measures.scheme import Scheme
from radtui.records import Job, JobKind, JobState, Rating
from radtui.settings import GenerateSettings
from radtui.store import jobs, studies, texts
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.shown import Shown
from tests.conftest import give_arms, new_text


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def begin(
    db: sqlite3.Connection, job: Job, clock: Clock, rater: str = "ana", scheme: Scheme | None = None
) -> ReviewSession:
    """A session that has begun."""
    study = studies.of_job(db, job.id)
    assert study is not None
    session = ReviewSession(db, read_sitting(db, study.id, rater, scheme or default_scheme()), clock, clock)
    session.start()
    return session


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
