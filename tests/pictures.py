"""The README's pictures: the demo at its start, mid-training, in review and as jobs, taken from the running app.

Usage: python -m tests.pictures OUT_DIR [SEED]      # runs the demo
       python -m tests.pictures OUT_DIR DATA_DIR    # of a demo that is done: all but start and training
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from textual.pilot import Pilot

from radtui.cli.demo import GUIDE
from radtui.jobs.demo import submit_demo
from radtui.paths import DataDir
from radtui.records import Job, JobState
from radtui.store import jobs
from radtui.store.database import connect
from radtui.tui.app import RadtuiApp
from radtui.tui.review.screen import ReviewScreen

SIZE_CELLS = (132, 40)
LIMIT_S = 1200.0


async def until(data: DataDir, job_id: int, holds: Callable[[Job], bool], pilot: Pilot[None]) -> None:
    """Let the app run until a job is where it should be."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        await pilot.pause(0.5)
        with closing(connect(data)) as db:
            job = jobs.must_get(db, job_id)
        if holds(job):
            return
        if job.state in (JobState.FAILED, JobState.LOST, JobState.STOPPED):
            raise RuntimeError(f"job {job_id} is {job.state}: {job.error}")
    raise TimeoutError(f"job {job_id} took longer than {LIMIT_S:.0f} s")


async def take(out: Path, seed: int) -> None:
    """Run the demo in a folder of its own and save a picture at each of its stages."""
    data = DataDir(Path(tempfile.mkdtemp(prefix="radtui-pictures-"))).create()
    with closing(connect(data)) as db:
        made = submit_demo(data, db, seed)
    app = RadtuiApp(data, "reader", screen="train", guide=GUIDE)

    async with app.run_test(size=SIZE_CELLS) as pilot:
        await until(data, made.drawing.id, lambda job: job.step > 200, pilot)
        await shoot(app, pilot, out / "start.svg")
        await pilot.press("escape")
        await until(data, made.training.id, lambda job: job.step > 0.6 * job.total_steps > 0, pilot)
        await shoot(app, pilot, out / "training.svg")
        await until(data, made.describing.id, lambda job: job.state is JobState.DONE, pilot)
    await take_finished(out, data)


async def take_finished(out: Path, data: DataDir) -> None:
    """Save a picture of the other screens, once the demo of a data folder is done."""
    app = RadtuiApp(data, "reader", screen="review")
    async with app.run_test(size=SIZE_CELLS) as pilot:
        await pilot.pause(3.0)
        await pilot.press("5")
        await pilot.pause(1.0)
        while not shows_finding(app, "chest PA"):
            await pilot.press("space")
            await pilot.pause(0.3)
        await shoot(app, pilot, out / "review.svg")
        await pilot.press("d")
        await shoot(app, pilot, out / "data.svg")
        await pilot.press("J")
        await shoot(app, pilot, out / "jobs.svg")


def shows_finding(app: RadtuiApp, examination: str) -> bool:
    """Whether the pair on the screen is of this examination and of an image with a finding: it says more."""
    assert isinstance(app.screen, ReviewScreen) and app.screen.session is not None
    shown = app.screen.session.shown()
    assert shown is not None, "no such image is left to rate"
    return shown.case.examination == examination and bool(shown.case.truth[0].side)


async def shoot(app: RadtuiApp, pilot: Pilot[None], path: Path) -> None:
    """Save what is on the screen once it has settled."""
    await pilot.pause(2.0)
    path.write_text(slim(app.export_screenshot(title="radtui")), encoding="utf-8")


def slim(svg: str) -> str:
    """A picture a third smaller that looks the same: what stands at every cell is said once, lines are not clipped."""
    svg = re.sub(r' clip-path="url\(#[^"]*-line-\d+\)"', "", svg)
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = svg.replace(' shape-rendering="crispEdges"', "")
    return svg.replace("<style>", "<style>rect { shape-rendering: crispEdges }", 1)


def main() -> None:
    """Take the pictures."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    # All greys, whatever this terminal shows.
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    out, what = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else "0"
    asyncio.run(take(out, int(what)) if what.isdigit() else take_finished(out, DataDir(Path(what))))


if __name__ == "__main__":
    main()
