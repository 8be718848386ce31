"""A thread that cannot read is a sentence on the screen, and what waited for it can be asked for again."""

from __future__ import annotations

import sqlite3

import pytest
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import cases, jobs, studies
from radtui.tui.app import RadtuiApp
from radtui.tui.data.importing import ImportSheet
from radtui.tui.train.watch_timeline import WatchTimeline
from tests.tui import driving
from tests.tui.reviewing import opened, panel, screen, settled
from tests.tui.seeding import add_images as add_chests
from tests.tui.seeding import add_train, add_watched
from tests.tui.test_data_screen import looked_at


def broken(*args: object) -> object:
    raise sqlite3.OperationalError("disk I/O error")


async def test_pairs_that_cannot_be_read_are_read_when_asked_for_again(
    data: DataDir, reviewed_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(studies, "with_comparisons", broken)
        async with opened(data) as pilot:
            said = screen(pilot).query_one("#nothing", Static)
            assert str(said.content) == f"Cannot read {data.database}: disk I/O error"
            patched.undo()
            screen(pilot).following.load(None)
            await settled(pilot)
            assert "1 A much better" in panel(pilot)


async def test_an_import_that_cannot_be_written_down_is_refused_in_its_sheet(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radtui.jobs.submit_import", broken)
    async with driving.opened(data, "data") as (app, pilot):
        await pilot.press("I", *"phantoms:7")
        for _ in range(2):  # the second time as well: it waits for nothing
            await pilot.press("enter")
            await looked_at(pilot)
            await pilot.press("enter")
            await driving.until(pilot, lambda: isinstance(app.screen, ImportSheet))
            wrong = app.screen.query_one("#source-wrong", Static)
            await driving.until(pilot, lambda wrong=wrong: "disk I/O error" in str(wrong.content))
            wrong.update("")
        assert isinstance(app.screen, ImportSheet)


async def test_brackets_in_the_name_of_a_file_are_no_markup_of_a_notice(data: DataDir) -> None:
    app = RadtuiApp(data, "reader", "jobs", live=False)
    async with app.run_test(size=driving.MIDDLE, notifications=True) as pilot:
        app.screen.notify("Cannot read scan[/1].png.", severity="error")
        await driving.until(pilot, lambda: "scan[/1].png" in driving.text_of(app))


async def test_watched_images_that_cannot_be_read_leave_their_texts_and_come_with_the_next_ones(
    data: DataDir, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_chests(data, db)
    job = add_train(db, steps=40)
    with monkeypatch.context() as patched:
        patched.setattr(cases, "get_many", broken)
        async with driving.opened(data, "train", driving.MIDDLE) as (app, pilot):
            await driving.until(pilot, lambda: "at step 40." in driving.text_of(app))
            assert not app.screen.query_one(WatchTimeline)._cases
            patched.undo()
            add_watched(db, jobs.must_get(db, job.id), [80])
            await driving.until(pilot, lambda: "at step 80." in driving.text_of(app))
            await driving.until(pilot, lambda: app.screen.query_one(WatchTimeline)._cases)
