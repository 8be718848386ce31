"""What the review screen's keys do to texts: correct one, take one as it is, read one arm's by themselves."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from textual.content import Content

from radtui.measures.word_changes import words_changed
from radtui.records import ArmKind, Study
from radtui.study import correcting
from radtui.study.session import ReviewSession
from radtui.study.shown import Shown
from radtui.tui.opening import NEWEST
from radtui.tui.review.correct_sheet import CorrectSheet
from radtui.tui.review.dialogs import PickSheet

if TYPE_CHECKING:
    from radtui.tui.review.actions import ReviewActions

SIDES = ("A", "B")
CORRECTING = ("correct", "accept_text", "read_alone")
UNBLINDS = "Corrected before you have said which text is better, this comparison does not count as blind."


def do(screen: ReviewActions, session: ReviewSession, action: str) -> None:
    """Do one of `CORRECTING` on the pair on show."""
    shown = session.shown()
    if action == "read_alone":
        _choose_arm(screen, session)
    elif shown is not None:
        act = _correct if action == "correct" else _accept
        side = screen.panels.side if screen.panels.mode in ("acceptability", "errors") else None
        side = side if side is not None else correcting.better_side(shown.rating)
        if side is not None:
            act(screen, session, shown, side)
            return

        def take(index: int | None) -> None:
            if index is not None:
                act(screen, session, shown, index)
                screen.draw()

        title = "Correct which text" if action == "correct" else "Accept which text"
        lines = [Content(f"{SIDES[at]}  {shown.texts[at]}"[:200]) for at in (0, 1)]
        screen.app.push_screen(PickSheet(title, lines, 0), take)


def _correct(screen: ReviewActions, session: ReviewSession, shown: Shown, side: int) -> None:
    rating, arm = shown.rating, shown.arm(side)
    preferred = rating is not None and (rating.preference is not None or rating.both_bad)
    before = rating.corrections.get(arm, shown.texts[side]) if rating is not None else shown.texts[side]

    def keep(text: str | None) -> None:
        session.time.touch()
        if text is None or session.pair != shown.pair:
            return
        try:
            correcting.correct(session, side, text)
            count = words_changed(shown.texts[side], text)
            screen.last = (
                f"text {SIDES[side]} corrected, {count} words" if count else f"text {SIDES[side]} accepted"
            )
        except sqlite3.Error as error:
            screen._say_unsaved(error)
            open_sheet(text)  # what was typed is not lost
        screen.draw()

    def open_sheet(text: str) -> None:
        note = "" if preferred or shown.identity_known else UNBLINDS
        screen.app.push_screen(CorrectSheet(f"Text {SIDES[side]}", shown.texts[side], text, note), keep)

    open_sheet(before)


def _accept(screen: ReviewActions, session: ReviewSession, shown: Shown, side: int) -> None:
    session.answer(lambda rating: correcting.taken_as_is(rating, shown.arm(side)))
    screen.last = f"text {SIDES[side]} accepted as it is"


def _choose_arm(screen: ReviewActions, session: ReviewSession) -> None:
    names = arms_to_read(session.study)

    def take(index: int | None) -> None:
        if index is not None:
            _read(screen, session, names[index])

    if len(names) == 1:
        _read(screen, session, names[0])
    elif names:
        lines = [Content(name) for name in names]
        screen.app.push_screen(PickSheet("Read and correct whose texts", lines, len(names) - 1), take)


def _read(screen: ReviewActions, session: ReviewSession, arm: str) -> None:
    from radtui.tui.review.reading_screen import ReadingScreen

    def back(_: None) -> None:
        if screen.session is session:
            session.show(session.pair)  # what was read by itself is not blind here any more
            screen.draw()

    screen.app.push_screen(ReadingScreen(session.study, arm, session.scheme), back)


def open_wanted(screen: ReviewActions, session: ReviewSession) -> None:
    """Go on to the texts of the arm that the app was opened for, once."""
    wanted = screen.rad.opens
    if wanted.arm and wanted.study_id == session.study.id:
        screen.rad.opens = NEWEST
        _read(screen, session, wanted.arm)


def arms_to_read(study: Study) -> list[str]:
    """The arms whose texts can be corrected, in the study's order: all but the reference."""
    return [arm.name for arm in study.arms if arm.kind is not ArmKind.REFERENCE]
