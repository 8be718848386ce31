"""Sheets of an Excel workbook, as the values that were last shown in it."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from radtui.records import Problem, UserError
from radtui.sources.files import Tree
from radtui.sources.readers.header import has_header
from radtui.sources.readers.sheet_links import file_text, merged_cells, sheet_links
from radtui.sources.readers.table import NOTHING, SAMPLE_ROWS, Row, twice_named, unique_columns

_MAX_INFLATED_BYTES = 2**31
_MOSTLY = 0.5
UNCOMPUTED = re.compile(
    r"<c\b(?![^>]*\bt=\"str\")[^>]*>\s*<f(?:\s[^>]*)?>[^<]+</f>\s*(?:<v\s*/>|<v></v>)?\s*</c>"
)
"""A formula's cell without a value, and not one that was computed to an empty text."""


class SheetTable:
    """One sheet of a workbook."""

    def __init__(self, tree: Tree, file: str, sheet: str, only: bool) -> None:
        """Find the header: the first row that is as wide as those after it.

        Args:
            tree: The source.
            file: The workbook.
            sheet: The sheet's name.
            only: Whether it is the workbook's only sheet.
        """
        self.file, self.part = file, "" if only else sheet
        self.notes: list[Problem] = []
        self._tree, self._sheet = tree, sheet
        self._merged: dict[tuple[int, int], tuple[int, int]] = {}
        self._links = self._read_links()
        self._linked: tuple[int, ...] = ()  # columns whose cells lead to files
        sample = list(islice(self._values(), SAMPLE_ROWS))
        filled = [sum(bool(cell) for cell in row) for _, row in sample]
        usual = max(filled, default=0)
        place = next((n for n, cells in enumerate(filled) if cells > usual / 2), 0)
        rows = [row for _, row in sample[place:]]
        self._first = sample[place][0] if sample else 1
        self._headed = has_header(rows)
        if rows and not self._headed:
            self.notes.append(Problem(file, "It has no header line, so its columns are numbered."))
        header = [str(cell) for cell in rows[0]] if rows else []
        self.columns = tuple(unique_columns(header if self._headed else [""] * len(header)))
        self.notes += twice_named(file, header, self.columns) if self._headed else []
        self._width = len(self.columns)
        numbers = [number for number, row in sample[place + self._headed :] if any(row)]
        if any(number > self._first for number, _ in self._merged):
            reason = "Cells that are merged over several rows are read for each of these rows."
            self.notes.append(Problem(file, reason))
        self._linked = tuple(
            column for column in range(1, self._width + 1)
            if sum((number, column) in self._links for number in numbers) > _MOSTLY * len(numbers)
        )  # fmt: skip
        self.columns = tuple(
            unique_columns([*self.columns, *(f"{self.columns[column - 1]} link" for column in self._linked)])
        )

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every row that is not empty; cells that are merged downwards are there in each of their rows."""
        firsts = set(self._merged.values())
        held: dict[tuple[int, int], str] = {}
        for number, cells in self._values():
            if number < self._first or (self._headed and number == self._first) or not any(cells):
                continue
            padded = [*cells[: self._width], *[""] * (self._width - len(cells))]
            for column in range(1, self._width + 1) if self._merged else ():
                if above := self._merged.get((number, column)):
                    padded[column - 1] = held.get(above, padded[column - 1])
                elif (number, column) in firsts:
                    held[number, column] = padded[column - 1]
            padded += [self._links.get((number, column), "") for column in self._linked]
            yield Row(number, dict(zip(self.columns, padded, strict=False)))

    def _read_links(self) -> dict[tuple[int, int], str]:
        """Where cells lead to, and which are merged; of a sheet of charts, nothing."""
        book = _book(self._tree, self.file)
        try:
            path = str(getattr(book[self._sheet], "_worksheet_path", ""))
        finally:
            book.close()
        with self._tree.open(self.file) as raw, zipfile.ZipFile(raw) as inner:
            if not path:
                return {}
            text = file_text(inner, path.lstrip("/"))
            self._merged = merged_cells(text)
            self._note_unread(inner, text)
            return sheet_links(inner, path.lstrip("/"), text)

    def _note_unread(self, inner: zipfile.ZipFile, text: str) -> None:
        """Say what of a sheet is no cell's value: pictures that lie on it, formulas that nobody has computed."""
        if "<drawing " in text and any(name.startswith("xl/media/") for name in inner.namelist()):
            reason = (
                "Pictures that lie on the sheet are not read; save them as files and name these in a column."
            )
            self.notes.append(Problem(self.file, reason))
        if formulas := len(UNCOMPUTED.findall(text)):
            reason = "Formulas have no value, so their cells are empty: open the workbook in a program, and save it."
            self.notes.append(Problem(self.file, reason, formulas))

    def _values(self) -> Iterator[tuple[int, list[str]]]:
        book = _book(self._tree, self.file)
        try:
            for number, cells in enumerate(book[self._sheet].iter_rows(values_only=True), start=1):
                yield number, [_text(cell) for cell in cells]
        finally:
            book.close()


def sheet_tables(tree: Tree, file: str) -> list[SheetTable]:
    """The sheets of a workbook that have cells.

    Raises:
        UserError: openpyxl is not installed, or the file is no workbook, or it inflates to more than 2 GiB.
    """
    book = _book(tree, file)
    names = [sheet.title for sheet in book.worksheets]
    book.close()
    tables = [SheetTable(tree, file, name, len(names) == 1) for name in names]
    return [table for table in tables if table.columns]


def _book(tree: Tree, file: str) -> Any:
    try:
        import openpyxl
    except ImportError as error:
        raise UserError(f"{file} needs openpyxl; install it with: pip install openpyxl.") from error
    try:
        raw = tree.open(file)
        with zipfile.ZipFile(raw) as inner:
            if sum(info.file_size for info in inner.infolist()) > _MAX_INFLATED_BYTES:
                raise UserError(f"{file} inflates to more than 2 GiB; save it as CSV.")
        raw.seek(0)
        return openpyxl.load_workbook(raw, read_only=True, data_only=True)
    except UserError:
        raise
    except Exception as error:  # zip, XML and openpyxl's own errors
        raise UserError(
            f"{file} cannot be read as a workbook ({error}); save it again, or as CSV."
        ) from error


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return cell.date().isoformat()
    if isinstance(cell, (datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell)
