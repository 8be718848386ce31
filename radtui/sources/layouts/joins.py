"""Several tables as one: reports and the images they belong to, labels and splits, joined by a key they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice

from radtui.records import Problem
from radtui.sources.layouts import words
from radtui.sources.layouts.cells import cell_text
from radtui.sources.layouts.held_rows import HeldRows
from radtui.sources.layouts.roles import Cells, Roles
from radtui.sources.layouts.words import plain
from radtui.sources.readers import Row, Table
from radtui.sources.readers.table import NOTHING

_MAX_ROWS = 3_000_000
_SAMPLE = 200
_ID_DIGITS = 6
_SAME_MEANING = frozenset((*words.PATIENT, *words.EXAM, *words.IMAGE))
_COUNTERS = frozenset(("id", "index", "key", "nr", "number", "no", "name", "column_1"))
_KEY_WORDS = frozenset(
    ("id", "uid", "key", "name", "filename", "file", "path", "index", "accession", "nr", "number", "no", "case", "fall",
     "caso")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JoinKey:
    """The columns by which rows of one table belong to rows of another; `numbers` where one lacks zeros."""

    mine: str
    theirs: str
    numbers: bool = False


def shared_key(mine: Table, theirs: Table, sample: Sequence[Cells]) -> JoinKey | None:
    """The columns that tie two tables together: alike by name, and with values in common.

    Args:
        mine: The table whose rows are completed.
        theirs: The table that is looked up.
        sample: Some rows of `mine`.

    Returns:
        The pair that tells rows of `mine` apart best, or None where there is none.
    """
    pairs = _pairs(mine, theirs)
    if not pairs:
        return None
    exact = _best_of(pairs, theirs, sample)
    by_number = [replace(key, numbers=True) for key in pairs]
    return exact or _best_of([key for key in by_number if _zeros_apart(key, mine, theirs)], theirs, sample)


def _zeros_apart(key: JoinKey, mine: Table, theirs: Table) -> bool:
    """Whether one table's keys are numbers with zeros before them, the other's without, and none means two."""
    padded = []
    for table, column in ((mine, key.mine), (theirs, key.theirs)):
        cells = {
            key_text(row.cells.get(column)) for row in islice(table.rows(), _MAX_ROWS) if isinstance(row, Row)
        } - {""}
        if not all(cell.isdigit() for cell in cells) or len({cell.lstrip("0") for cell in cells}) < len(
            cells
        ):
            return False
        padded.append(any(cell.startswith("0") for cell in cells))
    return padded[0] != padded[1]


def _best_of(pairs: list[JoinKey], theirs: Table, sample: Sequence[Cells]) -> JoinKey | None:
    if not pairs:
        return None
    values = {
        key: {value for row in sample if (value := key_text(row.get(key.mine), key.numbers))} for key in pairs
    }
    hits: dict[JoinKey, set[str]] = {key: set() for key in pairs}
    for row in islice(theirs.rows(), _MAX_ROWS):
        if isinstance(row, Row):
            for key in pairs:
                value = key_text(row.cells.get(key.theirs), key.numbers)
                if value in values[key]:
                    hits[key].add(value)
        if all(len(hits[key]) >= len(values[key]) for key in pairs):
            break
    # Two tables that count their rows from 1 say nothing of each other.
    pairs = [
        key
        for key in pairs
        if plain(key.mine) not in _COUNTERS
        or plain(key.mine) != plain(key.theirs)
        or not all(map(_short_number, values[key]))
    ]
    usable = [key for key in pairs if values[key] and len(hits[key]) >= 0.3 * min(len(values[key]), _SAMPLE)]
    return max(usable, key=lambda key: len(values[key]), default=None)


def _short_number(value: str) -> bool:
    return value.isdigit() and len(value) < _ID_DIGITS


def _pairs(mine: Table, theirs: Table) -> list[JoinKey]:
    by_name = {plain(name): name for name in theirs.columns}
    pairs = []
    for name in mine.columns:
        simple = plain(name)
        if not set(words.words(name)) & _KEY_WORDS and simple not in (
            *words.PATIENT,
            *words.EXAM,
            *words.ID,
            *words.IMAGE,
        ):
            continue
        if simple in by_name and not (simple == "id" and theirs.part and mine.part):
            pairs.append(JoinKey(name, by_name[simple]))
        # "Subject ID" here is "PatientID" there; that values are in common decides.
        alike = next((group for group in (words.PATIENT, words.EXAM) if simple in group), ())
        pairs += [JoinKey(name, by_name[other]) for other in alike if other in by_name and other != simple]
        # COCO: annotations have image_id, images have id.
        singular = theirs.part.rstrip("s").lower()
        if singular and simple in (f"{singular}_id", f"{singular}id") and "id" in by_name:
            pairs.append(JoinKey(name, by_name["id"]))
        if mine.part and simple == "id":
            back = f"{mine.part.rstrip('s').lower()}_id"
            if back in by_name:
                pairs.append(JoinKey(name, by_name[back]))
    return pairs


def key_text(value: object, number: bool = False) -> str:
    """A key's cell so that 7, 7.0, "7" and " 7 " are one; as a number, 007 too; "" for an image and other objects."""
    if isinstance(value, Mapping):
        return ""
    text = cell_text(value).casefold()
    text = text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text
    return text.lstrip("0") or "0" if number and text.isdigit() else text


class Joined:
    """A table whose rows are completed with the cells of another's row of the same key.

    Where several rows of the other have the key, their cells are lists, so that a report has all its images; with
    `every` false they are left out, for labels of which there are several name no single one; with `together`, which
    is for images without texts, different ones are put one after the other (boxes, readers).
    """

    def __init__(
        self, mine: Table, theirs: Table, key: JoinKey, every: bool = False, together: bool = False
    ) -> None:
        self._together = together
        self.file, self.part = mine.file, mine.part
        self.notes = [*mine.notes, *theirs.notes]
        if key.numbers:
            reason = f"Its rows are matched with {theirs.file} by the numbers of {key.mine}, for one lacks their zeros."
            self.notes.append(Problem(mine.file, reason))
        self.theirs, self.key = theirs, key
        self.form: dict[str, str] = getattr(mine, "form", {})
        self._mine, self._every = mine, every
        own = set(mine.columns)
        other = theirs.part or theirs.file
        self.added = {
            name: f"{name} ({other})" if name in own else name
            for name in theirs.columns
            if name != key.theirs and (every or name not in own or plain(name) not in _SAME_MEANING)
        }  # fmt: skip
        self.columns = (*mine.columns, *self.added.values())
        self._rows: HeldRows | None = None
        self.unused = 0

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """The rows of the first table with what belongs to them; with `every`, then those of the second left over."""
        lookup = self.lookup()
        seen: set[str] = set()
        for row in self._mine.rows():
            if isinstance(row, Problem):
                yield row
                continue
            key = key_text(row.cells.get(self.key.mine), self.key.numbers)
            seen.add(key)
            yield Row(row.number, {**row.cells, **self._cells(lookup.get(key))})
        if self._every:
            for key in lookup:
                if key not in seen:
                    rows = lookup.get(key)
                    # No row of the first table says anything of these, so what both have is the second's own word.
                    own = {name: rows[0].get(name) for name, added in self.added.items() if name != added}
                    yield Row(0, {self.key.mine: rows[0].get(self.key.theirs), **own, **self._cells(rows)})
        self.unused = sum(key not in seen for key in lookup)

    def _cells(self, rows: list[Cells]) -> Cells:
        if not rows:
            return {}
        if len(rows) == 1:
            return {mine: rows[0].get(theirs) for theirs, mine in self.added.items()}
        if self._together:
            return {mine: "; ".join(_different(rows, theirs)) for theirs, mine in self.added.items()}
        if not self._every:
            return {}
        result: dict[str, object] = {}
        for theirs, mine in self.added.items():
            values = [row.get(theirs) for row in rows]
            alike = len({cell_text(value) for value in values}) == 1
            result[mine] = values[0] if alike else values
        return result

    def lookup(self) -> HeldRows:
        """Rows of the second table by their key, read once."""
        if self._rows is None:
            self._rows = HeldRows()
            for row in islice(self.theirs.rows(), _MAX_ROWS):
                if isinstance(row, Row) and (
                    key := key_text(row.cells.get(self.key.theirs), self.key.numbers)
                ):
                    self._rows.add(key, row.cells)
        return self._rows


def _different(rows: list[Cells], column: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (cell_text(row.get(column)) for row in rows))))


def frontal_first(table: Joined, roles: Roles) -> Joined:
    """Put the frontal images of an exam before its lateral ones; the table's order stays otherwise."""
    view = next((theirs for theirs, mine in table.added.items() if mine == roles.view), "")
    if view:
        table.lookup().order_by(
            lambda row: "lat" in cell_text(row.get(view)).lower() or cell_text(row.get(view)).lower() == "ll"
        )
    return table
