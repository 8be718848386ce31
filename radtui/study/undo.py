"""What a rater's append-only history means now, and what the next undo brings back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from radtui.records import Rating

Key = TypeVar("Key")
Value = TypeVar("Value")


class RatingSlot(NamedTuple):
    """What one rating answers: one pair, one rater, first or second showing."""

    study_id: int
    case_id: int
    rater: str
    occasion: int
    pair: int


def slot_of(rating: Rating) -> RatingSlot:
    """The slot that a row belongs to."""
    return RatingSlot(rating.study_id, rating.case_id, rating.rater, rating.occasion, rating.pair)


@dataclass(frozen=True, slots=True)
class Undo:
    """The next step back: `undone` is taken back, `restored` was there before it (None: nothing)."""

    undone: Rating
    restored: Rating | None

    def snapshot(self, rated_at: float) -> Rating:
        """The row that carries out this undo, to be appended; its id is 0 until it is stored.

        What was seen cannot be unseen: when the undone row was un-blinded, so is the restored state.

        Args:
            rated_at: Unix time, s.
        """
        before = self.restored
        if before is None:
            before = replace(
                self.undone,
                preference=None,
                both_bad=False,
                answers={},
                corrections={},
                note="",
                flagged=False,
                skipped=False,
            )
        blinded = before.blinded and self.undone.blinded
        return replace(before, id=0, blinded=blinded, rated_at=rated_at, undoes=self.undone.id)


class History:
    """Snapshot rows of any number of raters, read in the order they were written.

    Each row is added in constant time, so a session can keep one of these beside the database.
    """

    def __init__(self, rows: Iterable[Rating] = ()) -> None:
        self.current: dict[RatingSlot, Rating] = {}
        self._standing: dict[RatingSlot, dict[int, Rating]] = {}  # rows of a slot that no undo has taken back
        self._steps: dict[str, dict[int, Rating]] = {}  # the same per rater, oldest first
        for row in rows:
            self.add(row)

    def add(self, row: Rating) -> None:
        """Take in the next row; an undo row takes back the row it names, any other row becomes undoable."""
        slot = slot_of(row)
        self.current[slot] = row
        standing = self._standing.setdefault(slot, {})
        steps = self._steps.setdefault(row.rater, {})
        if row.undoes is None:
            standing[row.id] = row
            steps[row.id] = row
        else:
            standing.pop(row.undoes, None)
            steps.pop(row.undoes, None)

    def add_for_now(self, row: Rating) -> Callable[[], None]:
        """As `add`; returns what makes it as if the row, the last that was added, had never come."""
        slot = slot_of(row)
        before = self.current.get(slot)
        undone = None if row.undoes is None else self._standing.get(slot, {}).get(row.undoes)
        self.add(row)

        def back() -> None:
            put(self.current, slot, before)
            for rows in (self._standing[slot], self._steps[row.rater]):
                rows.pop(row.id, None)
                if undone is not None:  # the last step of all: that is what an undo takes back
                    rows[undone.id] = undone

        return back

    def next_undo(self, rater: str) -> Undo | None:
        """What this rater's next undo does, or None when nothing of theirs is left to take back."""
        steps = self._steps.get(rater)
        if not steps:
            return None
        undone = steps[next(reversed(steps))]
        before = [row for row in self._standing[slot_of(undone)].values() if row.id != undone.id]
        return Undo(undone, before[-1] if before else None)


def put(values: dict[Key, Value], key: Key, value: Value | None) -> None:
    """Have a value under a key; none, where there was none before."""
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
