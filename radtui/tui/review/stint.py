"""So many pairs at once: "rate 60 now", counted on the screen and closed with what was done and the next key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from radtui.durations import clock_text, estimate_text
from radtui.plural import many
from radtui.study.queue import RaterProgress
from radtui.tui.key_uses import bindings
from radtui.tui.keys import sign
from radtui.tui.screens.base import RadModal
from radtui.tui.widgets.answer_keys import AnswerKeys

USUAL_PAIRS = 60  # half an hour of a reader's time


@dataclass(frozen=True, slots=True)
class Stint:
    """A number of pairs that a rater has set out to rate now.

    Attributes:
        pairs: How many.
        before: Where the rater stood when it began.
    """

    pairs: int
    before: RaterProgress

    @property
    def _to_the_end(self) -> bool:
        """Whether it is all that the rater was shown to be left: hidden repeats among it are answered, not counted."""
        return self.pairs >= self.before.shown_left

    def done(self, now: RaterProgress) -> int:
        """How many of them are answered; one that was taken back is not."""
        if self._to_the_end:
            return max(0, now.shown_rated - self.before.shown_rated)
        return max(0, now.rated - self.before.rated)

    def over(self, now: RaterProgress) -> bool:
        """Whether all of them are answered."""
        if self._to_the_end and now.total == self.before.total:  # else more were written meanwhile
            return not now.left
        return self.done(now) >= self.pairs


class StintSheet(RadModal[str | None]):
    """What was done in a stint, and the next key; dismissed with "more", "totals" or None.

    Digits do nothing here: a rater in rhythm presses one key more than there are pairs.

    Args:
        stint: The one that is over.
        now: Where the rater stands.
    """

    DEFAULT_CSS = """
    StintSheet .sheet { width: 60; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("stint")

    def __init__(self, stint: Stint, now: RaterProgress) -> None:
        super().__init__()
        self._stint, self._now = stint, now

    def compose_sheet(self) -> ComposeResult:
        """What was done, what is left, and the keys."""
        done = self._stint.done(self._now)
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = f"{many(done, 'pair')} answered"
            yield Static(Content("\n").join(done_lines(self._stint, self._now)))
            yield AnswerKeys(*self._keys())

    def _keys(self) -> list[tuple[str, str, str]]:
        keys = [
            (sign("totals"), "totals", "dismiss('totals')"), (sign("back"), "the pairs", "dismiss(None)")
        ]  # fmt: skip
        if self._now.left:
            more = f"{min(self._stint.pairs, self._now.shown_left):,} more"
            keys.insert(0, (sign("take"), more, "dismiss('more')"))
        return keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where no pair is left there are no more to set out for."""
        return parameters != ("more",) or self._now.left > 0


def done_lines(stint: Stint, now: RaterProgress) -> list[Content]:
    """What a stint was, a line each: its time, what was skipped or flagged, and what is left of the study."""
    active_s = now.active_s - stint.before.active_s
    done = stint.done(now)
    lines = [
        Content(
            f"{clock_text(active_s)} at work" + (f", {clock_text(active_s / done)} a pair" if done else "")
        )
    ]
    counts = [
        (now.skipped - stint.before.skipped, "skipped"), (now.flagged - stint.before.flagged, "flagged")
    ]  # fmt: skip
    if marks := [f"{count:,} {word}" for count, word in counts if count > 0]:
        lines.append(Content.styled(", ".join(marks), "$muted"))
    if now.left:
        left_s = now.time_left_s
        long = f", about {estimate_text(left_s)}" if left_s else ""
        lines.append(Content.styled(f"{now.shown_left:,} of this study left{long}", "$muted"))
    else:
        lines.append(Content("All pairs of this study are rated."))
    return lines
