"""What a reader's keys do to one arm's texts; knows no widget."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

from radtui.measures.scheme import Scheme
from radtui.measures.word_changes import words_changed
from radtui.plural import many
from radtui.records import Study, UserError
from radtui.study.figures import figures_words, reading_figures
from radtui.study.queue import Pair
from radtui.study.reading import OpenText, Reading
from radtui.study.unsaved import Unsaved
from radtui.tui.keys import sign
from radtui.tui.review.answer_queue import AnswerQueue


class ReadingDesk:
    """One arm's texts at a reader's hand. Its methods are turns of `answers`: they write.

    Args:
        answers: What they go through.
        study: The study.
        arm: Whose texts are read.
        rater: Who reads.
        scheme: What answers are kept under.
        unsaved: What keeps them while the data folder is gone.
    """

    def __init__(
        self, answers: AnswerQueue, study: Study, arm: str, rater: str, scheme: Scheme, unsaved: Unsaved
    ) -> None:
        self._answers, self._study, self._arm, self._rater, self._scheme = answers, study, arm, rater, scheme
        self._unsaved, self._waiting = unsaved, 0
        self._is_kept = False  # the last answer, since the data folder is gone
        self.reading: Reading | None = None
        self.message = ""

    def begin(self, pair: Pair | None = None) -> None:
        """Read what this reader has done; then open the text of a pair, or the one where it stopped."""
        self._waiting, self._is_kept = self._unsaved.count, False
        self.reading = Reading(
            self._answers.database, self._study, self._arm, self._rater, self._scheme, unsaved=self._unsaved
        )
        opened = self.reading.show(pair) if pair is not None else self.reading.start()
        if opened is None:
            self.message = f"There is no text of {self._arm} to read yet. Press esc to go back."
        elif pair is None and self.reading.queue.next_unrated() is None:
            self._end()

    def rescued(self) -> None:
        """Go on with what was kept elsewhere, since the disk takes nothing."""
        if self.reading is not None:
            with suppress(sqlite3.Error, UserError):
                self.begin(self.reading.pair)
        self._say("", 0)

    @property
    def is_outdated(self) -> bool:
        """Whether the data folder was gone: what is known is of the old one, or lacks what has been put in since."""
        reading = self.reading
        return reading is not None and (
            not self._answers.writes_by(reading.db) or self._unsaved.count < self._waiting
        )

    def touched(self) -> OpenText | None:
        """The open text, at which a key was pressed."""
        reading = self.reading
        if reading is None or reading.open is None:
            return None
        reading.time.touch()
        return reading.open

    def keep(self, answer: Callable[[Reading], object], what: str) -> None:
        """Keep an answer about the open text, and open the next one."""
        if self.touched() is None or self.reading is None:
            return
        before = self._unsaved.count
        answer(self.reading)
        self._say(f"Saved: {what} · u takes it back", before)
        if self.reading.next_unread() is None:
            self.reading.show(self.reading.pair)  # the last one stays in sight, as it is now
            self._end()

    def leave(self, opened: OpenText, text: str) -> None:
        """Keep the open text as the reader leaves it."""
        count = words_changed(opened.written, text)
        what = f"{many(count, 'word')} changed" if count else "accepted as it is"
        self.keep(lambda reading: reading.leave(text), what)

    def undo(self) -> None:
        """Take back the last answer."""
        if self.reading is not None:
            before = self._unsaved.count
            taken_back = self.reading.undo() is not None
            self._say("Taken back." if taken_back else "There is nothing to take back.", before)

    def step(self, by: int) -> None:
        """Open a neighbour."""
        if self.reading is not None:
            self.message = ""
            self.reading.step(by)

    def next_unread(self) -> None:
        """Open the next text without an answer."""
        if self.reading is not None and self.reading.next_unread() is None:
            self._end()

    def pause(self) -> None:
        """Let time stand still."""
        if self.reading is not None:
            self.reading.time.pause()

    def _say(self, message: str, before: int) -> None:
        """Say what became of an answer: where the data folder is gone, and more waits than before, that it is kept."""
        self._waiting = max(self._waiting, self._unsaved.count)
        self.message = message
        self._is_kept = self._unsaved.count > before
        if self._is_kept:
            self.message = f"Not in the data folder: {self._unsaved.sentence()}"

    def _end(self) -> None:
        if self._is_kept:  # that counts more
            return
        figures = reading_figures(self._answers.database, self._study, self._rater).get(self._arm)
        summary = f" {figures_words(figures)}" if figures is not None else ""
        self.message = f"All texts of {self._arm} are read.{summary} {sign('corrections')} learns from them."
