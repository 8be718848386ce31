"""Where the review screen goes: to all pairs, those a filter or search leaves, one by its number, or their summary."""

from __future__ import annotations

import sqlite3

from textual import on, work
from textual.message import Message

from radtui.records import Rating
from radtui.store import cases, ratings, studies
from radtui.study.queue import Filter, Pair
from radtui.study.session import ReviewSession
from radtui.tui.review.dialogs import AskSheet, PickSheet, filter_lines
from radtui.tui.review.panels import Panels
from radtui.tui.screens.base import RadScreen


class ReviewLists(RadScreen):
    """The session and the list it goes through; `ReviewActions` answers, `ReviewScreen` loads and draws."""

    class Searched(Message):
        """A thread has found a session's pairs with some words."""

        def __init__(self, session: ReviewSession, words: str, pairs: list[Pair]) -> None:
            super().__init__()
            self.session, self.words, self.pairs = session, words, pairs

    def __init__(self) -> None:
        super().__init__()
        self.session: ReviewSession | None = None
        self.panels = Panels()
        self.message = ""  # stands above the question until the next key
        self.last = ""  # what was answered on the pair before this one
        # The last pair of all, until its rater has noticed that it was the last.
        self.ended: Pair | None = None
        self.revealing: Pair | None = None  # asked once whether its texts' names are wanted
        self.list_name = ""  # the filter or search that leaves some pairs only
        self.looking = False

    def draw(self) -> None:
        """Show the session's state; the screen itself knows how, here it is nothing."""

    def all_rated(self) -> str:
        """What is said when no pair is left."""
        return "All pairs are rated."

    def _do_summary(self, session: ReviewSession) -> None:
        from radtui.tui.review.summary import SummaryScreen

        self.app.push_screen(SummaryScreen(session.study, session.rater, session.scheme))

    def _do_jump(self, session: ReviewSession) -> None:
        def go(text: str | None) -> None:
            if text and session.jump(int(text)) is None:
                self.message = f"There is no pair {text}; there are {len(session.queue.pairs):,}."
            self.draw()

        self.app.push_screen(AskSheet("Go to pair", "its number", restrict=r"\d{0,7}"), go)

    def _do_filter(self, session: ReviewSession) -> None:
        """Choose a filter. What others answered is read only when this rater is done."""
        if session.queue.next_unrated() is None:
            self._read_others(session)
        else:
            self._pick_filter(session, [], "when you have rated all pairs")

    @work(thread=True, exclusive=True, group="others", exit_on_error=False)
    def _read_others(self, session: ReviewSession) -> None:
        """In a thread: a hundred thousand ratings take a third of a second."""
        study_id, me = session.study.id, session.rater
        others = self.rad.read(lambda db: [row for row in ratings.current(db, study_id) if row.rater != me])
        why = "" if others else "when somebody else has rated"
        self.app.call_from_thread(self._pick_filter, session, others, why)

    def _pick_filter(self, session: ReviewSession, others: list[Rating], why_none: str) -> None:
        """Name every filter with its number of pairs; `why_none` is when disagreements can be seen."""
        if session is not self.session:  # another study was opened while a thread read
            return
        found = {which: session.queue.select(which, others) for which in Filter}
        notes = {Filter.DISAGREEMENTS: why_none} if why_none else {}
        lines = filter_lines({which: len(pairs) for which, pairs in found.items()}, notes)
        names = [which.value if which is not Filter.ALL else "" for which in Filter]
        closed = {at for at, which in enumerate(Filter) if which in notes or (names[at] and not found[which])}

        def take(index: int | None) -> None:
            if index is not None:
                self._show_only(names[index], list(found.values())[index])

        now = names.index(self.list_name) if self.list_name in names else 0
        self.app.push_screen(PickSheet("Show only", lines, now, closed), take)

    def _do_search(self, session: ReviewSession) -> None:
        def search(text: str | None) -> None:
            if text and text.strip():
                self._search(session, text.strip())

        self.app.push_screen(AskSheet("Find pairs", "words in their texts or reference"), search)

    @work(thread=True, exclusive=True, group="search", exit_on_error=False)
    def _search(self, session: ReviewSession, words: str) -> None:
        study, pairs = session.study, list(session.queue.pairs)

        def texts(db: sqlite3.Connection) -> dict[int, str]:
            found: dict[int, str] = {}
            for case_id, _, text in studies.lengths(db, study):
                found[case_id] = f"{found.get(case_id, '')} {text}"
            for case in cases.get_many(db, list(found)):
                found[case.id] += f" {case.reference}"
            return found

        text_of = self.rad.read(texts)
        wanted = words.casefold().split()
        hits = [pair for pair in pairs if all(w in text_of.get(pair.case_id, "").casefold() for w in wanted)]
        self.post_message(self.Searched(session, words, hits))

    @on(Searched)
    def _show_searched(self, event: Searched) -> None:
        if event.session is self.session:  # another study may have been opened meanwhile
            self._show_only(f"“{event.words}”", event.pairs)

    def _show_only(self, name: str, pairs: list[Pair] | None) -> None:
        """Keep to some pairs, or to all again."""
        session = self.session
        if session is None:
            return
        if name and not pairs:
            self.message = f"No pair has {name}."
        else:
            self.list_name, session.among = name, pairs if name else None
            if pairs and session.pair not in pairs:
                session.show(pairs[0])
        self.refresh_bindings()
        self.draw()
