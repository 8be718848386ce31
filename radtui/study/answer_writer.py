"""What a rater does, written into the data folder, or kept while the folder is gone or its disk takes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from radtui.records import Rating, Study
from radtui.store import ratings
from radtui.store.gone import FolderGoneError
from radtui.store.place import Connection
from radtui.store.ratings import Assignment, Reveal
from radtui.study.delivery import FIRST_ID
from radtui.study.unsaved import Unsaved

Row = TypeVar("Row", Rating, Assignment, Reveal)


class AnswerWriter:
    """Writes rows about one study.

    Args:
        db: The connection of the thread that calls the methods.
        study: What the rows are about.
        unsaved: What keeps rows that the data folder cannot take; without it they are refused.
    """

    def __init__(self, db: sqlite3.Connection, study: Study, unsaved: Unsaved | None) -> None:
        self._db, self._study, self._unsaved = db, study, unsaved

    def rating(self, row: Rating) -> Rating:
        """Write an answer; returns it with its number."""
        if self._unsaved is not None and row.undoes is not None and row.undoes >= FIRST_ID:
            return self._unsaved.keep(self._study, row)  # with what it takes back, which waits there
        return self._write(row, lambda: ratings.add(self._db, row))

    def assignment(self, drawn: Assignment) -> None:
        """Write which sides a pair is shown on."""

        def write() -> Assignment:
            ratings.assign(self._db, [drawn])
            return drawn

        self._write(drawn, write)

    def reveal(self, seen: Reveal) -> None:
        """Write that something was seen."""

        def write() -> Reveal:
            ratings.reveal(self._db, seen)
            return seen

        self._write(seen, write)

    def _write(self, row: Row, write: Callable[[], Row]) -> Row:
        unsaved = self._unsaved
        if unsaved is None:
            return write()
        if unsaved.trouble and (kept := unsaved.keep_written(self._study, row)) is not None:
            return kept
        is_held = isinstance(self._db, Connection) and self._db.held
        try:
            written = write()
        except FolderGoneError:
            return unsaved.keep(self._study, row)
        except (sqlite3.Error, OSError) as error:
            if is_held:  # whoever holds the transaction rescues all of it
                unsaved.note(self._study, row)
                raise
            if (kept := unsaved.rescue_row(self._study, row, error)) is None:
                raise
            return kept
        if isinstance(written, Rating) and isinstance(row, Rating):
            # Should it be kept in the end, it bears the chain of what it was changed from: see `delivery`.
            unsaved.note(self._study, replace(written, chain=row.chain))
        else:
            unsaved.note(self._study, written)
        if not is_held:
            unsaved.begin_turn()  # it is saved
        return written
