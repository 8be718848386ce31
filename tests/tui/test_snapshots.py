"""Pictures of the screens and of their error states, compared cell by cell with those that were looked at.

pytest tests/tui/test_snapshots.py --snapshot-update     after a change that is meant, and a look at each picture
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from radtui.imaging.ansi import ColourDepth
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState, Truth
from radtui.store import cases, jobs, place, ratings, texts
from radtui.store.cases import CaseQuery, Probe
from radtui.store.database import connect
from radtui.tui import terminal
from radtui.tui.app import RadtuiApp
from radtui.tui.messages import Tick
from radtui.tui.terminal import Terminal
from tests import blobs
from tests.conftest import give_arms, kept_case, new_text
from tests.tui.driving import MIDDLE
from tests.tui.layout_text import layout_text
from tests.tui.seeding import add_train
from tests.unit.test_store import rating, study_of

NOW_S = 1_800_000_000.0  # a Friday morning in January 2027
SMALL, LARGE = (80, 24), (200, 60)
Before = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch, tmp_path):
    """One terminal, one time zone, one folder name, and no cursor that blinks."""
    monkeypatch.setattr(terminal, "current", lambda: Terminal(ColourDepth.TRUE))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    time.tzset()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, "_homes", {})  # the same name is another folder for each picture


@pytest.fixture
def data(same_everywhere):
    from pathlib import Path

    return DataDir(Path("db")).create()


@pytest.fixture
def db(data):
    connection = connect(data)
    yield connection
    connection.close()


def plain_png(number: int) -> bytes:
    """A chest in five flat greys with a nodule somewhere; few colours keep the pictures small."""
    y, x = np.mgrid[0:96, 0:80]
    grey = np.full((96, 80), 150, np.uint8)
    for centre in (24, 56):
        grey[((x - centre) / 13) ** 2 + ((y - 46) / 30) ** 2 < 1] = 40
    grey[(np.abs(x - 40) < 5)] = 220
    grey[((x - 20 - number * 7 % 40) ** 2 + (y - 30 - number * 11 % 40) ** 2) < 16] = 180
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def library(data, db):
    """Twenty images with references; one of them cannot be read, and one is in both splits."""
    cases.ensure_dataset(db, "chests", "drawn")
    batch = []
    for n in range(20):
        content = plain_png(n)
        sha256 = blobs.keep(data, content)
        side = "right" if n % 2 else "left"
        text = f"PA chest radiograph. A nodule in the {side} upper lobe, number {n}. No pleural effusion."
        batch.append(kept_case(
            "test" if n % 4 else "train", f"chest-{n:02d}.png", Probe(sha256, "PNG", 80, 96, "L"), reference=text,
            examination="chest PA", facts={"modality": "DX", "age": str(40 + n)},
            truth=(Truth("nodule", side, "upper"),),
        ))  # fmt: skip
    cut = Probe("", error="The PNG image is cut short; copy it again and import it again.")
    batch.insert(
        2,
        kept_case("test", "cut-short.png", cut, reference="A text without an image.", examination="chest PA"),
    )
    cases.add(db, "chests", batch)
    return cases.find(db, CaseQuery("chests", "test"))


def at_fixed_times(db) -> None:
    """Give all jobs and ratings times of the past, an hour apart."""
    db.execute(
        "UPDATE jobs SET created_at = ?1 - 3600 * id, started_at = ?1 - 3600 * id + 5,"
        " heartbeat_at = CASE WHEN heartbeat_at IS NULL THEN NULL ELSE ?1 - 1 END,"
        " ended_at = CASE WHEN ended_at IS NULL THEN NULL ELSE ?1 - 3600 * id + 605 END",
        (NOW_S,),
    )


@pytest.fixture
def trained(db, library):
    """Training jobs: one that is done, one that failed, one that runs."""
    done = add_train(db, 300, 300, JobState.DONE)
    add_train(
        db, 0, state=JobState.FAILED, error="The GPU's memory is full: set max_side_px, or batch_size to 1."
    )
    running = add_train(db, 120, 300)
    changed = {**running.settings, "learning_rate": 1e-3, "lora_r": 32}
    db.execute("UPDATE jobs SET settings = ? WHERE id = ?", (json.dumps(changed), running.id))
    at_fixed_times(db)
    return done


@pytest.fixture
def described(db, trained, library):
    """A finished job of descriptions, six pairs, three of them rated by the reader."""
    settings = {"train_job": trained.id, "dataset": "chests", "split": "test", "model": "tiny"}
    ids = [case.id for case in cases.get_many(db, library) if not case.error][:6]
    job = jobs.create(db, JobKind.GENERATE, "job 1 on chests/test", "chests", settings, parent_job_id=trained.id,
                      case_ids=ids)  # fmt: skip
    arm = give_arms(db, job, "base", "tuned")
    for case_id in ids:
        texts.add(db, job.id, [
            new_text(case_id, arm["base"], "This is an image of a chest. It seems to show lungs.", 11),
            new_text(case_id, arm["tuned"], "PA chest radiograph. Nodule in the left upper lobe.", 10),
        ])  # fmt: skip
    jobs.end(db, job.id, JobState.DONE)
    at_fixed_times(db)
    return job


def rate(db, job: Job) -> None:
    ids = [
        row[0] for row in db.execute("SELECT case_id FROM work WHERE job_id = ? ORDER BY case_id", (job.id,))
    ]
    given = rating(
        study_of(db, job).id, 0, 2, rater="reader", scheme_hash="h", later_left=False, active_s=12.0, wall_s=14.0,
        answers={"acceptability.base": 2, "acceptability.tuned": 4}, rated_at=NOW_S,
    )  # fmt: skip
    for n, case_id in enumerate(ids[:4]):
        ratings.add(db, replace(given, case_id=case_id, preference=(2, 1, 0, -1)[n], flagged=n == 1))


def app(data, screen: str = "") -> RadtuiApp:
    """The app without its poller's thread, at a fixed time; `settled` looks in its place."""
    made = RadtuiApp(data, "reader", screen, live=False)
    made.poller._clock, made.poller._reconcile = (lambda: NOW_S), None
    return made


async def settled(pilot: Pilot[None]) -> None:
    """Look at the database as the poller does, and wait for threads, until nothing comes any more."""
    for _ in range(3):
        await pilot.pause(0.15)
        await pilot.app.workers.wait_for_complete()
        pilot.app.post_message(Tick(pilot.app.poller.poll_once()))  # type: ignore[attr-defined]
    await pilot.pause(0.2)


def after(*keys: str) -> Before:
    """Settle, press keys, settle after each."""

    async def run(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return run


def test_welcome(snap_compare, data):
    assert snap_compare(app(data), terminal_size=SMALL, run_before=after())


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_data(snap_compare, data, library, size):
    assert snap_compare(app(data, "data"), terminal_size=size, run_before=after())


def test_data_unreadable(snap_compare, data, library):
    assert snap_compare(app(data, "data"), terminal_size=SMALL, run_before=after(*["down"] * 6))


def test_data_nothing_found(snap_compare, data, library):
    keys = after("slash", *"hip", "enter")
    assert snap_compare(app(data, "data"), terminal_size=SMALL, run_before=keys)


def test_data_without_images(snap_compare, data):
    assert snap_compare(app(data, "data"), terminal_size=SMALL, run_before=after())


def test_gallery(snap_compare, data, library):
    assert snap_compare(app(data, "data"), terminal_size=SMALL, run_before=after("b", "right"))


def test_train_form(snap_compare, data, library):
    assert snap_compare(app(data, "train"), terminal_size=SMALL, run_before=after())


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_train_running(snap_compare, data, trained, size):
    assert snap_compare(app(data, "train"), terminal_size=size, run_before=after())


def test_train_failed(snap_compare, data, trained):
    assert snap_compare(app(data, "train"), terminal_size=SMALL, run_before=after("o"))


def test_jobs(snap_compare, data, trained):
    assert snap_compare(app(data, "jobs"), terminal_size=SMALL, run_before=after("m", "down"))


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_overlay(snap_compare, data, trained, size):
    keys = after("m", "down", "m", "c")
    assert snap_compare(app(data, "jobs"), terminal_size=size, run_before=keys)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
def test_review(snap_compare, data, described, size):
    assert snap_compare(app(data, "review"), terminal_size=size, run_before=after())


def test_review_without_descriptions(snap_compare, data, library):
    assert snap_compare(app(data, "review"), terminal_size=SMALL, run_before=after())


def test_summary(snap_compare, data, db, described):
    rate(db, described)
    assert snap_compare(app(data, "review"), terminal_size=SMALL, run_before=after("T"))


def test_help(snap_compare, data, library):
    assert snap_compare(app(data, "data"), terminal_size=SMALL, run_before=after("question_mark"))


class LayoutText(SingleFileSnapshotExtension):
    """A layout in a text file of its own."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


# The size at which a screen is shown in the light theme.
LIGHT = {"data": SMALL, "jobs": MIDDLE, "review": LARGE}
PLACES = {
    "data": ("data", ()), "train": ("train", ()), "form": ("train", ("A",)), "review": ("review", ()),
    "summary": ("review", ("T",)), "jobs": ("jobs", ()),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
async def test_layouts(snapshot: SnapshotAssertion, data, db, described, place):
    """Text and colours of the main screens at three sizes, in one session that is resized."""
    rate(db, described)
    at_fixed_times(db)
    layouts = snapshot.use_extension(LayoutText)
    screen, keys = PLACES[place]
    opened = app(data, screen)
    async with opened.run_test(size=SMALL) as pilot:
        await after(*keys)(pilot)
        for size in (SMALL, MIDDLE, LARGE):
            await pilot.resize_terminal(*size)
            opened.action_colours("light" if LIGHT.get(place) == size else "dark")
            await settled(pilot)
            assert layout_text(opened) == layouts(name=f"{size[0]}x{size[1]}")
