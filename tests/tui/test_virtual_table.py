"""The table over a row source: what is asked for, what is shown, what is posted."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text
from textual.app import App, ComposeResult

from radtui.charts.palette import contrast
from radtui.tui.widgets.cell_text import fitted, mark_matches, one_line, tail
from radtui.tui.widgets.table_columns import PAGE_ROWS, PAGES, Column, ListSource, RowPages, fit
from radtui.tui.widgets.virtual_table import CURSOR_SIGN, VirtualTable

COLUMNS = [
    Column("id", 8, align="right"),
    Column("caption"),
    Column("split", 6, priority=1),
    Column("score", 6, align="right", priority=2),
]


class Counting:
    """Rows made when asked for, which counts how many that were."""

    def __init__(self, length):
        self.length, self.asked = length, 0

    def __len__(self):
        return self.length

    def rows(self, start, stop):
        assert 0 <= start < stop <= self.length
        self.asked += stop - start
        return [(str(i), f"caption of image {i}", "train", "0.5") for i in range(start, stop)]


class TableApp(App[None]):
    def __init__(self, source=None):
        super().__init__()
        self.source, self.highlighted, self.selected = source, [], []

    def compose(self) -> ComposeResult:
        yield VirtualTable(COLUMNS, self.source, empty_text="No images: press i to import a folder")

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def on_virtual_table_highlighted(self, message: VirtualTable.Highlighted) -> None:
        assert message.control is self.table
        self.highlighted.append(message.index)

    def on_virtual_table_selected(self, message: VirtualTable.Selected) -> None:
        self.selected.append(message.index)


def screen(app):
    return [strip.text for strip in app.screen._compositor.render_strips()]


def cursor_lines(app):
    return [line for line in screen(app) if line.startswith(CURSOR_SIGN)]


async def test_keys_move_one_row_a_page_and_to_the_ends():
    app = TableApp(Counting(1000))
    async with app.run_test(size=(80, 21)) as pilot:
        app.table.focus()
        for key, row in (
            ("down", 1), ("down", 2), ("up", 1), ("up", 0), ("up", 0), ("pagedown", 19), ("pageup", 0),
            ("end", 999), ("down", 999), ("home", 0), ("end", 999), ("home", 0),
        ):  # fmt: skip
            await pilot.press(key)
            assert app.table.cursor == row, key
            (line,) = cursor_lines(app)
            assert f"caption of image {row} " in line
        # Nothing where the cursor could not move.
        assert app.highlighted == [0, 1, 2, 1, 0, 19, 0, 999, 0, 999, 0]


async def test_what_the_wheel_has_scrolled_to_stays_when_rows_are_read_again():
    app = TableApp(Counting(1000))
    async with app.run_test(size=(80, 21)) as pilot:
        app.table.focus()
        await pilot.press("down", "down")
        app.table.scroll_to(y=300, animate=False, force=True)
        await pilot.pause()
        for length in (1000, 1001):  # as with each look at a job that goes on
            app.source.length = length
            app.table.reload()
            await pilot.pause()
            assert app.table.scroll_offset.y == 300 and app.table.cursor == 2
        await pilot.press("down")  # a key goes on from the cursor
        assert app.table.scroll_offset.y <= 3 and cursor_lines(app)
        app.table.reload()
        await pilot.pause()
        assert cursor_lines(app)


async def test_a_million_rows_cost_no_more_than_a_screen():
    source = Counting(1_000_000)
    app = TableApp(source)
    async with app.run_test(size=(100, 30)) as pilot:
        app.table.focus()
        await pilot.press("end")
        assert "999999" in cursor_lines(app)[0]
        for _ in range(100):
            app.table.action_page(-1)
        await pilot.pause()
        assert source.asked < 60 * PAGE_ROWS
        assert len(app.table.pages._pages) <= PAGES


async def test_the_first_rows_are_there_at_once():
    app = TableApp()
    async with app.run_test(size=(100, 50)) as pilot:
        start = time.process_time()
        app.table.set_source(Counting(1_000_000))
        await pilot.pause()
        assert time.process_time() - start < 0.5  # generous: a table that builds its rows takes 80 s
        assert any("caption of image 30" in line for line in screen(app))


async def test_header_stays_while_rows_scroll():
    app = TableApp(Counting(1000))
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.focus()
        await pilot.press("end")
        assert screen(app)[0].split() == ["id", "caption", "split", "score"]
        assert "999" in screen(app)[-1]


async def test_highlighted_row_stays_visible_without_focus():
    app = TableApp(Counting(100))
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.focus()
        await pilot.press("down")
        app.screen.set_focus(None)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        (row,) = [strip for strip in strips if strip.text.startswith(CURSOR_SIGN)]
        backgrounds = {
            segment.style.bgcolor.name for segment in row if segment.text.strip() and segment.style
        }
        others = {
            segment.style.bgcolor.name for segment in strips[5] if segment.text.strip() and segment.style
        }
        assert backgrounds.isdisjoint(others)


async def test_enter_and_a_second_click_select():
    app = TableApp(Counting(100))
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.focus()
        await pilot.press("down", "enter")
        assert app.selected == [1]
        await pilot.click(VirtualTable, offset=(10, 6))
        assert app.table.cursor == 5 and app.selected == [1]
        await pilot.click(VirtualTable, offset=(10, 6))
        assert app.selected == [1, 5]
        await pilot.click(VirtualTable, offset=(10, 0))
        assert app.selected == [1, 5] and app.table.cursor == 5


async def test_no_rows_say_why_and_keys_do_nothing():
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.focus()
        await pilot.press("down", "end", "enter", "pagedown")
        assert any("press i to import a folder" in line for line in screen(app))
        assert app.table.cursor is None and app.highlighted == [] and app.selected == []
        app.table.empty_text = "No matches: press escape"
        await pilot.pause()
        assert any("No matches" in line for line in screen(app))


async def test_other_rows_and_growing_rows():
    source = Counting(10)
    app = TableApp(source)
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.focus()
        await pilot.press("end")
        source.length = 30
        app.table.reload()
        await pilot.pause()
        assert app.table.cursor == 9 and any("image 15 " in line for line in screen(app))
        source.length = 4
        app.table.reload()
        await pilot.pause()
        assert app.table.cursor == 3
        app.table.set_source(ListSource([("1", "only", "test", "")]))
        await pilot.pause()
        assert app.table.cursor == 0 and "only" in cursor_lines(app)[0]
        assert app.highlighted == [0, 9, 9, 3, 0]


async def test_set_source_may_put_the_cursor_anywhere():
    app = TableApp()
    async with app.run_test(size=(80, 20)) as pilot:
        app.table.set_source(Counting(1000), cursor=500)
        await pilot.pause()
        assert "image 500 " in cursor_lines(app)[0]
        app.table.move_to(123456)
        await pilot.pause()
        assert "image 999 " in cursor_lines(app)[0]


@pytest.mark.parametrize("width", [20, 21, 30, 59, 60, 80, 200])
async def test_every_line_has_the_width_of_the_table(width):
    rows = [
        ("1", "胸部X線写真：右下肺野に浸潤影を認める", "train", "1"),
        ("2", "a\x1b[2Jb\r\nc\td", "x", Text("é")),
    ] * 20
    app = TableApp(ListSource(rows))
    async with app.run_test(size=(width, 12)) as pilot:
        await pilot.pause()
        for strip in app.screen._compositor.render_strips():
            assert strip.cell_length == cell_len(strip.text) == width
            assert "\x1b" not in strip.text and "\n" not in strip.text
        assert "caption" in screen(app)[0]


async def test_matches_keep_their_style_in_the_row():
    text = mark_matches("Left Pneumothorax, no pneumothorax on the right", ["pneumothorax"], "bold #ff0000")
    app = TableApp(ListSource([("1", text, "", "")]))
    async with app.run_test(size=(80, 10)):
        strips = app.screen._compositor.render_strips()
        marked = [
            seg.text
            for seg in strips[1]
            if seg.style and seg.style.color and seg.style.color.name == "#ff0000"
        ]
        assert marked == ["Pneumothorax", "pneumothorax"]


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark", "ansi-light", "nord"])
async def test_the_highlighted_row_is_readable_in_every_theme(theme):
    app = TableApp(Counting(10))
    async with app.run_test(size=(80, 10)) as pilot:
        app.theme = theme
        app.table.focus()
        await pilot.pause()
        styles = app.table._styles
        for part in ("cursor", "cursor-blurred"):
            assert contrast(styles[part].color.name, styles[part].bgcolor.name) >= 3, part


def test_unsafe_characters_are_made_visible_or_left_out():
    assert one_line("a\nb\tc").plain == "a b c"
    assert one_line("\x1b[31m\x7f\x9b").plain == "␛[31m␡�"
    assert one_line("abc\u202edef\u200b\ufeff").plain == "abcdef"
    assert one_line("\ud800").plain == "�"


def test_styles_stay_on_their_words_when_characters_go():
    text = Text("\u200b\u200babc\x1bdef")
    text.stylize("bold", 2, 5)  # abc
    text.stylize("red", 6, 9)  # def
    line = one_line(text)
    assert [(line.plain[span.start : span.end], span.style) for span in line.spans] == [
        ("abc", "bold"),
        ("def", "red"),
    ]


@given(st.text(max_size=40), st.integers(0, 30), st.sampled_from(["left", "right", "center"]))
def test_cells_are_exactly_as_wide_as_asked(text, width, align):
    for value in (text, Text(text)):
        cell = fitted(value, width, align)
        plain = cell if isinstance(cell, str) else cell.plain
        assert cell_len(plain) == width
        assert "\x1b" not in plain and "\n" not in plain


def test_alignment():
    assert [str(fitted("ab", 5, align)) for align in ("left", "right", "center")] == [
        "ab   ",
        "   ab",
        " ab  ",
    ]
    assert str(fitted("abcdef", 4)) == "abc…" and str(fitted("胸部X線", 4)).rstrip() in ("胸…", "胸 …")


@given(st.integers(1, 200), st.integers(0, 2))
def test_columns_never_exceed_the_width(width, gap):
    shared = fit(COLUMNS, width, gap)
    assert shared and sum(cells for _, cells in shared) + gap * (len(shared) - 1) <= width
    assert [index for index, _ in shared] == sorted(index for index, _ in shared)


def test_less_important_columns_go_first_and_the_flexible_one_takes_the_rest():
    assert fit(COLUMNS, 100, 2) == [(0, 8), (1, 74), (2, 6), (3, 6)]
    assert [index for index, _ in fit(COLUMNS, 27, 1)] == [0, 1, 2]
    assert [index for index, _ in fit(COLUMNS, 20, 1)] == [0, 1]
    assert fit([Column("a", flex=1), Column("b", flex=3)], 41, 1) == [(0, 14), (1, 26)]


def test_a_column_with_a_share_has_room_for_what_stands_in_it_before_others():
    columns = (
        Column("", width=1),
        Column("Name", flex=1, least=11, share=0.5),
        Column("Text", flex=3, least=24),
    )
    assert fit(columns, 29, 1, (1, 40, 200)) == [(0, 1), (1, 14), (2, 12)]
    assert fit(columns, 29, 1, (1, 8, 200)) == [(0, 1), (1, 8), (2, 18)]
    assert fit(columns, 80, 2, (1, 22, 200)) == [(0, 1), (1, 22), (2, 53)]
    assert fit(columns, 29, 1) == [(0, 1), (1, 11), (2, 15)]  # nothing met yet


def test_pages_are_bounded_and_forgotten():
    source = Counting(10_000_000)
    pages = RowPages(source)
    for index in range(0, 10_000_000, 40_000):
        assert pages.row(index)[0] == str(index)
    assert len(pages._pages) == PAGES
    asked = source.asked
    pages.row(9_960_000)
    assert source.asked == asked
    pages.forget()
    pages.row(9_960_000)
    assert source.asked > asked


def test_a_source_that_lies_about_its_length_shows_empty_rows():
    class Short(Counting):
        def rows(self, start, stop):
            return []

    assert RowPages(Short(5)).row(3) == ()


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("train/00012", 20, "train/00012"),
        ("train/00012", 8, "…n/00012"),
        ("train/00012", 1, "…"),
        ("train/00012", 0, "train/00012"),  # `fitted` leaves nothing of it
        ("a\nb/c.png", 6, "a b/c"),
        ("CT_small.dcm", 9, "CT_small"),
        ("examples_overlay.dcm", 9, "…_overlay"),
        ("1.2.840.10008.5", 8, "…10008.5"),
        ("肺肺肺", 5, "…肺肺"),
        ("肺肺肺", 4, "…肺"),  # half a character does not fit
    ],
)
def test_names_that_are_too_long_keep_their_ends(text, width, expected):
    assert tail(text, width) == expected


async def test_a_layout_that_changes_no_size_draws_no_scrollbar_and_another_size_does(monkeypatch) -> None:
    app = TableApp(Counting(500))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        bar, drawn = app.table.vertical_scrollbar, []
        monkeypatch.setattr(bar, "refresh", lambda *args, **kwargs: drawn.append(args))
        app.screen.refresh(layout=True)
        await pilot.pause()
        assert not drawn and app.table.show_vertical_scrollbar
        app.table.source = Counting(900)
        app.table.set_source(app.table.source)
        await pilot.pause()
        assert drawn and bar.window_virtual_size == 901
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert bar.window_size == app.table.size.height
