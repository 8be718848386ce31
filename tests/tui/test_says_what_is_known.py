"""What the app says of how much it knows and shows: images that are new, a silent Slurm, what a list leaves out."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs
from radtui.store.database import writing
from radtui.tui.app import RadtuiApp
from radtui.tui.data.image_list import ImageList
from radtui.tui.jobs.describe import DescribeScreen
from radtui.tui.widgets.settings_form import SettingsForm
from tests.tui.driving import NARROW, WIDE, opened, text_in, text_of, until
from tests.tui.seeding import add_train


async def test_the_form_says_how_many_images_are_new(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(8)
    settings = GenerateSettings(dataset="drawn").to_dict()
    jobs.create(db, JobKind.GENERATE, "x", "drawn", settings, case_ids=ids[:3])
    train = add_train(db, state=JobState.DONE, dataset="drawn")
    async with opened(data, "jobs") as (app, pilot):
        await app.push_screen(DescribeScreen(jobs.must_get(db, train.id)))
        app.screen.query_one(SettingsForm).list.go_to("take")
        await until(pilot, lambda: "test: 8 images: 5 not described before, 3 described but" in text_of(app))


@pytest.mark.parametrize("screen", ["jobs", "train"])
async def test_a_silent_slurm_is_said(data: DataDir, db: sqlite3.Connection, screen: str) -> None:
    job = add_train(db, steps=2)
    facts = {"silent_since": time.time(), "silent_why": "squeue gave no answer within 30 s.", "over": True}
    jobs.set_result(db, job.id, slurm=facts)
    async with opened(data, screen, WIDE) as (app, pilot):
        await until(pilot, lambda: "Slurm silent since" in text_of(app))
        await until(pilot, lambda: "asked again every few seconds" in " ".join(text_of(app).split()))


async def test_a_narrow_list_shows_names_as_wide_as_they_are_and_the_rest_below(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    add_images(4)
    async with opened(data, "data", NARROW) as (app, pilot):
        await until(pilot, lambda: "test-003.png" in text_of(app))
        assert "ExaminationchestPA·Splittest" in below(app)
        with writing(db):
            db.execute("UPDATE cases SET source_key = 'site-a/patient-0001/' || source_key")
        app.screen.query_one(ImageList).find()
        await until(pilot, lambda: "Namesite-a/patient-0001/test-000" in below(app))
        assert "…0001/test-003 " in text_of(app)  # its end, as far as half of the list goes


def below(app: RadtuiApp) -> str:
    """What stands under the list, without the places where lines end."""
    return "".join(text_in(app.screen.query_one(".row-text")).split())
