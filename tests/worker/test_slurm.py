"""Jobs under a real Slurm of two nodes on this machine: lost nodes, time limits, cancelling, killed collectors."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radtui.cluster import collect, slurm, watching
from radtui.cluster.run_folder import RunFolder
from radtui.jobs import reconcile, resume, stop, submit_generate, submit_train
from radtui.paths import DataDir
from radtui.records import Job, JobState, StopRequest, UserError
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics, texts
from radtui.store.database import connect

from .cluster import rows, rows_of_files
from .conftest import LIMIT_S, REPOSITORY, Worker, new_job, train_settings

NEEDED = ("sbatch", "slurmctld", "slurmd", "munge", "munged", "runuser")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.true_start,
    pytest.mark.skipif(bool(MISSING), reason=f"Slurm is not installed: no {', '.join(MISSING)}"),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can start a Slurm of its own"),
]

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdTimeout=10
InactiveLimit=0
KillWait=5
OverTimeLimit=0
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
NodeName=n1,n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=1 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


COLLECTOR = """
import sys
from pathlib import Path
from radtui.jobs import reconcile
from radtui.paths import DataDir
from radtui.store.database import connect
data = DataDir(Path(sys.argv[1]))
db = connect(data)
while True:
    reconcile(data, db)
"""  # it dies wherever it is


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = 0.0) -> None:
    end = time.monotonic() + (limit_s or LIMIT_S)
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)


def idle_nodes() -> str:
    return subprocess.run(
        ["sinfo", "-h", "-t", "idle", "-o", "%D"], capture_output=True, text=True, check=False
    ).stdout.strip()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Slurm of two nodes, of one core each; the folder of its configuration."""
    folder, host = tmp_path_factory.mktemp("slurm"), socket.gethostname().split(".")[0]
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    first = free_port()
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(host=host, folder=folder, port=free_port(), first=first, last=first + 1)
    )
    if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode:
        Path("/run/munge").mkdir(exist_ok=True)
        shutil.chown("/run/munge", "munge", "munge")
        subprocess.run(["runuser", "-u", "munge", "--", "munged"], check=True)
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(configuration)
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in (["slurmctld", "-D"], ["slurmd", "-D", "-N", "n1"], ["slurmd", "-D", "-N", "n2"]):
            daemons.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_until(lambda: idle_nodes() == "2", "the nodes of the test's Slurm", 60)
        yield folder
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait()
        os.environ.pop("SLURM_CONF")
        if before is not None:
            os.environ["SLURM_CONF"] = before


@pytest.fixture
def profile(cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file with a profile of the cluster; jobs' folders lie outside of the data folder."""
    config = tmp_path / "config.toml"
    config.write_text(
        f'[slurm.test]\npartition = "debug"\ngres = ""\nfolder = "{tmp_path}/shared"\nsave_before_s = 0\n'
    )
    monkeypatch.setenv("RADTUI_CONFIG", str(config))
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    )
    monkeypatch.setattr(watching, "ASK_S", 0.5)
    return config


@pytest.fixture
def db(data: DataDir) -> sqlite3.Connection:
    return connect(data)


def watched(data: DataDir, db: sqlite3.Connection, job: Job, done: Callable[[Job], bool]) -> Job:
    """Look at a job as the app does until a condition holds."""
    now = job

    def holds() -> bool:
        nonlocal now
        reconcile(data, db)
        now = jobs.must_get(db, job.id)
        return done(now)

    log = data.log(job.id)
    try:
        wait_until(holds, "the job")
    except AssertionError as error:
        text = log.read_text()[-2000:] if log.exists() else "no log"
        raise AssertionError(f"{now}\n{text}") from error
    return now


def is_over(job: Job) -> bool:
    facts = job.result.get("slurm")
    return not job.state.live and isinstance(facts, dict) and bool(facts["over"])


def run_of(data: DataDir, job: Job) -> RunFolder:
    run = collect.folder_of(data, job)
    assert run is not None
    return run


def check_rows(data: DataDir, db: sqlite3.Connection, job: Job, scratch: Path) -> None:
    """The database has what the event files have, row for row."""
    assert rows(db, job.id) == rows_of_files(run_of(data, job), scratch)


def losses(db: sqlite3.Connection, job_id: int) -> list[tuple[int, float | None]]:
    return [(m.step, m.value) for m in metrics.since(db, job_id, 0) if m.name == "loss"]


def test_trained_and_described_on_slurm(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, worker: Worker
) -> None:
    here = new_job(data, train_settings(mllama))
    worker(here)
    job = submit_train(data, db, train_settings(mllama, on="slurm"))
    assert job.state is JobState.STARTING and "Handed to Slurm as job" in job.message
    describing = submit_generate(
        data,
        db,
        GenerateSettings(split="test", max_new_tokens=8, batch_size=4, on="slurm"),
        after_job_id=job.id,
    )
    assert describing.state is JobState.QUEUED
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 6)
    assert losses(db, job.id) == losses(db, here.id)
    runs_on = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert len(runs_on) == 1 and runs_on[0].startswith("Runs on n")
    described = watched(data, db, describing, is_over)
    assert described.state is JobState.DONE and len(texts.finished(db, describing.id)) == 16
    check_rows(data, db, job, tmp_path)
    check_rows(data, db, described, tmp_path)


def test_a_lost_node_costs_no_step(
    data: DataDir,
    db: sqlite3.Connection,
    mllama: Path,
    profile: Path,
    tmp_path: Path,
    worker: Worker,
    held: Path,
) -> None:
    settings = train_settings(mllama, max_steps=8, eval_every=0, watch_images=0)
    job = submit_train(
        data, db, train_settings(mllama, max_steps=8, eval_every=0, watch_images=0, on="slurm")
    )
    running = watched(data, db, job, lambda job: job.step >= 5)
    facts = running.result["slurm"]
    assert isinstance(facts, dict) and running.pid
    os.kill(running.pid, 9)
    subprocess.run(["scontrol", "requeue", str(facts["id"])], check=True)
    held.unlink()
    waiting = watched(data, db, job, lambda job: job.state is JobState.STARTING or is_over(job))
    assert waiting.state is JobState.STARTING and waiting.message
    killed = subprocess.Popen([sys.executable, "-c", COLLECTOR, str(data.root)], cwd=REPOSITORY)
    time.sleep(3)
    killed.kill()
    killed.wait()
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 8)
    assert [e.step for e in metrics.events_since(db, job.id, 0) if e.kind == "resume"] == [4]
    check_rows(data, db, job, tmp_path)
    whole = new_job(data, settings)
    worker(whole)
    assert losses(db, job.id) == losses(db, whole.id)


def test_cancelled_by_others_stopped_and_resumed(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, held: Path
) -> None:
    job = submit_train(
        data, db, train_settings(mllama, max_steps=12, eval_every=0, watch_images=0, on="slurm")
    )
    running = watched(data, db, job, lambda job: job.step >= 5)
    facts = running.result["slurm"]
    assert isinstance(facts, dict)
    slurm.cancel(int(facts["id"]))
    cancelled = watched(data, db, job, is_over)
    assert cancelled.state is JobState.STOPPED and "not by radtui" in cancelled.message
    check_rows(data, db, job, tmp_path)
    resume(data, db, job.id)
    watched(data, db, job, lambda job: job.state is JobState.RUNNING)
    stop(data, db, job.id, StopRequest.CHECKPOINT)
    held.unlink()
    stopped = watched(data, db, job, is_over)
    assert stopped.state is JobState.STOPPED and "not by radtui" not in stopped.message
    assert (data.checkpoints(job.id) / f"checkpoint-{stopped.step}").is_dir() and stopped.step < 12
    resume(data, db, job.id)
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 12)
    assert [step for step, _ in losses(db, job.id)] == list(range(1, 13))
    check_rows(data, db, job, tmp_path)


def test_what_waits_in_slurm_says_why_and_leaves_the_queue(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path
) -> None:
    profile.write_text(profile.read_text() + 'sbatch = ["--begin=now+1hour"]\n')
    job = submit_train(data, db, train_settings(mllama, on="slurm"))
    waiting = watched(data, db, job, lambda job: job.message.startswith("Waits in Slurm"))
    assert "(BeginTime), expected to start 20" in waiting.message
    stop(data, db, job.id)
    assert "Taken out of Slurm's queue" in jobs.must_get(db, job.id).message
    assert watched(data, db, job, is_over).state is JobState.STOPPED


def test_what_slurm_refuses_is_a_sentence(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path
) -> None:
    profile.write_text(profile.read_text().replace("debug", "nowhere"))
    with pytest.raises(UserError, match=r"Slurm refuses sbatch: .*partition"):
        submit_train(data, db, train_settings(mllama, on="slurm"))
    failed = jobs.all_jobs(db)[0]
    assert failed.state is JobState.FAILED and "partition" in failed.error
    with pytest.raises(UserError, match="radtui fetch org/name here first"):
        submit_train(data, db, train_settings("org/name", on="slurm"))
    assert len(jobs.all_jobs(db)) == 1  # it never was a job


@pytest.mark.timeout(900)
def test_the_time_limit_saves_and_slurm_starts_it_again(
    data: DataDir, db: sqlite3.Connection, mllama: Path, profile: Path, tmp_path: Path, held: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # Slurm's limits are of whole minutes, it sends the signal up to a minute early, and lets a job that is queued again
    # wait for a while.
    monkeypatch.setattr(sys.modules[__name__], "LIMIT_S", 600.0)
    profile.write_text(profile.read_text().replace("save_before_s = 0", 'save_before_s = 10\ntime = "2"'))
    job = submit_train(
        data, db,
        train_settings(mllama, max_steps=12, eval_every=0, watch_images=0, checkpoint_every=0, on="slurm"),
    )  # fmt: skip
    watched(data, db, job, lambda job: job.step >= 5)
    warned = run_of(data, job).data.job(job.id)
    wait_until(lambda: any(warned.glob("time-is-up.*")), "Slurm's warning")
    held.unlink()
    done = watched(data, db, job, is_over)
    assert (done.state, done.step) == (JobState.DONE, 12)
    said = [e.text for e in metrics.events_since(db, job.id, 0) if e.kind == "cluster"]
    assert "Saved before the time limit; Slurm starts the job again" in said and "start 2" in said[-1]
    assert [step for step, _ in losses(db, job.id)] == list(range(1, 13))
    check_rows(data, db, job, tmp_path)
