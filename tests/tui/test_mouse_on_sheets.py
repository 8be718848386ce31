"""What can be clicked does what its key does: answers of a sheet, choices, filters, and the ground beside a sheet."""

from textual.geometry import Offset

from radtui.records import JobKind, JobState
from radtui.store import jobs
from radtui.tui.data.dialogs import FilterSheet
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.screens.guide import GuideScreen
from radtui.tui.screens.help import HelpScreen
from radtui.tui.screens.welcome import WelcomeChoices
from radtui.tui.widgets.answer_keys import AnswerKeys
from radtui.tui.widgets.virtual_table import VirtualTable
from tests.tui.driving import NARROW, opened, text_of, until
from tests.tui.seeding import add_images, add_train

BESIDE = Offset(1, 22)  # of every sheet, on 80 x 24 cells


def _place_of(app, words):
    """Where a word stands on the screen."""
    lines = text_of(app).split("\n")
    row = next(row for row, text in enumerate(lines) if words in text)
    return Offset(lines[row].index(words), row)


async def test_a_question_is_answered_by_a_click_on_its_answer(data, db):
    job = add_train(db, state=JobState.FAILED, error="It broke.")
    async with opened(data, "jobs") as (app, pilot):
        await until(pilot, lambda: app.screen.query_one(VirtualTable).cursor == 0)
        for answer, left in (("leave it", 1), ("delete", 0)):
            await pilot.press("ctrl+x")
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            line = app.screen.query_one(AnswerKeys).region
            await pilot.click(offset=Offset(_place_of(app, f" {answer}").x + 2, line.y))
            await until(pilot, lambda: not isinstance(app.screen, ConfirmScreen))
            await until(pilot, lambda left=left: len(jobs.all_jobs(db)) == left)
        assert jobs.get(db, job.id) is None


async def test_a_click_beside_a_sheet_closes_it_and_changes_nothing(data, db):
    add_train(db, state=JobState.DONE)
    async with opened(data, "jobs") as (app, pilot):
        await until(pilot, lambda: app.screen.query_one(VirtualTable).cursor == 0)
        for key, first, last in (
            ("ctrl+x", "esc No  enter Yes", "? help"),
            ("ctrl+r", "esc Close  enter Take", ""),  # "?" is a letter there
            ("number_sign", "esc Close  ← Left  → Right  enter Show or hide", "? help"),
            ("question_mark", "esc Close  / Search", "? close"),
        ):
            await pilot.press(key)
            await until(pilot, lambda: len(app.screen_stack) == 2)
            # The line below names what works now, and not the keys of the screen.
            await until(pilot, lambda first=first: text_of(app).splitlines()[-1].startswith(f" {first}"))
            line = text_of(app).splitlines()[-1].rstrip()
            assert line.endswith(last or first) and "Quit" not in line
            sheet = app.screen.query_one(".sheet").region
            await pilot.click(offset=Offset(sheet.x + 3, sheet.y))
            assert len(app.screen_stack) == 2  # its frame is no ground beside it
            await pilot.click(offset=Offset(0, 0) if not sheet.contains(0, 0) else BESIDE)
            await until(pilot, lambda: len(app.screen_stack) == 1, 9)
        assert len(jobs.all_jobs(db)) == 1


async def test_the_line_of_keys_of_a_sheet_is_clicked_like_any(data):
    async with opened(data, "jobs") as (app, pilot):
        await pilot.press("question_mark")
        for words in ("? close", "esc Close"):
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
            await pilot.click(offset=_place_of(app, words))
            await until(pilot, lambda: not isinstance(app.screen, HelpScreen))
            await pilot.click(offset=_place_of(app, "? help"))


async def test_any_click_closes_the_guide(data):
    async with opened(data, "jobs") as (app, pilot):
        for place in (Offset(40, 12), Offset(0, 0)):
            app.push_screen(GuideScreen("Something to begin with"))
            await until(pilot, lambda: isinstance(app.screen, GuideScreen))
            await pilot.click(offset=place)
            await until(pilot, lambda: not isinstance(app.screen, GuideScreen))


async def test_a_choice_of_welcome_is_marked_by_a_click_and_taken_by_another(data, db, launched):
    async with opened(data, "welcome") as (app, pilot):
        second = _place_of(app, "A folder of yours")
        await pilot.click(offset=second)
        assert app.screen.query_one(WelcomeChoices).current == 1
        await pilot.click(offset=second)
        await until(pilot, lambda: app.focused is not None and app.focused.has_class("welcome-path"))
        assert not jobs.all_jobs(db)


async def test_a_filter_is_marked_by_a_click_and_changed_by_another(data, db):
    add_images(data, db)
    async with opened(data, "data", NARROW) as (app, pilot):
        await until(pilot, lambda: "16 images" in text_of(app))
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, FilterSheet))
        await pilot.click(offset=_place_of(app, "Rating"))
        await until(pilot, lambda: "Rating       ‹ all" in text_of(app))
        await pilot.click(offset=_place_of(app, "Rating"))
        await until(pilot, lambda: "Rating       ‹ rated" in text_of(app))


async def test_a_queued_job_that_is_stopped_is_said_to_be_out_of_the_queue(data, db):
    before = add_train(db, state=JobState.RUNNING)
    jobs.create(db, JobKind.TRAIN, "waits", "chests", before.settings, after_job_id=before.id)
    async with opened(data, "jobs") as (app, pilot):
        await until(pilot, lambda: app.screen.query_one(VirtualTable).cursor == 0)
        assert not app.screen.check_action("stop_now", ())  # there is nothing to lose
        await pilot.press("K")
        await until(pilot, lambda: any("out of the queue" in each.message for each in app._notifications))
        assert not any("checkpoint" in each.message for each in app._notifications)
