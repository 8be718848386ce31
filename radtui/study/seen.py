"""What a rater has seen of a case that un-blinds what is answered from then on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import partial

from radtui.store import ratings
from radtui.store.ratings import Reveal
from radtui.study.answer_writer import AnswerWriter
from radtui.study.queue import Pair
from radtui.study.steps_back import StepsBack

ARMS, REFERENCE = "arms", "reference"


class Seen:
    """What one rater has seen of the pair on show, here or at another terminal.

    Args:
        db: The connection of the thread that calls the methods.
        writer: Writes what is seen, before it is.
        rater: Who sees.
        back: Knows how to be without what is seen in a transaction that fails.

    Attributes:
        arms: Whether it was asked, or known, which text is whose.
        reference: Whether the reference was looked at before the time for it.
    """

    def __init__(self, db: sqlite3.Connection, writer: AnswerWriter, rater: str, back: StepsBack) -> None:
        self._db, self._writer, self._rater, self._back = db, writer, rater, back
        self.arms = self.reference = False
        self._here: set[tuple[int, str]] = set()  # cases with what was seen of them here

    def know(self, reveals: Iterable[Reveal]) -> None:
        """Take in what was seen and is not in the database yet."""
        self._here.update((each.case_id, each.shown) for each in reveals)

    def look_at(self, pair: Pair) -> None:
        """Find out what was seen of a pair's case."""
        self._back.add(partial(vars(self).update, arms=self.arms, reference=self.reference))
        self.arms, self.reference = (self._was_seen(pair, what) for what in (ARMS, REFERENCE))

    def see(self, pair: Pair, what: str, now_s: float) -> None:
        """Write that something is seen of a pair's case from now on.

        Args:
            pair: The pair on show.
            what: `ARMS` or `REFERENCE`.
            now_s: Unix seconds.
        """
        self._writer.reveal(Reveal(pair.study_id, pair.case_id, self._rater, now_s, what))
        seen = (pair.case_id, what)
        if seen not in self._here:
            self._here.add(seen)
            self._back.add(lambda: self._here.discard(seen))

    def _was_seen(self, pair: Pair, what: str) -> bool:
        stored = ratings.is_revealed(self._db, pair.study_id, self._rater, pair.case_id, what)
        return stored or (pair.case_id, what) in self._here
