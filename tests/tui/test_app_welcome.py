"""Welcome: each of its three choices becomes jobs, or a sentence."""

import pytest
from textual.widgets import Input, Static

from radtui.records import JobKind, JobState
from radtui.store import jobs
from tests.conftest import drawn_png
from tests.tui.driving import MIDDLE, NARROW, opened, text_of, until
from tests.tui.test_data_screen import looked_at

pytestmark = pytest.mark.usefixtures("launched")


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
async def test_the_demo_is_three_jobs_in_a_chain(data, db, launched, size):
    async with opened(data, "welcome", size) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "train")
        describing, training, drawing = jobs.all_jobs(db)
        assert [drawing.kind, training.kind, describing.kind] == [
            JobKind.IMPORT,
            JobKind.TRAIN,
            JobKind.GENERATE,
        ]
        assert (training.after_job_id, describing.after_job_id) == (drawing.id, training.id)
        assert launched == [drawing.id]
        await until(pilot, lambda: f"Waits for #{drawing.id}" in text_of(app))


async def test_a_folder_is_imported_by_its_path(data, db, launched, tmp_path):
    folder = tmp_path / "some chests"
    folder.mkdir()
    (folder / "one.png").write_bytes(drawn_png(1))
    async with opened(data, "welcome") as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.focused, Input))
        app.focused.value = str(folder)
        await pilot.press("enter")
        await looked_at(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "data")
        (job,) = jobs.all_jobs(db)
        assert job.settings["source"] == str(folder) and launched == [job.id]


async def test_a_path_that_is_not_there_is_said_and_can_be_typed_again(data, db):
    async with opened(data, "welcome") as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*"/no/such/place", "enter")
        await until(pilot, lambda: "/no/such/place" in str(app.screen.query(".welcome-answer").last(Static).content)
                    if app.screen.query(".welcome-answer") else False)  # fmt: skip
        assert isinstance(app.focused, Input) and not jobs.all_jobs(db)
        await pilot.press("escape")
        assert not isinstance(app.focused, Input)


async def test_radiology_mini_comes_from_the_hub(data, db):
    async with opened(data, "welcome") as (_, pilot):
        await pilot.press("3")
        await until(pilot, lambda: jobs.all_jobs(db))
        (job,) = jobs.all_jobs(db)
        assert job.settings["source"] == "unsloth/Radiology_mini" and job.state is JobState.STARTING
