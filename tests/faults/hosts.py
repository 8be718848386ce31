"""Two machines work on one data folder, as on a network file system: one at a time, nothing is lost between them."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from radtui.paths import DataDir
from radtui.store import lease
from tests.faults.folder import build
from tests.faults.harness import REPOSITORY, Facts, rows, said_in_a_sentence, times, told_until

NO_LOCKS = REPOSITORY / "tests" / "faults" / "no_locks_hook"
ANSWERS = 10  # of each machine before it is harmed


def two_hosts(scratch: Path, rounds: int) -> Facts:
    """Two machines on one folder: the second is refused in a sentence, or follows one that is gone, which finds out."""
    saved = kept = sentences = 0
    for number in range(rounds):
        data = build(scratch / str(number), pairs=40)
        has_locks = number % 2 == 0
        first = _rating(data, "one", "ana", has_locks)
        told = [_line(first) for _ in range(ANSWERS)]
        for words in (["stats"], ["jobs", "list"], ["import", "phantoms:1"], ["backup", scratch / "copy"]):
            said = said_in_a_sentence(data, *words, more=_machine("two", has_locks))
            assert "one works on" in said, said
            sentences += 1
        if has_locks:  # its power is gone
            told += told_until(first, 0)
        else:  # it is held up, where locks do not reach across machines
            _hold_up(first, data)
            time.sleep(lease.CHECK_S + 0.5)
        _age(data)
        second = _rating(data, "two", "ben", has_locks)
        told += [_line(second) for _ in range(ANSWERS)]
        if not has_locks:
            first.send_signal(signal.SIGCONT)
            while not told[-1].startswith("kept"):
                told.append(_line(first))
            told += told_until(first, 0)
        told += told_until(second, 0)
        _age(data)
        back = _rating(data, "one", "ana", has_locks)  # and takes along what was kept for it
        told += [_line(back) for _ in range(ANSWERS)] + told_until(back, 0)
        _age(data)
        _delivered(data, has_locks)
        stored = rows(data)
        assert len(stored) == len(set(stored))
        for what in ("saved", "kept"):
            missing = set(times(told, what)) - set(stored)
            assert not missing, f"{len(missing)} answers that were {what}"
        saved, kept = saved + len(times(told, "saved")), kept + len(times(told, "kept"))
    return {"times": rounds, "sentences": sentences, "saved": saved, "kept and put in": kept, "lost": 0}


def _machine(name: str, has_locks: bool) -> dict[str, str]:
    hook = [] if has_locks else [str(NO_LOCKS)]
    return {
        lease.HOST_VARIABLE: name,
        lease.WHEN_VARIABLE: "always",
        "PYTHONPATH": os.pathsep.join([*hook, str(REPOSITORY)]),
    }


def _rating(data: DataDir, host: str, rater: str, has_locks: bool) -> subprocess.Popen[str]:
    environment: Mapping[str, str] = {**os.environ, **_machine(host, has_locks)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.rate", str(data.root), rater, "--per-s", "50"],
        stdout=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment,
    )  # fmt: skip


def _hold_up(process: subprocess.Popen[str], data: DataDir) -> None:
    """Stop a process, not within a transaction: its lock would hold up the other, which here is on the same machine."""
    while True:
        process.send_signal(signal.SIGSTOP)
        with contextlib.closing(sqlite3.connect(data.database, 0.5, isolation_level=None)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.003)
            else:
                db.execute("ROLLBACK")
                return


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, f"it has ended with {process.wait()}"
    return line


def _age(data: DataDir) -> None:
    """Let the last sign of life be older than a lease lasts."""
    with contextlib.suppress(FileNotFoundError):
        then = time.time() - 2 * lease.EXPIRES_S
        os.utime(data.root / lease.FILE, (then, then))


def _delivered(data: DataDir, has_locks: bool) -> None:
    """Put in what was kept, as the next session does."""
    program = (
        "import sys; from pathlib import Path; from radtui.paths import DataDir; from radtui.study.unsaved import"
        " Unsaved; from radtui.store.database import connect; data = DataDir(Path(sys.argv[1]));"
        " Unsaved(data, 'ana').deliver(connect(data))"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(data.root)], check=True, cwd=REPOSITORY,
        env={**os.environ, **_machine("one", has_locks)},
    )  # fmt: skip
