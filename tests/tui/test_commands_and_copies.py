"""The palette's places, copies to the clipboard, and pictures of the screen."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from radtui.records import JobState, UserError
from radtui.tui.clipboard import sentence
from radtui.tui.keys import shown
from radtui.tui.screenshot import keep
from tests.tui.driving import MIDDLE, NARROW, opened, text_of, until
from tests.tui.seeding import add_images, add_train


async def test_the_palette_offers_keys_by_name_jobs_and_data_sets_once_each(data, db):
    add_images(data, db)
    job = add_train(db, steps=2, state=JobState.DONE)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: app.snapshot.jobs)
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert commands["Log"].help.startswith(shown("l"))
        assert (
            f"Job #{job.id} {job.name}" in commands and "done" in commands[f"Job #{job.id} {job.name}"].help
        )
        names = [title for title in commands if title.startswith("Data set ")]
        assert len(names) == 1
        assert not {"Down", "Up", "Commands", "Keys", "Maximize"} & set(commands)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Colours: dark" in text_of(app))
        keys = text_of(app).splitlines()[-1]
        assert "esc Close" in keys and "enter Take" in keys and "Quit" not in keys
        await pilot.press("escape")
        commands[names[0]].callback()
        await until(pilot, lambda: app.current_mode == "data")
        commands[f"Job #{job.id} {job.name}"].callback()
        await until(pilot, lambda: app.current_mode == "train")


async def test_a_picture_of_the_screen_goes_where_it_can_and_says_where(data, db, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with opened(data, "jobs", NARROW) as (app, pilot):
        app.action_picture()
        await pilot.pause()
        (picture,) = tmp_path.glob("radtui-*.svg")
        assert any(str(picture) in notice.message for notice in app._notifications)
        assert picture.stat().st_mode & 0o077 == 0


def test_a_picture_replaces_none_and_passes_folders_over(tmp_path):
    at = time.struct_time((2026, 3, 4, 5, 6, 7, 0, 0, 0))
    first = keep("<svg/>", [tmp_path / "gone", tmp_path], at)
    second = keep("<svg></svg>", [tmp_path], at)
    assert (first.name, second.name) == ("radtui-2026-03-04-050607.svg", "radtui-2026-03-04-050607-2.svg")
    assert first.read_text() == "<svg/>" and second.read_text() == "<svg></svg>"
    with pytest.raises(UserError, match="No folder takes"):
        keep("x", [Path("/proc")], at)


def test_a_terminal_that_is_known_to_refuse_a_copy_is_named():
    assert "allowWindowOps" in sentence("the name", "XTerm(379)", {})
    assert "mouse" in sentence("the name", "VTE(7600)", {})
    assert "mouse" in sentence("the name", "", {"TERM_PROGRAM": "Apple_Terminal"})
    assert "OSC 52" in sentence("the name", "kitty(0.36)", {})
    assert "prefix ]" in sentence("the name", "tmux 3.3a", {"TMUX": "x"}, tmux_took_it=True)
