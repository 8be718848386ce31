"""SIGKILL while somebody rates: by the session itself, and by keys in the app."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from pathlib import Path

from tests.faults.folder import build
from tests.faults.harness import Facts, app, rating, rows, times, told_until


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
