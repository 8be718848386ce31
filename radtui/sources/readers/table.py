"""What every reader gives: tables of rows, and in their order the lines that could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from radtui.records import Problem

MAX_CELL_BYTES = 2**26  # a longer text is no report
NOTHING: frozenset[str] = frozenset()
SAMPLE_ROWS = 50  # of a table, from which its columns and what they mean are told


@dataclass(frozen=True, slots=True)
class Row:
    """One record. `number` is its first line in text, its place from 1 on elsewhere."""

    number: int
    cells: dict[str, object]


def first_columns(rows: Iterable[Row | Problem], known: Iterable[str] = ()) -> tuple[str, ...]:
    """Columns that are known, and then those of the first rows, in the order in which they come."""
    names = dict.fromkeys(known)
    for row in islice(rows, SAMPLE_ROWS):
        if isinstance(row, Row):
            names.update(dict.fromkeys(row.cells))
    return tuple(names)


class Table(Protocol):
    """Rows of one file, or of one sheet or list in it; every iteration reads it anew.

    Attributes:
        file: The file's name in the source's tree.
        part: What of the file it is: a sheet, a key of a JSON object; "" where it is the whole.
        columns: Its columns in order; of JSON, those of the first rows.
        notes: What was guessed of its form: its encoding, that it has no header.
    """

    file: str
    part: str
    columns: tuple[str, ...]
    notes: list[Problem]

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every row, damaged ones as problems; columns in `without` need not be read."""

    def count(self) -> int | None:
        """How many rows there are, where the file tells it without being read."""


def table_name(table: Table) -> str:
    """How a table is called in sentences: "reports.csv", "book.xlsx, Sheet2"."""
    return f"{table.file}, {table.part}" if table.part else table.file


def twice_named(file: str, names: list[str], columns: tuple[str, ...]) -> list[Problem]:
    """That a header has a name more than once, and what its columns are called."""
    bare = [name.strip() for name in names]
    return [
        Problem(file, f"The column {bare[place]} is there more than once; a later one is called {column}.")
        for place, column in enumerate(columns)
        if place < len(bare) and bare[place] and column != bare[place] and bare[place] in bare[:place]
    ]


def unique_columns(names: list[str]) -> list[str]:
    """Column names of which none is empty and none occurs twice."""
    taken: set[str] = set()
    result = []
    for place, raw in enumerate(names, start=1):
        name = raw.strip() or f"column {place}"
        unique, n = name, 1
        while unique in taken:
            n += 1
            unique = f"{name} {n}"
        taken.add(unique)
        result.append(unique)
    return result
