"""While Slurm is silent: rows stay as they are, say since when that is old, and nothing follows from the silence."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from radtui.cli import cli
from radtui.cluster import asking, slurm, watching
from radtui.cluster.silence import is_silent, short_silence, silence_of_all, silence_words
from radtui.paths import DataDir
from radtui.records import Job, JobKind, JobState
from radtui.settings import TrainSettings
from radtui.store import jobs
from radtui.tui.jobs.job_words import saying
from tests.unit.test_cluster_scripts import stand_in

HANDED = {
    "id": 7,
    "name": "radtui-1-x",
    "state": "",
    "nodes": "",
    "over": False,
    "token": "x",
    "folder": "/nowhere",
}
UNREACHED = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path for stand-ins of Slurm's commands; questions follow each other at once."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(asking, "ASK_S", 0.0)
    return folder


@pytest.fixture
def handed(db: sqlite3.Connection) -> Job:
    """A training job that Slurm was given an hour ago."""
    settings = TrainSettings(dataset="drawn", on="slurm").to_dict()
    job = jobs.create(db, JobKind.TRAIN, "on the cluster", "drawn", settings)
    jobs.set_result(db, job.id, slurm=HANDED)
    return jobs.must_get(db, job.id)


def watched(data: DataDir, db: sqlite3.Connection, job: Job) -> Job:
    watching.watch(data, db, nobody_submits=True)
    return jobs.must_get(db, job.id)


def test_a_controller_out_of_reach_leaves_the_state_and_says_since_when_it_is_old(
    data: DataDir, db: sqlite3.Connection, handed: Job, commands: Path
) -> None:
    stand_in(commands, "squeue", "7|radtui-1-x|PENDING|Resources|N/A|\n")
    waits = watched(data, db, handed)
    assert not is_silent(waits) and silence_words(waits, time.time()) == ""
    answered_at = waits.result["slurm"]["answered_at"]  # type: ignore[index]
    stand_in(commands, "squeue", UNREACHED, code=1)
    silent = watched(data, db, handed)
    assert silent.state is JobState.STARTING and silent.message == waits.message
    assert silent.result["slurm"]["silent_since"] >= answered_at  # type: ignore[index]
    at = time.strftime("%H:%M", time.localtime(answered_at))
    words = silence_words(silent, time.time())
    assert words.startswith(f"Slurm silent since {at}: this state is of then, and Slurm is asked again every")
    assert words.endswith(
        "(squeue says: slurm_load_jobs error: Unable to contact slurm controller (connect failure))"
    )
    status = saying(silent, None, time.time())
    assert status.text.startswith("Slurm silent since") and "Waits in Slurm as job 7" in status.text
    assert status.style == "$warning" and status.next
    stand_in(commands, "squeue", "7|radtui-1-x|PENDING|Priority|N/A|\n")
    again = watched(data, db, handed)
    assert not is_silent(again) and "others come first" in again.message


@pytest.mark.parametrize(
    ("squeue", "scontrol", "sacct"),
    [
        ("sleep 5", "", ""),
        ("exit 0", "sleep 5", "echo 'Slurm accounting storage is disabled' >&2; exit 1"),
        ("exit 0", f"echo '{UNREACHED}' >&2; exit 1", "exit 0"),
        ("exit 0", "sleep 5", "sleep 5"),
    ],
)
def test_a_job_is_not_taken_for_lost_because_nobody_says_what_became_of_it(
    data: DataDir, db: sqlite3.Connection, handed: Job, commands: Path, monkeypatch: pytest.MonkeyPatch,
    squeue: str, scontrol: str, sacct: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(asking, "SOON_S", 0.3)
    for name, script in (("squeue", squeue), ("scontrol", scontrol), ("sacct", sacct)):
        (commands / name).write_text(f"#!/bin/sh\n{script}\n")
        (commands / name).chmod(0o755)
    now = watched(data, db, handed)
    assert now.state is JobState.STARTING and is_silent(now)
    assert not now.result["slurm"]["over"]  # type: ignore[index]


def test_accounts_tell_the_end_where_the_controller_is_silent(
    data: DataDir, db: sqlite3.Connection, handed: Job, commands: Path
) -> None:
    stand_in(commands, "squeue", "")
    stand_in(commands, "scontrol", UNREACHED, code=1)
    stand_in(commands, "sacct", "radtui-1-x|NODE_FAIL|n1")
    now = watched(data, db, handed)
    assert now.state is JobState.LOST and "The machine failed" in now.error and not is_silent(now)


def test_a_refusal_of_squeue_is_said_too(
    data: DataDir, db: sqlite3.Connection, handed: Job, commands: Path
) -> None:
    stand_in(commands, "squeue", "error: Invalid user", code=1)
    now = watched(data, db, handed)
    assert is_silent(now) and "Slurm refuses squeue: error: Invalid user)" in silence_words(now, time.time())


def test_the_app_does_not_stand_still_while_slurm_takes_its_time(
    data: DataDir, db: sqlite3.Connection, handed: Job, commands: Path
) -> None:
    gate = commands / "gate"
    os.mkfifo(gate)
    (commands / "squeue").write_text(
        f"#!/bin/sh\nread answer <'{gate}'\nprintf '7|radtui-1-x|RUNNING|None|N/A|n1\\n'\n"
    )
    (commands / "squeue").chmod(0o755)
    for _ in range(3):  # each returns, though nothing has answered
        watching.watch(data, db, nobody_submits=True, waits=False)
        assert jobs.must_get(db, handed.id).message == ""
    gate.write_text("now\n")
    end = time.monotonic() + 20
    while not jobs.must_get(db, handed.id).message and time.monotonic() < end:
        watching.watch(data, db, nobody_submits=True, waits=False)
        time.sleep(0.01)
        if not (commands / "opened").exists():  # further questions wait for nobody
            stand_in(commands, "squeue", "7|radtui-1-x|RUNNING|None|N/A|n1\n")
            (commands / "opened").touch()
    assert jobs.must_get(db, handed.id).message == "Starts on n1 as Slurm job 7"


def test_an_answer_says_nothing_of_a_job_that_was_handed_over_after_the_question(
    data: DataDir, db: sqlite3.Connection, handed: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.set_result(db, handed.id, slurm=HANDED | {"id": 0})
    other = asking.SlurmAnswer(frozenset(), True, 0.0)
    monkeypatch.setattr(asking.SlurmQuestions, "answer", lambda *_: other)
    assert watched(data, db, handed).state is JobState.STARTING
    while_handing = asking.SlurmAnswer(frozenset({handed.id}), False, 0.0)
    monkeypatch.setattr(asking.SlurmQuestions, "answer", lambda *_: while_handing)
    assert watched(data, db, handed).state is JobState.STARTING
    asked = asking.SlurmAnswer(frozenset({handed.id}), True, 0.0)
    monkeypatch.setattr(asking.SlurmQuestions, "answer", lambda *_: asked)
    assert watched(data, db, handed).state is JobState.FAILED


def test_the_command_line_says_it_of_all_jobs_and_of_one(
    data: DataDir, db: sqlite3.Connection, handed: Job, commands: Path
) -> None:
    stand_in(commands, "squeue", UNREACHED, code=1)
    run = CliRunner().invoke
    listed = run(cli, ["--data-dir", str(data.root), "jobs", "list"])
    assert "Slurm has not answered since" in listed.stderr
    assert f"job {handed.id} is shown as of then" in listed.stderr
    as_json = run(cli, ["--data-dir", str(data.root), "jobs", "list", "--json"])
    assert '"silent_since"' in as_json.stdout and "Slurm has not answered" in as_json.stderr
    shown = run(cli, ["--data-dir", str(data.root), "jobs", "show", str(handed.id)])
    assert "Slurm silent since" in shown.stdout


def test_the_words_name_the_day_where_it_is_another(db: sqlite3.Connection, handed: Job) -> None:
    facts = HANDED | {"silent_since": 0.0, "silent_why": "squeue gave no answer within 30 s."}
    jobs.set_result(db, handed.id, slurm=facts)
    other = jobs.create(db, JobKind.TRAIN, "another", "drawn", handed.settings)
    jobs.set_result(db, other.id, slurm=facts)
    both = [jobs.must_get(db, job_id) for job_id in (other.id, handed.id)]
    day = time.strftime("%d %b %H:%M", time.localtime(0.0))
    assert short_silence(both[0], 1e9) == f"Slurm silent since {day}"
    assert silence_of_all(both, 1e9).startswith(
        f"Slurm has not answered since {day} (squeue gave no answer within 30 s): jobs {handed.id} and {other.id} are"
    )
    assert slurm.ANSWER_S > asking.SOON_S
