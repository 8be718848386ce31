"""A real SSH session is killed: training goes on, ratings are there."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from radtui.jobs import reconcile
from radtui.records import JobState
from radtui.store import jobs
from radtui.store.database import connect
from tests.bench.pseudo_terminal import Terminal
from tests.faults.folder import build
from tests.faults.harness import CLI, REPOSITORY, Facts, NotHere, rows
from tests.faults.workers import FORKED, prepare, tiny_model
from tests.worker.conftest import LIMIT_S, fill

TRAIN = (
    "--model", "{model}", "--dataset", "shapes", "--instruction", "Describe what you see.", "--max-steps", "30",
    "--batch-size", "4", "--no-load-in-4bit", "--optimizer", "adamw_torch", "--gradient-checkpointing", "off",
)  # fmt: skip


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[list[str]]:
    """An SSH server of this user on the loopback, with a key of its own; the client's command line."""
    server = shutil.which("sshd") or next((p for p in ("/usr/sbin/sshd",) if Path(p).exists()), None)
    if server is None or shutil.which("ssh") is None:
        raise NotHere("no SSH server is installed")
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    (folder / "authorized").chmod(0o600)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen(
        [server, "-D", "-p", str(port), "-h", str(folder / "host"), "-o", "ListenAddress=127.0.0.1", "-o", "UsePAM=no",
         "-o", f"AuthorizedKeysFile={folder / 'authorized'}", "-o", "StrictModes=no", "-o", "PermitRootLogin=yes",
         "-o", f"PidFile={folder / 'pid'}", "-f", "/dev/null"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    client = [
        "ssh", "-tt", "-p", str(port), "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no", 
        "-o", "BatchMode=yes", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        f"{getpass.getuser()}@127.0.0.1",
    ]  # fmt: skip
    try:
        for _ in range(100):
            if subprocess.run([*client, "true"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        else:
            raise NotHere("the SSH server does not let this user in")
        yield client
    finally:
        process.kill()
        process.wait()


def ssh_sessions(scratch: Path, rounds: int) -> Facts:
    """A real SSH session is killed in mid-training and in mid-rating: training ends well, saved answers are there."""
    saved = trained = 0
    prepare()
    with ssh_server(scratch / "ssh") as client:
        for number in range(rounds):
            data = build(scratch / str(number), pairs=40)
            fill(data)
            own = f"RADTUI_CONFIG={scratch / 'config.toml'}"  # a session inherits none, and would use the user's
            place = f"cd {REPOSITORY} && PYTHONPATH={REPOSITORY} {own} OMP_NUM_THREADS=1 TERM=xterm-256color"
            if number % 2:  # its worker is forked, which takes no seconds to load
                place += "".join(f" {name}={os.environ[name]}" for name in ("FORKED_SOCKET", "FORKED_PYTHON"))
            program = [str(FORKED / "python"), *CLI[1:]] if number % 2 else CLI
            call = [*program, "--data-dir", str(data.root)]
            options = [word.format(model=tiny_model()) for word in TRAIN]
            line = f"{place} {shlex.join([*call, 'train', *options, '--wait'])}"
            with Terminal([*client, line], 120, 40) as session:
                _until(data, lambda job: job is not None and job.step > 2)
                os.kill(session.pid, signal.SIGKILL)
            with Terminal([*client, f"{place} {shlex.join([*call, '--rater', 'ana'])}"], 120, 40) as session:
                session.settle(quiet_s=1.0, first_s=30)
                session.press("r", quiet_s=0.7)
                for key in "1245":
                    saved += b"Saved: " in session.press(key, patience_s=2.0, quiet_s=0.2).text
                os.kill(session.pid, signal.SIGKILL)
            _until(data, lambda job: job is not None and job.state is JobState.DONE)
            trained += 1
        stored = sum(len(rows(build_at)) for build_at in _folders(scratch, rounds))
    assert saved and stored >= saved, f"{saved} were called saved, {stored} are there"
    return {
        "sessions killed": 2 * rounds,
        "trained to the end": trained,
        "answers called saved": saved,
        "lost": 0,
    }


def _folders(scratch: Path, rounds: int):
    from radtui.paths import DataDir

    return [DataDir(scratch / str(number)) for number in range(rounds)]


def _until(data, holds) -> None:
    end = time.monotonic() + LIMIT_S
    with contextlib.closing(connect(data)) as db:
        while time.monotonic() < end:
            reconcile(data, db)
            newest = next((job for job in jobs.all_jobs(db) if job.kind == "train"), None)
            if holds(newest):
                return
            time.sleep(0.1)
    raise AssertionError(f"the training job is {newest and newest.state}: {newest and newest.error}")
