"""The review screen: one key rates, saves and moves on; every state names the next key."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.geometry import Size
from textual.widgets import Input, Static, TextArea

from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs, ratings, texts
from radtui.store.database import writing
from radtui.tui.review.answer_panel import AnswerPanel
from radtui.tui.review.note import NoteSheet
from radtui.tui.screens.film import FilmScreen
from radtui.tui.widgets.image_view import ImageView, State
from radtui.tui.widgets.key_bar import KeyBar
from radtui.tui.widgets.text_box import TextBox
from tests.conftest import give_arms, new_text
from tests.tui.driving import until
from tests.tui.reviewing import box, history, line, opened, panel, screen, settled, shown
from tests.unit.test_store import study_of


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_keys_texts_and_image_are_on_the_screen(
    data: DataDir, reviewed_job: Job, size: tuple[int, int]
) -> None:
    async with opened(data, size) as pilot:
        view = screen(pilot).query_one(ImageView)
        assert view.state is State.SHOWN and view.size.width >= 30 and view.size.height >= 12
        for label in ("1 A much better", "3 Equal", "5 B much better", "0 Both bad", "a acceptability"):
            assert label in panel(pilot)
        a, b = (screen(pilot).query_one(f"#{one}", TextBox) for one in "ab")
        assert {box(pilot, "a"), box(pilot, "b")} == set(shown(pilot).texts)
        assert a.size.width >= 30
        if size[0] >= 150:  # side by side where there is room for the film as well
            assert a.region.y == b.region.y
        else:  # whole, and no larger than they are: the film has the rest
            rows = [len(text.rows(text.content_size.width)) for text in (a, b)]
            assert [a.content_size.height, b.content_size.height] == rows and a.region.bottom == b.region.y
            assert view.size.width * view.size.height >= {80: 780, 120: 2400}[size[0]]
        panel_region = screen(pilot).query_one(AnswerPanel).region
        assert panel_region.bottom <= size[1] - 1 and panel_region.height >= len(panel(pilot).splitlines())


async def test_answers_stand_at_one_place_whatever_a_pair_says(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    long = "A small nodule in the upper zone of the left lung, seen on one of two views. " * 12
    with writing(db):
        db.execute(
            "UPDATE texts SET text = text || ? WHERE case_id = (SELECT max(case_id) FROM texts)", (long,)
        )
    async with opened(data, (80, 24)) as pilot:
        places, scrolled = set(), 0
        for _ in range(6):
            view, answers = screen(pilot).query_one(ImageView), screen(pilot).query_one(AnswerPanel)
            places.add((view.size, answers.region))
            boxes = [screen(pilot).query_one(f"#{side}", TextBox) for side in "ab"]
            assert boxes[1].region.bottom <= answers.region.y and boxes[0].region.bottom == boxes[1].region.y
            scrolled += any("more line" in str(each.border_subtitle) for each in boxes)
            await pilot.press("3")
            await settled(pilot)
        assert len(places) == 1 and scrolled == 1


async def test_six_pairs_with_six_keys_then_the_summary_is_named(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        expected = []
        for key in "123450":
            left = shown(pilot).left
            toward_b = {"1": -2, "2": -1, "3": 0, "4": 1, "5": 2, "0": None}[key]
            sign = -1 if left == "tuned" else 1
            expected.append((None, True) if toward_b is None else (sign * toward_b, False))
            await pilot.press(key)
        assert history(data, reviewed_job) == expected
        assert "All pairs are rated. Press T" in panel(pilot)
        assert "6/6 answered" in line(pilot)
        await pilot.press("1")  # one too many
        assert "The same key again changes this last answer" in panel(pilot)
        assert history(data, reviewed_job) == expected
        await pilot.press("3")
        assert history(data, reviewed_job) == [*expected, (0, False)]
        await pilot.press("left", "1")  # any other pair is changed at once
        assert len(history(data, reviewed_job)) == 8


async def test_a_restart_shows_the_same_pair_on_the_same_sides(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        await pilot.press("2", "4")
        before = (shown(pilot).pair, shown(pilot).texts)
    async with opened(data, (80, 24)) as pilot:
        assert (shown(pilot).pair, shown(pilot).texts) == before
        await pilot.press("u", "u")
        assert "Taken back" in panel(pilot) and "0/6 answered" in line(pilot)
        await pilot.press("u")
        assert "nothing to take back" in panel(pilot)
    assert len(history(data, reviewed_job)) == 4


async def test_acceptability_takes_digits_of_its_own(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        first, a = shown(pilot).pair, shown(pilot).arm(0)
        await pilot.press("a")
        assert "How usable is text A?" in panel(pilot) and "5 Use as is" in panel(pilot)
        await pilot.press("0", "space")  # no answers of this panel, and no preference either
        await pilot.press("4")
        assert "How usable is text B?" in panel(pilot)
        await pilot.press("2")
        assert "A much better" in panel(pilot) and "A 4 · B 2" in panel(pilot)
        assert shown(pilot).pair == first  # acceptability alone does not move on
        await pilot.press("1")
        assert shown(pilot).pair != first
    row = next(
        one for one in ratings.current(db, study_of(db, reviewed_job).id) if one.case_id == first.case_id
    )
    given = {arm: row.acceptability(arm) for arm in ("base", "tuned")}
    assert given[a] == 4 and sorted(filter(None, given.values())) == [2, 4]
    assert abs(row.preference or 0) == 2 and not row.skipped
    assert len(ratings.history(db, study_of(db, reviewed_job).id, "ana")) == 3


async def test_errors_and_dimensions_are_counted_and_compared(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        a = shown(pilot).arm(0)
        b = shown(pilot).arm(1)
        await pilot.press("e", "2", "2", "o", "7", "tab", "1", "minus", "1")
        assert "insignificant errors in text B" in panel(pilot)
        await pilot.press("escape", "c")
        assert "fewer wrong things" in panel(pilot)
        keys = str(screen(pilot).query_one(KeyBar).render())
        assert "tab Next quality" in keys and "Other text" not in keys
        assert not str(screen(pilot).query_one("#last", Static).content).startswith("One key says")
        await pilot.press("1", "tab", "3", "escape")
        assert "Saved: one quality compared" in str(screen(pilot).query_one("#last", Static).content)
        assert "e errors A 3 · B 1" in panel(pilot) and "2 of 5" in panel(pilot)
    row = ratings.current(db, study_of(db, reviewed_job).id)[0]
    toward_tuned = 2 if a == "tuned" else -2
    assert row.answers == {
        f"error.{a}.2.significant": 2,
        f"error.{a}.7.insignificant": 1,
        f"error.{b}.1.insignificant": 1,
        "dim.correctness": toward_tuned,
        "dim.clinical_focus": 0,
    }
    assert row.preference is None


async def test_an_answer_that_can_be_saved_nowhere_says_so_and_keeps_the_pair(
    data: DataDir, reviewed_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "state"
    nowhere.write_text("a file where the folder of kept answers would be")
    monkeypatch.setenv("XDG_STATE_HOME", str(nowhere))
    async with opened(data) as pilot:
        pair, db = shown(pilot).pair, screen(pilot).reviewing.answers.database
        await pilot.press("2")
        first = history(data, reviewed_job)
        db.execute("PRAGMA query_only=ON")  # as a full disk: reading goes on, every write fails
        second = shown(pilot).pair
        for key in ("1", "m", "u"):
            await pilot.press(key)
            assert shown(pilot).pair == second and "Not saved. Press the key again" in panel(pilot)
        await pilot.press("w", *"haze", "escape")
        await settled(pilot)
        sheet = pilot.app.screen
        assert (
            isinstance(sheet, NoteSheet) and sheet.query_one(TextArea).text == "haze"
        )  # typed once is enough
        assert history(data, reviewed_job) == first
        db.execute("PRAGMA query_only=OFF")
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("1")
        assert shown(pilot).pair not in (pair, second) and "Not saved" not in panel(pilot)
        assert ratings.current(db, study_of(db, reviewed_job).id)[-1].note == "haze"


async def test_letters_of_a_note_rate_nothing(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    text = "12345 0 q [bold]t r j d"
    async with opened(data) as pilot:
        await pilot.press("w")
        assert isinstance(pilot.app.screen, NoteSheet)
        await pilot.press(*("space" if c == " " else c for c in "12345 0 q ["))
        pilot.app.screen.query_one(TextArea).insert("bold]t r j d")
        await pilot.press("escape")
        assert "note 12345 0 q [bold]t r j d" in panel(pilot)
        assert "Saved: note" in str(screen(pilot).query_one("#last", Static).content)
        await pilot.press("m")
        assert "flagged" in panel(pilot)
        assert "Saved: flag" in str(screen(pilot).query_one("#last", Static).content)
        await pilot.press("w", "escape")  # unchanged: no row
    rows = ratings.history(db, study_of(db, reviewed_job).id, "ana")
    assert [(row.note, row.flagged, row.empty) for row in rows] == [(text, False, True), (text, True, True)]


async def test_reference_and_identity_come_after_the_preference(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        reference = screen(pilot).query_one("#reference", TextBox)
        assert not reference.display and "once rated" in panel(pilot)
        await pilot.press("v")
        assert not reference.display and "Press v again to see the reference" in panel(pilot)
        await pilot.press("v")
        assert reference.display
        await pilot.press("v", "3")
        assert "Saved: Equal" in str(screen(pilot).query_one("#last", Static).content)
        assert not reference.display
        await pilot.press("left")
        assert reference.display and "nodule" in box(pilot, "reference")
        title = screen(pilot).query_one("#a", TextBox).border_title
        assert title == "A" and "rated" in line(pilot) and "not blind" not in line(pilot)
        await pilot.press("exclamation_mark")
        assert str(screen(pilot).query_one("#a", TextBox).border_title) == f"A · {shown(pilot).left} model"
        assert "not blind" in line(pilot)


async def test_reveal_before_rating_is_stored(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        await pilot.press("exclamation_mark")
        assert ratings.revealed(db, study_of(db, reviewed_job).id, "ana") == {}
        assert "Press ! again" in panel(pilot)
        await pilot.press("m", "exclamation_mark")  # another key takes the question back
        assert ratings.revealed(db, study_of(db, reviewed_job).id, "ana") == {}
        await pilot.press("exclamation_mark", "1")
    assert [row.blinded for row in ratings.history(db, study_of(db, reviewed_job).id, "ana")] == [
        True,  # the flag
        False,
        False,
    ]


async def test_checked_none_is_an_answer_for_each_text(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        await pilot.press("e")
        assert "0 checked, none" in panel(pilot)
        await pilot.press("0", "0")
        assert screen(pilot).reviewing.panels.mode == "main" and "A none · B none" in panel(pilot)
        await pilot.press("e", "3", "0")
        assert "checked, that is all" in panel(pilot)
        a, b = shown(pilot).sides
    newest = ratings.history(db, study_of(db, reviewed_job).id, "ana")[-1]
    assert newest.answers == {f"error.{a}.3.significant": 1, f"checked.{b}": 1}  # once more takes it back


async def test_the_reference_before_the_rating_un_blinds_it(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data) as pilot:
        await pilot.press("v", "a", "escape", "v")  # another key between: asked again
        assert not box(pilot, "reference")
        await pilot.press("v")
        assert "nodule" in box(pilot, "reference") and "is un-blinded" in panel(pilot)
        assert str(screen(pilot).query_one("#a", TextBox).border_title) == "A"  # it does not tell whose it is
        await pilot.press("5")
    study = study_of(db, reviewed_job)
    assert [row.blinded for row in ratings.history(db, study.id, "ana")] == [False, False]
    assert len(ratings.revealed(db, study.id, "ana", "reference")) == 1
    assert ratings.revealed(db, study.id, "ana") == {}


async def test_undo_says_what_it_took_back_and_what_stays(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        await pilot.press("a", "4", "5", "5", "u")
        assert "Taken back: B much better. Stays: acceptability 4 of A, acceptability 5 of B." in panel(pilot)
        await pilot.press("exclamation_mark", "exclamation_mark", "1", "u")
        assert "The pair stays un-blinded." in panel(pilot)


async def test_image_takes_the_keys_only_while_looked_at(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data, (80, 24)) as pilot:
        view = screen(pilot).query_one(ImageView)
        small = view.size.width
        place = shown(pilot).place
        await pilot.press("tab", "plus", "plus", "right")
        assert view.size.width > small and view.canvas.look.zoom > 1 and shown(pilot).place == place
        await pilot.press("escape", "right")
        assert view.size.width == small and shown(pilot).place == place + 1


async def test_the_image_takes_the_whole_screen_and_its_view_comes_back(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data, (80, 24)) as pilot:
        here = screen(pilot)
        view = here.query_one(ImageView)
        await until(pilot, lambda: view.state is State.SHOWN)
        await pilot.press("z")
        film = pilot.app.screen
        assert isinstance(film, FilmScreen)
        whole = film.query_one(ImageView)
        await until(pilot, lambda: whole.state is State.SHOWN)
        assert whole.size == Size(80, 23)
        await pilot.press("plus", "plus", "1", "space")  # nobody rates texts out of sight
        assert whole.canvas.look.zoom > 1 and not ratings.current(db, study_of(db, reviewed_job).id)
        await pilot.press("z")
        assert pilot.app.screen is here and view.canvas.look.zoom == whole.canvas.look.zoom
        await pilot.press("1")
        await until(pilot, lambda: len(ratings.current(db, study_of(db, reviewed_job).id)) == 1)


async def test_nobody_rates_texts_that_the_image_hides(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    async with opened(data, (80, 24)) as pilot:
        await pilot.press("tab", "1", "0", "space", "a")
        assert not ratings.current(db, study_of(db, reviewed_job).id)
        await pilot.press("escape", "1")
        assert len(ratings.current(db, study_of(db, reviewed_job).id)) == 1
    async with opened(data, (120, 40), rater="ben") as pilot:
        await pilot.press("tab", "1")  # both texts beside the image
        assert len(ratings.current(db, study_of(db, reviewed_job).id)) == 2


async def test_hostile_text_is_shown_as_it_is(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    hostile = "[red]x[/] \x1b[2J\x1b]0;t\x07 " + "left lung clear " * 700
    with writing(db):
        db.execute("UPDATE texts SET text = ? WHERE adapter = ''", (hostile,))
        db.execute("UPDATE studies SET name = '[bold]name[/bold]'")
    async with opened(data, (80, 24)) as pilot:
        name = "b" if shown(pilot).left == "tuned" else "a"
        assert box(pilot, name).startswith("[red]x[/] ␛[2J␛]0;t␇ left lung")
        text_box = screen(pilot).query_one(f"#{name}", TextBox)
        before = str(text_box.render())
        assert re.fullmatch(r"↓ \d+ more lines", str(text_box.border_subtitle))
        await pilot.press("down", "down")
        assert text_box.top == 2 and before.splitlines()[2] == str(text_box.render()).splitlines()[0]
        assert str(text_box.border_subtitle).startswith("↑ 2 · ↓")
        text_box.scroll_by(10_000)
        assert str(text_box.render()).rstrip().endswith("clear") and "↓" not in str(text_box.border_subtitle)
        await pilot.press("1")
        assert "1/6 answered" in line(pilot)


async def test_pairs_stream_in_while_they_are_rated(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(3)
    job = jobs.create(db, JobKind.GENERATE, "job 1", "drawn", GenerateSettings().to_dict(), case_ids=ids)
    made = give_arms(db, job, "base", "tuned")

    def write(image_id: int, step: int) -> None:
        for name, arm in made.items():
            texts.add(db, job.id, [new_text(image_id, arm, f"{name} text")])
        jobs.progress(db, job.id, step, 3)

    async with opened(data) as pilot:
        app = screen(pilot).rad

        async def tick() -> None:
            screen(pilot).following.grown_at_s = 0.0
            app.poller.nudge()
            app._post_snapshot(app.poller.poll_once())
            await settled(pilot)
            await settled(pilot)

        nothing = screen(pilot).query_one("#nothing", Static)
        assert nothing.display and f"#{job.id} describes the images now" in str(nothing.content)
        write(ids[0], 1)
        await tick()
        assert not nothing.display and shown(pilot).pair.case_id == ids[0]
        await tick()
        await pilot.press("1")
        assert "so far is rated; more come" in panel(pilot)
        write(ids[1], 2)
        await tick()
        assert shown(pilot).pair.case_id == ids[1]  # by itself, since nothing was left to do
        write(ids[2], 3)
        jobs.end(db, job.id, JobState.DONE)
        await tick()
        assert shown(pilot).pair.case_id == ids[1] and "1/3 answered" in line(pilot)
    assert len(history(data, job)) == 1


async def test_pairs_written_in_a_job_s_last_second_come_without_another_snapshot(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(6)
    job = jobs.create(db, JobKind.GENERATE, "job 1", "drawn", GenerateSettings().to_dict(), case_ids=ids)
    made = give_arms(db, job, "base", "tuned")
    jobs.begin(db, job.id, 1)

    def write(count: int) -> None:
        for arm in made.values():
            texts.add(db, job.id, [new_text(case_id, arm, f"text of {arm.name}") for case_id in ids[:count]])
        jobs.progress(db, job.id, 2 * count, 12)

    write(2)
    async with opened(data) as pilot:
        app = screen(pilot).rad
        await until(pilot, lambda: "0/2 answered" in line(pilot), 10)
        for count in (4, 6):  # two looks of the poller within a second; then nothing changes any more
            write(count)
            if count == 6:
                jobs.end(db, job.id, JobState.DONE)
            app.poller.nudge()
            app._post_snapshot(app.poller.poll_once())
            await settled(pilot)
        assert "0/4 answered" in line(pilot)
        await until(pilot, lambda: "0/6 answered" in line(pilot), 10)


async def test_nothing_to_review_names_the_next_key(
    data: DataDir, add_images: Callable[..., list[int]]
) -> None:
    async with opened(data, (80, 24)) as pilot:
        nothing = screen(pilot).query_one("#nothing", Static)
        assert "Press d, then I" in str(nothing.content)
        await pilot.press("1", "u", "w", "T", "z")  # nothing breaks
        assert pilot.app.screen is screen(pilot)
    add_images(1)
    async with opened(data, (80, 24)) as pilot:
        assert "Press t" in str(screen(pilot).query_one("#nothing", Static).content)


async def test_why_the_descriptions_never_came_is_said_with_the_job_to_go_to(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    add_images(1)
    train = jobs.create(db, JobKind.TRAIN, "train", "drawn", {})
    waits = jobs.create(db, JobKind.GENERATE, "describe", "drawn", {}, after_job_id=train.id)
    jobs.end(db, train.id, JobState.FAILED, error="The memory is full; lower the batch size.")
    jobs.leave_queue(db, waits.id, f"Job {train.id}, which it waited for, is failed")
    async with opened(data, (80, 24)) as pilot:
        said = str(screen(pilot).query_one("#nothing", Static).content)
        assert "has failed: The memory is full; lower the batch size." in said
        assert f"Press J and choose #{train.id}: l shows the log · A edits" in said
    alone = jobs.create(db, JobKind.GENERATE, "describe", "drawn", {})
    jobs.end(db, alone.id, JobState.FAILED, error="The adapter is gone.")
    async with opened(data, (80, 24)) as pilot:
        said = str(screen(pilot).query_one("#nothing", Static).content)
        assert "The adapter is gone." in said and f"choose #{alone.id}: l shows the log · C tries" in said


async def test_a_scheme_of_ones_own_brings_its_keys(data: DataDir, reviewed_job: Job) -> None:
    own = 'id = "own"\nversion = 1\nerrors = []\ndimensions = []\n[keys]\n"preference.3" = "x"\nskip = "k"\n'
    (data.root / "scheme.toml").write_text(own)
    async with opened(data) as pilot:
        assert "x Equal" in panel(pilot) and "errors" not in panel(pilot)
        await pilot.press("3", "e", "c")
        assert history(data, reviewed_job) == []
        await pilot.press("x")
        assert history(data, reviewed_job) == [(0, False)]
    (data.root / "scheme.toml").write_text('id = "own"\nversion = 1\n[keys]\nflag = "w"\n')
    async with opened(data) as pilot:
        assert "`note` and `flag`" in str(screen(pilot).query_one("#nothing", Static).content)


async def test_raters_do_not_see_each_other(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        await pilot.press("1", "1")
    async with opened(data, rater="ben") as pilot:
        assert " 0/" in line(pilot)
        await pilot.press("5")
    assert len(history(data, reviewed_job)) == 2 and len(history(data, reviewed_job, "ben")) == 1


async def test_rating_keys_do_nothing_in_other_text_fields(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        await pilot.press("slash", *"12345", "space", "0")
        assert pilot.app.screen.query_one(Input).value == "12345 0"
        await pilot.press("escape", "colon", *"1x2")
        assert pilot.app.screen.query_one(Input).value == "12"
        await pilot.press("escape")
        assert history(data, reviewed_job) == []


async def test_a_key_leads_to_the_next_pair_at_once(data: DataDir, reviewed_job: Job) -> None:
    async with opened(data) as pilot:
        times = []
        for _ in range(6):
            start = time.process_time()
            screen(pilot).act("preference.1")
            times.append(time.process_time() - start)
            await pilot.pause()
        assert sorted(times)[-1] < 0.1  # the loop is held for a fraction of that; CI machines are slow
