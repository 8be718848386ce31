"""The image widget under the mouse: a pointer reads a value, a drag moves the image."""

import numpy as np
from textual.events import MouseMove

from radtui.imaging.view import source_point
from radtui.tui.widgets.image_canvas import ImageCanvas
from radtui.tui.widgets.image_view import ImageView
from radtui.tui.widgets.pacing import Pacer
from tests.tui.test_image_view import FakeQueue, Host, counting, pattern, screen_text, shown, until


async def test_pointer_reads_a_value_and_redraws_only_the_caption(monkeypatch):
    app = Host()
    values = np.zeros((20, 20), np.uint8)
    values[4:6, 3] = 123
    async with app.run_test(size=(20, 11)) as pilot:
        await shown(pilot, values)
        await pilot.resize_terminal(60, 11)
        await pilot.pause()
        drawn: list = []
        monkeypatch.setattr(ImageCanvas, "_image_rows", counting(ImageCanvas._image_rows, drawn))
        await pilot.hover(ImageView, offset=(23, 2))
        await pilot.pause()
        assert "(3, 5) 123" in screen_text(app) or "(3, 4) 123" in screen_text(app)
        assert not drawn


async def drag(pilot, *offsets: tuple[int, int], button: int = 1) -> None:
    """Move the mouse with a button held down."""
    for offset in offsets:
        await pilot._post_mouse_events([MouseMove], widget=ImageView, offset=offset, button=button)


async def test_a_drag_moves_what_is_held_and_a_click_moves_nothing():
    app = Host()
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern(size=400))
        await pilot.press(*["plus"] * 8)
        before = widget.canvas.look
        await pilot.click(ImageView, offset=(20, 10))
        await drag(pilot, (25, 10), button=0)
        assert widget.canvas.look == before

        def under(x: int, y: int) -> tuple[int, int] | None:
            return source_point(
                widget.picture.pyramid, widget.canvas.look, widget.canvas.port, x + 0.5, 2 * y + 0.5
            )

        held = under(20, 10)
        await pilot.mouse_down(ImageView, offset=(20, 10))
        await drag(pilot, (16, 9), (12, 8))
        assert held is not None and under(12, 8) == held
        after = widget.canvas.look
        await pilot.mouse_up(ImageView, offset=(12, 8))
        await drag(pilot, (30, 15))
        assert widget.canvas.look == after and app.mouse_captured is None


async def test_a_drag_ends_where_the_button_was_let_go_outside_the_terminal():
    app = Host()
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern(size=400))
        await pilot.press(*["plus"] * 8)
        before = widget.canvas.look
        await pilot.mouse_down(ImageView, offset=(20, 10))
        await drag(pilot, (5, 5), button=0)
        await drag(pilot, (10, 10))
        assert widget.canvas.look == before and app.mouse_captured is None


async def test_a_drag_over_a_slow_link_waits_as_one_frame(monkeypatch):
    app, queue = Host(), FakeQueue()
    monkeypatch.setattr(Pacer, "_queue_size", lambda self: queue.qsize())
    async with app.run_test(size=(40, 21)) as pilot:
        widget = await shown(pilot, pattern(size=400))
        await pilot.press(*["plus"] * 8)
        await until(pilot, lambda: not widget.canvas.pacer._resting)
        await pilot.mouse_down(ImageView, offset=(20, 10))
        frames: list = []
        monkeypatch.setattr(type(widget), "refresh", counting(type(widget).refresh, frames))
        queue.size = 1
        await drag(pilot, *((20 - step, 10) for step in range(1, 15)))
        assert not frames
        queue.size = 0
        await until(pilot, lambda: frames)
        assert len(frames) == 1
