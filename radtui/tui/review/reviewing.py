"""A rater at the review screen: the sitting with what the screen says of it. Screen and keys both hold it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from textual.screen import ModalScreen

from radtui.measures.scheme import Scheme
from radtui.records import UserError
from radtui.study import edits
from radtui.study.queue import Pair
from radtui.study.session import Edit, ReviewSession
from radtui.tui.review.answer_queue import AnswerQueue, Rescue
from radtui.tui.review.panels import Panels
from radtui.tui.review.stint import Stint
from radtui.tui.screens.base import RadScreen
from radtui.tui.snapshot import job_in

Answer = TypeVar("Answer")


class Reviewing:
    """What is reviewed and what is said of it; it asks the screen to draw, and knows none of its widgets.

    Args:
        screen: Where sheets are laid over and notices are shown.
        draw: Shows everything that is held here.
        draw_in_a_frame: The same, at once and in one frame.

    Attributes:
        answers: All that is done to the session goes through it, in its order.
        session: The sitting; None before anything can be reviewed.
        scheme: What is asked; None before it is read.
        panels: Which question beside the preference is open.
        message: Stands above the question until the next key.
        last: What was answered on the pair before this one, in words.
        ended: The last pair of all, until its rater has noticed that it was the last.
        revealing: What was asked for once that un-blinds, `reveal` or `reference`, and for which pair.
        list_name: The filter or search that leaves some pairs only; "" for all.
        looking: Whether the image has the keys.
        stint: How many pairs the rater has set out for; None where nobody counts.
        wanted_pairs: For how many to set out as soon as there is a sitting, 0 for none.
        counted: Called when an answer of a stint is saved and drawn; closes one that is over.
        drawn: The pair that stands on the screen.
        several_images: Whether its case has a next image.
    """

    def __init__(
        self, screen: RadScreen, draw: Callable[[], None], draw_in_a_frame: Callable[[], Awaitable[None]]
    ) -> None:
        self.screen, self.draw, self._draw_in_a_frame = screen, draw, draw_in_a_frame
        self.answers = AnswerQueue(
            lambda before: screen.rad.own_database(before),  # noqa: PLW0108 - there is no app yet
            partial(screen.run_worker, group="answers"),
            self._acted,
            draw,
            Rescue(lambda: screen.rad.unsaved, self._rescued),
        )
        self.session: ReviewSession | None = None
        self.scheme: Scheme | None = None
        self.panels = Panels()
        self.message, self.last, self.list_name = "", "", ""
        self.ended: Pair | None = None
        self.revealing: tuple[str, Pair] | None = None
        self.looking = False
        self.stint: Stint | None = None
        self.wanted_pairs = 0
        self.counted: Callable[[], object] = lambda: None
        self.drawn: Pair | None = None
        self.several_images = False

    async def _acted(self, error: Exception | None) -> None:
        """Show what became of something that was done to the session."""
        if error is not None:
            self.say_unsaved(error)
        elif self.session is not None:
            self.session.saved()
        await self._draw_in_a_frame()
        if error is None and self.stint is not None:
            self.counted()

    def _rescued(self) -> None:
        """Go on with what was kept elsewhere: what the session knew of the transaction's rows is not so."""
        if self.session is not None:
            with suppress(sqlite3.Error, UserError):
                self.session.go_back(self.session.pair)

    def begin(self, session: ReviewSession) -> None:
        """Turn to a sitting, at the pair where its rater stopped."""
        self.session = session
        self.list_name, self.last, self.message = "", "", ""
        self.stint = None
        session.start()
        if session.queue.next_unrated() is None:
            self.ended, self.message = session.pair, self.all_rated(session)
        elif self.wanted_pairs:
            progress = session.queue.progress()
            self.stint, self.wanted_pairs = Stint(min(self.wanted_pairs, progress.shown_left), progress), 0

    def say(self, message: str) -> None:
        """Say something above the question, at once."""
        self.message = message
        self.draw()

    def say_unsaved(self, error: Exception) -> None:
        """Say that the database has not taken an answer: the pair stays, as it was before the key."""
        if self.session is not None:
            with suppress(sqlite3.Error, UserError):  # it cannot even be read: what is known stays
                self.session.go_back(self.drawn)
        self.last, self.message = "", "Not saved. Press the key again when the database can be written."
        self.screen.notify(
            f"{self.screen.rad.data.database} was not written: {error}. What was saved before is safe.",
            title="Not saved",
            severity="error",
        )

    def open_sheet(
        self,
        sheet: ModalScreen[Answer],
        answered: Callable[[Answer | None], None],
        refused: Callable[[Answer | None], None] = lambda _: None,
    ) -> None:
        """Lay a sheet over the screen; an answer there counts as activity, and what became of it is drawn.

        Args:
            sheet: What is laid over.
            answered: Does what its answer says, when all before it is saved.
            refused: Takes the answer where nothing of that could be saved.
        """

        def take(answer: Answer | None) -> None:
            if self.session is not None:
                self.session.time.touch()
            self.answers.add(lambda: answered(answer), failed=lambda: refused(answer))

        self.screen.app.push_screen(sheet, take)

    def rate(self, session: ReviewSession, edit: Edit) -> None:
        """Commit a judgement, then show the next pair without one: in this order, so that none is lost.

        A rater in rhythm presses one key more than there are pairs: that one changes nothing, only the next would.
        """
        if self.ended is not None and session.pair == self.ended:
            self.ended = None
            self.message = f"{self.all_rated(session)} The same key again changes this last answer."
            return
        row = session.answer(edit)
        if row is None:
            return
        self.last = edits.in_words(row, session.scheme)
        if session.next_unrated() is None:
            self.ended, self.message = session.pair, self.all_rated(session)

    def all_rated(self, session: ReviewSession) -> str:
        """What is said when no pair is left, with the next key."""
        if self.list_name:
            return "That was the last one of this list. Press esc for all pairs."
        job = job_in(self.screen.rad.snapshot, session.study.job_id)
        if job is not None and job.state.live:
            count = session.queue.progress().shown_total
            pairs = "The only pair so far is" if count == 1 else f"All {count:,} pairs so far are"
            return f"{pairs} rated; more come as #{job.id} writes them."
        return f"All pairs are rated. Press {session.scheme.keys.get('summary', 'T')} for the summary."

    def show_only(self, name: str, pairs: list[Pair] | None) -> None:
        """Keep to some pairs, such as what a filter leaves; to all again where there is no name."""
        self.answers.add(lambda: self._keep_to(name, pairs))

    def _keep_to(self, name: str, pairs: list[Pair] | None) -> None:
        session = self.session
        if session is None:
            return
        if name and not pairs:
            self.message = f"No pair has {name}."
        else:
            self.list_name, session.among = name, pairs if name else None
            if pairs and session.pair not in pairs:
                session.show(pairs[0])
