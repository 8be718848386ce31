"""One rater's work on one study: what is shown, and every answer a committed row before anything moves.

The session knows no widget. It keeps queue and history in memory beside the database, so that a key costs one
small transaction whatever has been rated before.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from radtui.harmless import visible
from radtui.measures.scheme import Scheme
from radtui.measures.text import normalise
from radtui.records import ArmKind, Case, Comparison, Rating, Study
from radtui.store import cases, ratings, readings, studies
from radtui.store.ratings import Assignment
from radtui.study import edits
from radtui.study.active_time import TimeSpent
from radtui.study.alike import alike_pairs
from radtui.study.answer_writer import AnswerWriter
from radtui.study.blinding import calibration_set, order_key, shown_sides
from radtui.study.delivery import FIRST_ID
from radtui.study.drawing import DrawnPairs, drawn_order, read_drawn
from radtui.study.known_texts import knows_a_text
from radtui.study.packed import is_packed, packed_order
from radtui.study.queue import Pair, Queue, pair_of, shown_order
from radtui.study.seen import ARMS, Seen
from radtui.study.shown import Shown
from radtui.study.steps_back import StepsBack
from radtui.study.undo import History, Undo, slot_of
from radtui.study.unsaved import Unsaved

Edit = Callable[[Rating], Rating]


@dataclass(frozen=True, slots=True)
class Sitting:
    """What a session starts from; read in any thread by `read_sitting`."""

    study: Study
    rater: str
    scheme: Scheme
    calibration: tuple[int, ...]
    pairs: list[Pair]
    history: History
    queue: Queue
    sides: dict[Pair, tuple[str, str]] = field(default_factory=dict)  # arms that stand left and right
    newest_id: int = 0  # of the rows that history and queue know
    drawn: DrawnPairs | None = None  # the pairs of a study made by hand
    known: dict[int, set[str]] = field(default_factory=dict)  # texts that the rater would know again, by case
    # Cases of a job's study whose two texts read the same: nobody is asked.
    left_out: frozenset[int] = frozenset()

    def order(self, case_ids: list[int]) -> list[Pair]:
        """The shown order of these cases' pairs; pure, for any thread."""
        asked = [case_id for case_id in case_ids if case_id not in self.left_out]
        return shown_order(
            self.study.id, self.study.draw_id, asked, self.rater, self.study.seed, self.scheme.protocol,
            self.calibration,
        )  # fmt: skip

    def role_of(self, pair: Pair) -> str:
        """`normal`, `calibration` or `repeat`."""
        return "calibration" if pair.case_id in self.calibration else "repeat" if pair.occasion else "normal"

    def sides_of(self, pair: Pair, comparison: Comparison) -> tuple[str, str]:
        """Which arms stand left and right: as stored, else as drawn."""
        if pair in self.sides:
            return self.sides[pair]
        if self.drawn is not None:
            return self.drawn.sides(self.study, pair, self.rater)
        there = [arm for arm in self.study.arm_names if arm in comparison.texts]
        draw_id, seed = self.study.draw_id, self.study.seed
        return shown_sides(there, draw_id, pair.case_id, self.rater, pair.occasion, seed)


def read_sitting(db: sqlite3.Connection, study_id: int, rater: str, scheme: Scheme) -> Sitting:
    """Read everything a rater has done in a study, and what there is to do.

    Args:
        db: A connection of the calling thread.
        study_id: The study.
        rater: Who rates; nobody else's ratings are read.
        scheme: What is asked.

    Raises:
        KeyError: There is no such study.
    """
    study, protocol = studies.must_get(db, study_id), scheme.protocol
    work = studies.work_list(db, study) if protocol.calibration_items else []
    calibration = calibration_set(study.draw_id, work, protocol.calibration_items, study.seed)
    drawn, left_out = read_drawn(db, study), frozenset[int]()
    every_row = ratings.history(db, study.id, rater)
    rows = [row for row in every_row if row.earlier_arm]  # a text read by itself is no comparison
    if is_packed(study):
        pairs = packed_order(ratings.assigned(db, study.id, rater))
    elif drawn is not None:
        pairs = drawn_order(study, drawn, rater, protocol, calibration)
    else:
        left_out = frozenset(alike_pairs(db, study)) - {row.case_id for row in rows}
        ids = [case_id for case_id in studies.comparison_ids(db, study) if case_id not in left_out]
        pairs = shown_order(study.id, study.draw_id, ids, rater, study.seed, protocol, calibration)
    history = History(rows)
    queue = Queue(pairs, sorted(history.current.values(), key=lambda row: row.id), protocol.repeat_gap)
    sides = {
        Pair(a.study_id, a.case_id, a.occasion, a.pair): a.sides
        for a in ratings.assigned(db, study.id, rater)
    }
    newest_id = every_row[-1].id if every_row else 0
    known = readings.known_texts(db, rater)
    return Sitting(
        study, rater, scheme, calibration, pairs, history, queue, sides, newest_id, drawn, known, left_out
    )


class ReviewSession:
    """A rater at work: navigation in memory, answers straight into the database.

    Args:
        db: The connection of the thread that calls the methods.
        sitting: What `read_sitting` read.
        clock: Monotonic seconds, for time spent.
        now: Unix seconds, for `rated_at`.
        unsaved: What keeps answers while the data folder is gone; without it they are refused.

    Attributes:
        pair: The pair on show.
        among: What a filter or search leaves; None for all.
        peek: Whether the reference is shown before its time, because it was asked for.
        last_undo: What was taken back last.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        sitting: Sitting,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        unsaved: Unsaved | None = None,
    ) -> None:
        self.db, self.sitting, self._now, self._unsaved = db, sitting, now, unsaved
        self.scheme, self.study, self.rater = sitting.scheme, sitting.study, sitting.rater
        self._writer = AnswerWriter(db, sitting.study, unsaved)
        self._back = StepsBack(db)
        self._seen = Seen(db, self._writer, sitting.rater, self._back)
        self.time = TimeSpent(clock, sitting.scheme.protocol.idle_cutoff_s)
        self.queue, self._history = sitting.queue, sitting.history
        self.among: list[Pair] | None = None
        self.peek = False
        self._place = {pair: at for at, pair in enumerate(sitting.pairs, 1)}
        self._newest_id = sitting.newest_id
        self._kept_ids: set[int] = set()  # of answers that are in no database yet
        self.pair: Pair | None = None
        self.last_undo: Undo | None = None
        self._comparison: Comparison | None = None
        self._case: Case | None = None
        self._take_in_kept()

    def _take_in_kept(self) -> None:
        """Count what waits for a disk that takes nothing as what it is: answers, which nobody is asked for again."""
        waiting = self._unsaved.waiting_for(self.db, self.study) if self._unsaved is not None else None
        if waiting is None:
            return
        for row in waiting.ratings:
            if row.rater == self.rater and row.earlier_arm and row.id not in self._kept_ids:
                self._take_in_unstored(row)
        for each in waiting.assignments:
            self.sitting.sides.setdefault(
                Pair(each.study_id, each.case_id, each.occasion, each.pair), each.sides
            )
        self._seen.know(waiting.reveals)

    @property
    def mine(self) -> Rating | None:
        """What this rater has answered on the pair on show; another object after each that is stored."""
        return self.queue.mine.get(self.pair) if self.pair is not None else None

    def start(self) -> Pair | None:
        """Show the pair where this rater stopped; the last one when all are rated; None when there are none."""
        pairs = self.queue.pairs
        return self.show(self.queue.resume() or (self.queue.last or pairs[0] if pairs else None))

    def show(self, pair: Pair | None) -> Pair | None:
        """Turn to a pair; its side is stored before it is seen and stays for ever. Time starts to run."""
        self.time.turn_to(None)
        # Read before anything is changed: where that fails, pair, texts and image are still of one case.
        comparison = studies.comparison(self.db, self.study, pair.case_id) if pair is not None else None
        case = cases.get(self.db, pair.case_id) if pair is not None else None
        stood_at = {"pair": self.pair, "_comparison": self._comparison, "_case": self._case}
        self._back.add(partial(vars(self).update, stood_at))
        self.pair, self.peek, self._comparison, self._case = pair, False, comparison, case
        self._catch_up()
        if pair is not None and comparison is not None:
            if knows_a_text(self.sitting.known, comparison):
                self._seen.see(pair, ARMS, self._now())
                self._seen.arms = True
            if pair not in self.sitting.sides:
                self._assign(pair, comparison)
        self.time.turn_to(pair)
        return pair

    def _assign(self, pair: Pair, comparison: Comparison) -> None:
        study, rater, sides = self.study, self.rater, self.sitting.sides_of(pair, comparison)
        role = self.sitting.role_of(pair)
        order = order_key(study.draw_id, pair.case_id, rater, pair.occasion, study.seed)
        key = f"{0 if role == 'calibration' else 1}-{order:020d}"
        left, right = (comparison.by(arm).text_id for arm in sides)
        drawn = Assignment(
            study.id, pair.case_id, rater, pair.occasion, role, *sides, key, pair.pair, left, right
        )
        self._writer.assignment(drawn)
        # Another terminal of the same rater may have been first: the stored side is the one that counts.
        stored = ratings.stored_sides(self.db, study.id, rater, pair.case_id, pair.occasion, pair.pair)
        self.sitting.sides[pair] = stored or sides
        self._back.add(lambda: self.sitting.sides.pop(pair, None))

    def shown(self) -> Shown | None:
        """The pair on show with all that may be seen of it now, or None."""
        pair, comparison, case = self.pair, self._comparison, self._case
        if pair is None or comparison is None or case is None:
            return None
        sides = self.sitting.sides[pair]
        a, b = (comparison.by(side) for side in sides)
        rating = self.queue.mine.get(pair)
        rated = rating is not None and not rating.empty
        when = self.scheme.protocol.reference
        among_arms = any(arm.kind is ArmKind.REFERENCE for arm in self.study.arms)
        finished = self._finished(pair, rated, among_arms)
        # Where one of the texts is the reference, seeing it tells whose it is: it comes when it is asked for.
        may_see = finished and self.peek if among_arms else (
            when == "before" or self.peek or (when == "after" and finished)
        )  # fmt: skip
        reference = visible(comparison.reference).strip()
        return Shown(
            pair=pair, place=self._place.get(pair, 0), case=case, sides=sides,
            texts=(normalise(a.text), normalise(b.text)), reference=reference if may_see else "",
            reference_waits=bool(reference) and when == "after" and not may_see and not among_arms,
            reference_barred=bool(reference) and among_arms and not finished,
            reference_marks=bool(reference) and not may_see and (among_arms or not finished), rating=rating,
            identity_known=self._seen.arms or (_unblinded(rating) and not self._seen.reference),
        )  # fmt: skip

    def _finished(self, pair: Pair, rated: bool, among_arms: bool) -> bool:
        """Whether the reader is done with a case, as far as its reference would say something of what is left."""
        if self.sitting.drawn is None and not among_arms:
            return rated
        return rated and self.queue.finished(pair.case_id, repeats=among_arms)

    def answer(self, edit: Edit, judges: bool = True) -> Rating | None:
        """Commit the pair's next snapshot: the rating as it stands, with one thing changed.

        Args:
            edit: One of `edits`.
            judges: False for what says nothing about the texts (a note, a flag): it never un-blinds the row.

        Returns:
            The stored row; None when no pair is on show, or its texts are gone.
        """
        if self.pair is None or self.pair not in self.sitting.sides:
            return None
        self._catch_up()
        pair, before = self.pair, self.queue.mine.get(self.pair)
        row = before or _blank(self, pair, self._comparison)
        edited = edit(row)
        seen = self._seen.arms or self._seen.reference or _unblinded(before)
        blinded = edited.blinded and not (judges and seen)
        active_s, wall_s = self.time.unstored_s()
        row = replace(
            edited, id=0, scheme=self.scheme.id, scheme_hash=self.scheme.sha256, blinded=blinded,
            active_s=row.active_s + active_s, wall_s=row.wall_s + wall_s, rated_at=self._now(), undoes=None,
        )  # fmt: skip
        stored = self._store(row)
        counted_again = self.time.stored()
        # Else the next press would pass for a hasty answer; but an error may also come after a commit.
        self._back.add_late(lambda: self.queue.is_current(stored) or counted_again())
        return stored

    def reveal(self, shown: str = ARMS) -> None:
        """The rater wants to know which text is whose, or to see the `reference` before the time for it.

        Stored before it is seen: what was seen cannot be unseen by a restart. A rating made before stays blind; an
        unrated pair is un-blinded at once, and so is what is answered from now on, on a hidden repeat as well.
        """
        pair = self.pair
        if pair is None:
            return
        self._seen.see(pair, shown, self._now())
        self._catch_up()
        before = self.queue.mine.get(pair)
        if before is None or before.empty:
            self.answer(lambda rating: rating)

    def undo(self) -> Pair | None:
        """Take back this rater's last answer, whichever pair it was about, and show that pair; None at the start."""
        self._catch_up()
        step = self._history.next_undo(self.rater)
        if step is None:
            return None
        before = self._history.current[slot_of(step.undone)]  # for `delivery`, should it be kept
        stored = self._store(replace(step.snapshot(self._now()), chain=before.chain))
        self.last_undo = step
        return self.show(pair_of(stored))

    def _store(self, row: Rating) -> Rating:
        stored = self._writer.rating(row)
        if stored.id >= FIRST_ID:  # no row tells of it
            self._take_in_unstored(stored)
        self._catch_up()
        return stored

    def _take_in_unstored(self, row: Rating) -> None:
        self._kept_ids.add(row.id)
        self._history.add(row)
        self.queue.record(row)

    def _catch_up(self) -> None:
        """Take in what is new in the database, by this terminal and any other that the same rater works at."""
        if self.pair is not None:
            self._seen.look_at(self.pair)
        for row in ratings.since(self.db, self.study.id, self.rater, self._newest_id):
            self._back.add(partial(setattr, self, "_newest_id", self._newest_id))
            self._newest_id = row.id
            if row.earlier_arm:
                self._back.add(self._history.add_for_now(row))
                self._back.add(self.queue.record_for_now(row))

    def saved(self) -> None:
        """What was done so far is committed, or kept: none of it can fail any more."""
        self._back.forget()

    def go_back(self, pair: Pair | None) -> None:
        """Be as the database has it after a commit that failed, at a pair that was shown before.

        What was kept elsewhere instead is taken in again as that.

        Raises:
            sqlite3.Error: The database cannot even be read; the session is as it was before.
        """
        self._back.go()
        self.peek = False
        try:
            self._take_in_kept()
            self.show(pair)
        finally:
            self.time.turn_to(self.pair)
            self._back.go_late()

    def next_unrated(self) -> Pair | None:
        """Show the next pair to judge; None, with nothing changed, when there is none.

        In a list of pairs that are rated, such as disagreements, the next one is the one that follows.
        """
        among = self.among
        pair = self.queue.next_unrated(self.pair, None if among is None else set(among))
        if pair is None and among is not None:
            at = among.index(self.pair) if self.pair in among else -1
            pair = among[at + 1] if at + 1 < len(among) else None
        return self.show(pair) if pair is not None else None

    def step(self, by: int) -> Pair | None:
        """Show a neighbour in the order, or in what a filter leaves; stays at the ends."""
        pair = self.queue.step(self.pair, by, self.among)
        return self.show(pair) if pair is not None and pair != self.pair else None

    def jump(self, place: int) -> Pair | None:
        """Show the pair at a place, 1 based; None when there is no such place."""
        pairs = self.queue.pairs
        return self.show(pairs[place - 1]) if 1 <= place <= len(pairs) else None

    def grow(self, pairs: list[Pair]) -> bool:
        """Take in a new order after more texts have come; whether there are more pairs than before.

        Orders are read in threads, so an older one may come last: pairs never become fewer.
        """
        if len(pairs) <= len(self.queue.pairs):
            return False
        self.queue.replace_pairs(pairs)
        self._place = {pair: at for at, pair in enumerate(pairs, 1)}
        return True


def _blank(session: ReviewSession, pair: Pair, comparison: Comparison | None) -> Rating:
    """A row about a pair in which nothing is judged, with the texts that it is about."""
    left, right = session.sitting.sides[pair]
    earlier, later = sorted((left, right), key=session.study.arm_names.index)
    row = edits.blank(pair, session.rater, session.scheme, earlier, later, later == left)
    if comparison is None:
        return row
    texts = comparison.texts
    return replace(row, earlier_text_id=texts[earlier].text_id, later_text_id=texts[later].text_id)


def _unblinded(rating: Rating | None) -> bool:
    """Whether a pair was answered by someone who had seen what un-blinds."""
    return rating is not None and not rating.blinded
