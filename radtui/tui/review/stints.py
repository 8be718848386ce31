"""What keys do about a stint: set out for so many pairs, and go on when it is over."""

from __future__ import annotations

from radtui.tui.keys import sign
from radtui.tui.review import going
from radtui.tui.review.dialogs import AskSheet
from radtui.tui.review.reviewing import Reviewing
from radtui.tui.review.stint import USUAL_PAIRS, Stint, StintSheet


def ask(reviewing: Reviewing) -> None:
    """Ask how many pairs to rate now, and set out for them."""
    session = reviewing.session
    if session is None:
        return
    left = session.queue.progress().shown_left
    if not left:
        reviewing.say(reviewing.all_rated(session))
        return

    def answered(text: str | None) -> None:
        if text and int(text):
            begin(reviewing, int(text))

    sheet = AskSheet(
        "Rate how many pairs now", "a number", restrict=r"\d{0,5}", value=str(min(USUAL_PAIRS, left))
    )
    reviewing.open_sheet(sheet, answered)


def begin(reviewing: Reviewing, pairs: int) -> None:
    """Count so many pairs from here on, or as many as are left."""
    session = reviewing.session
    if session is None:
        reviewing.wanted_pairs = pairs
        return
    progress = session.queue.progress()
    if not progress.left:
        reviewing.message = reviewing.all_rated(session)
        return
    reviewing.stint = Stint(min(pairs, progress.shown_left), progress)
    if session.pair is not None and session.queue.rated(session.pair):
        session.next_unrated()


def close(reviewing: Reviewing) -> None:
    """Say what was done once a stint is over, as all of it is saved; time stands still while it is read."""
    session, stint = reviewing.session, reviewing.stint
    if session is None or stint is None:
        return
    now = session.queue.progress()
    if not stint.over(now) and now.left:
        return
    reviewing.stint = None
    session.time.pause()

    def answered(choice: str | None) -> None:
        session.time.resume()
        if choice == "more":
            begin(reviewing, stint.pairs)
        elif choice == "totals":
            going.summary(reviewing, session)
        elif now.left:
            reviewing.message = f"{sign('start')} sets out for so many pairs again."

    reviewing.open_sheet(StintSheet(stint, now), answered)


def set_out(reviewing: Reviewing) -> None:
    """Set out for the usual number of pairs, as soon as there are any to rate."""
    if reviewing.session is None:
        reviewing.wanted_pairs = USUAL_PAIRS
    else:
        reviewing.answers.add(lambda: begin(reviewing, USUAL_PAIRS))
