"""The README's pictures: the demo at its start, mid-training and in review, taken from the running app.

Usage: python -m tests.pictures OUT_DIR [SEED]
"""

from __future__ import annotations

import asyncio
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
from radtui.store import descriptions, jobs
from radtui.store.database import connect
from radtui.tui.app import RadtuiApp

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

    async def shoot(name: str) -> None:
        await pilot.pause(2.0)
        (out / f"{name}.svg").write_text(app.export_screenshot(title="radtui"), encoding="utf-8")

    async with app.run_test(size=SIZE_CELLS) as pilot:
        await until(data, made.drawing.id, lambda job: job.step > 200, pilot)
        await shoot("start")
        await pilot.press("escape")
        await until(data, made.training.id, lambda job: job.step > 0.6 * job.total_steps > 0, pilot)
        await shoot("training")
        await until(data, made.describing.id, lambda job: job.state is JobState.DONE, pilot)
        with closing(connect(data)) as db:
            pairs = len(descriptions.comparison_ids(db, made.describing.id))
        assert pairs == made.describing.step or pairs > 0
        await pilot.press("r")
        await pilot.pause(3.0)
        await pilot.press("5")
        await shoot("review")
        await pilot.press("j")
        await shoot("jobs")
        await pilot.press("d")
        await shoot("data")


def main() -> None:
    """Take the pictures."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    asyncio.run(take(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 0))


if __name__ == "__main__":
    main()
