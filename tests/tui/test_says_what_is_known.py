"""What the app says of how much it knows: of images that are new to everybody, and of a Slurm that does not answer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs
from radtui.tui.jobs.describe import DescribeScreen
from radtui.tui.widgets.settings_form import SettingsForm
from tests.tui.driving import WIDE, opened, text_of, until
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
