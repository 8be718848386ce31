"""What each key of a rating scheme does: one row for each action that a scheme may name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radtui.measures.scheme import Scheme
from radtui.study import edits
from radtui.study.session import Edit, ReviewSession
from radtui.tui.review import correcting, going, seeing
from radtui.tui.review.note import open_note
from radtui.tui.review.reviewing import Reviewing

Do = Callable[[Reviewing, ReviewSession, int], object]


@dataclass(frozen=True, slots=True)
class Act:
    """One action.

    Attributes:
        do: Takes what is reviewed, its sitting, and the number behind the action's name, 1 based; 0 for none.
        saves: What is said to be saved when the action has stored something; "" where it says so itself.
        judges: Whether it may be the key too many after the last pair.
        needs_texts: Whether it is offered only while the texts are in sight.
    """

    do: Do
    saves: str = ""
    judges: bool = False
    needs_texts: bool = False


def _judges(edit: Callable[[Scheme, int], Edit]) -> Act:
    return Act(lambda r, s, number: r.rate(s, edit(s.scheme, number)), judges=True, needs_texts=True)


def _opens(panel: str) -> Act:
    def do(reviewing: Reviewing, session: ReviewSession, number: int) -> None:
        shown = session.shown()
        if shown is not None:
            reviewing.panels.open(panel, shown)

    return Act(do, needs_texts=True)


ACTS: dict[str, Act] = {
    # The preference.
    "preference": _judges(lambda scheme, number: lambda row: edits.preferred(row, scheme, number - 1)),
    "both_bad": _judges(lambda scheme, _: edits.both_bad),
    "skip": _judges(lambda scheme, _: edits.skipped),
    "undo": Act(lambda r, s, _: going.undo(r, s)),
    # The questions beside it.
    "open_acceptability": _opens("acceptability"),
    "open_errors": _opens("errors"),
    "open_dimensions": _opens("dimensions"),
    "acceptability": Act(lambda r, s, number: r.panels.accept(number, s), "acceptability"),
    "error": Act(lambda r, s, number: r.panels.count(number, s), "error count"),
    "error_significance": Act(lambda r, s, _: r.panels.other_significance()),
    "error_take_back": Act(lambda r, s, _: r.panels.take_back(s), "error count"),
    "checked_none": Act(lambda r, s, _: r.panels.check(s), "errors checked"),
    "dimension": Act(lambda r, s, number: r.panels.compare(number, s), "one quality compared"),
    "other_text": Act(lambda r, s, _: r.panels.other_text()),
    "close_panel": Act(lambda r, s, _: r.panels.close()),
    # What is said of a pair, and of its texts.
    "flag": Act(lambda r, s, _: s.answer(edits.flag_turned, judges=False), "flag"),
    "note": Act(lambda r, s, _: open_note(r, s)),
    "correct": Act(lambda r, s, _: correcting.correct(r, s)),
    "accept_text": Act(lambda r, s, _: correcting.accept(r, s)),
    "read_alone": Act(lambda r, s, _: correcting.choose_arm(r, s)),
    # What is seen of it.
    "zoom": Act(lambda r, s, _: seeing.zoom(r, s)),
    "next_image": Act(lambda r, s, _: seeing.turn(r, 1)),
    "image_before": Act(lambda r, s, _: seeing.turn(r, -1)),
    "reveal": Act(lambda r, s, _: seeing.reveal(r, s)),
    "ask": Act(lambda r, s, _: seeing.ask(r, s)),
    "reference": Act(lambda r, s, _: seeing.reference(r, s)),
    # Where to go.
    "next": Act(lambda r, s, _: s.step(1)),
    "previous": Act(lambda r, s, _: s.step(-1)),
    "next_unrated": Act(lambda r, s, _: going.next_unrated(r, s)),
    "jump": Act(lambda r, s, _: going.jump(r, s)),
    "filter": Act(lambda r, s, _: going.choose_filter(r, s)),
    "search": Act(lambda r, s, _: going.search(r, s)),
    "summary": Act(lambda r, s, _: going.summary(r, s)),
}  # fmt: skip

TURNS_IMAGE = frozenset({"next_image", "image_before"})
"""Those that do something only where a case has several images."""


def act(reviewing: Reviewing, name: str) -> None:
    """Do what the scheme calls `name`, such as `preference.2` or `undo`.

    Args:
        reviewing: What is reviewed; it is not drawn here.
        name: An action of the scheme.

    Raises:
        sqlite3.Error: The database refuses it.
        UserError: The data folder cannot be used.
    """
    session = reviewing.session
    if session is None:
        return
    group, _, number = name.partition(".")
    row, before = ACTS[group], session.mine
    session.time.touch()
    reviewing.message = ""
    if not row.judges:
        reviewing.ended = None
    if group not in ("reveal", "reference"):
        reviewing.revealing = None
    row.do(reviewing, session, int(number or 0))
    if row.saves and session.mine is not before:
        reviewing.last = row.saves
