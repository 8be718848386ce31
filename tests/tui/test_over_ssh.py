"""The app over a real SSH connection: what it asks the terminal holds nothing up, and what it says arrives."""

from __future__ import annotations

import base64
import fcntl
import os
import re
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.store import jobs
from tests.bench.pseudo_terminal import Terminal
from tests.faults.harness import REPOSITORY, NotHere
from tests.faults.ssh import ssh_server
from tests.tui.pixel_terminal import PixelTerminal
from tests.tui.seeding import add_images
from tests.tui.test_pixels import CELL_PX, Watched, answer

COLUMNS, ROWS = 100, 30
CLIPBOARD = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")
NO_BELL = re.compile(rb"\x1b\].*?\x07", re.DOTALL)  # the end of a sequence, which is not heard


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The command line of an SSH client that is let in on this machine."""
    try:
        with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as command:
            yield command
    except (NotHere, OSError) as error:
        pytest.skip(str(error))


@contextmanager
def far_away(client: list[str], data: DataDir, config: Path) -> Iterator[Watched]:
    """The app on the other side; its terminal has answered nothing yet."""
    app = shlex.join([sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", "ana"])
    there = f"cd {REPOSITORY} && PYTHONPATH={REPOSITORY} RADTUI_CONFIG={config} TERM=xterm-256color {app}"
    with Terminal([*client, there], COLUMNS, ROWS) as terminal:
        yield Watched(terminal, PixelTerminal(COLUMNS, ROWS, CELL_PX))


def test_a_terminal_that_is_slow_to_answer_has_its_first_frame_and_its_pixels_later(
    client: list[str], data: DataDir, db: sqlite3.Connection, tmp_path: Path
) -> None:
    add_images(data, db)
    with far_away(client, data, tmp_path / "config.toml") as app:
        app.read_until(lambda: "train-000" in app.text() and "▀" in app.text())
        assert b"\x1b[c" in app.got and not app.screen.images  # asked, and not waited for
        os.write(app.terminal.fd, answer("cells"))
        app.read_until(lambda: app.screen.images)
        app.settle()
        assert len(app.screen.images) == 1 and "train-000" in app.text()  # no answer was taken for a key


def test_a_copy_and_the_bell_cross_the_connection(
    client: list[str], data: DataDir, db: sqlite3.Connection, tmp_path: Path
) -> None:
    add_images(data, db)
    config = tmp_path / "config.toml"
    config.write_text("[app]\nbell_after_s = 0\n")
    job = jobs.create(db, JobKind.TRAIN, "far away", "chests", {"dataset": "chests"})
    jobs.begin(db, job.id, os.getpid())
    data.job(job.id).mkdir(parents=True)
    with data.lock(job.id).open("w") as lock, far_away(client, data, config) as app:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as its worker holds it: without, the job would be taken for lost
        app.read_until(lambda: "train" in app.text() and b"\x1b[c" in app.got)
        app.settle()
        os.write(app.terminal.fd, b"d")
        app.read_until(lambda: "A round opacity of size 0" in app.text())
        os.write(app.terminal.fd, b"y")
        app.read_until(lambda: CLIPBOARD.search(app.got))
        copied = CLIPBOARD.search(app.got)
        assert copied and base64.b64decode(copied[1]).decode() == "A round opacity of size 0."
        app.settle()
        app.got = b""
        jobs.end(db, job.id, JobState.DONE)
        app.read_until(lambda: b"\a" in NO_BELL.sub(b"", app.got))
