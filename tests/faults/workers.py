"""Workers forked from one process that has TRL loaded, a tiny model that they train, and jobs to kill."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil

from radtui.jobs import alive, launch, reconcile, resume
from radtui.paths import DataDir
from radtui.records import JobState
from radtui.store import jobs
from radtui.store.database import connect
from radtui.worker.process.environment import QUIET
from tests.faults.harness import LIMIT_S, REPOSITORY, rows

FORKED = REPOSITORY / "tests" / "worker" / "forked"
MAKE_MODEL = (
    "import sys; from pathlib import Path; from tests.worker.conftest import write_mllama;"
    " write_mllama(Path(sys.argv[1]))"
)
MAKE_ADAPTER = (
    "import sys; from pathlib import Path; from tests.worker.test_generate import random_adapter;"
    " Path(sys.argv[2]).mkdir(); random_adapter(Path(sys.argv[1]), Path(sys.argv[2]), 1)"
)
_MADE = tempfile.TemporaryDirectory(prefix="radtui-faults-")
_server: dict[str, subprocess.Popen[bytes]] = {}  # the one that is at work, once it is


@contextlib.contextmanager
def forked_workers() -> Iterator[None]:
    """Let jobs that this process, or a command of it, starts be forked instead of started anew."""
    prepare()
    before, launch.sys = launch.sys, SimpleNamespace(executable=str(FORKED / "python"))  # type: ignore
    try:
        yield
    finally:
        launch.sys = before  # type: ignore[attr-defined]


def prepare() -> None:
    """Start the process that workers are forked from, once for this one and its children, and make what they load."""
    if "process" in _server:
        return
    path = Path(_MADE.name) / "socket"
    os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    quiet = json.dumps({**QUIET, "OMP_WAIT_POLICY": "PASSIVE"})
    _server["process"] = server = subprocess.Popen(
        [sys.executable, "-P", str(FORKED / "server.py"), str(path)],
        env={**os.environ, "FORKED_QUIET": quiet},
    )
    atexit.register(server.kill)  # a child of this process that is forked for a fault leaves without
    tiny_adapter()
    end = time.monotonic() + LIMIT_S
    while not path.exists() and server.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    os.environ |= {"FORKED_SOCKET": str(path), "FORKED_PYTHON": sys.executable}


def forked_cpu_s() -> float:
    """CPU time of the workers that have ended, s; 0 where none was forked."""
    if "process" not in _server:
        return 0.0
    with contextlib.suppress(psutil.Error):
        used = psutil.Process(_server["process"].pid).cpu_times()
        return used.children_user + used.children_system
    return 0.0


def tiny_model() -> Path:
    """A Mllama of half a million parameters; made once."""
    folder = Path(_MADE.name) / "model"
    if not folder.exists():
        _made(MAKE_MODEL, folder)
    return folder


def tiny_adapter() -> Path:
    """An adapter of it that changes its texts; made once."""
    folder = Path(_MADE.name) / "adapter"
    if not folder.exists():
        _made(MAKE_ADAPTER, tiny_model(), folder)
    return folder


def _made(program: str, *paths: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", program, *map(str, paths)], check=True, cwd=REPOSITORY, capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def run_to_end(data: DataDir, db: sqlite3.Connection, job_id: int) -> float:
    """Resume a job and wait for its end; how long that took, s."""
    began = time.monotonic()
    if not jobs.must_get(db, job_id).state.live:
        resume(data, db, job_id)
    while jobs.must_get(db, job_id).state.live:
        assert time.monotonic() - began < LIMIT_S, data.log(job_id).read_text()[-2000:]
        time.sleep(0.02)
        reconcile(data, db)
    job = jobs.must_get(db, job_id)
    assert job.state is JobState.DONE, f"{job.state}: {job.error}\n{data.log(job_id).read_text()[-2000:]}"
    return time.monotonic() - began


def killed_to_its_end(data: DataDir, job_id: int, kills: int, whole_s: float, chance: random.Random) -> int:
    """Start a job, kill it at a random moment, resume it, and so on; the last time it may end. Returns the kills.

    After each kill the database must be whole, and the row must say that the job is over.
    """
    done = 0
    with contextlib.closing(connect(data)) as db:
        while done < kills and jobs.must_get(db, job_id).state is not JobState.DONE:
            resume(data, db, job_id)
            end = time.monotonic() + chance.uniform(0.02, whole_s)
            while time.monotonic() < end and jobs.must_get(db, job_id).state.live:
                time.sleep(0.01)
            launch._children[job_id].kill()
            _wait_until_gone(data, job_id)
            reconcile(data, db)
            assert not jobs.must_get(db, job_id).state.live
            rows(data)
            done += 1
        if jobs.must_get(db, job_id).state is not JobState.DONE:
            run_to_end(data, db, job_id)
    return done


def _wait_until_gone(data: DataDir, job_id: int) -> None:
    end = time.monotonic() + LIMIT_S
    while alive(data, job_id):
        assert time.monotonic() < end, f"the worker of job {job_id} outlived a SIGKILL"
        time.sleep(0.01)
