"""The cases of a data set that a query finds: a table under a line to search in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer

from radtui.records import Case
from radtui.store import cases, ratings
from radtui.store.cases import CaseQuery, DatasetSummary
from radtui.tui.aside import aside
from radtui.tui.data import image_rows
from radtui.tui.data.image_rows import ImageRows
from radtui.tui.key_uses import bindings
from radtui.tui.rad import rad_of
from radtui.tui.widgets.row_text import TableAndText
from radtui.tui.widgets.search_line import SearchLine
from radtui.tui.widgets.virtual_table import VirtualTable

SETTLE_S = 0.08  # on a row, before its case is read: a held key passes many
RETRY_S = 2.0  # after a database that could not be read
TABLE_ID = "images"


@dataclass(frozen=True, slots=True)
class ReadList:
    """What a thread has read: a query with its data set, what it finds, which cases are rated, and all data sets.

    `kept_back` are the cases whose reference this reader must not see yet.
    """

    query: CaseQuery
    ids: list[int]
    rated: frozenset[int]
    kept_back: frozenset[int]
    summaries: list[DatasetSummary]


class ImageList(Vertical):
    """What a query finds, read in threads; the case that was current stays so when the list is read again.

    Args:
        db: The event loop's connection, for the rows in sight.
        id: CSS id.

    Attributes:
        query_now: What is shown, or will be when it is read; without a data set the newest one is taken.
        summaries: All data sets, newest first.
        rows: The cases found.
        case: The one that the cursor has rested on last.
        answered: Whether anything was read yet.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("image list")

    @dataclass
    class Matched(Message):
        """A list was read and is shown; `trouble` says why it could not be, and the old one stays."""

        trouble: str = ""

    @dataclass
    class Settled(Message):
        """The cursor rests on a case; `near` are it and its neighbours."""

        case: Case
        near: Sequence[Case]

    def __init__(self, db: Callable[[], sqlite3.Connection], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._db = db
        self.query_now = CaseQuery("")
        self.summaries: list[DatasetSummary] = []
        self.rows = ImageRows(db)
        self.case: Case | None = None
        self.answered = False
        self._search = SearchLine("words in references and names")
        self._table = VirtualTable(self.rows.columns, self.rows, empty_text="No images", id=TABLE_ID)
        self._kept_back: frozenset[int] | None = None  # None: to be read anew
        self._asked = 0  # lists so far: only the newest one's answer is shown
        self._soon: Timer | None = None
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """The search over the table."""
        yield self._search
        yield TableAndText(self._table, elsewhere=image_rows.BESIDE)

    def on_mount(self) -> None:
        """Read the newest data set."""
        self.rows.choose(rad_of(self).choices.data_columns)
        self.find()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a search to forget while there is one."""
        return action != "forget" or bool(self.query_now.search)

    @property
    def place(self) -> int | None:
        """Position of the cursor, None without rows."""
        return self._table.cursor

    def find(self, **changes: object) -> None:
        """Read the list again, with a changed query when changes are given."""
        if self._soon is not None:
            self._soon.stop()
            self._soon = None
        self._asked += 1
        if not changes:
            self._kept_back = None
        self.query_now = replace(self.query_now, **changes)  # type: ignore[arg-type]
        self._read(self._asked, self.query_now)

    def find_soon(self, after_s: float) -> None:
        """Read the list again in a while; calls until then make one reading."""
        if self._soon is None:
            self._soon = self.set_timer(after_s, self.find)

    def show_query(self, query: CaseQuery) -> None:
        """Read the list of another query."""
        self.query_now = query
        self.find()

    def show_dataset(self, name: str) -> None:
        """Begin with another data set, unfiltered, in the same order."""
        self._search.forget()
        self.case = None
        self.show_query(CaseQuery(name, sort=self.query_now.sort))

    def _read(self, asked: int, query: CaseQuery) -> None:
        rad, known = rad_of(self), self._kept_back

        def read(db: sqlite3.Connection) -> ReadList:
            from radtui.study.kept_back import kept_back  # late: the first frame needs none of it
            from radtui.study.study import protocol_of

            summaries, of = cases.datasets(db), query
            kept = kept_back(db, rad.rater, protocol_of(rad.data)) if known is None else known
            if not of.dataset and summaries:
                of = replace(of, dataset=summaries[0].name)
            ids = cases.find(db, of, kept) if of.dataset else []
            return ReadList(of, ids, frozenset(ratings.rated_cases(db)), kept, summaries)

        aside(self, lambda: rad.read(read), lambda read: self._show(asked, read), self._retry, group="find")

    def _retry(self, trouble: str) -> None:
        self.find_soon(RETRY_S)
        self.post_message(self.Matched(trouble))

    def _show(self, asked: int, read: ReadList) -> None:
        if asked != self._asked:
            return
        self.query_now, self.summaries, self.answered = read.query, read.summaries, True
        self._kept_back = read.kept_back
        kept = self.case.id if self.case is not None else None
        if not read.ids:
            self.case = None
        self.rows.replace(read.ids, read.rated, read.query.search.split(), read.kept_back)
        self._table.columns = self.rows.columns
        self._table.reload()
        if kept is not None:
            self.go_to(kept)
        self.post_message(self.Matched())

    def go_to(self, case_id: int) -> bool:
        """Put the cursor on a case; whether it is in the list."""
        there = case_id in self.rows.ids
        if there:
            self._table.move_to(self.rows.ids.index(case_id))
        return there

    def step(self, by: int) -> None:
        """Move the cursor, wherever the focus is."""
        self._table.action_move(by)

    @on(VirtualTable.Highlighted)
    def _settle(self, event: VirtualTable.Highlighted) -> None:
        """Tell of the first image at once, and after a moment's rest where a key is held."""
        event.stop()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_S if self.case else 0.001, self.settle)

    def settle(self) -> None:
        """Tell of the case at the cursor now."""
        index = self.place
        if index is None or index >= len(self.rows.ids):
            return
        near = self.rows.cases(max(0, index - 1), index + 2)
        case = next((case for case in near if case.id == self.rows.ids[index]), None)
        if case is not None:
            self.case = case
            self.post_message(self.Settled(case, near))

    def search(self) -> None:
        """Type a search."""
        self._search.open()

    @on(SearchLine.Searched)
    def _searched(self, event: SearchLine.Searched) -> None:
        event.stop()
        self.find(search=event.words)

    @on(SearchLine.Left)
    def focus_table(self) -> None:
        """Give the keys to the rows."""
        self._table.focus()

    def action_forget(self) -> None:
        """Forget the search."""
        self._search.forget()
