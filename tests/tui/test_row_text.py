"""The whole of a table's current row below it, columns that are chosen, lines of pickers and forms that fit."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from radtui.records import JobState
from radtui.settings import GenerateSettings, ImportSettings, TrainSettings
from radtui.tui.screens.columns import ColumnsSheet
from radtui.tui.widgets.aligned import aligned
from radtui.tui.widgets.field_line import FieldColumns, field_line, hint
from radtui.tui.widgets.row_text import TableAndText
from radtui.tui.widgets.table_columns import Column, ListSource, chosen_columns
from radtui.tui.widgets.virtual_table import VirtualTable
from radtui.user_choices import read
from tests.tui.driving import MIDDLE, NARROW, opened, until
from tests.tui.seeding import add_images, add_train

COLUMNS = [Column("id", 8), Column("text", least=10), Column("place", least=8, priority=1)]
LONG = "No consolidation and no effusion in either lung, heart and mediastinum as before."


class RowApp(App[None]):
    def __init__(self, rows, **options):
        super().__init__()
        self.rows, self.options = rows, options

    def compose(self) -> ComposeResult:
        yield TableAndText(VirtualTable(COLUMNS, ListSource(self.rows)), **self.options)


def below(app) -> str:
    """The text below the table, lines joined; "" where there is none."""
    text = app.query_one(".row-text")
    return " ".join(str(text.content).split()) if text.display else ""


def rows_below(app) -> int:
    text = app.query_one(".row-text")
    return text.size.height if text.display else 0


async def test_rows_that_stand_whole_need_no_text_below():
    app = RowApp([("1", "short", "left"), ("2", "short too", "right")])
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert below(app) == "" and rows_below(app) == 0


async def test_what_is_cut_or_has_no_column_stands_whole_below_in_lines_that_do_not_jump():
    app = RowApp([("1", LONG, "left upper zone"), ("2", "short", ""), ("3", LONG[:60], "right")])
    async with app.run_test(size=(30, 40)) as pilot:
        app.query_one(VirtualTable).focus()
        await pilot.pause()
        assert below(app) == f"text {LONG} · place left upper zone"
        lines = rows_below(app)
        await pilot.press("down")
        await pilot.pause()
        assert below(app) == "" or "short" not in below(app)
        assert app.query_one(".row-text").size.height == lines
        await pilot.press("down")
        await pilot.pause()
        assert f"text {LONG[:60]}" in below(app) and rows_below(app) == lines


async def test_a_wider_terminal_gives_the_room_back():
    app = RowApp([("1", LONG, "left upper zone")])
    async with app.run_test(size=(40, 30)) as pilot:
        await pilot.pause()
        assert rows_below(app) > 1
        await pilot.resize_terminal(160, 30)
        await pilot.pause()
        assert rows_below(app) == 0
        assert LONG in app.query_one(VirtualTable).render_line(1).text


async def test_no_more_than_a_share_of_the_rows_is_taken_and_what_is_left_out_is_said():
    app = RowApp([("1", LONG * 20, "")])
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        assert rows_below(app) == 6 and below(app).endswith("…")


async def test_columns_that_stand_elsewhere_are_not_told_twice_and_a_leading_one_comes_first():
    rows = [("learning rate", LONG, "0.0002 for all of the steps")]
    app = RowApp(rows, elsewhere=("text",), lead=0)
    async with app.run_test(size=(30, 30)) as pilot:
        await pilot.pause()
        assert below(app) == "learning rate: place 0.0002 for all of the steps"


async def test_a_column_takes_what_its_content_needs_and_the_texts_have_the_rest():
    app = RowApp([("1", LONG, ""), ("12", LONG, "")])
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert app.query_one(VirtualTable).fitted == [(0, 2), (1, 54)]


async def test_figures_that_tick_move_no_column():
    table = VirtualTable(COLUMNS, ListSource([("1", "9 s of 100", "left")]))
    pages = table.pages
    pages.row(0)
    assert pages.content_cells == (1, 10, 4)
    pages.source._rows = [("1", "10 s", "left")]  # type: ignore[attr-defined]
    pages.forget()
    pages.row(0)
    assert pages.content_cells == (1, 4, 4)  # far less: the room is given to others
    pages.source._rows = [("1", "9 s", "")]  # type: ignore[attr-defined]
    pages.forget()
    pages.row(0)
    assert pages.content_cells == (1, 4, 0)  # a cell less is kept, what is empty is not


def test_columns_are_chosen_by_title_in_any_case_and_order():
    offered = [(column, column.title.upper()) for column in COLUMNS]
    assert [cell for _, cell in chosen_columns(" Place,ID, nothing", offered)] == ["PLACE", "ID"]
    assert [cell for _, cell in chosen_columns("nothing", offered)] == ["ID", "TEXT", "PLACE"]


async def test_columns_of_jobs_are_chosen_in_the_app_and_so_the_next_time(data, db):
    add_train(db, steps=4, total=4, state=JobState.DONE)
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        await until(pilot, lambda: app.screen.chosen is not None)
        table = app.screen.query_one(VirtualTable)
        assert "Kind" in [column.title for column in table.columns]
        await pilot.press("number_sign")
        await until(pilot, lambda: isinstance(app.screen, ColumnsSheet) and app.screen.query("KeyedList"))
        await pilot.press("down", "m", "down", "down", "left")  # without Kind; Name before State
        titles = ["#", "Name", "State", "Progress"]
        await until(pilot, lambda: [column.title for column in table.columns][:4] == titles)
        await pilot.press("q")
        await until(pilot, lambda: not isinstance(app.screen, ColumnsSheet))
        await until(pilot, lambda: read()[0].jobs_columns.startswith("#, Name, State, Progress, Loss"))
    async with opened(data, "jobs", MIDDLE) as (app, pilot):
        assert [column.title for column in app.screen.query_one(VirtualTable).columns][:4] == titles
        await pilot.press("number_sign", "backspace", "escape")
        await until(pilot, lambda: read()[0].jobs_columns == "")


async def test_the_last_column_stays(data, db):
    add_images(data, db)
    async with opened(data, "data", MIDDLE) as (app, pilot):
        await until(pilot, lambda: app.screen.list.case is not None)
        await pilot.press("number_sign")
        await until(pilot, lambda: isinstance(app.screen, ColumnsSheet) and app.screen.query("KeyedList"))
        await pilot.press("enter", "down", "enter", "down", "enter", "down", "enter")
        await until(pilot, lambda: any("one column" in each.message for each in app._notifications))
        await pilot.press("escape")
        await until(pilot, lambda: read()[0].data_columns == "Split")
        table = app.screen.query_one(VirtualTable)
        await until(pilot, lambda: [column.title for column in table.columns] == ["", "Split"])


async def test_jobs_without_room_for_a_column_tell_it_below(data, db):
    add_train(db, steps=4, total=4, state=JobState.DONE)
    async with opened(data, "jobs", NARROW) as (app, pilot):
        await until(pilot, lambda: "Model demo-base" in below_the_jobs(app))


def below_the_jobs(app) -> str:
    return " ".join(str(app.screen.query_one(".row-text").content).split())


def test_parts_of_lines_stand_below_each_other_and_empty_ones_take_no_room():
    lines = aligned(
        [[Content("a"), Content(""), Content("one")], [Content("long"), Content(""), Content("")]]
    )
    assert [line.plain for line in lines] == ["a     one", "long  "]


@pytest.mark.parametrize("settings", [TrainSettings(), GenerateSettings(), ImportSettings()])
@pytest.mark.parametrize("cells", [60, 64, 80])
def test_ranges_of_a_form_are_never_cut(settings, cells):
    about = settings.about()
    columns = FieldColumns.of(settings, list(about))
    for name in about:
        line = field_line(settings, name, cells, columns, changed=False, current=False, turns=False)
        if not isinstance(getattr(settings, name), str):
            assert "".join(part.text for part in line).rstrip().endswith(hint(about[name])), name
