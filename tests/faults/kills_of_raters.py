"""SIGKILL while somebody rates: by the session itself, and by keys in the app."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from pathlib import Path

from radtui.store.database import connect
from radtui.study.unsaved import Unsaved
from tests.faults.failing import Failing
from tests.faults.folder import build
from tests.faults.harness import RATER, Facts, app, rating, rows, times, told_until


def kills_while_rating(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at random moments of rating: every answer that was called saved is there, once."""
    data, chance, saved = build(scratch / "data"), random.Random(1), []
    for _ in range(rounds):
        saved += times(told_until(rating(data), chance.uniform(0, 0.2)), "saved")
        stored = rows(data)
        assert len(stored) == len(set(stored)) and set(saved) <= set(stored)
    return {"kills": rounds, "answers": len(saved), "lost": 0}


def kills_of_the_app(scratch: Path, rounds: int) -> Facts:
    """SIGKILL of the app at random moments of rating by keys: every answer that the screen called saved is there."""
    data, chance, called_saved = build(scratch / "data", pairs=2_000), random.Random(5), 0
    for _ in range(rounds):
        before, saved = len(rows(data)), 0
        with app(data) as terminal:
            terminal.settle(quiet_s=0.3, first_s=20)
            terminal.press("r", quiet_s=0.3)
            keys, end = itertools.cycle("1245"), time.monotonic() + chance.uniform(0.05, 1.0)
            # Each another answer than the one before, so that its frame is seen.
            while time.monotonic() < end:
                saved += b"Saved: " in terminal.press(next(keys), patience_s=1.0, quiet_s=0.02).text
            terminal.write(next(keys))
            time.sleep(chance.uniform(0, 0.03))
            os.kill(terminal.pid, signal.SIGKILL)
        stored = len(rows(data)) - before
        assert stored >= saved, f"{saved} answers were called saved, {stored} are there"
        called_saved += saved
    assert called_saved, "no answer was seen to be saved"
    return {"kills": rounds, "answers called saved": called_saved, "lost": 0}


def kills_while_keeping(scratch: Path, rounds: int) -> Facts:
    """SIGKILL at writes and syncs of the file that answers wait in: each called kept is put in later, once."""
    state = scratch / "state"
    os.environ["XDG_STATE_HOME"] = str(state)
    shim, chance, saved, kept = Failing(scratch), random.Random(37), 0, 0
    data, away = build(scratch / "data", pairs=40), scratch / "away"
    for number in range(rounds):
        kind = ("write", "sync")[number % 2]
        more = shim.killing(state / "radtui" / "unsaved", kind, chance.randint(1, 30))
        process = rating(data, {**os.environ, **more})
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        data.root.rename(away)
        lines += [process.stdout.readline() for _ in range(40)]  # none is left to come where it was killed
        process.kill()
        lines += process.stdout.read().split("\n")[:-1]
        process.wait()
        away.rename(data.root)
        with contextlib.closing(connect(data)) as db:
            Unsaved(data, RATER).deliver(db)
            assert not Unsaved(data, RATER).waits
        stored, told = rows(data), [times(lines, what) for what in ("saved", "kept")]
        assert len(stored) == len(set(stored)), f"{kind}: some are there twice"
        assert {each for some in told for each in some} <= set(stored), f"{kind}: some are lost"
        saved, kept = saved + len(told[0]), kept + len(told[1])
    assert kept
    return {"kills": rounds, "saved": saved, "kept and put in": kept, "lost": 0, "twice": 0}
