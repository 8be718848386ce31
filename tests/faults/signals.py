"""Signals to the app and to workers: whoever is told to end leaves in order, and a stopped program goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from radtui.jobs import launch, reconcile, resume
from radtui.records import JobKind, JobState
from radtui.settings import ImportSettings
from radtui.store import jobs
from radtui.store.database import connect
from tests.bench.pseudo_terminal import Terminal
from tests.conftest import drawn_png
from tests.faults.folder import build
from tests.faults.harness import LIMIT_S, Facts, app, rows
from tests.faults.workers import forked_workers, run_to_end

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
ENTERS, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"  # the alternate screen
IMAGES = 300


def signals_to_the_app(scratch: Path, rounds: int) -> Facts:
    """SIGTERM, SIGHUP and SIGINT end the app with the terminal as it was and every answer saved; SIGTSTP stops it."""
    data, saved = build(scratch / "data", pairs=40 * rounds), 0
    for number in range(rounds):
        for kind in ENDING:
            before, typed = len(rows(data)), 0
            with app(data) as terminal:
                seen = terminal.settle(quiet_s=0.4, first_s=30) + terminal.press("r", quiet_s=0.4).text
                for key in "1245"[: 1 + number % 4]:
                    seen += (text := terminal.press(key, patience_s=3.0, quiet_s=0.1).text)
                    typed += b"Saved: " in text
                os.kill(terminal.pid, signal.SIGTSTP)
                seen += _until(terminal, lambda terminal=terminal: _is_stopped(terminal))
                os.kill(terminal.pid, signal.SIGCONT)
                seen += terminal.settle(quiet_s=0.5, first_s=10)
                assert seen.rfind(ENTERS) > seen.rfind(LEAVES), "it does not come back"
                seen += (text := terminal.press("2", patience_s=5.0, quiet_s=0.2).text)
                typed += b"Saved: " in text
                os.kill(terminal.pid, kind)
                last, code = _left(terminal)
                seen += last
            assert seen.rfind(LEAVES) > seen.rfind(ENTERS), f"{kind.name}, {code}: {last[-200:]!r}"
            assert b"Traceback" not in last, last[-800:]
            stored = len(rows(data)) - before
            assert stored >= typed, f"{kind.name}: {typed} answers were called saved, {stored} are there"
            saved += typed
    return {"signals": 3 * rounds, "answers called saved": saved, "lost": 0}


def _until(terminal: Terminal, holds: Callable[[], bool]) -> bytes:
    """What a program writes until something is so."""
    end, written = time.monotonic() + 20, b""
    while not holds():
        assert time.monotonic() < end, "it does not stop"
        written += terminal.read(0.05)
    return written + terminal.settle(quiet_s=0.1)


def _is_stopped(terminal: Terminal) -> bool:
    return psutil.Process(terminal.pid).status() == psutil.STATUS_STOPPED


def _left(terminal: Terminal) -> tuple[bytes, int]:
    """What a program writes until it is gone, and its exit code, negative for a signal."""
    end, written = time.monotonic() + 40, b""
    while time.monotonic() < end:
        written += terminal.read(0.05)
        child, status = os.waitpid(terminal.pid, os.WNOHANG)
        if child:
            while part := terminal.read(0.1):
                written += part
            return written, os.waitstatus_to_exitcode(status)
    raise AssertionError("the app is still there")


def signals_to_workers(scratch: Path, rounds: int) -> Facts:
    """Signals to a worker: it ends with a row that says so, and goes on with what is missing; SIGTSTP only stops it."""
    source = scratch / "source"
    source.mkdir()
    for number in range(IMAGES):
        (source / f"{number}.png").write_bytes(drawn_png(number))
    sent = 0
    with forked_workers():
        for number in range(rounds):
            data = build(scratch / str(number), pairs=2)
            with contextlib.closing(connect(data)) as db:
                settings = ImportSettings(source=str(source), name="signalled").to_dict()
                job = jobs.create(db, JobKind.IMPORT, "import", "signalled", settings)
                jobs.settle(db, job.id, JobState.LOST, "It was never started.")
                for kind in (*ENDING, signal.SIGTSTP):
                    if jobs.must_get(db, job.id).state is JobState.DONE:
                        break
                    resume(data, db, job.id)
                    _until_it_runs(data, db, job.id)
                    pid = jobs.must_get(db, job.id).pid
                    assert pid
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, kind)
                        if kind is signal.SIGTSTP:
                            time.sleep(0.3)
                            os.kill(pid, signal.SIGCONT)
                    sent += 1
                    _until_over(data, db, job.id)
                    now = jobs.must_get(db, job.id)
                    assert now.state in (JobState.STOPPED, JobState.LOST, JobState.DONE), (
                        f"{kind.name}: {now}"
                    )
                if jobs.must_get(db, job.id).state is not JobState.DONE:
                    run_to_end(data, db, job.id)
                there = db.execute("SELECT count(*) FROM cases WHERE dataset = 'signalled'").fetchone()[0]
                assert there == IMAGES, there
            rows(data)
    return {"signals": sent, "lost": 0}


def _until_it_runs(data, db, job_id: int) -> None:
    end = time.monotonic() + LIMIT_S
    while jobs.must_get(db, job_id).state is JobState.STARTING:
        assert time.monotonic() < end
        launch.exit_code(job_id)
        time.sleep(0.005)


def _until_over(data, db, job_id: int) -> None:
    end = time.monotonic() + LIMIT_S
    while jobs.must_get(db, job_id).state.live:
        assert time.monotonic() < end, data.log(job_id).read_text()[-1000:]
        time.sleep(0.02)
        reconcile(data, db)
