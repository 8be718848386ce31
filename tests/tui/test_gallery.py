"""The gallery: thumbnails of the list, read only where they are seen, with marks and ways back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from radtui.imaging.ansi import ColourDepth
from radtui.store import cases, ratings
from radtui.store.cases import CaseQuery, Probe
from radtui.tui import terminal
from radtui.tui.data import thumbnails
from radtui.tui.data.gallery import FLAGGED, GalleryScreen
from radtui.tui.data.screen import DataScreen
from radtui.tui.data.thumbnail_grid import ThumbnailGrid
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.image_view import ImageView
from radtui.tui.widgets.virtual_table import VirtualTable
from tests.conftest import kept_case
from tests.tui.driving import NARROW, WIDE, opened, text_in, text_of, until
from tests.unit.test_store import rating, study_of

HALF_BLOCKS = "▄▀"


@pytest.fixture(autouse=True)
def true_colour(monkeypatch):
    monkeypatch.setattr(terminal, "current", lambda: Terminal(ColourDepth.TRUE))


@pytest.fixture
def made(monkeypatch):
    """Sizes of the thumbnails that were made, in their order."""
    found = []
    thumbnail = thumbnails.thumbnail

    def spied(data, width_px, height_px):
        found.append((width_px, height_px))
        return thumbnail(data, width_px, height_px)

    monkeypatch.setattr(thumbnails, "thumbnail", spied)
    return found


def grid(app) -> ThumbnailGrid:
    return app.screen.query_one(ThumbnailGrid)


async def gallery(app, pilot) -> ThumbnailGrid:
    """Go from the list to the gallery and wait for all thumbnails in sight."""
    await until(pilot, lambda: app.screen.list.case is not None)
    await pilot.press("b")
    await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and grid(app).size.width)
    await until(pilot, lambda: "reading" not in text_in(grid(app)))
    return grid(app)


def test_an_image_s_judgement_is_not_told(db, reviewed_job):
    first, second, third, *_ = cases.find(db, CaseQuery("drawn", "test"))
    answers = {"acceptability.base": 1, "acceptability.tuned": 5}
    given = rating(study_of(db, reviewed_job).id, first, 2, rater="ana", answers=answers)
    assert ratings.marked_cases(db) == {}
    ratings.add(db, given)
    ratings.add(db, replace(given, case_id=second, rater="ben", flagged=True, preference=None))
    taken_back = ratings.add(db, replace(given, case_id=third))
    ratings.add(db, replace(given, case_id=third, preference=None, undoes=taken_back.id))
    assert ratings.marked_cases(db) == {first: False, second: True}


@pytest.mark.parametrize(("size", "across", "rows"), [(NARROW, 4, 2), (WIDE, 7, 4)])
async def test_as_many_as_fit_are_made_and_no_more(data, add_images, made, size, across, rows):
    add_images(60)
    async with opened(data, "data", size) as (app, pilot):
        tiles = await gallery(app, pilot)
        assert tiles.tiling.across == across
        assert across * rows <= len(made) <= across * (rows + 1)
        assert set(made) == {(tiles.tiling.box[0], 2 * tiles.tiling.box[1])}
        assert text_in(tiles).count("test-0") >= across * rows


async def test_a_long_list_costs_what_is_seen(data, db, add_images, made):
    [known] = cases.get_many(db, add_images(1))
    probe = Probe(known.first.sha256, "PNG", 64, 64, "L")
    cases.add(db, "drawn", [kept_case("test", f"copy-{n:06d}.png", probe) for n in range(5_000)])
    async with opened(data, "data", NARROW) as (app, pilot):
        tiles = await gallery(app, pilot)
        assert len(made) == 1  # all have the same bytes
        await pilot.press("end")
        await until(pilot, lambda: "copy-004999.png" in text_in(tiles))
        assert len(tiles._tiles) <= 12


async def test_keys_move_along_and_across_and_enter_goes_to_the_image(data, add_images):
    ids = add_images(20)
    async with opened(data, "data", NARROW) as (app, pilot):
        tiles = await gallery(app, pilot)
        await pilot.press("right", "down", "down")
        assert tiles.cursor == 9 and "test-009.png" in text_of(app) and "10 of 20" in text_of(app)
        await pilot.press("down", "down", "down")  # to the last row and no further
        assert tiles.cursor == 17
        await pilot.press("end", "left", "home", "pagedown", "up")
        assert tiles.cursor == 4
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DataScreen) and app.screen.list.case.id == ids[4])
        await until(pilot, lambda: app.screen.query_one(VirtualTable).cursor == 4)
        assert isinstance(app.focused, ImageView)  # to zoom into it at once
        await pilot.press("b", "right", "escape")  # back without a choice
        await until(pilot, lambda: isinstance(app.screen, DataScreen))
        await pilot.pause(0.2)
        assert app.screen.list.case.id == ids[4]


async def test_it_shows_what_the_search_has_found(data, add_images):
    add_images(12)
    async with opened(data, "data", WIDE) as (app, pilot):
        await until(pilot, lambda: app.screen.list.case is not None)
        await pilot.press("slash", *"right", "enter")
        await until(pilot, lambda: len(app.screen.list.rows) == 6)
        tiles = await gallery(app, pilot)
        assert "test-001.png" in text_in(tiles) and "test-002.png" not in text_in(tiles)
        assert "1 of 6 · drawn" in text_of(app) and "right" in text_of(app)


async def test_what_cannot_be_read_says_why_in_its_place(data, db, add_images):
    ids = add_images(3)
    cut = Probe("", error="The PNG image is cut short; copy it again.")
    cases.add(db, "drawn", [kept_case("test", "bad.png", cut)])
    gone = cases.get_many(db, ids)[1]
    data.blob(gone.first.sha256).unlink()
    async with opened(data, "data", WIDE) as (app, pilot):
        tiles = await gallery(app, pilot)
        text = text_in(tiles)
        assert "The PNG image is cut" in text and "! bad.png" in text
        assert "The stored bytes of" in text
        assert any(block in text for block in HALF_BLOCKS)


async def test_rated_and_flagged_images_are_marked(data, db, reviewed_job):
    first, second, *_ = cases.find(db, CaseQuery("drawn", "test"))
    given = rating(study_of(db, reviewed_job).id, first, 2, rater="ben")
    ratings.add(db, given)
    ratings.add(db, replace(given, case_id=second, flagged=True))
    async with opened(data, "data", WIDE) as (app, pilot):
        tiles = await gallery(app, pilot)
        await until(pilot, lambda: f"•{FLAGGED} test-001.png" in text_in(tiles))
        assert "• test-000.png" in text_in(tiles) and "• test-002.png" not in text_in(tiles)
        await pilot.press("right")
        assert "rated · flagged" in text_of(app)


async def test_it_grows_with_the_list(data, add_images):
    add_images(3)
    async with opened(data, "data", WIDE) as (app, pilot):
        await gallery(app, pilot)
        await pilot.press("right")
        add_images(2, start=3)
        app.screen_stack[0].list.find()
        await until(pilot, lambda: "2 of 5" in text_of(app))
        await until(pilot, lambda: "test-004.png" in text_in(grid(app)))


async def test_sizes_change_by_keys(data, add_images, made):
    add_images(30)
    async with opened(data, "data", WIDE) as (app, pilot):
        tiles = await gallery(app, pilot)
        before = tiles.tiling.across
        await pilot.press("end", "minus")
        assert tiles.tiling.across > before and tiles.cursor == 29
        await until(pilot, lambda: "reading" not in text_in(tiles))
        await pilot.press("plus", "plus", "plus")
        assert tiles.tiling.across < before
        await until(pilot, lambda: max(made)[0] > 40)


async def test_nothing_to_show_is_no_gallery(data):
    async with opened(data, "data", NARROW) as (app, pilot):
        await pilot.press("b")
        await pilot.pause()
        assert isinstance(app.screen, DataScreen)
        assert not app.screen.check_action("gallery", ())
