"""CSV lines that every reader splits the same way (RFC 4180), and files of them read back to the byte."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from radtui.export.files import whole_file
from radtui.export.formula_quote import quote_formula
from radtui.records import UserError

# Python's own writer leaves a lone carriage return unquoted when lines end in a line feed; every reader, its own too,
# takes it for the end of the row.
CELLS_KEPT = 8192
_QUOTED = re.compile('[,"\r\n]')


def csv_line(cells: Iterable[str]) -> str:
    """One row with its line feed."""
    return ",".join(map(_quoted, cells)) + "\n"


def write_table(out: Path, columns: Sequence[str], rows: Iterable[Iterable[object]], raw: bool) -> int:
    """Write a CSV file, whole or not at all; returns the number of rows.

    Args:
        out: The file.
        columns: Their names.
        rows: Values in the order of the columns.
        raw: As in `cell`.

    Raises:
        UserError: The file cannot be written.
    """
    written = 0
    with whole_file(out) as file:
        file.write(csv_line(columns))
        for row in rows:
            file.write(csv_line(cell(value, raw) for value in row))
            written += 1
    return written


class CsvCells(dict[object, str]):
    """Values as quoted cells, each made once: names, prompts, texts, steps and blanks stand in many rows.

    Args:
        raw: As in `cell`.
    """

    def __init__(self, raw: bool = False) -> None:
        super().__init__()
        self._raw = raw

    def __missing__(self, value: object) -> str:
        if len(self) >= CELLS_KEPT:
            self.clear()
        made = self[value] = _quoted(cell(value, self._raw))
        return made

    def text(self, value: object) -> str:
        """A value as `cell` writes it, quoted where it must be."""
        # A float is another cell than the whole number that it equals; truth values are written as such numbers are.
        return str(value) if type(value) is float else self[value]


def cell(value: object, raw: bool = False) -> str:
    """A value as text: empty for no answer, 1 and 0 for yes and no; only texts can be risky.

    Args:
        value: None, a truth value, a number or a text.
        raw: Leave a text that a spreadsheet would run as it is.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    text = storable(str(value))
    return text if raw else quote_formula(text)


def storable(text: str) -> str:
    r"""A text that UTF-8 can hold: half of a surrogate pair becomes its code point in writing, `\udc80`.

    No description, reference or note has one, since the database takes none; the path of a model or image may.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_csv(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file as column -> cell, cells of any length.

    Raises:
        UserError: A row has another number of cells than the header, or the file is not UTF-8 text.
    """
    # The limit is the process's own, 128 KiB, and a text may be longer.
    before = csv.field_size_limit(sys.maxsize)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            for number, cells in enumerate(reader, 1):
                if len(cells) != len(header):
                    raise UserError(
                        f"Row {number} of {path} has {len(cells)} cells where the header has {len(header)};"
                        " export it again."
                    )
                yield dict(zip(header, cells, strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV file in UTF-8 ({error}); export it again.") from error
    finally:
        csv.field_size_limit(before)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text
