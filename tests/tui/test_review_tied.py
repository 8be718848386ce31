"""Pairs whose texts read the same: they are asked of nobody, also when they come while the study is open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from textual.pilot import Pilot
from textual.widgets import Static

from radtui.paths import DataDir
from radtui.records import Arm, Job, JobKind, JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs, texts
from tests.conftest import give_arms, new_text
from tests.tui.driving import text_of, until
from tests.tui.reviewing import line, opened, screen, shown


def running(db: sqlite3.Connection, ids: list[int]) -> Job:
    settings = GenerateSettings(dataset="drawn").to_dict()
    job = jobs.create(db, JobKind.GENERATE, "many", "drawn", settings, case_ids=ids)
    db.execute("UPDATE jobs SET state = 'running' WHERE id = ?", (job.id,))
    return job


def write(db: sqlite3.Connection, job: Job, cases: list[int], alike: bool, arms: dict[str, Arm]) -> None:
    for case_id in cases:
        said = {
            "base": f"Clear {case_id}.",
            "tuned": f"**Clear {case_id}.**" if alike else f"Nodule {case_id}.",
        }
        texts.add(db, job.id, [new_text(case_id, arms[name], text) for name, text in said.items()])


def look(pilot: Pilot[None]) -> None:
    """Let the app see what the job has written."""
    app = screen(pilot).rad
    app.poller.nudge()
    app._post_snapshot(app.poller.poll_once())


async def test_pairs_that_read_the_same_and_come_later_are_left_out(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(8)
    job = running(db, ids)
    arms = give_arms(db, job, "base", "tuned")
    write(db, job, ids[:2], False, arms)
    jobs.progress(db, job.id, 2, 8)
    async with opened(data) as pilot:
        assert "/2 answered" in line(pilot)
        write(db, job, ids[2:5], True, arms)
        write(db, job, ids[5:], False, arms)
        jobs.progress(db, job.id, 8, 8)
        look(pilot)

        def five() -> bool:
            screen(pilot).following.grown_at_s = 0.0
            look(pilot)
            return len(screen(pilot).session.queue.pairs) >= 5

        await until(pilot, five)
        asked = {pair.case_id for pair in screen(pilot).session.queue.pairs}
        assert asked == {*ids[:2], *ids[5:]}


async def test_a_study_of_ties_alone_says_so_and_goes_on_with_the_first_that_differs(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(4)
    job = running(db, ids)
    arms = give_arms(db, job, "base", "tuned")
    write(db, job, ids[:3], True, arms)
    jobs.progress(db, job.id, 3, 4)
    async with opened(data) as pilot:
        await until(pilot, lambda: "all 3 pairs" in text_of(pilot.app))
        said = str(screen(pilot).query_one("#nothing", Static).content)
        assert "nobody is asked" in said and f"#{job.id} writes more" in said
        await pilot.press("1", "space", "n")  # nothing to rate
        write(db, job, ids[3:], False, arms)
        jobs.progress(db, job.id, 4, 4)
        look(pilot)

        def there() -> bool:
            screen(pilot).following.grown_at_s = 0.0
            look(pilot)
            return screen(pilot).session.pair is not None

        await until(pilot, there)
        assert shown(pilot).pair.case_id == ids[3]
        await until(pilot, lambda: "Nodule" in text_of(pilot.app))


async def test_a_finished_study_of_ties_alone_leads_to_its_summary(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    ids = add_images(2)
    job = running(db, ids)
    write(db, job, ids, True, give_arms(db, job, "base", "tuned"))
    jobs.end(db, job.id, JobState.DONE)
    async with opened(data, (80, 24)) as pilot:
        await until(pilot, lambda: "Press T for the summary" in text_of(pilot.app))
        await pilot.press("T")
        await until(pilot, lambda: "Nothing is rated yet" in text_of(pilot.app))
