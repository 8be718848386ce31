"""From an asking job to what was asked: the newest question, where it is about a stored case."""

from __future__ import annotations

from typing import Any

from textual.app import App

from radtui.records import Job
from radtui.store import asks, cases
from radtui.tui.ask.screen import AskScreen
from radtui.tui.rad import rad_of


def show_newest(app: App[Any], job: Job) -> None:
    """Open the newest question of a job; one about a file is told how to be seen."""
    db = rad_of(app.screen).db
    newest = asks.newest_of(db, job.id)
    case = cases.get(db, newest.case_id) if newest is not None and newest.case_id else None
    if case is None or case.error:
        app.notify("It was asked about a file: radtui ask FILE --earlier shows the answers.")
    else:
        app.push_screen(AskScreen(case))
