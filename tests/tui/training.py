"""The train screen in a test: its form, and the pane of the job on show."""

from __future__ import annotations

from textual.pilot import Pilot

from radtui.tui.app import RadtuiApp
from radtui.tui.train.form import TrainForm
from radtui.tui.train.job_pane import JobPane
from tests.tui.driving import until


def form(app: RadtuiApp) -> TrainForm:
    """The form of a new job."""
    return app.screen.query_one(TrainForm)


async def pane(app: RadtuiApp, pilot: Pilot[None]) -> JobPane:
    """The job's pane, as soon as it is there."""
    await until(pilot, lambda: app.screen.query(JobPane))
    await until(pilot, lambda: app.screen.query_one(JobPane).is_mounted)
    return app.screen.query_one(JobPane)
