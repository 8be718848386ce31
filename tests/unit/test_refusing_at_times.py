"""A disk that refuses now and then, under a clock that jumps: what was said to be saved or kept counts in its order."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import Job, Rating
from radtui.store import ratings
from radtui.store.holding import commit, has_written, hold, let_go
from radtui.store.place import Connection
from radtui.study import edits
from radtui.study.scheme_file import default_scheme
from radtui.study.session import ReviewSession, read_sitting
from radtui.study.undo import History
from radtui.study.unsaved import Unsaved
from tests.unit.test_store import study_of

RATER = "reader"


def full() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class Terminal:
    """A rater's session, whose answers are saved as the app saves them.

    Attributes:
        told: All answers that were saved or kept, as they were told, in their order.
    """

    def __init__(self, data: DataDir, db: Connection, study_id: int, chance: random.Random) -> None:
        self._data, self._db, self._study_id, self._chance = data, db, study_id, chance
        self._now_s = 1e9
        self.told: list[Rating] = []
        self.start()

    def start(self) -> None:
        """Begin, as after another start of the app: what was kept is put in."""
        self.unsaved = Unsaved(self._data, RATER)
        self.unsaved.deliver(self._db)
        sitting = read_sitting(self._db, self._study_id, RATER, default_scheme())
        self.session = ReviewSession(self._db, sitting, now=self._now, unsaved=self.unsaved)
        self.session.start()

    def _now(self) -> float:
        self._now_s += 1 + self._chance.choice((-5000, 0, 0, 5000))
        return self._now_s

    def turn(self, act: Callable[[], Rating | None], refuses: str) -> None:
        """Do something in a transaction that is committed, or that the disk refuses.

        Args:
            act: What to do; returns the row.
            refuses: `writes`, `commits` or "".
        """
        row = failed = None
        assert hold(self._db)
        self.unsaved.begin_turn()
        self._db.execute(f"PRAGMA query_only={'ON' if refuses == 'writes' else 'OFF'}")
        try:
            row = act()
            if refuses == "commits" and has_written(self._db):
                raise full()
            commit(self._db)
        except sqlite3.Error as error:
            failed = error
        let_go(self._db)
        if failed is not None:
            assert self.unsaved.rescue(failed)
            self.session.go_back(self.session.pair)
            kept = self.unsaved.waiting_for(self._db, self.session.study)
            row = kept.ratings[-1] if kept is not None and kept.ratings else None
        self.session.saved()
        self._db.execute("PRAGMA query_only=OFF")
        if row is not None and row not in self.told:
            self.told.append(row)

    def answer(self) -> Rating | None:
        level, note = self._chance.randrange(5), f"note {len(self.told)}"
        if self._chance.random() < 0.2:
            return self.session.answer(lambda row: edits.noted(row, note), judges=False)
        row = self.session.answer(lambda row: edits.preferred(row, self.session.scheme, level))
        self.session.next_unrated()
        return row

    def undo(self) -> Rating | None:
        pair = self.session.undo()
        return self.session.queue.mine[pair] if pair is not None else None


def says(row: Rating) -> tuple[object, ...]:
    return row.case_id, row.occasion, row.pair, row.rated_at, row.preference, row.note, row.empty


@pytest.mark.parametrize("seed", range(2))
def test_each_answer_is_there_once_and_the_last_counts_whatever_the_clock_said(
    data: DataDir,
    db: Connection,
    reviewed_job: Job,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    chance, study = random.Random(seed), study_of(db, reviewed_job)
    terminal = Terminal(data, db, study.id, chance)
    for _ in range(40):
        if chance.random() < 0.15:
            terminal.start()
        elif chance.random() < 0.2:
            terminal.session.show(chance.choice(terminal.session.queue.pairs))
        else:
            act = terminal.undo if chance.random() < 0.25 else terminal.answer
            terminal.turn(act, chance.choice(("writes", "commits", "", "", "", "")))
    shown = dict(terminal.session.queue.mine)
    terminal.start()
    stored = ratings.history(db, study.id, RATER)
    assert Counter(map(says, stored)) == Counter(map(says, terminal.told))
    last = {(row.case_id, row.occasion, row.pair): row for row in terminal.told}
    assert {says(row) for row in History(stored).current.values()} == {says(row) for row in last.values()}
    assert {says(row) for row in shown.values()} == {says(row) for row in last.values()}
    before = ""
    for row in stored:
        assert ratings.link(before, replace(row, chain="")) == row.chain
        before = row.chain
