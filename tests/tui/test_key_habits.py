"""What keys do alike everywhere: searching, leaving, copying, waiting for room."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from radtui.records import JobState
from radtui.tui.jobs.log import LogScreen
from radtui.tui.jobs.log_tail import LogTail
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.screens.help import HelpScreen
from radtui.tui.screens.small import SmallScreen
from radtui.tui.widgets.key_bar import KeyBar
from radtui.tui.widgets.search_line import SearchLine
from radtui.tui.widgets.virtual_table import VirtualTable
from tests.tui.driving import MIDDLE, NARROW, WIDE, opened, text_in, text_of, until
from tests.tui.seeding import add_images, add_train


async def test_the_key_that_leaves_comes_first_and_dots_stand_for_what_is_left_out(data, db):
    add_images(data, db)
    async with opened(data, "data", NARROW) as (app, pilot):
        await until(pilot, lambda: "Open" in text_in(app.screen.query_one(KeyBar)))
        bar = text_in(app.screen.query_one(KeyBar))
        assert bar.startswith(" q Quit") and bar.rstrip().endswith("… ? help")
        await until(pilot, lambda: app.screen.query("ImageView"))
        await pilot.press("enter")
        await until(pilot, lambda: "esc List" in text_in(app.screen.query_one(KeyBar)))
        bar = text_in(app.screen.query_one(KeyBar))
        assert bar.startswith(" esc List") and bar.index("Zoom in") < bar.index("? help")
        if "Search" in bar:
            assert bar.index("Zoom in") < bar.index("Search")
    async with opened(data, "jobs", WIDE) as (app, pilot):
        await pilot.pause()
        assert "…" not in text_in(app.screen.query_one(KeyBar))


async def test_the_line_of_keys_is_drawn_again_when_a_key_is_there_or_gone_and_not_at_each_row(
    data, db, monkeypatch
):
    add_images(data, db)
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await until(pilot, lambda: app.screen.query("ImageView") and app.screen.list.case)
        await pilot.pause()
        drawn, render = [], KeyBar.render
        monkeypatch.setattr(KeyBar, "render", lambda bar: (drawn.append(bar), render(bar))[1])
        before = app.screen.list.case
        await pilot.press("j")
        await until(pilot, lambda: app.screen.list.case != before)
        await pilot.pause()
        assert not drawn
        await pilot.press("enter")
        await until(pilot, lambda: "esc List" in text_in(app.screen.query_one(KeyBar)))
        assert drawn


async def test_letters_and_arrows_move_alike_in_a_table(data, db):
    for _ in range(4):
        add_train(db, steps=2, state=JobState.DONE)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        table = app.screen.query_one(VirtualTable)
        await until(pilot, lambda: table.cursor == 0)
        for key, place in (
            ("j", 1),
            ("n", 2),
            ("k", 1),
            ("G", 3),
            ("N", 2),
            ("g", 0),
            ("end", 3),
            ("home", 0),
        ):
            await pilot.press(key)
            assert table.cursor == place, key


async def test_a_search_leaves_the_jobs_with_its_words_and_escape_brings_all_back(data, db):
    add_train(db, steps=2, state=JobState.DONE)
    add_train(db, steps=2, state=JobState.FAILED, error="The memory is full.")
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: len(app.screen._lines.jobs) == 2)
        await pilot.press("slash", *"memory", "space", *"FULL", "enter")
        await until(pilot, lambda: len(app.screen._lines.jobs) == 1)
        assert app.screen.chosen.state is JobState.FAILED and isinstance(app.focused, VirtualTable)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen._lines.jobs) == 2)
        await pilot.press("slash", *"zzz")
        await until(pilot, lambda: "No job has these words" in text_of(app))


async def test_a_log_goes_from_hit_to_hit(data, db):
    job = add_train(db, steps=5, state=JobState.DONE)
    data.job(job.id).mkdir(parents=True)
    odd = {7: "needle [one]", 150: "a NEEDLE", 290: "needle"}
    data.log(job.id).write_text("".join(f"line {n} {odd.get(n, '')}\n" for n in range(300)))
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("l")
        await until(pilot, lambda: isinstance(app.screen, LogScreen) and "line 299" in text_of(app))
        tail = app.screen.query_one(LogTail)
        await pilot.press("slash", *"needle", "enter")
        await until(pilot, lambda: tail.place_words == "hit 3 of 3" and "line 290 needle" in text_of(app))
        await pilot.press("n")
        await until(pilot, lambda: "line 7 needle [one]" in text_of(app) and tail.place_words == "hit 1 of 3")
        await pilot.press("N", "N")
        await until(pilot, lambda: "line 150 a NEEDLE" in text_of(app))
        await pilot.press("G")
        await until(pilot, lambda: "line 299" in text_of(app))
        await pilot.press("g")
        await until(pilot, lambda: "line 0" in text_of(app))
        await pilot.press("y")
        assert app.clipboard == str(data.log(job.id))
        await pilot.press("q")
        assert not isinstance(app.screen, LogScreen) and app.is_running


async def test_help_is_searched_by_key_and_by_words(data, db):
    add_train(db, steps=2)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("slash", *"checkpoint")
        await until(pilot, lambda: "Everywhere" not in text_of(app) and "checkpoint first" in text_of(app))
        assert "Stop; training saves a checkpoint first" in text_of(app)
        line = app.screen.query_one(SearchLine)
        line.value = "zzz"
        await until(pilot, lambda: "No key here has 'zzz'" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: "Look at images" in text_of(app))


async def test_ctrl_c_ends_nothing_and_names_the_key_that_does(data):
    async with opened(data, "jobs") as (app, pilot):
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app._notifications)
        message = next(iter(app._notifications)).message
        assert message.startswith("q quits radtui") and "[" not in message and app.is_running


@pytest.mark.parametrize("key", ["q", "escape"])
async def test_a_stop_that_loses_steps_asks_once_and_what_leaves_elsewhere_stops_nothing(data, db, key):
    job = add_train(db, steps=5)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(key)
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen) and app.is_running
        row = db.execute("SELECT stop_requested FROM jobs WHERE id = ?", (job.id,)).fetchone()
        assert not row[0]


async def test_too_small_a_terminal_waits_with_one_sentence_and_goes_on_where_it_was(data, db):
    add_train(db, steps=5)
    async with opened(data, "jobs", NARROW) as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        await pilot.press("slash", *"tra")
        await pilot.resize_terminal(50, 12)
        await until(pilot, lambda: isinstance(app.screen, SmallScreen))
        await until(pilot, lambda: "60 × 16 cells; here are 50 × 12" in text_of(app).replace("\n", " "))
        await pilot.press("K", "d", "x")
        assert isinstance(app.screen, SmallScreen) and app.current_mode == "jobs"
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: not isinstance(app.screen, SmallScreen))
        line = app.screen.query_one(SearchLine)
        assert line.value == "tra" and app.focused is line


async def test_lists_to_choose_from_know_the_letters_too(data, db):
    for name in ("ones", "twos", "threes"):
        add_images(data, db, name)
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await until(pilot, lambda: app.screen.check_action("dataset", ()))
        await pilot.press("o")
        await until(pilot, lambda: app.screen.query(OptionList))
        options = app.screen.query_one(OptionList)
        for key, place in (("G", 2), ("k", 1), ("g", 0), ("j", 1), ("N", 0)):
            await pilot.press(key)
            assert options.highlighted == place, key
        await pilot.press("q")
        await until(pilot, lambda: not app.screen.query(OptionList))
        assert app.is_running
