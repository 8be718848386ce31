"""Two radtuis of different versions at one data folder."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.bench.pseudo_terminal import Terminal
from tests.faults.folder import build
from tests.faults.harness import (
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

TOLD = b"kept answers"
NEWER = REPOSITORY / "tests" / "faults" / "newer_hook"


def newer_radtui(scratch: Path, rounds: int) -> Facts:
    """A newer radtui migrates under an open app and a rater: it is said, and what they answer goes to that one."""
    os.environ["XDG_STATE_HOME"] = str(scratch / "state")
    newer = {"PYTHONPATH": f"{NEWER}:{REPOSITORY}"}
    saved = kept = 0
    for number in range(rounds):
        data = build(scratch / str(number), pairs=40)
        process = rating(data)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(10)]
        with app(data, "dee") as terminal:
            terminal.settle(quiet_s=0.5, first_s=30)
            terminal.press("r", quiet_s=0.5)
            seen = terminal.press("1", patience_s=5, quiet_s=0.3).text
            assert b"Saved: " in _until(terminal, b"Saved: ", seen)
            code, printed = radtui(data, "stats", more=newer)
            assert code == 0, printed
            seen = b"".join(terminal.press(key, patience_s=5, quiet_s=0.4).text for key in "245")
            seen = _until(terminal, b"newer", seen)
            assert b"Saved: " not in seen and b"newer" in seen, "the screen does not say what happened"
            for key in ("d", "t", "J", "r"):
                seen += terminal.press(key, patience_s=5, quiet_s=0.3).text
            assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0), f"the app is gone: {seen[-600:]!r}"
            assert b"Traceback" not in seen, seen[-1500:]
        while not lines[-1].startswith("kept"):
            assert lines[-1], "rating ended"
            lines.append(process.stdout.readline())
        lines += told_until(process, 0.05)
        before = rows(data)
        for words in (["stats"], ["jobs", "list"], ["import", "phantoms:1"], ["check"]):
            assert "newer radtui" in said_in_a_sentence(data, *words)
        assert rows(data) == before
        for rater in ("dee", "ana"):
            with app(data, rater, newer) as terminal:
                seen = terminal.settle(quiet_s=0.5, first_s=30)  # it may open where it was left: in Review
                seen += terminal.press("r", patience_s=10, quiet_s=1.5).text
                assert TOLD in _until(terminal, TOLD, seen), f"{rater} is not told what came in"
        stored, told = rows(data), [times(lines, what) for what in ("saved", "kept")]
        assert len(stored) == len(set(stored)) and {time for each in told for time in each} <= set(stored)
        assert len(stored) == len(told[0]) + len(told[1]) + 4 + _untold(stored, told)
        saved, kept = saved + len(told[0]) + 1, kept + len(told[1]) + 3
    return {"times": rounds, "saved": saved, "kept and put in": kept, "lost": 0, "doubled": 0}


def _until(terminal: Terminal, words: bytes, seen: bytes) -> bytes:
    """What was seen, and what comes until the words are among it; on a busy machine that may take a while."""
    end = time.monotonic() + 30
    while words not in seen and time.monotonic() < end:
        seen += terminal.settle(quiet_s=0.5, limit_s=2)
    return seen


def _untold(stored: list[float], told: list[list[float]]) -> int:
    """Answers of the killed rater whose line was not whole: at most one."""
    there = len(stored) - len(told[0]) - len(told[1]) - 4
    assert 0 <= there <= 1, there
    return there
