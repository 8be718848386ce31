"""Rating in the app as a process on a pseudo-terminal: a key a pair, and nothing lost when it is killed."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Callable

from radtui.paths import DataDir
from radtui.store import ratings
from tests.bench.pseudo_terminal import Terminal
from tests.unit.review_sessions import described
from tests.unit.test_store import study_of

SIDE = re.compile(rb"(base|tuned) text of (\d+)")  # what a pair's texts say: A's, then B's
Sides = list[tuple[bytes, bytes]]


def opened(data: DataDir, first: str = "dr") -> Terminal:
    """The app on Review, drawn anew: it may have opened there."""
    terminal = Terminal(
        [sys.executable, "-m", "radtui.cli", "--data-dir", str(data.root), "--rater", "ana"], 120, 40
    )
    terminal.until(lambda frame: b"radtui" in frame)
    terminal.write(first)
    return terminal


def next_pair(terminal: Terminal, before: Sides) -> Sides:
    """Wait for the frame with another pair; what stands left and right in it."""
    found: Sides = []

    def another(frame: bytes) -> bool:
        found[:] = SIDE.findall(frame)
        return len(found) == 2 and found != before

    terminal.until(another)
    return list(found)


def test_thirty_pairs_with_thirty_keys(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    job = described(db, add_images(30))
    keys, expected = "12345" * 6, []
    with opened(data) as terminal:
        sides: Sides = []
        for key in keys:
            sides = next_pair(terminal, sides)
            toward_b = int(key) - 3
            expected.append((int(sides[0][1]), toward_b if sides[1][0] == b"tuned" else -toward_b))
            terminal.write(key)
        next_pair(terminal, sides)
    rows = ratings.history(db, study_of(db, job).id, "ana")
    assert [(row.case_id, row.preference) for row in rows] == expected
    assert len({(row.case_id, row.occasion) for row in rows}) == 30


def test_killed_right_after_a_key_the_rating_is_there_and_the_same_pair_is_next(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    job = described(db, add_images(8))
    shown: Sides = []
    for round_ in range(1, 4):
        with opened(data) as terminal:
            first = next_pair(terminal, [])
            assert first == shown or not shown
            terminal.write("5")
            shown = next_pair(terminal, first)  # the earliest that a rater can know of having rated
            os.kill(terminal.pid, signal.SIGKILL)
        rows = ratings.history(db, study_of(db, job).id, "ana")
        assert len(rows) == round_
        assert rows[-1].case_id == int(first[0][1])
        assert rows[-1].preference == (2 if first[1][0] == b"tuned" else -2)


def test_killed_at_any_moment_nothing_is_half_there(
    data: DataDir, db: sqlite3.Connection, add_images: Callable[..., list[int]]
) -> None:
    job = described(db, add_images(30))
    with opened(data) as terminal:
        next_pair(terminal, [])
        for n in range(12):
            terminal.write("e1" if n % 2 else "5")
            time.sleep(0.004 * n)
        os.kill(terminal.pid, signal.SIGKILL)
    rows = ratings.history(db, study_of(db, job).id, "ana")
    assert rows and db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    sides = {row["case_id"]: row["left_arm"] for row in db.execute("SELECT * FROM assignments")}
    assert all(sides[row.case_id] == row.left_arm for row in rows)
