"""Where the review screen's keys go: back, to a pair, to those that a filter or search leaves, to the summary."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from radtui.records import Rating
from radtui.store import cases, ratings, studies
from radtui.study.kept_back import has_reference
from radtui.study.queue import Filter, Pair
from radtui.study.session import ReviewSession
from radtui.study.undo_words import undo_words
from radtui.tui.aside import aside
from radtui.tui.review.dialogs import AskSheet, PickSheet, filter_lines
from radtui.tui.review.reviewing import Reviewing

NOT_DONE = "when you have rated all pairs"
NOBODY_ELSE = "when somebody else has rated"


def undo(reviewing: Reviewing, session: ReviewSession) -> None:
    """Take back this rater's last answer and show its pair."""
    reviewing.last = ""
    undone = session.last_undo if session.undo() is not None else None
    reviewing.message = (
        undo_words(undone, session.scheme) if undone is not None else "There is nothing to take back."
    )


def next_unrated(reviewing: Reviewing, session: ReviewSession) -> None:
    """Show the next pair without a rating."""
    if session.next_unrated() is None:
        reviewing.message = reviewing.all_rated(session)


def summary(reviewing: Reviewing, session: ReviewSession) -> None:
    """Show the statistics."""
    from radtui.tui.review.summary import SummaryScreen

    reviewing.screen.app.push_screen(SummaryScreen(session.study, session.rater, session.scheme))


def jump(reviewing: Reviewing, session: ReviewSession) -> None:
    """Ask for a pair's number and show it."""

    def go(text: str | None) -> None:
        progress = session.queue.progress()
        if text and session.jump(progress.place_of(int(text))) is None:
            reviewing.message = f"There is no pair {text}; there are {progress.shown_total:,}."

    reviewing.open_sheet(AskSheet("Go to pair", "its number", restrict=r"\d{0,7}"), go)


def choose_filter(reviewing: Reviewing, session: ReviewSession) -> None:
    """Choose a filter. What others answered is read only when this rater is done.

    In a thread: a hundred thousand ratings take a third of a second.
    """
    if session.queue.next_unrated() is not None:
        pick_filter(reviewing, session, [], NOT_DONE)
        return
    study_id, me, rad = session.study.id, session.rater, reviewing.screen.rad

    def read_others(db: sqlite3.Connection) -> list[Rating]:
        return [row for row in ratings.current(db, study_id) if row.rater != me]

    def take(others: list[Rating]) -> None:
        pick_filter(reviewing, session, others, "" if others else NOBODY_ELSE)

    aside(reviewing.screen, lambda: rad.read(read_others), take, group="others")


def pick_filter(reviewing: Reviewing, session: ReviewSession, others: list[Rating], why_none: str) -> None:
    """Name every filter with its number of pairs; `why_none` is when disagreements can be seen."""
    if session is not reviewing.session:  # another study was opened while a thread read
        return
    left = {which: session.queue.select(which, others) for which in Filter}
    notes = {Filter.DISAGREEMENTS: why_none} if why_none else {}
    # As the line above counts: a hidden repeat is none, unless nothing else is left.
    counts = {
        which: sum(not pair.occasion for pair in pairs) or min(1, len(pairs)) for which, pairs in left.items()
    }
    lines = filter_lines(counts, notes)
    names = [which.value if which is not Filter.ALL else "" for which in Filter]
    closed = {at for at, which in enumerate(Filter) if which in notes or (names[at] and not left[which])}

    def take(index: int | None) -> None:
        if index is not None:
            reviewing.show_only(names[index], list(left.values())[index])

    now = names.index(reviewing.list_name) if reviewing.list_name in names else 0
    reviewing.open_sheet(
        PickSheet("Show only", lines, now, closed, session.scheme.keys.get("filter", "")), take
    )


def search(reviewing: Reviewing, session: ReviewSession) -> None:
    """Ask for words, then show only the pairs that have them."""
    rad = reviewing.screen.rad

    def look(text: str | None) -> None:
        words = (text or "").strip()
        if not words:
            return
        pairs, queue = list(session.queue.pairs), session.queue
        before = session.scheme.protocol.reference == "before" and not has_reference(session.study)
        finished_ids = {p.case_id for p in pairs if before or queue.finished(p.case_id, repeats=True)}

        def find(db: sqlite3.Connection) -> list[Pair]:
            texts = texts_of(db, session, pairs, finished_ids)
            wanted = words.casefold().split()
            return [pair for pair, text in texts.items() if all(word in text for word in wanted)]

        aside(
            reviewing.screen,
            lambda: rad.read(find),
            lambda pairs: show_hits(reviewing, session, words, pairs),
            group="search",
        )

    reviewing.open_sheet(
        AskSheet("Find pairs", "words in their texts, once rated also in the reference"), look
    )


def texts_of(
    db: sqlite3.Connection, session: ReviewSession, pairs: Sequence[Pair], finished_ids: Collection[int]
) -> dict[Pair, str]:
    """Pair -> the two texts that it shows in one, in small letters; for a thread.

    Args:
        db: A connection of the calling thread.
        session: Whose pairs these are.
        pairs: In shown order.
        finished_ids: Cases of which the reference may be searched, too: it says nothing of a pair that is yet to be
            rated.
    """
    by_case: dict[int, dict[str, str]] = {}
    for case_id, arm, text in studies.lengths(db, session.study):
        by_case.setdefault(case_id, {})[arm] = text
    references = {case.id: case.reference for case in cases.get_many(db, sorted(finished_ids))}
    sides, drawn = dict(session.sitting.sides), session.sitting.drawn
    texts = {}
    for pair in pairs:
        written = by_case.get(pair.case_id, {})
        arms = sides.get(pair) or (
            drawn.pairs[pair.case_id][pair.pair] if drawn is not None else tuple(written)
        )
        words = [*(written.get(arm, "") for arm in arms), references.get(pair.case_id, "")]
        texts[pair] = " ".join(words).casefold()
    return texts


def show_hits(reviewing: Reviewing, session: ReviewSession, words: str, pairs: list[Pair]) -> None:
    """Keep to the pairs with some words, unless another study was opened meanwhile."""
    if session is reviewing.session:
        reviewing.show_only(f"“{words}”", pairs)
