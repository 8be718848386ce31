"""Ways into radtui that stay open: the demo, a folder, the hub, and so many pairs to rate, from wherever one is."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, cast

from textual.app import App

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.settings import SEED_DATASET
from radtui.store import cases
from radtui.tui import words
from radtui.tui.aside import aside
from radtui.tui.keys import sign
from radtui.tui.rad import Rad, rad_of
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


def open_demo(app: App[Any]) -> None:
    """Start the demo, or go back to it."""
    rad = rad_of(app.screen)

    def start() -> Job:
        try:
            return rad.write(lambda db: demo_training(rad.data, db), create=True)
        finally:
            rad.poller.nudge()

    aside(app.screen, start, rad.show_job, group="submit", exclusive=False)


def open_import(app: App[Any], source: str = "") -> None:
    """Ask on Data what to import; `source` is typed already."""
    from radtui.tui.data.screen import DataScreen

    app.switch_mode("data")
    screen = app.screen
    assert isinstance(screen, DataScreen)
    screen.call_later(screen.import_from, source)  # it may be mounting only now


def open_hub(app: App[Any]) -> None:
    """Ask on Data to import the hub's small data set."""
    open_import(app, SEED_DATASET)


def rate_now(app: App[Any]) -> None:
    """Go to Review and set out for the usual number of pairs."""
    from radtui.tui.review import stints
    from radtui.tui.review.screen import ReviewScreen

    app.switch_mode("review")
    screen = app.screen
    assert isinstance(screen, ReviewScreen)
    screen.call_later(stints.set_out, screen.reviewing)


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
    return f"{name} is {newest.state}{why} {sign('jobs')} shows it; {sign('resume')} there goes on with it."
