"""Rating while the data folder vanishes, comes back, or is written by others: nothing is lost, nothing freezes."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static, TextArea

from radtui.paths import DataDir
from radtui.records import Job
from radtui.store.database import connect
from radtui.store.holding import commit
from radtui.store.place import Connection
from radtui.tui.app import RadtuiApp
from radtui.tui.review import answer_queue
from radtui.tui.review.note import NoteSheet
from radtui.tui.review.reading_screen import ReadingScreen
from tests.tui import driving
from tests.tui.reviewing import history, opened, panel, screen, settled, shown
from tests.tui.test_data_screen import looked_at


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def last(pilot: Pilot[None]) -> str:
    return str(screen(pilot).query_one("#last", Static).content)


def nothing(pilot: Pilot[None]) -> str:
    return str(screen(pilot).query_one("#nothing", Static).content)


async def look(pilot: Pilot[None]) -> None:
    """The poller's next look, and what comes of it."""
    app = pilot.app
    assert isinstance(app, RadtuiApp)
    app._post_snapshot(app.poller.poll_once())
    await settled(pilot)


@pytest.mark.parametrize("copied", [False, True])
async def test_a_folder_that_vanished_and_came_back_has_every_answer(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection, tmp_path: Path, copied: bool
) -> None:
    db.close()
    elsewhere = tmp_path / "elsewhere"
    async with opened(data) as pilot:
        await look(pilot)
        await pilot.press("1")
        assert "Saved: A much better" in last(pilot)
        data.root.rename(elsewhere)
        await pilot.press("2", "3")
        assert "Not in the data folder: 2 answers are kept in" in last(pilot) and "Saved:" not in last(pilot)
        await look(pilot)
        assert pilot.app.snapshot.trouble.endswith("put it back under this name.")
        assert not data.root.exists()
        if copied:
            shutil.copytree(elsewhere, data.root)
            shutil.rmtree(elsewhere)
        else:
            elsewhere.rename(data.root)
        await look(pilot)
        await look(pilot)
        assert "2 kept answers are saved" in panel(pilot)
        await pilot.press("4")
        assert "Saved: B slightly better" in last(pilot)
    assert len(history(data, reviewed_job)) == 4


async def test_another_file_under_the_same_name_is_not_written(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection
) -> None:
    db.close()
    async with opened(data) as pilot:
        data.database.rename(data.root / "moved.db")
        data.database.write_bytes((data.root / "moved.db").read_bytes())
        await pilot.press("1")
        assert "1 answer is kept in" in last(pilot)
    assert history(data, reviewed_job) == []


async def test_keys_wait_for_another_writer_and_the_screen_says_so(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection
) -> None:
    async with opened(data) as pilot:
        db.execute("BEGIN IMMEDIATE")
        await pilot.press("1", "2")
        assert "2 answers wait: another program is writing" in panel(pilot)
        await pilot.press("question_mark")  # nothing is frozen
        await driving.until(pilot, lambda: "HelpScreen" in repr(pilot.app.screen))
        await pilot.press("escape")
        db.execute("ROLLBACK")
        await driving.until(pilot, lambda: not screen(pilot).reviewing.answers.count)
        assert "Saved: A slightly better" in last(pilot)
    assert [abs(preference or 0) for preference, _ in history(data, reviewed_job)] == [2, 1]


async def test_a_slow_disk_holds_up_no_other_key_and_nothing_is_called_saved_before_it_is(
    data: DataDir, reviewed_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def commit_slowly(db: Connection) -> None:
        goes_on.wait(60)
        commit(db)

    async with opened(data) as pilot:
        monkeypatch.setattr(answer_queue, "commit", commit_slowly)
        monkeypatch.setattr(answer_queue, "PATIENCE_S", 0.05)
        await pilot.press("1", "2")
        assert "2 answers wait: the disk has not taken it yet" in panel(pilot)
        assert "Saved" not in last(pilot) and history(data, reviewed_job) == []
        await pilot.press("question_mark")
        await driving.until(pilot, lambda: "HelpScreen" in repr(pilot.app.screen))
        await pilot.press("escape", "q")
        assert pilot.app.is_running  # warned of what would be lost
        goes_on.set()
        await driving.until(pilot, lambda: not screen(pilot).reviewing.answers.count)
        assert "Saved: A slightly better" in last(pilot)
    assert [abs(preference or 0) for preference, _ in history(data, reviewed_job)] == [2, 1]


async def test_an_answer_that_cannot_be_written_leaves_the_pair_as_it_was(
    data: DataDir, reviewed_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(db: Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    def fail(db: Connection) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    async with opened(data) as pilot:
        await pilot.press("1")
        before = shown(pilot).pair
        with monkeypatch.context() as full:
            full.setattr(answer_queue, "commit", refuse)
            await pilot.press("2")
            assert "Not saved" in panel(pilot) and shown(pilot).pair == before and not shown(pilot).rated
            await pilot.press("w", *"typed", "escape")
            await driving.until(pilot, lambda: isinstance(pilot.app.screen, NoteSheet))
        assert pilot.app.screen.query_one(TextArea).text == "typed"
        await pilot.press("escape")
        await driving.until(pilot, lambda: "Saved: note" in last(pilot))
        await pilot.press("2")
        assert "Saved: A slightly better" in last(pilot)
        with monkeypatch.context() as failing:
            failing.setattr(answer_queue, "commit", fail)
            await pilot.press("4", "4")
            assert "Not in the data folder: 2 answers are kept in" in last(pilot) and shown(pilot).rated
        await pilot.press("u", "1")  # go after them, until the disk is tried again
        assert "4 answers are kept" in last(pilot) and len(history(data, reviewed_job)) == 3
        screen(pilot).following.deliver_again()
        await driving.until(pilot, lambda: "4 kept answers are saved" in panel(pilot))
    preferences = [abs(preference or 0) for preference, _ in history(data, reviewed_job)]
    assert preferences == [2, 0, 1, 1, 1, 0, 2]


async def test_reading_one_arm_waits_for_another_writer_too(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection
) -> None:
    async with opened(data) as pilot:
        await pilot.press("U", "enter")
        await driving.until(pilot, lambda: isinstance(pilot.app.screen, ReadingScreen))
        reading = pilot.app.screen
        assert isinstance(reading, ReadingScreen)
        await driving.until(pilot, lambda: reading.desk.reading and reading.desk.reading.open)
        db.execute("BEGIN IMMEDIATE")
        await pilot.press("O", "right", "u")
        words = str(reading.query_one("#message", Static).content)
        assert "3 answers wait: another program is writing" in words
        await pilot.press("escape")
        assert pilot.app.screen is reading  # until all is saved
        db.execute("ROLLBACK")
        await driving.until(pilot, lambda: not reading.answers.count)
        assert reading.desk.message == "Taken back."


async def test_texts_that_are_read_while_the_folder_is_gone_are_kept_and_put_in(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection, tmp_path: Path
) -> None:
    db.close()
    async with opened(data) as pilot:
        await look(pilot)
        await pilot.press("U", "enter")
        await driving.until(pilot, lambda: isinstance(pilot.app.screen, ReadingScreen))
        reading = pilot.app.screen
        assert isinstance(reading, ReadingScreen)
        await driving.until(pilot, lambda: reading.desk.reading and reading.desk.reading.open)
        data.root.rename(tmp_path / "elsewhere")
        await pilot.press("O")
        await driving.until(pilot, lambda: "1 answer is kept in" in reading.desk.message)
        (tmp_path / "elsewhere").rename(data.root)
        await look(pilot)
        await look(pilot)
        await driving.until(pilot, lambda: not reading.answers.count and not pilot.app.unsaved.count)
        await look(pilot)
        await pilot.press("O")
        await driving.until(pilot, lambda: reading.desk.message.startswith("Saved: accepted"))
    with closing(connect(data)) as again:
        accepted = again.execute("SELECT count(*), count(DISTINCT case_id) FROM ratings").fetchone()
        assert tuple(accepted) == (2, 2)


async def test_review_opens_while_another_program_writes(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection
) -> None:
    db.execute("BEGIN IMMEDIATE")
    async with RadtuiApp(data, "ana", screen="review", live=False).run_test(size=(120, 40)) as pilot:
        await driving.until(pilot, lambda: "another program is writing" in nothing(pilot))
        db.execute("ROLLBACK")
        await driving.until(pilot, lambda: screen(pilot).reviewing.drawn is not None)
        await pilot.press("1")
        assert "Saved: A much better" in last(pilot)


async def test_looking_at_a_folder_that_is_not_there_makes_none_and_an_import_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: list[int]
) -> None:
    data = DataDir(tmp_path / "nothing" / "here")
    async with driving.opened(data) as (app, pilot):
        await pilot.press("d", "t", "r", "J")
        await settled(pilot)
        assert not data.root.parent.exists()
        await pilot.press("d", "2", *"phantoms:7", "enter")
        await looked_at(pilot)
        await pilot.press("enter")
        await driving.until(pilot, lambda: launched)
        assert data.root.stat().st_mode & 0o777 == 0o700 and data.database.stat().st_mode & 0o777 == 0o600
        await driving.until(pilot, lambda: app.db.execute("SELECT count(*) FROM jobs").fetchone()[0])


async def test_a_copy_of_the_file_taken_while_the_app_is_open_has_every_rating(
    data: DataDir, reviewed_job: Job, db: sqlite3.Connection, tmp_path: Path
) -> None:
    async with opened(data) as pilot:
        await pilot.press("1", "2", "3")
        await look(pilot)
        shutil.copy(data.database, tmp_path / "copy.db")
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("SELECT count(*) FROM ratings").fetchone() == (3,)
