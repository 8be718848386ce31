"""Cases as rows of a table: ids are held, what stands in a row is read when it comes into sight."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from rich.text import Text

from radtui.records import Case
from radtui.store import cases
from radtui.tui import theme
from radtui.tui.widgets.cell_text import mark_matches
from radtui.tui.widgets.table_columns import Column, Row, chosen_columns

MARK = Column("", width=1)
COLUMNS = (
    Column("Name", flex=1.0, least=11, keep="end", share=0.5),  # the reference stands whole beside the image
    Column("Reference", flex=3.0, least=24),
    Column("Examination", width=14, priority=4),
    Column("Split", width=10, priority=3),
)
BESIDE = ("Reference",)  # columns whose text stands whole beside the image
UNREADABLE, LEAKED, RATED = "!", "=", "•"
SIGNS = f"Before a name: {RATED} rated, {LEAKED} in two splits, {UNREADABLE} cannot be read."
HIDDEN = "hidden until you have rated it"
LEAD = 6  # characters kept before the first match


class ImageRows:
    """The cases of a search, in its order.

    Args:
        db: Gives the event loop's connection; asked for with every page.
    """

    def __init__(self, db: Callable[[], sqlite3.Connection]) -> None:
        self._db = db
        self.ids: Sequence[int] = ()
        self.rated: frozenset[int] = frozenset()
        self.words: list[str] = []
        self.kept_back: frozenset[int] = frozenset()
        self.columns: tuple[Column, ...] = (MARK, *COLUMNS)

    def choose(self, names: str) -> None:
        """Have the columns of a preference, behind that of the marks."""
        offered = [(column, column.title) for column in COLUMNS]
        self.columns = (MARK, *(column for column, _ in chosen_columns(names, offered)))

    def __len__(self) -> int:
        return len(self.ids)

    def replace(
        self, ids: Sequence[int], rated: frozenset[int], words: list[str], kept_back: frozenset[int]
    ) -> None:
        """Take over what a search has found; of cases that are kept back no reference is shown."""
        self.ids, self.rated, self.words, self.kept_back = ids, rated, words, kept_back

    def cases(self, start: int, stop: int) -> list[Case]:
        """Cases [start, stop) as this reader may see them, read from the database."""
        read = cases.get_many(self._db(), self.ids[start:stop])
        return [without_reference(case, self.kept_back) for case in read]

    def rows(self, start: int, stop: int) -> list[Row]:
        """Rows [start, stop), read from the database."""
        return [self._row(case) for case in self.cases(start, stop)]

    def _row(self, case: Case) -> Row:
        text: str | Text = case.reference
        if case.error:
            text = Text.assemble((case.error, theme.ERROR))
        elif self.words:
            text = mark_matches(_from_match(case.reference, self.words), self.words, f"bold {theme.ACCENT}")
        cells: dict[str, str | Text] = {
            "": self._mark(case), "Name": case.source_key, "Reference": text, "Examination": case.examination,
            "Split": case.split,
        }  # fmt: skip
        return [cells[column.title] for column in self.columns]

    def _mark(self, case: Case) -> Text:
        if case.error:
            return Text.assemble((UNREADABLE, f"bold {theme.ERROR}"))
        if case.leaked:
            return Text.assemble((LEAKED, f"bold {theme.WARNING}"))
        return Text.assemble((RATED if case.id in self.rated else " ", theme.ACCENT))


def without_reference(case: Case, kept_back: Collection[int]) -> Case:
    """A case as this reader may see it; what its source told of it besides may hold its reference, too."""
    return replace(case, reference=HIDDEN, truth=(), facts={}) if case.id in kept_back else case


def _from_match(text: str, words: list[str]) -> str:
    """The text from shortly before the first word that was searched for, so that a narrow column shows it."""
    match = re.search(r"\b(?:" + "|".join(re.escape(word) for word in words) + ")", text, re.IGNORECASE)
    if match is None or match.start() <= LEAD:
        return text
    start = text.find(" ", match.start() - LEAD)
    return "…" + text[start if 0 <= start < match.start() else match.start() :]
