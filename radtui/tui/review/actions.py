"""The review screen's keys: the scheme names the action, a method of the same name does it."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import ClassVar

from textual.binding import BindingType

from radtui.imaging.view import View
from radtui.measures.scheme import modes_of
from radtui.records import UserError
from radtui.store.blobs import image_bytes
from radtui.study import edits
from radtui.study.packed import is_packed
from radtui.study.session import Edit, ReviewSession
from radtui.study.undo_words import undo_words
from radtui.tui.key_uses import bindings
from radtui.tui.review import correcting
from radtui.tui.review.answer_panel import key_text
from radtui.tui.review.note import NoteSheet
from radtui.tui.review.panels import IN_PANEL
from radtui.tui.review.rater_line import RaterLine
from radtui.tui.review.texts import ReviewTexts
from radtui.tui.review.waiting import Waiting
from radtui.tui.widgets.image_view import ImageView

TURNS = 6  # of the event loop, until each changed widget has told the screen
OPENS = {
    "open_acceptability": "acceptability", "open_errors": "errors", "open_dimensions": "dimensions",
}  # fmt: skip
JUDGEMENTS = ("preference", "both_bad", "skip")

KEPT = {
    "acceptability": "acceptability", "error": "error count", "error_take_back": "error count",
    "checked_none": "errors checked",
    "dimension": "one quality compared", "flag": "flag",
}  # fmt: skip


class ReviewActions(ReviewTexts):
    """What keys do; `ReviewScreen` loads and draws."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("review lists")

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Waiting(lambda: self.rad.db, self._act_in_a_frame, self._say_waiting)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key works in the modes that the scheme says, and with a pair on show."""
        if action == "leave":
            return self.panels.mode == "main" and (self.looking or bool(self.list_name))
        if action == "next_quality":
            return self.panels.mode == "dimensions"
        if action != "act":
            return True
        name = str(parameters[0])
        if self.looking and self.has_class("-narrow") and name.partition(".")[0] in (*JUDGEMENTS, *OPENS):
            return False  # the image has the whole width: nobody judges texts that are out of sight
        shown = self.session is not None and self.session.pair is not None
        return shown and self.panels.mode in modes_of(name)

    async def action_act(self, name: str) -> None:
        """Do what the scheme calls `name`, such as `preference.2` or `undo`; wait while another program writes."""
        if not self.waiting.must_wait():
            await self._act_in_a_frame(name)
        elif self.waiting.add(name):
            self.run_worker(self.waiting.serve(), group="waiting")

    def _say_waiting(self, count: int) -> None:
        """Say for what keys wait; they are done one after another, and no other key is held up."""
        many = "This answer waits" if count == 1 else f"{count:,} answers wait"
        self.message = f"{many}: another program is writing to the database. Not saved yet."
        self.draw()

    async def _act_in_a_frame(self, name: str) -> None:
        """Do what the scheme calls `name`, and show it in one frame.

        Each widget tells the screen on a turn of its own that it has changed. Without waiting for these turns half
        of them would come too late for the first frame, and the next one is drawn 20 to 30 ms later.
        """
        with self.app.batch_update():
            self.act(name)
            for _ in range(TURNS):
                await asyncio.sleep(0)
        self.check_idle()

    def act(self, name: str) -> None:
        """Do what the scheme calls `name`, and show what became of it."""
        session = self.session
        if session is None:
            return
        session.time.touch()
        self.query_one(RaterLine).noticed()
        self.message = ""
        try:
            self._act(session, name)
        except (sqlite3.Error, UserError) as error:
            self._say_unsaved(error)
        self.refresh_bindings()
        self.draw()

    def _act(self, session: ReviewSession, name: str) -> None:
        group, _, number = name.partition(".")
        before = session.mine
        if group not in JUDGEMENTS:
            self.ended = None
        if group != "reveal":
            self.revealing = None
        if group in OPENS:
            shown = session.shown()
            if shown is not None:
                self.panels.open(OPENS[group], shown)
        elif group in IN_PANEL:
            self.panels.answer(group, int(number or 0), session)
        elif group in correcting.CORRECTING:
            correcting.do(self, session, group)
        elif group == "preference":
            self._rate(lambda rating: edits.preferred(rating, session.scheme, int(number) - 1))
        elif group in ("both_bad", "skip"):
            self._rate(edits.both_bad if group == "both_bad" else edits.skipped)
        else:
            getattr(self, f"_do_{group}")(session)
        if group in KEPT and session.mine is not before:
            self.last = KEPT[group]

    def _say_unsaved(self, error: sqlite3.Error | UserError) -> None:
        """Say that the database has not taken an answer: the pair stays, as it was before the key."""
        self.last, self.message = "", "Not saved. Press the key again when the database can be written."
        self.notify(
            f"{self.rad.data.database} was not written: {error}. What was saved before is safe.",
            title="Not saved",
            severity="error",
        )

    def _rate(self, edit: Edit) -> None:
        """Commit a judgement, then show the next pair without one: in this order, so that none is lost.

        A rater in rhythm presses one key more than there are pairs: that one changes nothing, only the next would.
        """
        session = self.session
        if session is not None and self.ended is not None and session.pair == self.ended:
            self.ended = None
            self.message = f"{self.all_rated()} The same key again changes this last answer."
            return
        row = session.answer(edit) if session is not None else None
        if session is None or row is None:
            return
        self.last = edits.in_words(row, session.scheme)
        if session.next_unrated() is None:
            self.ended, self.message = session.pair, self.all_rated()

    def action_leave(self) -> None:
        """From the image back to the texts; then from a filtered list to all pairs."""
        if self.looking:
            self.look(False)
        else:
            self._show_only("", None)
        self.draw()

    def on_descendant_focus(self) -> None:
        """The image may be reached by tab or by the mouse as well."""
        if not self.looking:
            self.look(True)
            self.draw()

    def look(self, on: bool) -> None:
        """Give the keys to the image, or take them back."""
        self.looking = on
        self.set_class(on, "-looking")
        if on:
            self.query_one(ImageView).focus()
        else:
            self.set_focus(None)
        self.refresh_bindings()

    def _do_zoom(self, session: ReviewSession) -> None:
        """Show the image over the whole screen: its keys are the image's, so that nobody rates unseen texts."""
        from radtui.tui.widgets.film import FilmScreen

        shown, view = session.shown(), self.query_one(ImageView)
        if shown is None or view.pyramid is None:
            return

        def back(seen: tuple[int, View] | None) -> None:
            session.time.touch()
            if seen is not None and seen[0] == 0:
                view.look_at(seen[1])

        image = shown.case.first
        self.app.push_screen(
            FilmScreen.of_case(shown.case, partial(image_bytes, self.rad.data), image.sha256, view.look), back
        )

    def _do_undo(self, session: ReviewSession) -> None:
        self.last = ""
        taken_back = session.undo() is not None and session.last_undo is not None
        nothing = "There is nothing to take back."
        self.message = (
            undo_words(session.last_undo, session.scheme) if session.last_undo and taken_back else nothing
        )

    def _do_flag(self, session: ReviewSession) -> None:
        session.answer(edits.flag_turned, judges=False)

    def _do_reveal(self, session: ReviewSession) -> None:
        """Show whose texts these are; on a pair without a rating after a second press, since it counts for good."""
        shown, key = session.shown(), key_text(session.scheme, "reveal")
        if is_packed(session.study):
            self.message = "This file does not know which text is whose."
        elif shown is None or shown.identity_known or shown.rated or self.revealing == shown.pair:
            session.reveal()
        else:
            self.revealing = shown.pair
            self.message = (
                f"Press {key} again to see whose texts these are: the pair is un-blinded from then on."
            )

    def _do_reference(self, session: ReviewSession) -> None:
        """Show the reference, or hide it; where it comes before its time, that is stored before it is seen."""
        shown = session.shown()
        if shown is not None and shown.reference_barred:
            self.message = (
                "The reference is one of the texts: it can be seen once you have finished this case."
            )
            return
        if not session.peek and shown is not None and shown.reference_marks:
            session.reveal("reference")
            self.message = "The reference was seen: what you answer on this case from now on is un-blinded."
        session.peek = not session.peek

    def _do_next(self, session: ReviewSession) -> None:
        session.step(1)

    def _do_previous(self, session: ReviewSession) -> None:
        session.step(-1)

    def _do_next_unrated(self, session: ReviewSession) -> None:
        if session.next_unrated() is None:
            self.message = self.all_rated()

    def _do_note(self, session: ReviewSession) -> None:
        shown = session.shown()
        before = shown.rating.note if shown is not None and shown.rating is not None else ""

        def keep(note: str | None) -> None:
            session.time.touch()
            if note is None or note == before:
                return
            try:
                session.answer(lambda rating: edits.noted(rating, note), judges=False)
                self.last = "note"
            except (sqlite3.Error, UserError) as error:
                self._say_unsaved(error)
                self.app.push_screen(NoteSheet(note), keep)  # what was typed is not lost
            self.draw()

        self.app.push_screen(NoteSheet(before), keep)
