"""Jobs on both nodes of a real Slurm: the losses and texts of one process, and a node that is lost on the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from radtui.cluster import journal
from radtui.cluster.run_folder import RunFolder
from radtui.jobs import submit_generate, submit_train
from radtui.paths import DataDir
from radtui.records import JobState
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics, texts
from radtui.store.database import connect

from .cluster import rows, rows_of_files
from .conftest import Worker, fill, new_job, train_settings
from .slurm_cluster import ON_SLURM, check_rows, is_over, losses, run_of, started, wait_until, watched

pytestmark = ON_SLURM


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    return connect(data)


def test_two_nodes_learn_and_describe_what_one_process_does(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, worker: Worker
) -> None:
    settings = train_settings(mllama, max_steps=3, eval_every=0, watch_images=0)
    here = new_job(data, settings)
    worker(here)
    job = submit_train(
        data, db, train_settings(mllama, max_steps=3, eval_every=0, watch_images=0, on="slurm", gpus=2)
    )
    asked = GenerateSettings(split="test", max_new_tokens=8, batch_size=2, on="slurm", gpus=2)
    describing = submit_generate(data, db, asked, after_job_id=job.id)
    done = watched(data, db, job, is_over)
    assert (done.state, done.step, done.result["gpus"]) == (JobState.DONE, 3, 2)
    assert dict(losses(db, job.id)) == pytest.approx(dict(losses(db, here.id)), rel=2e-5)
    runs_on = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert len(runs_on) == 1 and runs_on[0].startswith("Runs on n[1-2] as Slurm job")
    assert "rank 1 of 2" in (data.job(job.id) / "log-rank1.txt").read_text()
    check_rows(data, db, job, tmp_path)
    described = watched(data, db, describing, is_over)
    assert described.state is JobState.DONE and len(texts.finished(db, describing.id)) == 16
    run = run_of(data, described)
    assert len(list(run.journal.glob("*.rank-*"))) == 2  # each machine wrote its own
    own, replayed = rows(db, describing.id)["texts"], rows_of_files(run, tmp_path)["texts"]
    assert sorted(own, key=repr) == sorted(replayed, key=repr)


def launchers(run: RunFolder) -> dict[int, int]:
    """Process number of the launcher of each machine of a job, by the machine's number."""
    lines = subprocess.run(
        ["pgrep", "-af", f"^{sys.executable} .*process.node --data-dir {run.root} "],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return {int(line.split("--node ")[1].split()[0]): int(line.split()[0]) for line in lines}


def described(run: RunFolder) -> list[tuple[str, int, int]]:
    """File, case and arm of every text that any process ever wrote, counting or not."""
    return [
        (path.name, text["case_id"], text["arm"])
        for path in journal.files(run.journal)
        for line in journal.read(path)
        if line.entry.kind == "described"
        for text in line.entry.facts["texts"]
    ]


@pytest.mark.parametrize("lost", [1, 0])
def test_a_node_that_is_lost_while_describing_costs_its_unfinished_cases_alone(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, worker: Worker,
    held: Path, lost: int, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("HELD_TEXTS", f"8 {held}")
    fill(data, train=24, test=24, dataset="more")
    train = new_job(data, train_settings(mllama, max_steps=1, eval_every=0, watch_images=0))
    worker(train)
    jobs.end(db, train.id, JobState.DONE)
    asked = GenerateSettings(
        train_job=train.id, dataset="more", split="test", max_new_tokens=4, batch_size=2, on="slurm", gpus=2
    )
    job = submit_generate(data, db, asked)
    run = run_of(data, job)
    # They wait with four batches each.
    wait_until(lambda: len(described(run)) >= 16, "texts of both machines")
    before = described(run)
    first_files = {name for name, _, _ in before}
    os.kill(launchers(run)[lost], signal.SIGKILL)
    held.unlink()
    done = watched(data, db, job, is_over)
    assert done.state is JobState.DONE and len(texts.finished(db, job.id)) == 48
    said = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert "A machine was lost; Slurm starts the job again" in said
    written = described(run)
    assert len({text[1:] for text in written}) == len(written) == 48  # none is written twice
    again = [text for text in written if text[0] not in first_files]
    assert len(again) == 24 - 8  # what the lost one had not finished; the other did all of its part
    check_rows(data, db, job, tmp_path)


@pytest.mark.faults
def test_a_node_that_is_lost_beside_others_costs_no_step(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, held: Path
) -> None:
    changes = {"max_steps": 8, "eval_every": 0, "watch_images": 0}
    job = submit_train(data, db, train_settings(mllama, **changes, on="slurm", gpus=2))
    watched(data, db, job, lambda job: job.step >= 5)
    os.kill(launchers(run_of(data, job))[1], signal.SIGKILL)
    held.unlink()
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 8)
    said = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind in ("cluster", "resume")]
    assert "A machine was lost; Slurm starts the job again" in said
    assert "Resumed from the checkpoint of step 4" in said
    assert [step for step, _ in losses(db, job.id)] == list(range(1, 9))
    check_rows(data, db, job, tmp_path)


@pytest.mark.faults
def test_a_node_whose_daemon_is_killed_with_all_it_runs_costs_no_step(
    data: DataDir,
    db: sqlite3.Connection,
    mllama: Path,
    profile: Path,
    tmp_path: Path,
    worker: Worker,
    held: Path,
) -> None:
    changes = {"max_steps": 8, "eval_every": 0, "watch_images": 0}
    job = submit_train(data, db, train_settings(mllama, **changes, on="slurm"))
    running = watched(data, db, job, lambda job: job.step >= 5)
    facts = running.result["slurm"]
    assert isinstance(facts, dict) and running.pid
    named = [f"^slurmd -N {facts['nodes']} ", f"^slurmstepd: \\[{facts['id']}\\."]
    found = [
        subprocess.run(["pgrep", "-f", each], capture_output=True, text=True, check=True) for each in named
    ]
    subprocess.run(
        ["kill", "-9", *found[0].stdout.split(), *found[1].stdout.split(), str(running.pid)], check=True
    )
    held.unlink()
    try:
        done = watched(data, db, job, is_over)
        assert (done.state, done.step) == (JobState.DONE, 8)
        said = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind in ("cluster", "resume")]
        assert "start 2" in said[1] and said[2] == "Resumed from the checkpoint of step 4"
        check_rows(data, db, job, tmp_path)
        whole = new_job(data, train_settings(mllama, **changes))
        worker(whole)
        assert losses(db, job.id) == losses(db, whole.id)
    finally:
        started(f"slurmd -N {facts['nodes']}")  # for the tests that follow
