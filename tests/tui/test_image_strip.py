"""The strip of a case's images: in the viewer, Data and Review, after the large image, and not where there is one."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from radtui.imaging.loader import Loader
from radtui.paths import DataDir
from radtui.records import JobKind, JobState, NewCase, NewCaseImage
from radtui.settings import GenerateSettings
from radtui.store import cases, jobs, texts
from radtui.store.cases import KeptCase, Probe
from radtui.tui.review.pair_body import PairBody
from radtui.tui.screens.film import FilmScreen
from radtui.tui.widgets.case_images import CaseImages
from radtui.tui.widgets.image_strip import HERE, ImageStrip, StripImage, dots, dotted, page, rows_of
from radtui.tui.widgets.key_bar import KeyBar
from tests import blobs
from tests.conftest import drawn_png, give_arms, new_text
from tests.tui import reviewing
from tests.tui.driving import until
from tests.tui.test_data_screen import opened, settled

Made = list[tuple[str, str]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """What the loader has done, in its order: "large" or "small", and of which image."""
    done: Made = []
    build, shrink = Loader._build, Loader._shrink

    def noted_build(self: Loader, key: tuple[str, int | None], load: Callable[[], bytes]) -> object:
        done.append(("large", key[0]))
        return build(self, key, load)

    def noted_shrink(self: Loader, key: tuple[str, int, int], load: Callable[[], bytes]) -> object:
        done.append(("small", key[0]))
        return shrink(self, key, load)

    monkeypatch.setattr(Loader, "_build", noted_build)
    monkeypatch.setattr(Loader, "_shrink", noted_shrink)
    return done


def add_case(
    data: DataDir, db: sqlite3.Connection, start: int, roles: tuple[str, ...], broken: int = -1
) -> int:
    """A case with an image for each role, one of them unreadable; its id."""
    images, probes = [], []
    for number, role in enumerate(roles):
        content = drawn_png(start + number)
        sha256 = blobs.keep(data, content)
        error = "Cut short." if number == broken else ""
        images.append(NewCaseImage(name=f"{role}.png", role=role, error=error))
        probes.append(Probe(sha256, "PNG", 64, 64, "L", error=error))
    cases.ensure_dataset(db, "drawn", "drawn by a test")
    cases.add(
        db,
        "drawn",
        [KeptCase(NewCase("test", f"exam {start}", tuple(images), "Clear lungs."), tuple(probes))],
    )
    return max(cases.find(db, cases.CaseQuery("drawn")))


def strip_text(strip: ImageStrip) -> str:
    return "\n".join(strip.render_line(y).text for y in range(strip.size.height))


async def whole(pilot: Pilot[None], strip: ImageStrip, pictures: int) -> None:
    """Wait until so many pictures of the strip are drawn, in the size it has."""
    await until(
        pilot,
        lambda: sum(key[1] == strip._box and bool(lines) for key, lines in strip._lines.items()) == pictures,
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_data_has_a_strip_of_the_images_of_a_case_and_none_of_a_single_one(
    data: DataDir, db: sqlite3.Connection, made: Made, size: tuple[int, int]
) -> None:
    add_case(data, db, 200, ("frontal",))
    add_case(data, db, 210, ("frontal", "lateral", "prior"), broken=2)
    async with opened(data, size) as pilot:
        strip, images = pilot.app.screen.query_one(ImageStrip), pilot.app.screen.query_one(CaseImages)
        assert not strip.display and all(kind == "large" for kind, _ in made)
        assert images.view.size.height == images.size.height
        await pilot.press("down")
        await settled(pilot)
        await whole(pilot, strip, 2)
        rows = strip.size.height
        assert rows >= 3 and images.view.size.height == images.size.height - rows
        assert strip_text(strip).splitlines()[rows // 2].count("×") == 1  # the one that cannot be read
        lit = [line.index(HERE) for line in strip_text(strip).splitlines()]
        await pilot.press("full_stop")
        await settled(pilot)
        now = [line.index(HERE) for line in strip_text(strip).splitlines()]
        assert set(lit) == {0} and set(now) == {2 * rows + 1}
        await pilot.click(strip, offset=(1, 1))  # back to the first
        await settled(pilot)
        assert images.at == 0 and strip_text(strip).startswith(HERE)


async def test_small_pictures_wait_for_the_large_one_and_are_made_once(
    data: DataDir, db: sqlite3.Connection, made: Made
) -> None:
    add_case(data, db, 220, ("frontal", "lateral", "prior"))
    names = [hashlib.sha256(drawn_png(220 + n)).hexdigest() for n in range(3)]
    async with opened(data) as pilot:
        strip = pilot.app.screen.query_one(ImageStrip)
        await whole(pilot, strip, 3)
        assert made[0] == ("large", names[0])
        assert [each for each in made if each[0] == "small"] == [("small", name) for name in names]
        await pilot.press("full_stop", "full_stop", "full_stop")
        await settled(pilot)
        assert len([each for each in made if each[0] == "small"]) == 3


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_viewer_has_the_strip_and_says_which_image_it_shows(
    data: DataDir, db: sqlite3.Connection, size: tuple[int, int]
) -> None:
    add_case(data, db, 230, ("frontal", "lateral"))
    async with opened(data, size) as pilot:
        await pilot.press("z")
        await until(pilot, lambda: isinstance(pilot.app.screen, FilmScreen))
        strip = pilot.app.screen.query_one(ImageStrip)
        await whole(pilot, strip, 2)
        assert "image 1 of 2" in strip_text(strip) and "frontal" in strip_text(strip)
        await pilot.press("full_stop")
        await until(pilot, lambda: "image 2 of 2" in strip_text(strip) and "lateral" in strip_text(strip))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_review_has_the_strip_and_a_key_for_the_next_image(
    data: DataDir, db: sqlite3.Connection, size: tuple[int, int]
) -> None:
    several, single = (
        add_case(data, db, 240, ("frontal", "lateral", "prior")),
        add_case(data, db, 250, ("frontal",)),
    )
    settings = GenerateSettings(dataset="drawn", model="tiny", adapter="a").to_dict()
    job = jobs.create(db, JobKind.GENERATE, "drawn", "drawn", settings, case_ids=[several, single])
    arms = give_arms(db, job, "base", "tuned")
    rows = [
        new_text(case, arm, f"{name} of {case}.") for case in (several, single) for name, arm in arms.items()
    ]
    texts.add(db, job.id, rows)
    jobs.end(db, job.id, JobState.DONE)
    async with reviewing.opened(data, size) as pilot:
        for _ in range(2):
            await reviewing.settled(pilot)
            here = reviewing.screen(pilot)
            images, keys = here.query_one(CaseImages), str(here.query_one(KeyBar).render())
            if reviewing.shown(pilot).case.id == single:
                assert not images.strip.display and "Next image" not in keys
                before = images.view.picture.name
                await pilot.press("full_stop")
                await reviewing.settled(pilot)
                assert images.view.picture.name == before
            else:
                await _turns(pilot, here.query_one(PairBody), size)
            await pilot.press("n")


async def _turns(pilot: Pilot[None], body: PairBody, size: tuple[int, int]) -> None:
    images = body.query_one(CaseImages)
    assert images.strip.display
    await whole(pilot, images.strip, len(images.strip._in_sight()))
    assert "1 of 3" in strip_text(images.strip) and "frontal" in strip_text(images.strip)
    names = [image.sha256 for image in reviewing.shown(pilot).case.images]
    await pilot.press("full_stop")
    await until(pilot, lambda: images.view.picture.name == names[1])
    assert "2 of 3" in strip_text(images.strip)
    await pilot.press("z")  # the film begins at the image that was looked at
    await until(pilot, lambda: isinstance(pilot.app.screen, FilmScreen))
    assert pilot.app.screen.query_one(CaseImages).at == 1
    await pilot.press("escape", "comma")
    await until(pilot, lambda: images.view.picture.name == names[0])


def test_rows_pages_and_dots() -> None:
    assert [rows_of(rows, labelled=True) for rows in (10, 17, 18, 40, 90)] == [1, 1, 3, 6, 6]
    assert rows_of(10, labelled=False) == 0
    assert list(page(3, 2, 5)) == [0, 1, 2]
    assert list(page(30, 17, 5)) == [15, 16, 17, 18, 19] and list(page(30, 29, 7)) == [28, 29]
    assert list(page(4, 3, 0)) == [3]
    assert dots(3, 1) == "○●○" and dots(40, 1) == ""
    images = [StripImage(str(n), bytes, role) for n, role in enumerate(("frontal", "lateral", "prior"))]
    assert dotted(images, 1, 60) == " ○●○ 2 of 3, lateral · . next · , before"
    assert dotted(images, 1, 30) == " ○●○ 2 of 3, lateral · . next"
    assert dotted([StripImage("", bytes)] * 40, 3, 30) == " 4 of 40 · . next · , before"
