"""The whole job through the app by keyboard, and an app that is killed while its job runs."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from textual.widgets import Input

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.store import jobs, ratings, studies
from radtui.store.database import connect
from radtui.tui.data.preview import PreviewScreen
from radtui.tui.screens.confirm import ConfirmScreen
from radtui.tui.train.form import TrainForm
from tests.tui.driving import MIDDLE, opened, text_of, until
from tests.worker.conftest import train_settings
from tests.worker.test_whole_job import drawn_folder

LONG_S = 180.0  # a worker's start takes seconds, on a busy machine many

FAST = {
    "max_steps": "3", "batch_size": "2", "loader_workers": "0", "watch_images": "1", "watch_tokens": "6",
    "learning_rate": "0.05",  # three steps must change each text: of a pair of equal texts nobody is asked
    "eval_images": "2", "max_length_tokens": "200", "optimizer": "adamw_torch", "load_in_4bit": "no",
}  # fmt: skip


def ended(db, kind: JobKind) -> bool:
    """Whether the newest job of a kind is over; it must be done then."""
    job = jobs.newest(db, kind)
    if job is None or job.state.live:
        return False
    assert job.state is JobState.DONE, job.error
    return True


@pytest.mark.slow
async def test_the_whole_job_by_keyboard(tmp_path: Path, mllama: Path) -> None:
    data = DataDir(tmp_path / "data").create()
    folder = drawn_folder(tmp_path / "scans")
    db = connect(data)
    async with opened(data, size=MIDDLE, reconcile=True) as (app, pilot):
        # Welcome: the second choice is a folder of one's own.
        await until(pilot, lambda: "A folder of yours" in text_of(app))
        await pilot.press("2")
        await until(pilot, lambda: app.screen.query(Input))
        app.screen.query(Input).first().value = str(folder)
        await pilot.press("enter")
        # What comes in is shown before it is taken.
        await until(pilot, lambda: isinstance(app.screen, PreviewScreen) and app.screen.showing, LONG_S)
        await pilot.press("enter")
        await until(pilot, lambda: ended(db, JobKind.IMPORT), LONG_S)

        # Train: fields of the form, then one key.
        await pilot.press("t")
        await until(pilot, lambda: app.screen.query(TrainForm), LONG_S)
        fields = app.screen.query_one(TrainForm).form.list
        for name, text in {"dataset": "scans", "model": str(mllama), **FAST}.items():
            fields.change(name, text)
        await pilot.press("S")
        await until(pilot, lambda: ended(db, JobKind.TRAIN), LONG_S)
        await until(pilot, lambda: "3/3 steps" in text_of(app), LONG_S)

        # Describe: the key that the finished job names.
        await pilot.press("D")
        await until(pilot, lambda: "Describe images" in text_of(app))
        await pilot.press("S")
        await until(pilot, lambda: ended(db, JobKind.GENERATE), LONG_S)

        # Review: two keys are two rated pairs.
        job = jobs.newest(db, JobKind.GENERATE)
        assert job is not None and len(studies.comparison_ids(db, studies.of_job(db, job.id))) == 3
        await pilot.press("r")
        await until(pilot, lambda: "0/3 answered" in text_of(app), LONG_S)
        await pilot.press("5")
        await until(pilot, lambda: len(ratings.current(db, studies.of_job(db, job.id).id, "reader")) == 1)
        await pilot.press("1")
        await until(pilot, lambda: len(ratings.current(db, studies.of_job(db, job.id).id, "reader")) == 2)
        await until(pilot, lambda: "2/3 answered" in text_of(app))

    out = tmp_path / "comparisons.csv"
    subprocess.run(
        [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "export", "--out", str(out)],
        check=True,
    )
    with out.open(newline="", encoding="utf-8") as file:
        assert sorted(abs(int(row["preference"])) for row in csv.DictReader(file)) == [2, 2]


APP = """
import sys
from pathlib import Path
from radtui.jobs import submit_train
from radtui.paths import DataDir
from radtui.settings import TrainSettings
from radtui.tui.app import RadtuiApp

sys.executable = sys.argv[3]  # whose workers are forked
app = RadtuiApp(DataDir(Path(sys.argv[1])), "reader")
submit_train(app.data, app.db, TrainSettings.from_dict(eval(sys.argv[2])))
app.run(headless=True)
"""


@pytest.mark.slow
async def test_a_killed_app_leaves_its_job_to_the_next_one(data: DataDir, mllama: Path) -> None:
    settings = train_settings(mllama, max_steps=5000, eval_every=0, checkpoint_every=0, watch_images=0)
    app_process = subprocess.Popen(
        [sys.executable, "-c", APP, str(data.root), repr(settings.to_dict()), sys.executable],
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    db = connect(data)
    async with opened(data, "jobs", MIDDLE, reconcile=True) as (_, pilot):
        await until(pilot, lambda: (job := jobs.get(db, 1)) is not None and job.step >= 2, LONG_S)
    os.kill(app_process.pid, signal.SIGKILL)
    app_process.wait()
    seen = jobs.must_get(db, 1).step
    async with opened(data, "jobs", MIDDLE, reconcile=True) as (app, pilot):
        await until(pilot, lambda: jobs.must_get(db, 1).step > seen + 2, LONG_S)
        await until(pilot, lambda: [p.job.id for p in app.snapshot.live] == [1])
        assert jobs.must_get(db, 1).state is JobState.RUNNING
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: jobs.must_get(db, 1).state is JobState.STOPPED, LONG_S)
