"""Rows of a CSV, TSV or JSON Lines file that lists images, one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from radtui.records import UserError
from radtui.settings import ImportSettings
from radtui.sources.base import DICOM_SUFFIXES, IMAGE_SUFFIXES
from radtui.sources.columns import Columns, find_columns, json_list

TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".jsonl", ".ndjson"))
_JSON_SUFFIXES = frozenset((".jsonl", ".ndjson"))
_SAMPLE_ROWS = 50  # enough to see which columns a JSON Lines file has and which hold file names
_MAX_CELL_CHARS = 2**24  # csv's own limit of 131,072 is less than a long report with its history


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table, or why it could not be read. `number` is its line in JSON, its record in CSV."""

    number: int
    cells: dict[str, object]
    error: str = ""


class Table:
    """A text file with one image per row; opened anew by every iteration."""

    def __init__(self, path: Path, settings: ImportSettings) -> None:
        """Look at the first rows to find the columns.

        Raises:
            UserError: the file cannot be read, or it has no column with images.
        """
        self.path = path
        self._json = path.suffix.lower() in _JSON_SUFFIXES
        try:
            self._encoding = _encoding(path)
            sample = list(islice(self, _SAMPLE_ROWS))
        except (OSError, csv.Error) as error:
            raise UserError(f"Cannot read {path}: {error}.") from error
        names = list(dict.fromkeys(name for row in sample for name in row.cells))
        if not names:
            names = self._header()
        with_files = {name for name in names if any(_names_image(row.cells.get(name)) for row in sample)}
        lists = {name for name in names if any(_is_list(row.cells.get(name)) for row in sample)}
        try:
            self.columns: Columns = find_columns(names, settings, image_like=with_files or None, lists=lists)
        except UserError as error:
            raise UserError(f"{path.name}: {error}") from error

    def __iter__(self) -> Iterator[Row]:
        """Every record in order; a damaged one has its reason and no cells."""
        return self._json_rows() if self._json else self._csv_rows()

    def _csv_rows(self) -> Iterator[Row]:
        csv.field_size_limit(_MAX_CELL_CHARS)
        with self.path.open(encoding=self._encoding, errors="replace", newline="") as file:
            reader = csv.DictReader(file, delimiter=self._delimiter(), restkey="", restval="")
            for number, cells in enumerate(reader, start=1):
                cells.pop("", None)  # cells beyond the header, or an unnamed index column
                yield Row(number, dict(cells))

    def _json_rows(self) -> Iterator[Row]:
        with self.path.open(encoding=self._encoding, errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                try:
                    cells = json.loads(line)
                except (ValueError, RecursionError) as error:
                    yield Row(number, {}, f"Line {number} of {self.path.name} is not JSON ({error}).")
                    continue
                if isinstance(cells, dict):
                    yield Row(number, cells)
                else:
                    yield Row(number, {}, f"Line {number} of {self.path.name} is no JSON object.")

    def _first_line(self) -> str:
        with self.path.open(encoding=self._encoding, errors="replace", newline="") as file:
            return file.readline()

    def _delimiter(self) -> str:
        """The separator that occurs most in the header; spreadsheets of some countries write semicolons."""
        header = self._first_line()
        return max((",", "\t", ";"), key=header.count)

    def _header(self) -> list[str]:
        if self._json:
            return []
        return [
            name for name in next(csv.reader([self._first_line()], delimiter=self._delimiter()), []) if name
        ]


def _encoding(path: Path) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 with one, else Windows' western code page."""
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    try:
        with path.open(encoding="utf-8-sig") as text:
            while text.read(2**20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _names_image(value: object) -> bool:
    if not isinstance(value, str) or len(value) > 1024:
        return False
    return PurePosixPath(value.strip()).suffix.lower() in IMAGE_SUFFIXES | DICOM_SUFFIXES


def _is_list(value: object) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and json_list(value) is not None)
