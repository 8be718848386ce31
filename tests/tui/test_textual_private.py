"""The private names of Textual that are used: each is still there and means what it is taken for."""

from __future__ import annotations

import ast
import asyncio
import inspect
import queue
import sys
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from textual import _time, message_pump, timer
from textual._styles_cache import StylesCache
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingsMap, BindingType
from textual.color import Color
from textual.drivers import _writer_thread, linux_driver
from textual.geometry import Size
from textual.screen import Screen

import radtui
from radtui.tui.pixels.app import PixelApp
from radtui.tui.timers import SureTimer
from radtui.tui.widgets.table_columns import Column, ListSource
from radtui.tui.widgets.virtual_table import VirtualTable

TUI = Path(radtui.__file__).parent / "tui"
MODULES = {"textual._styles_cache", "textual._xterm_parser"}
"""Private modules that are imported."""


class Bare(App[None]):
    """Nothing but a key."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("a", "one", "One")]


async def test_screen_stacks_hold_every_modes_screens_the_one_in_front_last() -> None:
    app = Bare()
    async with app.run_test():
        before = app.screen
        await app.push_screen(second := Screen())
        assert list(app._screen_stacks.values()) == [[before, second]] and app.screen is second


async def test_bindings_are_a_map_that_can_be_merged_while_a_screen_is_shown() -> None:
    app = Bare()
    async with app.run_test():
        assert isinstance(app._bindings, BindingsMap)
        merged = BindingsMap.merge([BindingsMap([Binding("b", "two", "Two")]), app._bindings])
        keys = list(merged.key_to_bindings)
        assert keys[0] == "b" and set(keys[1:]) == set(app._bindings.key_to_bindings) >= {"a"}


async def test_a_test_has_a_driver_without_a_writer_and_a_terminal_one_with_its_queue() -> None:
    app = Bare()
    async with app.run_test():
        assert app._driver is not None and not hasattr(app._driver, "_writer_thread")
    assert "self._writer_thread = WriterThread(" in inspect.getsource(linux_driver.LinuxDriver)
    writer = _writer_thread.WriterThread(open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    assert isinstance(writer._queue, queue.Queue) and writer._queue.maxsize > 10


def test_the_linux_driver_reads_keys_by_the_parser_of_its_own_module() -> None:
    from textual._xterm_parser import XTermParser

    assert linux_driver.XTermParser is XTermParser  # type: ignore[attr-defined]
    assert "XTermParser(" in inspect.getsource(linux_driver.LinuxDriver.run_input_thread)


async def test_a_timer_whose_start_is_held_up_for_longer_than_its_delay_goes_off_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without its timer a change of screens would leave a terminal on which nothing is ever drawn again."""
    app, gone_off = PixelApp(), asyncio.Event()
    assert vars(message_pump)["Timer"] is SureTimer  # what every widget's `set_timer` makes
    async with app.run_test():
        monkeypatch.setattr(
            _time, "get_time", count().__next__
        )  # a second passes between any two looks at the clock
        app.set_timer(0.05, gone_off.set)
        await asyncio.wait_for(gone_off.wait(), 5)
        lost = timer.Timer(app, 0.05, callback=gone_off.clear, repeat=0)
        await lost._run()
        assert gone_off.is_set()  # Textual's own is lost still: once it is not, `radtui.tui.timers` can go
        monkeypatch.undo()


def test_backgrounds_are_remembered_for_a_cache_of_lines_and_forgotten_at_once() -> None:
    cache, black = StylesCache(), Color(0, 0, 0)
    StylesCache.get_inner_outer.cache_clear()
    cache.get_inner_outer(black, black)
    before = sys.getrefcount(cache)
    StylesCache.get_inner_outer.cache_clear()
    assert sys.getrefcount(cache) == before - 1


async def test_a_table_hears_of_every_layout_and_its_bar_of_new_sizes_alone() -> None:
    heard = []

    class Table(VirtualTable):
        def _scroll_update(self, virtual_size: Size) -> None:
            heard.append(virtual_size)
            super()._scroll_update(virtual_size)

    class Tabled(App[None]):
        def compose(self) -> ComposeResult:
            yield Table([Column("number")], ListSource([(str(number),) for number in range(100)]))

    app = Tabled()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        heard.clear()
        app.screen.refresh(layout=True)
        await pilot.pause()
        assert heard == [Size(0, 101)]
        assert app.query_one(Table).vertical_scrollbar.window_virtual_size == 101


def test_no_other_private_module_is_imported() -> None:
    imported = {
        node.module
        for path in TUI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("textual")
    }
    assert {name for name in imported if any(part.startswith("_") for part in name.split("."))} == MODULES
