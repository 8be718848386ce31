"""The questions beside the preference: which one is open, for which text, and what a key answers there."""

from __future__ import annotations

from radtui.measures.scheme import checked_answer, dimension_answer, error_answer
from radtui.study import edits
from radtui.study.session import ReviewSession
from radtui.study.shown import Shown


class Panels:
    """Which panel of the review screen is open; knows no widget.

    Attributes:
        mode: One of the scheme's modes; `main` is the preference, with no panel open.
        side: The text that is marked, 0 for A or 1 for B.
        significant: Which kind of errors a digit counts.
        at: Index of the dimension that is marked.
    """

    def __init__(self) -> None:
        self.mode, self.side, self.significant, self.at = "main", 0, True, 0
        self._counted: list[tuple[str, str, bool]] = []

    def open(self, mode: str, shown: Shown) -> None:
        """Open a panel at what is not answered yet."""
        self.mode, self.side, self.significant, self.at = mode, 0, True, 0
        self._counted.clear()
        if mode == "acceptability":
            a, b = (edits.acceptability_of(shown.rating, shown.arm(side)) for side in (0, 1))
            self.side = 1 if a is not None and b is None else 0

    def close(self) -> None:
        """Back to the preference."""
        self.mode = "main"
        self._counted.clear()

    def other_text(self) -> None:
        """Mark the other text."""
        self.side = 1 - self.side

    def other_significance(self) -> None:
        """Count the other kind of errors."""
        self.significant = not self.significant

    def move(self, by: int, session: ReviewSession) -> None:
        """Mark another dimension."""
        self.at = (self.at + by) % max(1, len(session.scheme.dimensions))

    def accept(self, number: int, session: ReviewSession) -> None:
        """Answer for the marked text; then the other one is asked for, and after both the panel closes."""
        shown = session.shown()
        if shown is None:
            return
        value = session.scheme.acceptability[number - 1].value
        arm = shown.arm(self.side)
        row = session.answer(lambda rating: edits.accepted(rating, arm, value))
        if edits.acceptability_of(row, shown.arm(1 - self.side)) is None:
            self.other_text()
        else:
            self.close()

    def count(self, number: int, session: ReviewSession) -> None:
        """Count one more error of a kind in the marked text."""
        shown = session.shown()
        if shown is None:
            return
        what = (shown.arm(self.side), session.scheme.errors[number - 1].id, self.significant)
        session.answer(lambda rating: edits.counted(rating, *what, by=1))
        self._counted.append(what)

    def take_back(self, session: ReviewSession) -> None:
        """Lower the count that was raised last, or any count that the marked text has."""
        shown = session.shown()
        if shown is None or shown.rating is None:
            return
        answers = shown.rating.answers
        counts = [self._counted.pop()] if self._counted else [
            (shown.arm(self.side), category.id, kind)
            for category in reversed(session.scheme.errors)
            for kind in (self.significant, not self.significant)
            if answers.get(error_answer(shown.arm(self.side), category.id, significant=kind), 0)
        ]  # fmt: skip
        if counts:
            what = counts[0]
            session.answer(lambda rating: edits.counted(rating, *what, by=-1))

    def check(self, session: ReviewSession) -> None:
        """Say that the marked text was checked for errors; then the other one is asked for, and after both it closes.

        Said once more, it is taken back.
        """
        shown = session.shown()
        if shown is None:
            return
        arm, other = shown.arm(self.side), shown.arm(1 - self.side)
        row = session.answer(lambda rating: edits.checked(rating, arm))
        if row is None or checked_answer(arm) not in row.answers:
            return
        if checked_answer(other) in row.answers:
            self.close()
        else:
            self.other_text()

    def compare(self, number: int, session: ReviewSession) -> None:
        """Answer the marked dimension and mark the next one without an answer; after the last the panel closes."""
        scheme = session.scheme
        row = session.answer(
            lambda rating: edits.compared(rating, scheme, scheme.dimensions[self.at], number - 1)
        )
        open_ones = [
            at
            for at, dimension in enumerate(scheme.dimensions)
            if row is not None and dimension_answer(dimension.id) not in row.answers
        ]
        if not open_ones:
            self.close()
        else:
            self.at = next((at for at in open_ones if at > self.at), open_ones[0])
