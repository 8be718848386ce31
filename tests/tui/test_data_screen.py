"""The data screen: list, image and facts, search and filters, and what is said when there is nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from radtui.paths import DataDir
from radtui.records import Case, CaseImage, JobKind, JobState, NewCase, NewCaseImage
from radtui.store import cases, jobs
from radtui.store.cases import CaseQuery, KeptCase, Probe
from radtui.store.database import writing
from radtui.tui.app import RadtuiApp
from radtui.tui.data import image_list
from radtui.tui.data.data_line import DataLine, filter_words
from radtui.tui.data.dialogs import DatasetSheet, FilterSheet
from radtui.tui.data.importing import ImportSheet
from radtui.tui.data.preview import PreviewScreen
from radtui.tui.data.screen import DataScreen
from radtui.tui.poll import Poller
from radtui.tui.widgets import image_facts
from radtui.tui.widgets.image_facts import ImageFacts
from radtui.tui.widgets.image_view import ImageView, State
from radtui.tui.widgets.key_bar import KeyBar
from radtui.tui.widgets.virtual_table import VirtualTable
from tests import blobs
from tests.conftest import drawn_png, kept_case

AddImages = Callable[..., list[int]]


@asynccontextmanager
async def opened(data: DataDir, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[None]]:
    app = RadtuiApp(data, "ana", screen="data", live=False)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


async def looked_at(pilot: Pilot[None]) -> PreviewScreen:
    """The screen of what comes in, once the other process has answered."""
    for _ in range(1500):
        await pilot.pause(0.02)
        shown = pilot.app.screen
        if isinstance(shown, PreviewScreen) and shown._preview is not None:
            return shown
    raise AssertionError("nothing came to look at")


async def settled(pilot: Pilot[None]) -> None:
    """Wait for threads, timers and what they post, and for the highlighted image to be drawn."""
    await pilot.pause(0.14)
    await pilot.app.workers.wait_for_complete()
    for _ in range(100):
        await pilot.pause(0.02)
        at, ids = screen(pilot).query_one(VirtualTable).cursor, screen(pilot).list.rows.ids
        shown = at is None or (screen(pilot).list.case is not None and screen(pilot).list.case.id == ids[at])
        if shown and view(pilot).state is not State.LOADING:
            break
    await pilot.pause(0.05)


def screen(pilot: Pilot[None]) -> DataScreen:
    found = pilot.app.screen_stack[0]
    assert isinstance(found, DataScreen)
    return found


def facts(pilot: Pilot[None]) -> str:
    return str(screen(pilot).query_one(ImageFacts).query_one(Static).content)


def view(pilot: Pilot[None]) -> ImageView:
    return screen(pilot).query_one(ImageView)


def keys(pilot: Pilot[None]) -> str:
    return str(screen(pilot).query_one(KeyBar).render())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_first_image_is_drawn_with_its_reference(
    data: DataDir, add_images: AddImages, size: tuple[int, int]
) -> None:
    add_images(5)
    async with opened(data, size) as pilot:
        assert view(pilot).state is State.SHOWN
        assert "left nodule, number 0" in facts(pilot)
        assert view(pilot).size.width >= 40 and view(pilot).size.height >= 12
        assert screen(pilot).query_one(VirtualTable).size.width >= 25
        await pilot.press("down")
        await settled(pilot)
        assert "right nodule, number 1" in facts(pilot)
        await pilot.press("enter")
        assert view(pilot).has_focus
        await pilot.press("n")  # steps on wherever the focus is
        await settled(pilot)
        assert "number 2" in facts(pilot)


async def test_search_finds_as_you_type_and_marks_the_words(data: DataDir, add_images: AddImages) -> None:
    add_images(12)
    async with opened(data) as pilot:
        await pilot.press("slash", *"RIGHT")
        await settled(pilot)
        assert len(screen(pilot).list.rows) == 6
        await pilot.press("space", "1", "1")
        await settled(pilot)
        assert [
            case.source_key for case in cases.get_many(screen(pilot).rad.db, screen(pilot).list.rows.ids)
        ] == ["test-011.png"]
        content = screen(pilot).query_one(ImageFacts).query_one(Static).content
        marked = [content.plain[span.start : span.end] for span in content.spans]  # type: ignore[union-attr]
        assert "right" in marked and "11" in marked
        await pilot.press("enter", "q")
        assert not pilot.app.is_running or pilot.app._exit  # q is a key again once the search is left


async def test_letters_typed_in_the_search_are_no_keys(data: DataDir, add_images: AddImages) -> None:
    add_images(3)
    async with opened(data) as pilot:
        await pilot.press("slash", *"tjrqdifso")
        await settled(pilot)
        assert pilot.app.screen is screen(pilot)
        assert screen(pilot).query_one(Input).value == "tjrqdifso"
        assert len(screen(pilot).list.rows) == 0
        assert view(pilot).state is State.EMPTY and "esc" in view(pilot).picture.text
        await pilot.press("escape")
        await settled(pilot)
        assert len(screen(pilot).list.rows) == 3 and view(pilot).state is State.SHOWN


async def test_the_keys_named_are_those_that_do_something(data: DataDir, add_images: AddImages) -> None:
    async with opened(data, (80, 24)) as pilot:
        assert "Open" not in keys(pilot)
        add_images(3)
        screen(pilot).list.find()
        await settled(pilot)
        assert "enter Open" in keys(pilot) and "esc" not in keys(pilot)
        await pilot.press("enter")
        assert view(pilot).has_focus and "esc List" in keys(pilot)
        await pilot.press("escape")
        assert screen(pilot).query_one(VirtualTable).has_focus and "esc" not in keys(pilot)
        await pilot.press("slash", *"zzz")
        await settled(pilot)
        await pilot.press("enter")
        assert screen(pilot).query_one(VirtualTable).has_focus and "Open" not in keys(pilot)
        await pilot.press("enter", "escape")
        await settled(pilot)
        assert "enter Open" in keys(pilot)


async def test_on_a_narrow_screen_the_image_that_is_looked_at_has_the_list_s_room(
    data: DataDir, add_images: AddImages
) -> None:
    add_images(3)
    async with opened(data, (80, 24)) as pilot:
        beside = view(pilot).size
        await pilot.press("enter")
        await settled(pilot)
        assert view(pilot).size.width == 80 > beside.width
        assert view(pilot).size.height > beside.height
        assert "p Window" in keys(pilot) and "Search" not in keys(pilot)
        await pilot.press("n", "s")  # the next image; the list that nobody sees stays in its order
        await settled(pilot)
        assert screen(pilot).list.place == 1 and screen(pilot).list.query_now == CaseQuery("drawn")
        await pilot.press("escape")
        await settled(pilot)
        assert view(pilot).size == beside and "/ Search" in keys(pilot)
    async with opened(data, (120, 40)) as pilot:
        beside = view(pilot).size
        await pilot.press("enter")
        await settled(pilot)
        assert view(pilot).size == beside and "/ Search" in keys(pilot)


async def test_a_list_that_cannot_be_read_says_so_and_is_read_again(
    data: DataDir, add_images: AddImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_images(3)

    def broken(db: sqlite3.Connection) -> object:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(image_list, "RETRY_S", 0.05)
        patched.setattr(cases, "datasets", broken)
        async with opened(data) as pilot:
            assert f"Cannot read {data.database}: disk I/O error" in view(pilot).picture.text
            patched.undo()
            await pilot.pause(0.1)
            await settled(pilot)
            assert len(screen(pilot).list.rows) == 3 and view(pilot).state is State.SHOWN


async def test_filters_apply_while_they_are_changed(
    data: DataDir, db: sqlite3.Connection, add_images: AddImages
) -> None:
    add_images(4, split="train")
    add_images(3, split="test", start=4)
    async with opened(data) as pilot:
        await pilot.press("f")
        assert isinstance(pilot.app.screen, FilterSheet)
        await pilot.press("right")
        await settled(pilot)
        assert screen(pilot).list.query_now.split == "test" and len(screen(pilot).list.rows) == 3
        await pilot.press("backspace")
        await settled(pilot)
        assert len(screen(pilot).list.rows) == 7
        await pilot.press("left", "escape")
        await settled(pilot)
        assert pilot.app.screen is screen(pilot) and len(screen(pilot).list.rows) == 4
        assert "4 shown: train" in str(screen(pilot).query_one(DataLine).render())


async def test_an_unreadable_and_a_leaked_image_say_so(
    data: DataDir, db: sqlite3.Connection, add_images: AddImages
) -> None:
    ids = add_images(2)
    cut, text = Probe("", error="The PNG image is cut short."), "A text [bold]without[/bold] \x1b[31mimage."
    cases.add(db, "drawn", [kept_case("test", "bad.png", cut, reference=text)])
    with writing(db):
        db.execute("UPDATE cases SET leaked = 1 WHERE id = ?", (ids[0],))
    async with opened(data) as pilot:
        assert "Leaked" in facts(pilot)
        await pilot.press("end")
        await settled(pilot)
        assert "cut short" in view(pilot).picture.text
        assert "[bold]without[/bold] ␛[31mimage." in facts(pilot)
        # Split, examination and finding have one value each: Rating, File, Leak.
        await pilot.press("f", *["down"] * 2)
        await pilot.press("up", "right", "escape")
        await settled(pilot)
        assert screen(pilot).list.query_now.unreadable is True and len(screen(pilot).list.rows) == 1


async def test_a_case_of_several_images_shows_each_with_its_place_and_its_question(
    data: DataDir, db: sqlite3.Connection, add_images: AddImages
) -> None:
    add_images(1)
    images, probes = [], []
    for seed, role in ((101, "frontal"), (102, "lateral"), (0, "prior")):
        sha256 = blobs.keep(data, drawn_png(seed))
        images.append(NewCaseImage(name=f"{seed}.png", role=role))
        probes.append(Probe(sha256, "PNG", 64 + seed, 64, "L", error="Cut short." if role == "prior" else ""))
    case = NewCase("test", "exam 7", tuple(images), "Clear lungs.", "Is there an [effusion]?")
    cases.add(db, "drawn", [KeptCase(case, tuple(probes))])
    async with opened(data) as pilot:
        assert "Next view" not in keys(pilot) and "Question" not in facts(pilot)
        await pilot.press("down")
        await settled(pilot)
        assert "Question\nIs there an [effusion]?" in facts(pilot)
        assert "●○○ image 1 of 3, frontal · . shows the next" in facts(pilot) and "165 x 64" in facts(pilot)
        assert ". Next view" in keys(pilot)
        await pilot.press("full_stop")
        await settled(pilot)
        assert "image 2 of 3, lateral" in facts(pilot) and "166 x 64" in facts(pilot)
        assert view(pilot).state is State.SHOWN
        screen(pilot).list.find()  # as an import does: the image that is looked at stays
        await settled(pilot)
        assert "image 2 of 3, lateral" in facts(pilot)
        await pilot.press("full_stop")
        await settled(pilot)
        assert "image 3 of 3, prior" in facts(pilot) and "Cut short" in view(pilot).picture.text
        await pilot.press("full_stop")
        await settled(pilot)
        assert "image 1 of 3, frontal" in facts(pilot) and view(pilot).state is State.SHOWN


async def test_lost_bytes_are_an_error_with_a_next_step(data: DataDir, add_images: AddImages) -> None:
    add_images(1, start=77)  # drawn by no other test, so that no cache has it
    for blob in (data.root / "images").glob("*/*"):
        blob.unlink()
    async with opened(data) as pilot:
        assert view(pilot).state is State.FAILED and "import its source again" in view(pilot).picture.text


async def test_no_images_name_the_next_key_and_import_starts_a_job(
    data: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def launch(folder: DataDir, db: sqlite3.Connection, job: object) -> object:
        started.append(job)
        return job

    monkeypatch.setattr("radtui.jobs.submit.launch_new", launch)
    (data.root / "pictures").mkdir()
    (data.root / "pictures" / "one.png").write_bytes(drawn_png(1))
    async with opened(data, (80, 24)) as pilot:
        assert "Press I" in view(pilot).picture.text
        await pilot.press("I", "enter")
        sheet = pilot.app.screen
        assert isinstance(sheet, ImportSheet)
        assert "Type a folder" in str(sheet.query_one("#source-wrong", Static).content)
        await pilot.press(*"./no-such")
        await pilot.press("enter")
        await settled(pilot)
        assert "./no-such" in str(sheet.query_one("#source-wrong", Static).content)
        assert not started
        sheet.query_one("#source", Input).value = str(data.root / "pictures")
        sheet.query_one("#hold_out", Input).value = "95"
        await pilot.press("tab", *"mine", "enter")
        assert "0 to 90 percent" in str(sheet.query_one("#hold_out-wrong", Static).content) and not started
        assert sheet.query_one("#hold_out", Input).has_focus
        await pilot.press("backspace", "backspace", *"25", "enter")
        preview = await looked_at(pilot)
        assert "1 case: 1 train" in str(preview.query_one("#counts", Static).content) and not started
        await pilot.press("enter")
        await settled(pilot)
        assert started[0].settings["hold_out"] == 25
        assert pilot.app.screen is screen(pilot)
        assert len(started) == 1 and started[0].kind is JobKind.IMPORT and started[0].dataset == "mine"
        assert "Importing" in view(pilot).picture.text
        assert "importing mine" in str(screen(pilot).query_one(DataLine).render())


async def test_rows_appear_while_an_import_runs_and_the_place_is_kept(
    data: DataDir, db: sqlite3.Connection, add_images: AddImages
) -> None:
    add_images(3)
    job = jobs.create(db, JobKind.IMPORT, "drawn", "drawn", {})
    jobs.begin(db, job.id, 1)
    async with opened(data) as pilot:
        app = screen(pilot).rad
        app.poller = Poller(data, app._post_snapshot)  # without reconcile, which would miss the job's process
        await pilot.press("down", "down")
        await settled(pilot)
        app._post_snapshot(app.poller.poll_once())
        await settled(pilot)
        add_images(4, start=3)
        add_images(2, split="train", start=10)  # comes first in the list
        jobs.progress(db, job.id, 6, 10)
        app.poller.nudge()
        app._post_snapshot(app.poller.poll_once())
        await pilot.pause(0.8)
        await settled(pilot)
        assert len(screen(pilot).list.rows) == 9
        assert "number 2" in facts(pilot)
        assert screen(pilot).query_one(VirtualTable).cursor == 4
        assert "importing drawn: 6 of 10" in str(screen(pilot).query_one(DataLine).render())


async def test_an_import_that_was_begun_elsewhere_is_named_while_there_are_no_images(
    data: DataDir, db: sqlite3.Connection
) -> None:
    async with opened(data) as pilot:
        app = screen(pilot).rad
        app.poller = Poller(data, app._post_snapshot)  # without reconcile, which would miss the job's process
        assert "Press I" in view(pilot).picture.text
        jobs.begin(db, jobs.create(db, JobKind.IMPORT, "drawn", "drawn", {}).id, 1)
        app._post_snapshot(app.poller.poll_once())
        await pilot.pause()
        assert "Importing" in view(pilot).picture.text


async def test_a_first_import_that_is_over_before_it_is_seen_running_is_shown(
    data: DataDir, db: sqlite3.Connection, add_images: AddImages
) -> None:
    async with opened(data) as pilot:
        app = screen(pilot).rad
        app.poller = Poller(data, app._post_snapshot)
        assert screen(pilot).list.answered and not screen(pilot).list.summaries
        job = jobs.create(db, JobKind.IMPORT, "drawn", "drawn", {})
        jobs.begin(db, job.id, 1)
        add_images(3)
        jobs.end(db, job.id, JobState.DONE)
        app._post_snapshot(app.poller.poll_once())
        await settled(pilot)
        assert len(screen(pilot).list.rows) == 3


async def test_data_sets_are_chosen_by_name(data: DataDir, add_images: AddImages) -> None:
    add_images(3, dataset="first")
    add_images(2, dataset="second", start=20)
    async with opened(data) as pilot:
        assert screen(pilot).list.query_now.dataset == "second"
        await pilot.press("o")
        assert isinstance(pilot.app.screen, DatasetSheet)
        assert pilot.app.screen.query_one(OptionList).highlighted == 0
        await pilot.press("down", "enter")
        await settled(pilot)
        assert screen(pilot).list.query_now.dataset == "first" and len(screen(pilot).list.rows) == 3


async def test_many_images_are_paged_and_searched(data: DataDir, db: sqlite3.Connection) -> None:
    cases.ensure_dataset(db, "many", "made by a test")
    batch = [
        kept_case(
            "train", f"{n:06d}", Probe(f"{n:064x}", "PNG", 8, 8, "L"),
            reference=f"Chest with finding{n % 997} in zone {n}.",
        )
        for n in range(20_000)
    ]  # fmt: skip
    cases.add(db, "many", batch)
    async with opened(data) as pilot:
        assert len(screen(pilot).list.rows) == 20_000
        await pilot.press("end")
        await settled(pilot)
        assert "zone 19999" in facts(pilot)
        await pilot.press("slash", *"finding996")
        await settled(pilot)
        assert len(screen(pilot).list.rows) == 20


def test_filters_in_words() -> None:
    query = CaseQuery("x", split="test", search=" lung ", rated=False, leaked=True)
    assert filter_words(query) == ["“lung”", "test", "not rated", "leaked"]
    assert filter_words(CaseQuery("x")) == []


def test_facts_stand_in_columns_in_words():
    found = Case(
        1, "rays", "train", 0, "ct.dcm", "", "", "", "", "",
        images=(CaseImage("abc", "DICOM", 128, 128, "MONOCHROME2"),),
        facts={"PhotometricInterpretation": "MONOCHROME2", "SliceThickness": "5", "KVP": "120", "marker": "L",
               "A name too long for a column": "x", "empty": " "},
    )  # fmt: skip
    text = image_facts.facts(found, [], []).plain
    assert (
        "slice thickness  5\n" in text and "KVP              120\n" in text and "marker           L" in text
    )
    assert "format           DICOM MONOCHROME2\n" in text and text.count("MONOCHROME2") == 1
    assert "A name too long for a column  x" in text and "empty" not in text
