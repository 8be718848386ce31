"""The shell: which screen opens, one key each, help, commands, the bar above, leaving."""

import gc
import re
import subprocess
import sys

import pytest
from rich.console import Console
from textual.geometry import Region
from textual.strip import Strip

from radtui.cli.demo import GUIDE
from radtui.records import JobKind, JobState
from radtui.store import jobs
from radtui.tui import terminal
from radtui.tui.app import RadtuiApp
from radtui.tui.data.gallery import GalleryScreen
from radtui.tui.screens.guide import GuideScreen
from radtui.tui.screens.help import HelpScreen
from radtui.tui.terminal import ColourDepth, Terminal
from radtui.tui.widgets.key_bar import KeyBar
from radtui.tui.widgets.top_bar import TopBar
from tests.tui.driving import MIDDLE, NARROW, WIDE, opened, text_in, text_of, until
from tests.tui.seeding import add_images, add_train


async def test_an_empty_folder_opens_on_the_welcome_screen(data):
    async with opened(data) as (app, _):
        assert app.current_mode == "welcome"
        text = text_of(app)
        assert "The demo" in text and "A folder of yours" in text and "Radiology_mini" in text
        assert "not for clinical use" in text


async def test_images_open_on_data_and_a_live_training_job_on_train(data, db):
    add_images(data, db)
    async with opened(data) as (app, _):
        assert app.current_mode == "data"
    add_train(db, steps=3)
    async with opened(data) as (app, _):
        assert app.current_mode == "train"


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
async def test_one_key_for_each_screen(data, db, size):
    add_images(data, db)
    async with opened(data, "jobs", size) as (app, pilot):
        for key, mode in (
            ("t", "train"),
            ("d", "data"),
            ("r", "review"),
            ("J", "jobs"),
            ("f1", "data"),
            ("f4", "jobs"),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert app.current_mode == mode


async def test_a_closed_sheet_leaves_none_of_its_lines(data, db):
    def strips() -> int:
        gc.collect()
        return sum(isinstance(each, Strip) for each in gc.get_objects())

    add_images(data, db)
    async with opened(data, "data") as (app, pilot):
        counts = []
        for _ in range(4):
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, HelpScreen))
            counts.append(strips())
        assert counts[-1] - counts[0] < 20


async def test_letters_typed_into_an_input_go_nowhere_else(data):
    async with opened(data, "welcome") as (app, pilot):
        await pilot.press("2")
        await pilot.press(*"dtrjq")
        assert app.current_mode == "welcome"
        assert app.focused.value == "dtrjq"


async def test_help_lists_the_keys_of_the_screen_and_the_app(data, db):
    add_train(db, steps=2)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = text_of(app)
        assert "Stop; training saves a checkpoint first" in text
        assert "Everywhere" in text and "Look at images" in text
        await pilot.press("escape")
        assert app.current_mode == "jobs" and not isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize(
    ("depth", "screen", "said"),
    [(ColourDepth.C256, "data", True), (ColourDepth.TRUE, "data", False), (ColourDepth.C256, "jobs", False)],
)
async def test_help_says_where_images_are_why_they_have_few_greys(data, monkeypatch, depth, screen, said):
    why = "Do [this] in tmux." if depth is ColourDepth.C256 else ""
    monkeypatch.setattr(terminal, "current", lambda: Terminal(depth, why))
    async with opened(data, screen) as (app, pilot):
        await until(pilot, lambda: screen == "jobs" or app.screen.query("ImageView"))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Everywhere" in text_of(app) or "This screen" in text_of(app))
        assert ("Here in 30 greys. Do [this] in tmux." in text_of(app)) == said
        assert ("• rated, = in two splits" in text_of(app)) == (screen == "data")


async def test_help_keeps_long_texts_in_their_column_and_names_what_q_does(data, db):
    add_train(db, steps=2, state=JobState.STOPPED)
    async with opened(data, "jobs") as (app, pilot):
        await until(pilot, lambda: app.screen.check_action("resume", ()))
        await pilot.press("question_mark")
        assert "Loss is the mean over the last 5 % of the steps" in text_of(app)
        lines = text_of(app).splitlines()
        at = next(at for at, line in enumerate(lines) if "Go on from the last checkpoint" in line)
        assert lines[at].index("Go on") == lines[at + 1].index("missing")
        await pilot.press("end")
        await until(pilot, lambda: "Leave; jobs go on" in text_of(app))


async def test_the_palette_offers_what_keys_do_and_does_it(data):
    async with opened(data, "jobs") as (app, pilot):
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert {"Data", "Train", "Review", "Jobs", "Help", "Quit"} <= commands.keys()
        assert "Focus Next" not in commands and "Stop" not in commands  # no job is there to stop
        assert (
            commands["Data"].help.startswith("d · ")
            and "Page Left" not in commands
            and commands["Quit"].help.startswith("q · ")
        )
        assert not any(command.help.lower() == title.lower() for title, command in commands.items())
        await commands["Train"].callback()
        await pilot.pause()
        assert app.current_mode == "train"


async def test_the_bar_shows_any_running_job_on_every_screen(data, db):
    job = jobs.create(db, JobKind.IMPORT, "chests", "chests", {})
    jobs.begin(db, job.id, 1)
    jobs.progress(db, job.id, 30, 120)
    async with opened(data, "jobs", WIDE) as (app, pilot):
        for key in "Jt":
            await pilot.press(key)
            await pilot.pause(0.1)
            bar = text_in(app.screen.query_one(TopBar))
            assert f"import #{job.id}" in bar and "25 %" in bar
        jobs.progress(db, job.id, 36, 120)
        await until(pilot, lambda: "30 %" in text_in(app.screen.query_one(TopBar)))
        await pilot.pause(1.1)  # a rate is made of steps at least a second apart
        jobs.progress(db, job.id, 60, 120)
        await until(pilot, lambda: "50 %" in text_in(app.screen.query_one(TopBar)))
        await until(pilot, lambda: "images/s" in text_in(app.screen.query_one(TopBar)) or "s/image" in text_in(
            app.screen.query_one(TopBar)))  # fmt: skip


async def test_the_bar_fits_a_narrow_terminal(data, db):
    add_train(db, steps=120)
    async with opened(data, "jobs", NARROW) as (app, _):
        bar = text_in(app.screen.query_one(TopBar))
        assert len(bar) == 80 and "40 %" in bar and "Review" in bar and "left" in bar


async def test_an_end_is_told_where_it_is_not_seen(data, db):
    add_images(data, db)
    train = add_train(db, steps=3)
    async with opened(data, "train") as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None and not app.screen._on_form)
        jobs.end(db, train.id, JobState.DONE)
        await until(pilot, lambda: app.screen.chosen.state is JobState.DONE)
        assert not app._notifications
        await pilot.press("d")
        await pilot.pause()
        for kind, told in ((JobKind.IMPORT, []), (JobKind.GENERATE, ["Descriptions #3 is done."])):
            job = jobs.create(db, kind, "x", "chests", {})
            await until(pilot, lambda job=job: any(one.id == job.id for one in app.snapshot.jobs))
            jobs.end(db, job.id, JobState.DONE)
            await until(pilot, lambda: not app.snapshot.live)
            await pilot.pause(0.1)
            assert [note.message[:24] for note in app._notifications] == told


async def test_leaving_says_that_a_job_goes_on(data, db, monkeypatch):
    add_train(db, steps=2)
    said = []
    async with opened(data, "jobs") as (app, pilot):
        monkeypatch.setattr(app, "exit", lambda message=None: said.append(message))
        await pilot.press("q")
    assert said == ["Training #1 goes on; start radtui to see."]


async def test_the_end_of_a_job_is_told_with_the_next_key(data, db):
    job = add_train(db, steps=2)
    async with opened(data, "review") as (app, pilot):
        jobs.end(db, job.id, JobState.DONE)
        await until(pilot, lambda: app._notifications)
        assert "D to let the models describe" in next(iter(app._notifications)).message


async def test_a_database_that_goes_bad_is_said_and_does_not_end_the_app(data, db):
    async with opened(data, "jobs") as (app, pilot):
        db.execute("ALTER TABLE jobs RENAME TO elsewhere")
        await until(pilot, lambda: "Cannot read" in text_in(app.screen.query_one(TopBar)))
        db.execute("ALTER TABLE elsewhere RENAME TO jobs")
        await until(pilot, lambda: "no job running" in text_in(app.screen.query_one(TopBar)))


def test_the_app_opens_without_the_worker_s_libraries(data, db):
    add_images(data, db)
    add_train(db, steps=5)
    program = f"""
import asyncio, sys
from pathlib import Path
from radtui.paths import DataDir
from radtui.tui.app import RadtuiApp
async def main():
    app = RadtuiApp(DataDir(Path({str(data.root)!r})), "reader", "jobs")
    async with app.run_test() as pilot:
        await pilot.pause(0.2)
        first = set(sys.modules)
        for key in "td":
            await pilot.press(key)
            await pilot.pause(0.5)
    heavy = {{"torch", "transformers", "trl", "peft", "datasets", "unsloth", "accelerate", "pandas", "scipy"}}
    print(sorted(heavy & set(sys.modules)), sorted({{"numpy", "PIL"}} & first))
asyncio.run(main())
"""
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[] []"


async def test_a_guide_is_shown_first_and_any_key_closes_it(data):
    app = RadtuiApp(data, "reader", "jobs", guide="t  watch the loss fall\nr  rate")
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "watch the loss fall" in text_of(app))
        await pilot.press("space")
        await until(pilot, lambda: "watch the loss fall" not in text_of(app))
        assert app.current_mode == "jobs"


async def test_tabs_and_keys_can_be_clicked(data, db):
    add_images(data, db)
    async with opened(data, "data", MIDDLE) as (app, pilot):
        for mode in ("jobs", "train", "data"):
            x = text_of(app).splitlines()[0].index(mode.title())
            await pilot.click(TopBar, offset=(x, 0))
            await pilot.pause()
            assert app.current_mode == mode
        await pilot.click(TopBar, offset=(2, 0))
        assert app.current_mode == "data"
        focused = app.focused
        await pilot.click(KeyBar, offset=(text_of(app).splitlines()[-1].index("Browse"), 0))
        assert isinstance(app.screen, GalleryScreen)
        await pilot.press("escape")
        assert app.focused is focused
        await pilot.click(KeyBar, offset=(app.size.width - 3, 0))
        assert isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize(("key", "mode"), [("d", "welcome"), ("r", "review"), ("x", "jobs"), ("q", "jobs")])
async def test_a_key_that_the_guide_teaches_closes_it_and_acts(data, key, mode):
    app = RadtuiApp(data, "reader", "jobs", guide=GUIDE)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(app.screen, GuideScreen))
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, GuideScreen) and app.current_mode == mode)
        await pilot.pause(0.1)
        assert app.is_running and app.current_mode == mode


async def test_the_demo_s_guide_is_whole_on_the_narrowest_screen(data):
    app = RadtuiApp(data, "reader", "jobs", guide=GUIDE)
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: isinstance(app.screen, GuideScreen))
        await pilot.pause()
        shown = text_of(app)
        assert all(line in shown for line in GUIDE.splitlines())


@pytest.mark.parametrize("colours", ["standard", "256", "truecolor"])
async def test_the_tab_on_show_stands_out_with_few_colours_too(data, colours):
    async with opened(data, "jobs") as (app, _):
        bar = app.screen.query_one(TopBar)
        (strip,) = bar.render_lines(Region(0, 0, *bar.size))
        drawn = strip.render(Console(color_system=colours, force_terminal=True))
        codes = re.search(r"\x1b\[([\d;]*)m Jobs ", drawn)[1].split(";")
        assert "7" in codes and "30" not in codes  # bold black is dark grey on many terminals


async def test_a_notice_stays_as_long_as_it_takes_to_read_and_a_trouble_longer(data):
    async with opened(data, "jobs") as (app, pilot):
        app.notify("Short.")
        app.notify("A sentence of so many words that it takes a reader a while. " * 5)
        app.notify("It broke.", severity="error")
        app.notify("As told.", timeout=2.0)
        await until(pilot, lambda: len(app._notifications) == 4)
        assert [note.timeout for note in app._notifications] == [5, 20, 15, 2]
