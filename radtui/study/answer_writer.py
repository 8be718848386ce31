"""What a rater does, written into the data folder, or kept while the folder is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from radtui.records import Rating, Study
from radtui.store import ratings
from radtui.store.place import FolderGoneError
from radtui.store.ratings import Assignment, Reveal
from radtui.study.delivery import FIRST_ID
from radtui.study.unsaved import Unsaved

Row = TypeVar("Row")


class AnswerWriter:
    """Writes rows about one study.

    Args:
        db: The connection of the thread that calls the methods.
        study: What the rows are about.
        unsaved: What keeps rows while the data folder is gone; without it they are refused.
    """

    def __init__(self, db: sqlite3.Connection, study: Study, unsaved: Unsaved | None) -> None:
        self._db, self._study, self._unsaved = db, study, unsaved

    def rating(self, row: Rating) -> Rating:
        """Write an answer; returns it with its number."""
        if self._unsaved is not None and row.undoes is not None and row.undoes >= FIRST_ID:
            return self._unsaved.keep_rating(self._study, row)  # with what it takes back, which waits there
        return self._write(
            lambda: ratings.add(self._db, row), lambda kept: kept.keep_rating(self._study, row)
        )

    def assignment(self, drawn: Assignment) -> None:
        """Write which sides a pair is shown on."""
        self._write(
            lambda: ratings.assign(self._db, [drawn]), lambda kept: kept.keep_assignment(self._study, drawn)
        )

    def reveal(self, seen: Reveal) -> None:
        """Write that something was seen."""
        self._write(lambda: ratings.reveal(self._db, seen), lambda kept: kept.keep_reveal(self._study, seen))

    def _write(self, write: Callable[[], Row], keep: Callable[[Unsaved], Row]) -> Row:
        try:
            return write()
        except FolderGoneError:
            if self._unsaved is None:
                raise
            return keep(self._unsaved)
