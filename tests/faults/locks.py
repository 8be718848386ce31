"""Another program holds the database."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from radtui.store.database import connect
from radtui.study.unsaved import Unsaved
from tests.faults.failing import LOCK, Failing
from tests.faults.folder import build
from tests.faults.harness import (
    RATER,
    REPOSITORY,
    Facts,
    app,
    radtui,
    rating,
    rows,
    said_in_a_sentence,
    times,
    told_until,
)

WAITED_S = 6.0


def lock_held(scratch: Path, rounds: int) -> Facts:
    """Another program holds the database: reading goes on, writing waits its time and then is a sentence."""
    data = build(scratch / "data")
    told_until(rating(data), 0.2)
    with contextlib.closing(sqlite3.connect(data.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert radtui(data, "stats")[0] == 0 and radtui(data, "jobs", "list")[0] == 0
        if rounds > 1:  # waits half a minute
            said = said_in_a_sentence(data, "import", "phantoms:1")
            assert "Another program is writing" in said, said
    return {"count": 1, "commands": 3 if rounds > 1 else 2}


def locked_while_rating(scratch: Path, rounds: int) -> Facts:
    """The database is locked for some seconds under the app: no key is held up, answers wait in order, none is lost."""
    data, slowest_ms, waited = build(scratch / "data", pairs=60), 0.0, 0
    typed = "1245" * 3
    with (
        app(data) as terminal,
        contextlib.closing(sqlite3.connect(data.database, isolation_level=None)) as other,
    ):
        terminal.settle(first_s=20)
        terminal.press("r", quiet_s=0.5)
        terminal.press("1", quiet_s=0.3)
        assert len(rows(data)) == 1
        other.execute("BEGIN IMMEDIATE")
        began, seen = time.monotonic(), b""
        for key in typed:
            answer = terminal.press(key, patience_s=1.0, quiet_s=0.05)
            seen += answer.text
        while time.monotonic() - began < rounds:
            for key in ("?", "\x1b"):  # help opens and closes
                answer = terminal.press(key, patience_s=3.0, quiet_s=0.3)
                assert answer.text, "the screen is frozen"
                slowest_ms = max(slowest_ms, answer.ms)
                waited += 1
        seen += terminal.press("q", quiet_s=0.5).text  # is warned, not left
        other.execute("ROLLBACK")
        seen += terminal.settle(quiet_s=1.5)
    assert b"answers wait" in seen, "the screen does not say for what answers wait"
    assert len(rows(data)) == 1 + len(typed), f"{len(rows(data))} of {1 + len(typed)} answers are there"
    return {
        "locked s": rounds, "answers that waited": len(typed), "lost": 0, "other keys": waited,
        "slowest of them ms": round(slowest_ms),
    }  # fmt: skip


def failing_locks(scratch: Path, rounds: int) -> Facts:
    """A lock server fails at times, or from a moment on: each answer called saved is there, once; then all goes on."""
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    shim, chance, saved, kept, ended = Failing(scratch), random.Random(34), 0, 0, 0
    data = build(scratch / "data", pairs=40)
    told_until(rating(data, {**os.environ, **shim.counting(data.root)}, "--most", "20"), 2.0)
    most = shim.counted()[LOCK]
    for number in range(rounds):
        before = rows(data)
        more = shim.environment(data.root, LOCK, chance.randint(1, most), once=bool(number % 2))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.rate", str(data.root), RATER, "--most", "20"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env={**os.environ, **more},
        )  # fmt: skip
        try:
            printed, said = process.communicate(timeout=WAITED_S)
        except subprocess.TimeoutExpired:  # it waits for its lock, as for another program's
            process.kill()
            printed, said = process.communicate()
        ended += process.returncode != 0
        lines = printed.splitlines()
        with contextlib.closing(connect(data)) as db:
            Unsaved(data, RATER).deliver(db)
        stored = rows(data)
        told = times(lines, "saved") + times(lines, "kept")
        assert len(stored) == len(set(stored)) and set(told) <= set(stored), f"{number}: {said[-300:]}"
        assert set(before) <= set(stored)
        saved, kept = saved + len(times(lines, "saved")), kept + len(times(lines, "kept"))
    assert len(told_until(rating(data), 0.2)) > 1
    return {
        "times": rounds,
        "saved": saved,
        "kept and put in": kept,
        "ended or waited": ended,
        "lost": 0,
        "twice": 0,
    }
