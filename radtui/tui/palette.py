"""What the command palette offers beside the keys: ways to begin, every job and every data set by its name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand

from radtui.store.listing import dataset_names
from radtui.tui import doors, words
from radtui.tui.rad import Rad

DOORS = (
    ("Rate 60 now", "Go to Review, count 60 pairs, and say what was done", doors.rate_now),
    ("Import a folder or file", "On Data; what comes in is shown before it is taken", doors.open_import),
    ("Import Radiology_mini", "From the Hugging Face hub: 2,305 images, 560 MB", doors.open_hub),
    ("Demo", "Draw phantoms, train and describe, here and offline; or go back to it", doors.open_demo),
)
JOBS_OFFERED = 200  # the newest: a palette of thousands is slow to search


def places(app: App[Any], rad: Rad) -> Iterator[SystemCommand]:
    """Ways to begin; jobs, newest first; data sets."""
    for title, told, door in DOORS:
        yield SystemCommand(title, told, partial(door, app))
    for job in rad.snapshot.jobs[:JOBS_OFFERED]:
        about = [words.KINDS[job.kind], str(job.state), job.dataset]
        yield SystemCommand(
            f"#{job.id} {job.name}", " · ".join(filter(None, about)), partial(rad.show_job, job)
        )
    for name in dataset_names(rad.db):
        yield SystemCommand(f"Data set {name}", "Look at its images", partial(show_dataset, app, name))


def show_dataset(app: App[Any], name: str) -> None:
    """Go to a data set's images."""
    from radtui.tui.data.screen import DataScreen

    app.switch_mode("data")
    screen = app.screen
    assert isinstance(screen, DataScreen)
    screen.call_later(screen.list.show_dataset, name)  # it may be mounting only now
