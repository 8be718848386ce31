"""What the review screen's keys do to texts: correct one, take one as it is, read one arm's by themselves."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from radtui.measures.word_changes import words_changed
from radtui.plural import many
from radtui.records import ArmKind, Study
from radtui.study import correcting
from radtui.study.session import ReviewSession
from radtui.study.shown import Shown
from radtui.tui.keys import KEYS
from radtui.tui.opening import NEWEST
from radtui.tui.review.answer_panel import SIDES
from radtui.tui.review.correct_sheet import CorrectSheet
from radtui.tui.review.dialogs import PickSheet
from radtui.tui.review.reviewing import Reviewing

UNBLINDS = "Corrected before you have said which text is better, this comparison does not count as blind."


def correct(reviewing: Reviewing, session: ReviewSession) -> None:
    """Correct the better text, or the marked one."""
    _on_a_side(reviewing, session, "Correct which text", _correct)


def accept(reviewing: Reviewing, session: ReviewSession) -> None:
    """Take the better text, or the marked one, as it is."""
    _on_a_side(reviewing, session, "Accept which text", _accept)


def _on_a_side(
    reviewing: Reviewing,
    session: ReviewSession,
    question: str,
    do: Callable[[Reviewing, ReviewSession, Shown, int], None],
) -> None:
    """Do something with one of the texts on show; where none is marked and none is better, ask which."""
    shown, panels = session.shown(), reviewing.panels
    if shown is None:
        return
    side = panels.side if panels.mode in ("acceptability", "errors") else None
    side = side if side is not None else correcting.better_side(shown.rating)
    if side is not None:
        do(reviewing, session, shown, side)
        return

    def take(index: int | None) -> None:
        if index is not None:
            do(reviewing, session, shown, index)

    lines = [Content(f"{SIDES[at]}  {shown.texts[at]}"[:200]) for at in (0, 1)]
    reviewing.open_sheet(PickSheet(question, lines, 0), take)


def _correct(reviewing: Reviewing, session: ReviewSession, shown: Shown, side: int) -> None:
    rating, arm = shown.rating, shown.arm(side)
    preferred = rating is not None and (rating.preference is not None or rating.both_bad)
    before = rating.corrections.get(arm, shown.texts[side]) if rating is not None else shown.texts[side]

    def keep(text: str | None) -> None:
        now = reviewing.session
        if text is None or now is None or now.pair != shown.pair:
            return
        correcting.correct(now, side, text)
        count = words_changed(shown.texts[side], text)
        reviewing.last = (
            f"text {SIDES[side]} corrected, {many(count, 'word')}"
            if count
            else f"text {SIDES[side]} accepted"
        )

    def refused(text: str | None) -> None:
        open_sheet(text or "")  # what was typed is not lost

    def open_sheet(text: str) -> None:
        note = "" if preferred or shown.identity_known else UNBLINDS
        sheet = CorrectSheet(f"Text {SIDES[side]}", shown.texts[side], text, note)
        reviewing.open_sheet(sheet, keep, refused)

    open_sheet(before)


def _accept(reviewing: Reviewing, session: ReviewSession, shown: Shown, side: int) -> None:
    session.answer(lambda rating: correcting.taken_as_is(rating, shown.arm(side)))
    reviewing.last = f"text {SIDES[side]} accepted as it is"


def choose_arm(reviewing: Reviewing, session: ReviewSession) -> None:
    """Read one arm's texts by themselves; where there are several, ask whose."""
    names = arms_to_read(session.study)

    def take(index: int | None) -> None:
        if index is not None:
            read_alone(reviewing, session, names[index])

    if len(names) == 1:
        read_alone(reviewing, session, names[0])
    elif names:
        lines = [Content(name) for name in names]
        sheet = PickSheet("Read and correct whose texts", lines, len(names) - 1, closes=KEYS["alone"].keys)
        reviewing.open_sheet(sheet, take)


def read_alone(reviewing: Reviewing, session: ReviewSession, arm: str) -> None:
    """Read one arm's texts, then come back to the comparisons."""
    from radtui.tui.review.reading_screen import ReadingScreen

    def back(_: None) -> None:
        if reviewing.session is session:  # what was read by itself is not blind here any more
            reviewing.answers.add(lambda: session.show(session.pair))

    reviewing.screen.app.push_screen(ReadingScreen(session.study, arm, session.scheme), back)


def open_wanted(reviewing: Reviewing, session: ReviewSession) -> None:
    """Go on to the texts of the arm that the app was opened for, once."""
    rad = reviewing.screen.rad
    wanted = rad.opens
    if wanted.arm and wanted.study_id == session.study.id:
        rad.opens = NEWEST
        read_alone(reviewing, session, wanted.arm)


def arms_to_read(study: Study) -> list[str]:
    """The arms whose texts can be corrected, in the study's order: all but the reference."""
    return [arm.name for arm in study.arms if arm.kind is not ArmKind.REFERENCE]
