"""Which screen the app opens on: where the person's work is."""

from __future__ import annotations

import sqlite3

from radtui.records import JobKind, JobState
from radtui.store import cases, jobs, studies


def first_screen(db: sqlite3.Connection, rater: str, last: str = "") -> str:
    """The screen that somebody who opens radtui most likely came for.

    Args:
        db: The database.
        rater: Who opens it.
        last: The screen it was left on, "" where that is not known.

    Returns:
        "train" while a model learns; "review" for somebody who has rated before and has pairs left; "welcome" while
        there is nothing to work on; else the last screen, or "data".
    """
    live = jobs.live(db)
    if any(job.kind is JobKind.TRAIN and job.state is not JobState.QUEUED for job in live):
        return "train"
    if not live and not cases.any_case(db):
        return "welcome"
    if studies.waits_for(db, rater):
        return "review"
    return last or "data"
