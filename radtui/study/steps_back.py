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
        self._steps: list[tuple[Callable[[], object], bool]] = []

    def add(self, back: Callable[[], object], *, also_if_kept: bool = True) -> None:
        """Take note of how to undo what was just taken in; `also_if_kept` where its row is kept in another place."""
        if isinstance(self._db, Connection) and self._db.held:
            self._steps.append((back, also_if_kept))

    def forget(self) -> None:
        """It is committed: there is no way back."""
        self._steps.clear()

    def go(self, *, is_kept: bool = False) -> None:
        """Undo all of it, the last thing first; `is_kept` says that the rows are kept elsewhere instead."""
        while self._steps:
            back, also_if_kept = self._steps.pop()
            if also_if_kept or not is_kept:
                back()
