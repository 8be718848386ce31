"""Another program holds the database."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

from tests.faults.folder import build
from tests.faults.harness import Facts, app, radtui, rating, rows, said_in_a_sentence, told_until


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
