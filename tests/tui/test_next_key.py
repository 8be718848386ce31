"""No screen without the next key, on the smallest usual terminal; and a resize in mid-key that loses nothing."""

from __future__ import annotations

import pytest
from textual.widgets import Input, TextArea

from radtui.records import JobKind, JobState
from radtui.store import cases, jobs, texts
from radtui.tui.keys import KEYS, shown
from radtui.tui.screens.small import SmallScreen
from radtui.tui.widgets.path_input import PathInput
from tests.conftest import give_arms, new_text
from tests.tui.driving import NARROW, opened, text_of, until
from tests.tui.seeding import add_images, add_train

SIGNS = {shown(key) for row in KEYS.values() for key in row.keys.split(",")}
LEAVING = {"esc", "q", "any key", "ctrl+s"}
# A screen and the keys that lead to what is to name its keys.
PLACES = [
    ("data", ""), ("data", "f"), ("data", "/"), ("data", "b"), ("data", "z"), ("data", "I"), ("data", "?"),
    ("train", ""), ("train", "A"), ("train", "x"), ("jobs", ""), ("jobs", "l"), ("review", ""), ("review", "e"),
    ("review", "c"), ("review", "a"), ("review", "T"), ("review", "w"), ("review", ":"), ("review", "S"),
    ("review", "f"), ("review", "z"), ("welcome", ""), ("review", "U"),
]  # fmt: skip
NAMES = {"/": "slash", "?": "question_mark", ":": "colon"}


def describe(db) -> None:
    """A finished job of descriptions with two pairs."""
    train = add_train(db, 3, 3, JobState.DONE)
    ids = cases.usable(db, "chests", "test", 2)
    job = jobs.create(db, JobKind.GENERATE, "tiny", "chests", {"train_job": train.id}, case_ids=ids)
    made = give_arms(db, job, "base", "tuned")
    texts.add(db, job.id, [new_text(n, arm, f"{name} text") for n in ids for name, arm in made.items()])
    jobs.end(db, job.id, JobState.DONE)


@pytest.mark.parametrize(("screen", "key"), PLACES)
async def test_every_screen_names_the_key_that_leaves_and_another_one(data, db, screen, key):
    if screen != "welcome":
        add_images(data, db)
        describe(db)
    async with opened(data, screen, NARROW) as (app, pilot):
        await until(pilot, lambda: "?" in text_of(app))
        await until(pilot, lambda: screen != "review" or "blind" in text_of(app))
        await until(pilot, lambda: screen != "train" or app.screen.query("JobPane"))
        if key:
            await pilot.press(NAMES.get(key, key))
            await pilot.pause(0.2)
        lines = text_of(app).splitlines()
        told = lines[-1] if not app.screen.is_modal else " ".join(lines)
        words = set(told.replace("·", " ").replace("─", " ").split())
        assert LEAVING & words, told
        assert len((SIGNS | {"enter"}) & words) >= 2 or app.screen.is_modal, told


@pytest.mark.parametrize(
    ("screen", "key", "typed"), [("review", "w", "half a note"), ("review", "ctrl+e", " more")]
)
async def test_a_resize_loses_nothing_of_what_is_typed_over_a_pair(data, db, screen, key, typed):
    add_images(data, db)
    describe(db)
    async with opened(data, screen, NARROW) as (app, pilot):
        await until(pilot, lambda: "blind" in text_of(app))
        await pilot.press("a" if key == "ctrl+e" else "pageup", key)  # the marked text is the one to correct
        await until(pilot, lambda: app.screen.query(TextArea))
        sheet, area = app.screen, app.screen.query_one(TextArea)
        await pilot.press(*typed.replace(" ", "_"))
        before = area.text
        for size in ((40, 10), (120, 40), (61, 16), NARROW):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.1)
            assert isinstance(app.screen, SmallScreen) is (size == (40, 10))
        assert app.screen is sheet and app.focused is area and area.text == before
        await pilot.press("X")
        assert area.text == f"{before}X"


async def test_a_resize_keeps_a_half_typed_path(data, db):
    add_images(data, db)
    async with opened(data, "data", NARROW) as (app, pilot):
        await pilot.press("I")
        await until(pilot, lambda: isinstance(app.focused, PathInput))
        await pilot.press(*"some")
        await pilot.resize_terminal(30, 8)
        await until(pilot, lambda: isinstance(app.screen, SmallScreen))
        await pilot.press(*"lost")
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: not isinstance(app.screen, SmallScreen))
        assert app.screen.query_one("#source", Input).value == "some"
        await pilot.press("escape", "I")  # what is typed is there again
        await until(pilot, lambda: app.screen.query("#source"))
        assert app.screen.query_one("#source", Input).value == "some"
