"""Jobs as a table of runs: figures, order, filter, names, notes, the archive, deleting; and what is remembered."""

import pytest

from radtui import user_choices
from radtui.records import JobKind, JobState
from radtui.store import jobs
from radtui.tui import theme
from radtui.tui.jobs.line_sheet import LineSheet
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.widgets.virtual_table import VirtualTable
from radtui.user_choices import read
from tests.tui.driving import MIDDLE, NARROW, WIDE, opened, text_of, until
from tests.tui.seeding import add_images, add_train


@pytest.fixture
def runs(data, db):
    """Two trainings that are done and one that failed, newest last."""
    add_images(data, db)
    first = add_train(db, steps=40, total=40, state=JobState.DONE)
    second = add_train(db, steps=120, total=120, state=JobState.DONE)
    third = add_train(db, steps=3, total=40, state=JobState.FAILED, error="Out of memory.")
    jobs.say_of(db, second.id, name="long one")
    return first, second, third


def order(app):
    return [job.id for job in app.screen._lines.jobs]


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
async def test_losses_stand_in_their_columns(data, db, runs, size):
    async with opened(data, "jobs", size) as (app, pilot):
        await until(pilot, lambda: "2.7" in text_of(app))
        lines = text_of(app).splitlines()
        header = next(line for line in lines if "Held-out" in line)
        row = next(line for line in lines if "long one" in line)
        assert row[header.index("Loss") - 3 : header.index("Loss") + 4].strip()
        assert float(row[header.index("Held-out") :][:8]) < 3


async def test_jobs_are_sorted_by_a_key_and_so_the_next_time(data, db, runs):
    first, second, third = (job.id for job in runs)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        assert order(app) == [third, second, first]
        await until(pilot, lambda: not app.screen._lines.book.lacking(app.snapshot.jobs))
        await pilot.press("s")
        assert order(app) == [third, first, second] and "Name▾" in text_of(app)
        await pilot.press("s")
        assert order(app) == [second, first, third] and "Loss▾" in text_of(app)
        await until(pilot, lambda: read()[0].jobs_sort == "loss")
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: order(app) == [second, first, third])


async def test_the_cursor_stays_on_its_job_when_the_order_changes(data, db, runs):
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("G")
        chosen = app.screen.chosen.id
        await pilot.press("s")
        assert app.screen.chosen.id == chosen


async def test_a_name_and_a_note_are_typed(data, db, runs):
    _, _, third = runs
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("ctrl+r")
        assert isinstance(app.screen, LineSheet)
        await pilot.press("home", "o", "l", "d", "space", "enter")
        await until(pilot, lambda: jobs.must_get(db, third.id).name == "old demo-base on chests")
        await until(pilot, lambda: "old demo-base" in text_of(app))
        await pilot.press("w", *"too big", "enter")
        await until(pilot, lambda: jobs.must_get(db, third.id).note == "too big")
        await until(pilot, lambda: "too big" in text_of(app))
        await pilot.press("ctrl+r", "x", "escape")
        assert jobs.must_get(db, third.id).name == "old demo-base on chests"


async def test_what_is_archived_is_out_of_sight_until_it_is_asked_for(data, db, runs):
    first, second, third = (job.id for job in runs)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("ctrl+o")
        await until(pilot, lambda: order(app) == [second, first])
        assert any("f shows archived jobs" in each.message for each in app._notifications)
        await pilot.press("f", "f", "f", "f")
        assert order(app) == [third, second, first]
        await until(pilot, lambda: "are here too · f the next kind · esc hides them" in text_of(app))
        await pilot.press("g", "ctrl+o")
        await until(pilot, lambda: not jobs.must_get(db, third).archived)
        await pilot.press("escape")
        await until(pilot, lambda: order(app) == [third, second, first])


async def test_the_filter_goes_through_the_kinds(data, db, runs):
    jobs.create(db, JobKind.IMPORT, "chests", "chests", {})
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: len(order(app)) == 4)
        await pilot.press("f")
        assert len(order(app)) == 3
        await until(
            pilot, lambda: "Only training · f the next kind · esc all" in text_of(app)
        )  # and it stays there
        await pilot.press("f")
        assert order(app) == [] and "No job is of this kind; esc shows all." in text_of(app)
        await pilot.press("escape")
        assert len(order(app)) == 4 and "esc all" not in text_of(app)


async def test_a_search_finds_what_no_column_has_room_for(data, db, runs):
    jobs.say_of(db, runs[0].id, note="with the old detector")
    async with opened(data, "jobs") as (app, pilot):
        await pilot.press("slash", *"detector")
        await until(pilot, lambda: order(app) == [runs[0].id])


async def test_deleting_says_what_goes_and_asks_once(data, db, runs):
    first, second, third = runs
    folder = data.checkpoints(third.id) / "checkpoint-2"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"0" * 4000)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "Frees 4.0 kB" in text_of(app) and "1 checkpoint" in text_of(app)
        await pilot.press("escape")
        assert jobs.get(db, third.id) is not None
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: order(app) == [second.id, first.id])
        assert jobs.get(db, third.id) is None and not data.job(third.id).exists()


async def test_a_job_at_work_is_not_offered_to_be_deleted(data, db):
    add_images(data, db)
    add_train(db, steps=4)
    async with opened(data, "jobs") as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        assert not app.screen.check_action("care", ("delete",))
        assert app.screen.check_action("care", ("rename",))


async def test_columns_are_those_of_the_config_file(data, db, runs):
    user_choices.remember(jobs_columns="#, Name, Spent, State", price_per_hour=36.0, currency="EUR")
    db.execute("UPDATE jobs SET started_at = ended_at - 100")
    async with opened(data, "jobs", MIDDLE) as (app, _pilot):
        titles = [column.title for column in app.screen.query_one(VirtualTable).columns]
        assert titles == ["#", "Name", "Spent", "State"] and "1.00 EUR" in text_of(app)


async def test_colours_are_changed_by_name_and_remembered(data, db, runs):
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        before = theme.ERROR
        await app.run_action("colours('light')")
        await pilot.pause()
        assert not app.current_theme.dark and before != theme.ERROR
        await until(pilot, lambda: read()[0].theme == "light")
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        assert app.theme == "radtui-light"
        for name in ("contrast", "terminal", "dark"):
            await app.run_action(f"colours('{name}')")
            await pilot.pause()
            assert "long one" in text_of(app)


async def test_the_last_screen_is_where_the_next_session_begins(data, db, runs):
    async with opened(data) as (app, pilot):
        assert app.current_mode == "data"
        await pilot.press("J")
        await until(pilot, lambda: read()[0].last_screen == "jobs")
    async with opened(data) as (app, pilot):
        assert app.current_mode == "jobs"


async def test_a_damaged_file_is_said_and_the_app_opens(data, db, runs):
    user_choices.remember(theme="light")
    user_choices.config_file().write_text("[app\n")
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: any("is damaged" in each.message for each in app._notifications))
        assert app.theme == "radtui"


async def test_a_long_jobs_end_is_heard_whatever_screen_is_in_front(data, db, monkeypatch):
    add_images(data, db)
    job = add_train(db, steps=4)
    db.execute("UPDATE jobs SET started_at = started_at - 3600 WHERE id = ?", (job.id,))
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.delenv("TMUX", raising=False)
    async with opened(data, "train", MIDDLE) as (app, pilot):
        heard = []
        monkeypatch.setattr(app._driver, "write", heard.append)
        await until(pilot, lambda: app.snapshot.jobs)
        jobs.end(db, job.id, JobState.DONE)
        await until(pilot, lambda: any("\x1b]9;radtui: Training #1 done\a\a" in each for each in heard))
