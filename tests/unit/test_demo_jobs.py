"""A demo called again goes on with what was stopped, failed or lost, and draws and trains nothing twice."""

from __future__ import annotations

import sqlite3

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.jobs.demo import DemoJobs, find_demo, go_on, submit_demo
from radtui.paths import DataDir
from radtui.records import JobState
from radtui.store import jobs

SEED = 5


def states(db: sqlite3.Connection, demo: DemoJobs) -> list[str]:
    return [jobs.must_get(db, job_id).state.value for job_id in demo.ids]


def ran(db: sqlite3.Connection, job_id: int, state: JobState) -> None:
    jobs.begin(db, job_id, pid=1)
    jobs.end(db, job_id, state)


def call(data: DataDir, monkeypatch: pytest.MonkeyPatch, opened: list[str]) -> None:
    """`radtui demo`, with an app that is left at once."""
    monkeypatch.setenv("TEXTUAL_DRIVER", "none")
    monkeypatch.setattr("radtui.tui.app.run_app", lambda *_, guide, **__: opened.append(guide))
    words = ["--data-dir", str(data.root), "demo", "--seed", str(SEED)]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("state", [JobState.LOST, JobState.STOPPED, JobState.FAILED])
def test_a_training_that_broke_off_is_gone_on_with(
    data: DataDir,
    db: sqlite3.Connection,
    launched: list[int],
    monkeypatch: pytest.MonkeyPatch,
    state: JobState,
) -> None:
    opened: list[str] = []
    call(data, monkeypatch, opened)
    demo = find_demo(db, SEED)
    assert demo and launched == [demo.drawing.id] and opened[0]
    ran(db, demo.drawing.id, JobState.DONE)
    ran(db, demo.training.id, state)
    jobs.leave_queue(db, demo.describing.id, "as it does when what it waited for has broken off")
    call(data, monkeypatch, opened)
    assert states(db, demo) == ["done", "starting", "queued"]
    assert launched == [demo.drawing.id, demo.training.id] and opened[1] == ""
    assert len(jobs.all_jobs(db)) == 3


def test_of_a_drawing_that_broke_off_both_jobs_behind_it_wait_again(
    data: DataDir, db: sqlite3.Connection, launched: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = submit_demo(data, db, SEED)
    ran(db, demo.drawing.id, JobState.STOPPED)
    for job_id in demo.ids[1:]:
        jobs.leave_queue(db, job_id, "")
    call(data, monkeypatch, [])
    assert states(db, demo) == ["starting", "queued", "queued"]


def test_a_describing_that_broke_off_is_gone_on_with_and_a_whole_demo_is_left(
    data: DataDir, db: sqlite3.Connection, launched: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = submit_demo(data, db, SEED)
    for job_id, state in zip(demo.ids, ("done", "done", "lost"), strict=True):
        ran(db, job_id, JobState(state))
    call(data, monkeypatch, [])
    assert launched[-1] == demo.describing.id
    ran(db, demo.describing.id, JobState.DONE)
    call(data, monkeypatch, [])
    assert launched == [demo.drawing.id, demo.describing.id] and len(jobs.all_jobs(db)) == 3


def test_each_seed_has_a_demo_of_its_own_and_the_newest_counts(
    data: DataDir, db: sqlite3.Connection, launched: list[int]
) -> None:
    assert find_demo(db, SEED) is None
    submit_demo(data, db, SEED)
    other = submit_demo(data, db, SEED + 1)
    newest = submit_demo(data, db, SEED)
    found = find_demo(db, SEED)
    assert found and found.ids == newest.ids
    assert go_on(data, db, other.drawing.id).state.live and len(launched) == 3
