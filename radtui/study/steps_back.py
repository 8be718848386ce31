"""How a session comes to be without what it has taken in from a transaction that is not committed in the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from radtui.store.place import Connection


class StepsBack:
    """The opposite of each thing that was taken in since the last commit, for as long as that may fail.

    Reading all of a rater's work anew would do the same, in half a second where there are a hundred thousand answers.

    Args:
        db: What is taken in is for good unless a transaction is held open on it.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._steps: list[Callable[[], object]] = []
        self._late: list[Callable[[], object]] = []

    def add(self, back: Callable[[], object]) -> None:
        """Take note of how to undo what was just taken in."""
        self._note(self._steps, back)

    def add_late(self, back: Callable[[], object]) -> None:
        """As `add`, of what is undone when it is known again what the database has, or what was kept."""
        self._note(self._late, back)

    def _note(self, steps: list[Callable[[], object]], back: Callable[[], object]) -> None:
        if isinstance(self._db, Connection) and self._db.held:
            steps.append(back)

    def forget(self) -> None:
        """It is committed: there is no way back."""
        self._steps.clear()
        self._late.clear()

    def go(self) -> None:
        """Undo all of it, the last thing first, but for what comes late."""
        while self._steps:
            self._steps.pop()()

    def go_late(self) -> None:
        """Undo what was to come late."""
        while self._late:
            self._late.pop()()
