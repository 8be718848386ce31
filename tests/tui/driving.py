"""Opening the app on a data folder in a test, and waiting for what threads bring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widget import Widget

from radtui.paths import DataDir
from radtui.tui.app import RadtuiApp

NARROW, MIDDLE, WIDE = (80, 24), (120, 40), (200, 60)


@asynccontextmanager
async def opened(
    data: DataDir, screen: str = "", size: tuple[int, int] = NARROW, reconcile: bool = False
) -> AsyncIterator[tuple[RadtuiApp, Pilot[None]]]:
    """The app with its poller. Without `reconcile`, jobs that no process works on stay as their rows say."""
    app = RadtuiApp(data, "reader", screen)
    if not reconcile:
        app.poller._reconcile = None
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.snapshot.at_s > 0)
        yield app, pilot


async def until(pilot: Pilot[None], true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so; fails when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "what was waited for did not come"
        await pilot.pause(0.02)
    await pilot.pause()


def text_of(app: RadtuiApp) -> str:
    """Everything on the screen, as lines."""
    return "\n".join("".join(segment.text for segment in line) for line in _lines(app))


def text_in(widget: Widget) -> str:
    """What one widget shows, as lines."""
    from textual.geometry import Region

    strips = widget.render_lines(Region(0, 0, *widget.size))
    return "\n".join(strip.text for strip in strips)


def _lines(app: RadtuiApp) -> list[list[object]]:
    return [list(strip) for strip in app.screen._compositor.render_strips()]


async def longest_stall(during: Callable[[], object], seconds: float) -> float:
    """The most CPU time that the event loop spent in one go until `during()` is true, s.

    CPU time of its thread, not time on the wall: other programs of the machine are not the app's doing.
    """
    worst, end = 0.0, time.monotonic() + seconds
    while not during():
        assert time.monotonic() < end, "what was waited for did not come"
        before = time.thread_time()
        await asyncio.sleep(0)
        worst = max(worst, time.thread_time() - before)
    return worst
