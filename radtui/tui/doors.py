"""Whether there is anything to work on, what failed, and the demo: for every way into radtui that stays open."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, cast

from textual.app import App

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.store import cases
from radtui.tui import words
from radtui.tui.keys import sign
from radtui.tui.rad import Rad
from radtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from radtui.jobs.demo import DemoJobs

ENDED_EARLY = (JobState.FAILED, JobState.LOST, JobState.STOPPED)


def demo_jobs(data: DataDir, db: sqlite3.Connection) -> DemoJobs:
    """The demo's jobs: started where there are none yet, gone on with where they ended before their time."""
    from radtui.jobs.demo import find_demo, go_on, submit_demo

    there = find_demo(db, 0)
    if there is None:
        return submit_demo(data, db)
    for job_id in there.ids:
        if go_on(data, db, job_id).state.live:
            break
    return there


def demo_training(data: DataDir, db: sqlite3.Connection) -> Job:
    """The demo's training job, which is the one to watch; see `demo_jobs`."""
    return demo_jobs(data, db).training


def nothing_to_show(app: App[Any]) -> bool:
    """Whether there is no image and none is coming, so that Data has nothing and Welcome has the ways to begin."""
    rad = cast(Rad, app)
    try:
        return not cases.any_case(rad.db) and not any(p.job.kind is JobKind.IMPORT for p in rad.snapshot.live)
    except sqlite3.Error:  # Data says what keeps it from being read
        return False


def what_failed(snapshot: Snapshot) -> str:
    """What became of the newest import, where it ended before its time, with the next key; "" else."""
    newest = next((job for job in snapshot.jobs if job.kind is JobKind.IMPORT), None)
    if newest is None or newest.state not in ENDED_EARLY:
        return ""
    why = f": {newest.error}" if newest.error else "."
    name = f"{words.KINDS[newest.kind]} #{newest.id} of {newest.dataset}"
    return f"{name} {words.BECAME[newest.state]}{why} {sign('jobs')} shows it; {sign('resume')} there goes on with it."
