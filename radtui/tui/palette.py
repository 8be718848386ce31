"""What the command palette offers beside the keys: ways to begin, every job and every data set by its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand

from radtui.records import Job
from radtui.settings import SEED_DATASET
from radtui.store import studies
from radtui.store.listing import dataset_names
from radtui.tui import words
from radtui.tui.aside import aside
from radtui.tui.doors import demo_training
from radtui.tui.opening import Opens
from radtui.tui.rad import Rad, rad_of

JOBS_OFFERED = 200  # the newest: a palette of thousands is slow to search


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


DOORS = (
    ("Rate 60 now", "Go to Review, count 60 pairs, and say what was done", rate_now),
    ("Import a folder or file", "On Data; what comes in is shown before it is taken", open_import),
    ("Import Radiology_mini", "From the Hugging Face hub: 2,305 images, 560 MB", open_hub),
    ("Demo", "Draw phantoms, train and describe, here and offline; or go back to it", open_demo),
)


def places(app: App[Any], rad: Rad) -> Iterator[SystemCommand]:
    """Ways to begin; jobs, newest first; data sets."""
    for title, help_text, door in DOORS:
        yield SystemCommand(title, help_text, partial(door, app))
    for job in rad.snapshot.jobs[:JOBS_OFFERED]:
        about = [words.KINDS[job.kind], str(job.state), job.dataset]
        yield SystemCommand(
            f"Job #{job.id} {job.name}", " · ".join(filter(None, about)), partial(rad.show_job, job)
        )
    for name in dataset_names(rad.db):
        yield SystemCommand(f"Data set {name}", "Look at its images", partial(show_dataset, app, name))


def show_dataset(app: App[Any], name: str) -> None:
    """Go to a data set's images."""
    from radtui.tui.data.screen import DataScreen

    app.switch_mode("data")
    screen = app.screen
    assert isinstance(screen, DataScreen)
    is_there = name in dataset_names(rad_of(screen).db)  # of an import the first image may still be to come
    if is_there and screen.list.query_now.dataset != name:  # else it stays as it was searched
        screen.call_later(screen.list.show_dataset, name)  # it may be mounting only now


def show_study_of(app: App[Any], job: Job) -> None:
    """Go to the pairs of a generation job; to the newest study's while it has none."""
    from radtui.tui.review.screen import ReviewScreen

    rad = rad_of(app.screen)
    study = studies.of_job(rad.db, job.id)
    if study is not None:
        rad.opens = Opens(study.id)  # what a screen that is mounting begins with
    app.switch_mode("review")
    screen = app.screen
    assert isinstance(screen, ReviewScreen)
    session = screen.session
    if study is not None and session is not None and session.study.id != study.id:
        screen.following.load(study.id)
