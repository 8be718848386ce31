"""Tables whose rows are not cases: exams listed inside a patient's row, reports and images in rows of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from radtui.records import Problem
from radtui.sources.choices import SourceChoices
from radtui.sources.layouts.candidates import Candidate, look_at
from radtui.sources.layouts.cells import as_list, cell_text
from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.roles import Cells
from radtui.sources.readers import Row, Table, table_name
from radtui.sources.readers.nesting import unnested
from radtui.sources.readers.table import NOTHING, first_columns

_DEEPEST = 3


class ListedTable:
    """A table in whose rows one column lists objects: a row for each of these, with the other cells beside it."""

    def __init__(self, table: Table, column: str) -> None:
        self._table, self._column = table, column
        self.file, self.part, self.notes = table.file, table.part, [*table.notes]
        self.form: dict[str, str] = getattr(table, "form", {})
        self.columns = first_columns(self.rows())

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """A row for each object that is listed."""
        for row in self._table.rows(without - {self._column}):
            if isinstance(row, Problem):
                yield row
                continue
            outer = {name: value for name, value in row.cells.items() if name != self._column}
            for item in as_list(row.cells.get(self._column)) or ():
                if isinstance(item, Mapping):
                    inner = {str(name): value for name, value in unnested(item).items()}
                    clash = {
                        f"{self._column}.{name}": inner.pop(name) for name in outer.keys() & inner.keys()
                    }
                    yield Row(row.number, {**outer, **inner, **clash})


class FilledTable:
    """The rows of a table in which some columns hold anything, with the columns that do so in these rows."""

    def __init__(self, table: Table, filled: Sequence[str], columns: Sequence[str], part: str) -> None:
        self._table, self._filled = table, tuple(filled)
        self.file, self.part, self.columns = table.file, part, tuple(columns)
        self.notes: list[Problem] = []
        self.form: dict[str, str] = getattr(table, "form", {})

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """The rows; damaged ones are those of the first part alone, to be told once."""
        for row in self._table.rows():
            if isinstance(row, Problem):
                if not self.part:
                    yield row
            elif is_filled(row.cells, self._filled):
                yield Row(row.number, {name: row.cells.get(name) for name in self.columns})


def is_filled(cells: Cells, columns: Sequence[str]) -> bool:
    """Whether any of some columns holds anything in a row."""
    return any(cell_text(cells.get(name)) for name in columns)


def unfolded(candidate: Candidate, names: FileNames, choices: SourceChoices, depth: int = 1) -> Candidate:
    """A table without images, or with a row for each object of a list in its rows where these name images."""
    roles = candidate.roles
    if candidate.wrong or roles.resolved or roles.conversation or not len(names):
        return candidate
    for column in candidate.table.columns:
        lists = [items for row in candidate.sample if (items := as_list(row.get(column)))]
        if not lists or not all(isinstance(item, Mapping) for items in lists for item in items[:2]):
            continue
        listed = ListedTable(candidate.table, column)
        inner = look_at(listed, names, choices)
        if depth < _DEEPEST:
            inner = unfolded(inner, names, choices, depth + 1)
        if inner.roles.resolved and (inner.roles.teaches or inner.roles.question):
            reason = f"Each of the {column} that a row lists is a case."
            inner.table.notes.append(Problem(table_name(listed), reason))
            return inner
    return candidate


def parted(candidate: Candidate) -> tuple[Candidate, Candidate] | None:
    """The rows with a text and those with an image, where none of a table's first rows has both; else None.

    So REDCap exports instruments that repeat: the report in a record's own row, each image in a row below it.
    """
    roles, table = candidate.roles, candidate.table
    images = [name for name, _ in roles.images]
    if not roles.resolved or not roles.text or roles.question or roles.conversation:
        return None
    with_text = [row for row in candidate.sample if is_filled(row, roles.text)]
    with_image = [row for row in candidate.sample if is_filled(row, images)]
    if not with_text or not with_image or any(is_filled(row, images) for row in with_text):
        return None
    parts = []
    for filled, rows, part in ((roles.text, with_text, ""), (images, with_image, "images")):
        columns = [name for name in table.columns if any(cell_text(row.get(name)) for row in rows)]
        parts.append(Candidate(FilledTable(table, filled, columns, part), rows, roles, way=candidate.way))
    return parts[0], parts[1]
