"""The image widget: its states, its keys, and that ready rows survive everything Textual does to strips."""

import io
import threading
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from textual.app import App, ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from radtui.imaging.ansi import ColourDepth
from radtui.imaging.loader import Loader
from radtui.tui.terminal import Terminal
from radtui.tui.widgets.image_canvas import ImageCanvas
from radtui.tui.widgets.image_view import ImageView, State
from radtui.tui.widgets.pacing import REPEAT_S, Pacer
from tests.unit.source_files import png
from tests.unit.test_imaging_cells import read_row


def pattern(seed: int = 0, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size)).astype(np.uint8)


class Host(App[None]):
    CSS = "Screen { layers: base over; } .over { layer: over; width: 9; height: 3; offset: 5 2; background: green; }"

    def __init__(self, depth: ColourDepth = ColourDepth.TRUE) -> None:
        super().__init__()
        self.depth = depth
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        why = "" if self.depth is ColourDepth.TRUE else "A sentence."
        yield ImageView(colours=Terminal(self.depth, why), loader=Loader())

    def on_image_view_shown(self, event: ImageView.Shown) -> None:
        self.heard.append(event)

    def on_image_view_failed(self, event: ImageView.Failed) -> None:
        self.heard.append(event)

    @property
    def view(self) -> ImageView:
        return self.query_one(ImageView)


async def until(pilot, condition: Callable[[], object]) -> None:
    for _ in range(200):
        await pilot.pause(0.01)
        if condition():
            await pilot.pause()
            return
    raise AssertionError("did not happen")


async def shown(pilot, values: np.ndarray, key: str = "a") -> ImageView:
    widget = pilot.app.view
    widget.focus()
    widget.show(key, lambda: png(values))
    await until(pilot, lambda: widget.state is State.SHOWN)
    return widget


def screen_text(app: App) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def terminal_rows(app: App) -> list[list]:
    """What a terminal would show of the whole screen, through the path that writes to terminals."""
    update = app.screen._compositor.render_full_update()
    return [
        read_row("".join(strip.render(Console(color_system="truecolor")) for strip in line))
        for line in update.strips
    ]


async def test_states_say_what_they_are():
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        assert "no image" in screen_text(app)
        gate = threading.Event()

        def slow() -> bytes:
            gate.wait(5)
            return png(pattern())

        app.view.show("a", slow)
        await pilot.pause()
        assert app.view.state is State.LOADING and "reading the image" in screen_text(app)
        gate.set()
        await until(pilot, lambda: app.view.state is State.SHOWN)
        assert "▀" in screen_text(app)
        app.view.show("b", lambda: b"junk")
        await until(pilot, lambda: app.view.state is State.FAILED)
        assert "not an image" in screen_text(app)
        app.view.clear("nothing selected")
        await pilot.pause()
        assert "nothing selected" in screen_text(app)
        assert [type(event).__name__ for event in app.heard] == ["Shown", "Failed"]


async def test_no_message_in_the_images_place_reaches_the_terminal_raw():
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        app.view.clear("This image cannot be read: \x1b]52;c;UExBTlRFRA==\x07\x1b]8;;http://planted\x1b\\")
        await pilot.pause()
        rows = app.view.render_lines(app.view.size.region)
        text = "".join(segment.text for row in rows for segment in row)
        assert "This image cannot be read" in text and text.isprintable()


async def test_a_file_that_cannot_be_opened_is_a_failed_state_too():
    def gone() -> bytes:
        raise FileNotFoundError("images/ab is missing")

    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        app.view.show("a", gone)
        await until(pilot, lambda: app.view.state is State.FAILED)
        assert "images/ab is missing" in screen_text(app)


async def test_the_last_image_asked_for_wins():
    app, gate = Host(), threading.Event()

    def slow() -> bytes:
        gate.wait(5)
        return png(np.zeros((8, 8), np.uint8))

    async with app.run_test(size=(40, 12)) as pilot:
        app.view.show("slow", slow)
        app.view.show("fast", lambda: png(np.full((8, 8), 200, np.uint8)))
        await until(pilot, lambda: app.view.state is State.SHOWN)
        gate.set()
        await pilot.pause(0.1)
        assert app.view.picture.pyramid is not None and app.view.picture.pyramid.raster.values.max() == 200


async def test_an_image_dropped_by_another_view_is_asked_for_again():
    app, gate = Host(), threading.Event()

    def slow() -> bytes:
        gate.wait(5)
        return png(pattern())

    async with app.run_test(size=(40, 12)) as pilot:
        for name in ("b", "c"):  # both threads are busy
            app.view.prefetch(name, slow)
        app.view.show("a", lambda: png(pattern()))
        app.view.picture.loader.drop_waiting()
        await pilot.pause()
        gate.set()
        await until(pilot, lambda: app.view.state is State.SHOWN)


async def test_prefetched_and_seen_images_are_shown_at_once_and_read_once():
    app, reads = Host(), []

    def load(name: str) -> Callable[[], bytes]:
        def inner() -> bytes:
            reads.append(name)
            return png(pattern())

        return inner

    async with app.run_test(size=(40, 12)) as pilot:
        app.view.show("a", load("a"))
        app.view.prefetch("b", load("b"))
        await until(
            pilot, lambda: ("b", None) in app.view.picture.loader.cache and app.view.state is State.SHOWN
        )
        app.view.show("b", load("b"))
        assert app.view.state is State.SHOWN
        app.view.show("a", load("a"))
        assert app.view.state is State.SHOWN
        assert sorted(reads) == ["a", "b"]


async def test_the_terminal_shows_the_pixels():
    values = pattern(size=20)
    app = Host()
    async with app.run_test(size=(20, 11)) as pilot:
        await shown(pilot, values)
        rows = terminal_rows(app)
        for y, row in enumerate(rows[:10]):
            for x, (character, ink, paper) in enumerate(row):
                assert (ink[:1] if character == "▀" else paper[:1]) == (values[2 * y, x],)
                assert paper[:1] == (values[2 * y + 1, x],)


async def test_keys_change_the_look():
    app = Host()
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern(size=400))
        await pilot.press("plus", "plus", "right", "down")
        assert widget.canvas.look.zoom == pytest.approx(1.25**2)
        assert widget.canvas.look.centre[0] > 0.5 and widget.canvas.look.centre[1] > 0.5
        await pilot.press("asterisk")
        assert "zoom 100 %" in screen_text(app)
        await pilot.press("equals_sign", "right_square_bracket", "right_curly_bracket")
        assert widget.canvas.look.zoom == 1.0 and widget.canvas.look.window is not None
        assert widget.canvas.look.window.centre < 127.5 and widget.canvas.look.window.width < 255
        await pilot.press("i", "greater_than_sign", "vertical_line")
        assert (widget.canvas.look.invert, widget.canvas.look.turns, widget.canvas.look.flip) == (
            True,
            3,
            True,
        )
        assert "mirrored" in screen_text(app) or app.size.width < 60
        await pilot.press("backspace")
        assert widget.canvas.look.window is None and not widget.canvas.look.flip
        await pilot.press("B")
        await until(pilot, lambda: set(screen_text(app)) & set("▌▞▖▗▘▝"))


async def test_rating_keys_and_screen_keys_pass_through():
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        await shown(pilot, pattern())
        taken = {key for keys in app.view._bindings.key_to_bindings for key in keys.split(",")}
        assert not taken & (
            set("012345nNfuwmaecvodtrJqT") | {"exclamation_mark", "space", "enter", "question_mark"}
        )
        assert all(binding.tooltip and binding.id for binding in app.view.BINDINGS)


async def test_the_view_is_kept_for_the_next_image_if_asked_for():
    app = Host()
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern(size=100))
        await pilot.press("plus", "i")
        await shown(pilot, pattern(1, size=300), "b")
        assert widget.canvas.look.zoom == 1.0 and not widget.canvas.look.invert
        await pilot.press("V", "plus", "i")
        await shown(pilot, pattern(2, size=200), "c")
        assert widget.canvas.look.zoom == pytest.approx(1.25) and widget.canvas.look.invert


async def test_frames_are_stepped_through():
    pages = [Image.fromarray(np.full((20, 20), level, np.uint8)) for level in (10, 90, 170)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        widget = app.view
        widget.focus()
        widget.show("t", out.getvalue)
        await until(pilot, lambda: widget.state is State.SHOWN)
        assert "frame 1/3" in screen_text(app)
        await pilot.press("comma")
        await until(pilot, lambda: widget.canvas.look.frame == 2)
        assert "frame 3/3" in screen_text(app)
        assert widget.picture.pyramid is not None and widget.picture.pyramid.raster.values.max() == 170


async def test_fewer_colours_show_a_badge_and_how_to_fix_it():
    app = Host(ColourDepth.C256)
    async with app.run_test(size=(120, 12)) as pilot:
        await shown(pilot, pattern())
        assert "30 greys: A sentence." in screen_text(app)
        await pilot.resize_terminal(58, 12)
        await pilot.pause()
        assert "30 greys" in screen_text(app) and "A sentence." not in screen_text(app)
        codes = {ink for row in terminal_rows(app)[:-1] for _, ink, _ in row if ink}
        assert codes and all(len(code) == 1 and code[0] >= 16 for code in codes)


async def test_a_terminal_without_colours_gets_letters():
    app = Host(ColourDepth.TEXT)
    async with app.run_test(size=(60, 12)) as pilot:
        await shown(pilot, pattern())
        lines = screen_text(app).splitlines()
        assert all(line.isascii() for line in lines[:-1])
        assert len(set("".join(lines[:-1]))) > 5


class Question(ModalScreen[None]):
    CSS = "Question { align: center middle; background: black 50%; } Static { width: 16; height: 3; background: red; }"

    def compose(self) -> ComposeResult:
        yield Static("over the image")


async def test_overlay_modal_and_screenshot_show_image_and_cover():
    values = np.full((40, 40), 200, np.uint8)
    app = Host()
    async with app.run_test(size=(40, 21)) as pilot:
        await shown(pilot, values)
        await app.mount(Static("overlay", classes="over"))
        await pilot.pause()
        rows = terminal_rows(app)
        assert "".join(cell[0] for cell in rows[2])[5:12] == "overlay"
        assert all(len(row) == 40 for row in rows)
        assert rows[2][0][2] == rows[2][20][2] == (200, 200, 200)
        await app.push_screen(Question())
        await pilot.pause()
        tinted = app.screen._compositor.render_full_update()
        text = "".join(
            strip.render(Console(color_system="truecolor")) for line in tinted.strips for strip in line
        )
        assert "over the image" in text
        dimmed = {cell[2] for cell in read_row(text) if cell[2]}
        assert any(90 <= colour[0] <= 110 and colour[0] == colour[1] for colour in dimmed)
        assert "over the image".replace(" ", "&#160;") in app.export_screenshot()
        app.pop_screen()
        await pilot.pause()
        assert "#c8c8c8" in app.export_screenshot()


async def test_a_border_is_drawn_around_the_image():
    app = Host()
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern())
        widget.styles.border = ("heavy", "red")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert lines[0].startswith("┏") and lines[-1].endswith("┛") and "▀" in lines[5]


class FakeQueue:
    size = 0

    def qsize(self) -> int:
        return self.size


async def test_no_frame_is_drawn_behind_an_unwritten_one_and_repeats_are_coarse(monkeypatch):
    app, queue = Host(), FakeQueue()
    monkeypatch.setattr(Pacer, "_queue_size", lambda self: queue.qsize())
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern(size=400))
        now = [100.0]
        widget.canvas.pacer._clock = lambda: now[0]
        drawn: list = []
        monkeypatch.setattr(ImageCanvas, "_image_rows", counting(ImageCanvas._image_rows, drawn))
        queue.size = 1
        for _ in range(5):
            now[0] += REPEAT_S / 4
            await pilot.press("plus")
        assert not drawn  # all five wait
        queue.size = 0
        await until(pilot, lambda: drawn)
        assert len(drawn) == 1
        rows = terminal_rows(app)[:20]
        assert all(row[x][2] == row[x + 1][2] for row in rows for x in range(0, 40, 2))  # half resolution
        now[0] += 1
        await until(pilot, lambda: len(drawn) == 2)  # at rest: full
        rows = terminal_rows(app)[:20]
        assert any(row[x][2] != row[x + 1][2] for row in rows for x in range(0, 40, 2))


def counting(method, calls: list):
    def inner(self, *args):
        calls.append(args)
        return method(self, *args)

    return inner
