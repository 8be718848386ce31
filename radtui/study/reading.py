"""One arm's texts read one after the other, not blind: taken as they are, or corrected, and on to the next.

Its rows are ratings of one text alone (`earlier_arm` is ""), in a place of their own, so that a comparison of the same
case stays what it is; but who has read a text by itself does not rate it blind.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from radtui.harmless import visible
from radtui.measures.scheme import Scheme
from radtui.measures.text import normalise
from radtui.records import Case, Rating, Study
from radtui.store import cases, ratings, studies
from radtui.store.ratings import Reveal
from radtui.study import correcting, edits
from radtui.study.active_time import TimeSpent
from radtui.study.answer_writer import AnswerWriter
from radtui.study.queue import Pair, Queue, pair_of
from radtui.study.session import Edit
from radtui.study.undo import History
from radtui.study.unsaved import Unsaved

READ_ALONE = 1000  # and the arm's place: no case has so many comparisons


@dataclass(frozen=True, slots=True)
class OpenText:
    """The text on show. `written` is the model's, `text` the reader's, both harmless to a terminal."""

    place: int  # 1 based
    case: Case
    written: str
    text: str
    rating: Rating | None
    reference: str  # "" until the text is read, or where there is none

    @property
    def read(self) -> bool:
        """Whether the text was taken as it is, corrected or skipped."""
        return self.rating is not None and not self.rating.empty


def reading_number(study: Study, arm: str) -> int:
    """The `pair` of the rows about one arm's texts read by themselves, above those of all comparisons of a case."""
    return READ_ALONE + study.arm_names.index(arm)


class Reading:
    """A reader at one arm's texts; answers go straight into the database, or are kept while the data folder is gone.

    Args:
        db: The connection of the thread that calls the methods.
        study: The study; its cases are read in their data set's order.
        arm: Whose texts.
        rater: Who reads.
        scheme: What answers are kept under.
        clock: Monotonic seconds, for time spent.
        now: Unix seconds, for `rated_at`.
        unsaved: What keeps answers while the data folder is gone; without it they are refused.
    """

    def __init__(
        self, db: sqlite3.Connection, study: Study, arm: str, rater: str, scheme: Scheme,
        clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time,
        unsaved: Unsaved | None = None,
    ) -> None:  # fmt: skip
        self._writer = AnswerWriter(db, study, unsaved)
        self.db, self.study, self.arm = db, study, arm
        self.rater, self.scheme, self._now = rater, scheme, now
        self.time = TimeSpent(clock, scheme.protocol.idle_cutoff_s)
        number = reading_number(study, arm)
        pairs = [Pair(study.id, case_id, 0, number) for case_id in studies.comparison_ids(db, study)]
        waiting = unsaved.waiting_for(db, study) if unsaved is not None else None
        rows = [
            row
            for row in (
                *ratings.history(db, study.id, rater),
                *(waiting.ratings if waiting is not None else ()),
            )
            if row.pair == number and row.rater == rater
        ]
        self._history = History(rows)
        self.queue = Queue(pairs, sorted(self._history.current.values(), key=lambda row: row.id))
        self._place = {pair: at for at, pair in enumerate(pairs, 1)}
        self.pair: Pair | None = None
        self.open: OpenText | None = None
        self._text_id: int | None = None

    def start(self) -> OpenText | None:
        """Open the text where this reader stopped; the last one when all are read; None when there are none."""
        pairs = self.queue.pairs
        return self.show(self.queue.resume() or (pairs[-1] if pairs else None))

    def show(self, pair: Pair | None) -> OpenText | None:
        """Open a text. That it was seen with its name is stored first: the case is not rated blind any more."""
        self.time.turn_to(None)
        self.pair, self.open = pair, None
        if pair is None:
            return None
        comparison = studies.comparison(self.db, self.study, pair.case_id)
        case = cases.get(self.db, pair.case_id)
        if comparison is None or case is None or self.arm not in comparison.texts:
            return None
        if not ratings.is_revealed(self.db, pair.study_id, self.rater, pair.case_id):
            self._writer.reveal(Reveal(pair.study_id, pair.case_id, self.rater, self._now()))
        written, rating = comparison.by(self.arm), self.queue.mine.get(pair)
        self._text_id = written.text_id
        text = rating.corrections.get(self.arm, "") if rating is not None else ""
        shown = normalise(written.text)
        read = rating is not None and not rating.empty
        self.open = OpenText(
            self._place[pair], case, shown, visible(text) or shown, rating,
            visible(comparison.reference).strip() if read else "",
        )  # fmt: skip
        self.time.turn_to(pair)
        return self.open

    def leave(self, text: str) -> Rating | None:
        """Keep the open text as the reader leaves it: corrected, or taken as it is where no word differs."""
        opened = self.open
        if opened is None:
            return None
        return self._answer(lambda rating: correcting.left_as(rating, self.arm, opened.written, text))

    def accept(self) -> Rating | None:
        """Take the open text as the model wrote it."""
        return self._answer(lambda rating: correcting.taken_as_is(rating, self.arm))

    def skip(self) -> Rating | None:
        """The reader cannot judge this text."""
        return self._answer(lambda rating: replace(edits.skipped(rating), corrections={}, answers={}))

    def _answer(self, edit: Edit) -> Rating | None:
        if self.pair is None or self.open is None:
            return None
        before = self.queue.mine.get(self.pair)
        row = before or replace(
            edits.blank(self.pair, self.rater, self.scheme, "", self.arm, True), later_text_id=self._text_id
        )
        active_s, wall_s = self.time.unstored_s()
        stored = self._store(replace(
            edit(row), id=0, scheme=self.scheme.id, scheme_hash=self.scheme.sha256, blinded=False, undoes=None,
            active_s=row.active_s + active_s, wall_s=row.wall_s + wall_s, rated_at=self._now(),
        ))  # fmt: skip
        self.time.stored()
        return stored

    def _store(self, row: Rating) -> Rating:
        stored = self._writer.rating(row)
        self._history.add(stored)
        self.queue.record(stored)
        return stored

    def undo(self) -> OpenText | None:
        """Take back this reader's last answer and open its text; None at the start."""
        step = self._history.next_undo(self.rater)
        if step is None:
            return None
        return self.show(pair_of(self._store(step.snapshot(self._now()))))

    def next_unread(self) -> OpenText | None:
        """Open the next text to read; None, with nothing changed, when there is none."""
        pair = self.queue.next_unrated(self.pair)
        return self.show(pair) if pair is not None else None

    def step(self, by: int) -> OpenText | None:
        """Open a neighbour in the order; stays at the ends."""
        return self.show(self.queue.step(self.pair, by))
