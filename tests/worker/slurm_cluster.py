"""A real Slurm of two nodes on this machine, for tests: its fixtures, and looking at its jobs as the app does."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from radtui.cluster import asking, collect
from radtui.cluster.run_folder import RunFolder
from radtui.jobs import reconcile
from radtui.paths import DataDir
from radtui.records import Job
from radtui.store import jobs, metrics

from .cluster import rows, rows_of_files
from .places import LIMIT_S, REPOSITORY

NEEDED = ("sbatch", "slurmctld", "slurmd", "munge", "munged", "runuser")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
ON_SLURM = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.true_start,
    pytest.mark.skipif(bool(MISSING), reason=f"Slurm is not installed: no {', '.join(MISSING)}"),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can start a Slurm of its own"),
]

# A job that is queued again waits until its credential has expired: seconds instead of two minutes. Limits of time are
# looked at every 30 s, so one of a minute is over after 60 to 90.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=cred_expire=5
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
SchedulerParameters=bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
NodeName=n1,n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=1 RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


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


_daemons: list[subprocess.Popen[bytes]] = []


def started(daemon: str) -> None:
    """Start one of Slurm's daemons, which ends with the cluster."""
    command = [*daemon.split(), "-D"]
    _daemons.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))


@pytest.fixture(scope="session")
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
    try:
        for daemon in ("slurmctld", "slurmd -N n1", "slurmd -N n2"):
            started(daemon)
        wait_until(lambda: idle_nodes() == "2", "the nodes of the test's Slurm", 60)
        yield folder
    finally:
        subprocess.run(["scancel", f"--user={os.getuid()}"], check=False)  # what a test that failed has left
        end = time.monotonic() + 20
        while (
            subprocess.run(["squeue", "-h"], capture_output=True, check=False).stdout
            and time.monotonic() < end
        ):
            time.sleep(0.2)
        for process in reversed(_daemons):
            process.terminate()
        for process in _daemons:
            process.wait()
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
    monkeypatch.setattr(asking, "ASK_S", 0.5)
    return config


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
    """The database has what the event files have, row for row; texts of several processes in any order."""
    own, replayed = rows(db, job.id), rows_of_files(run_of(data, job), scratch)
    for each in (own, replayed):
        each["texts"].sort(key=repr)
    for table, its_rows in own.items():
        assert its_rows == replayed[table], table


def losses(db: sqlite3.Connection, job_id: int, series_end: str = "") -> list[tuple[int, float | None]]:
    return [(m.step, m.value) for m in metrics.since(db, job_id, 0) if m.name == f"loss{series_end}"]
