"""CSV files of any dialect. A damaged line is rejoined where that is certain, else named and left out.

Half a sentence would be learnt as a whole one ("No pneumothorax, but large left effusion." cut at its comma), so a
row whose cells do not fit the header never comes in as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

from radtui.records import Problem, UserError
from radtui.sources.identity_columns import identity_of_column
from radtui.sources.readers.damage import Shape, rejoined
from radtui.sources.readers.dialect import RecordCells, find_dialect, numbers_its_rows, split_record
from radtui.sources.readers.encoding import detect_encoding
from radtui.sources.readers.header import has_header
from radtui.sources.readers.table import MAX_CELL_BYTES, NOTHING, Row, twice_named, unique_columns

_SHOWN_CHARS = 60
_SAMPLE_LINES = 300
_MAX_LINES_OF_A_ROW = 100_000
_PATH = re.compile(r"[^\s,;|]*[/\\_][^\s]*[,;|\t]")
_SIGNS = {"tab": "\t", "\\t": "\t", "space": " "}
"""Delimiters that cannot well be typed, by what people type for them."""
_CONTROL = str.maketrans("", "", "\0")
Opener = Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    text: str
    cells: RecordCells


class Delimited:
    """A CSV or TSV file."""

    def __init__(self, file: str, opener: Opener, delimiter: str = "", encoding: str = "") -> None:
        """Find encoding, dialect and header from the first lines.

        Args:
            file: Its name in the source.
            opener: Opens it at its beginning; inflates where it is packed.
            delimiter: As the user said, or "" to find it.
            encoding: As the user said, or "" to find it.

        Raises:
            UserError: There is no such encoding.
        """
        self.file, self.part = file, ""
        self.notes: list[Problem] = []
        self._open = opener
        # In a file that is valid as it stands, a replacement sign is the file's own: somebody lost a letter before.
        self._is_own_text = False
        self._encoding = self._find_encoding(encoding)
        lines = [_bare(line) for line in islice(self._lines(), _SAMPLE_LINES)]
        self.dialect, self._before = find_dialect(lines, _SIGNS.get(delimiter.lower(), delimiter))
        records = list(islice(self._records(), 60))
        while len(records) > 1 and records[0].text.startswith("#"):  # comments before the header
            self._before = records[1].line - 1
            records = records[1:]
        first = records[0].cells.cells if records else []
        self._headed = has_header([each.cells.cells for each in records])
        if records and not self._headed:
            self.notes.append(Problem(file, "It has no header line, so its columns are numbered."))
        names = first if self._headed else [""] * len(first)
        # A delimiter at the end of each line.
        while len(names) > 1 and not names[-1].strip() and self._headed:
            names = names[:-1]
        if self._headed and records and numbers_its_rows([each.cells.cells for each in records]):
            names = ["row", *names]
        self.columns = tuple(unique_columns(names))
        self.notes += twice_named(file, names, self.columns)
        body = records[1:] if self._headed else records
        self._shape = Shape.of([each.cells for each in body], len(self.columns))

    @property
    def form(self) -> dict[str, str]:
        """How it is written, as the settings of an import name it."""
        delimiter = {"\t": "tab", " ": "space"}.get(self.dialect.delimiter, self.dialect.delimiter)
        return {"delimiter": delimiter, "encoding": self._encoding}

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every row; a row that is not whole as a problem with its line."""
        records = self._records()
        if self._headed:
            next(records, None)
        held: _Record | None = None
        joined: list[int] = []
        for record in records:
            if held is not None and self._continues(held, record):
                held = self._joined(held, record)
                joined.append(record.line)
                continue
            if held is not None:
                yield self._row(held)
            held = record
        if held is not None:
            yield self._row(held)
        if joined:
            reason = "The line begins no row and is taken as the rest of the text before it; put such texts in quotes."
            yield Problem(f"{self.file}, line {joined[0]}", reason, len(joined))

    def _start(self, record: _Record) -> str:
        """How a damaged record begins, for people to find it; nothing where its table tells of people."""
        if not self._headed or any(map(identity_of_column, self.columns)):
            return ""
        line = " ".join(record.text.split())
        return f": {line}" if len(line) <= _SHOWN_CHARS else f": {line[:_SHOWN_CHARS]}..."

    def _row(self, record: _Record) -> Row | Problem:
        where = f"{self.file}, line {record.line}"
        parsed = record.cells
        if parsed.open:
            return Problem(where, f"A quote is opened and not closed{self._start(record)}")
        cells = parsed.cells
        width = len(self.columns)
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]
        if len(cells) > width:
            joined = rejoined(cells, self.dialect.delimiter, self._shape) if not parsed.quoted else None
            if joined is None:
                reason = (
                    f"The row has {len(cells)} cells, more than the {width} of the header; put its text in quotes"
                    f"{self._start(record)}"
                )
                return Problem(where, reason)
            cells = joined
        elif len(cells) < width and not self._shape.fits_beginning(cells):
            reason = (
                f"The row has {len(cells)} cells, fewer than the {width} of the header{self._start(record)}"
            )
            return Problem(where, reason)
        if not self._is_own_text and any("\ufffd" in cell for cell in cells):
            return Problem(
                where, f"It holds bytes that are no letters in {self._encoding}{self._start(record)}"
            )
        if any(len(cell) > MAX_CELL_BYTES for cell in cells):
            return Problem(where, "A cell is longer than 64 MiB.")
        if '="' in record.text:  # as Excel is kept from making numbers of names
            cells = [cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell for cell in cells]
        cells += [""] * (width - len(cells))
        return Row(record.line, dict(zip(self.columns, cells, strict=True)))

    def _continues(self, held: _Record, record: _Record) -> bool:
        """Whether a line is the rest of the last, unquoted text of the row before it: it begins no row of its own."""
        shape, width = self._shape, len(self.columns)
        if (
            held.cells.open
            or record.cells.open
            or record.cells.quoted
            or not shape.text_is_last
            or len(held.cells.cells) < width
        ):
            return False
        # What begins with a path is a row, if an odd one: never the rest of a text.
        return not shape.begins_like_a_row(record.cells.cells) and not _PATH.match(record.text)

    def _joined(self, held: _Record, record: _Record) -> _Record:
        text = held.text + "\n" + record.text
        width = len(self.columns)
        rest = [*held.cells.cells[: width - 1], self.dialect.delimiter.join(held.cells.cells[width - 1 :])]
        rest[-1] += "\n" + record.text
        return _Record(held.line, text, replace(held.cells, cells=rest))

    def _records(self) -> Iterator[_Record]:
        """Physical lines put together to records; what a quote opens and does not surely close stays a line."""
        lines = enumerate(self._lines(), start=1)
        pushed: list[tuple[int, str]] = []

        def following() -> tuple[int, str] | None:
            return pushed.pop() if pushed else next(lines, None)

        while (numbered := following()) is not None:
            number, raw = numbered
            text = _bare(raw)
            if number <= self._before or not text.strip():
                continue
            cells = self._split(text)
            if not cells.open:
                yield _Record(number, text, cells)
                continue
            taken: list[tuple[int, str]] = []
            whole, size = cells, len(text)
            while whole.open and len(taken) < _MAX_LINES_OF_A_ROW and size <= MAX_CELL_BYTES:
                more = following()
                if more is None:
                    break
                taken.append(more)
                size += len(more[1])
                if self.dialect.quote in more[1] or self.dialect.backslash:
                    whole = self._split(_bare("".join([raw, *(line for _, line in taken)])))
            if whole.open or not self._certain(whole, taken):
                pushed.extend(reversed(taken))
                yield _Record(number, text, replace(cells, open=True))
                continue
            yield _Record(number, _bare("".join([raw, *(line for _, line in taken)])), whole)

    def _certain(self, whole: RecordCells, taken: list[tuple[int, str]]) -> bool:
        """Whether a quoted text over several lines is one, and no open quote that swallowed rows."""
        shape = getattr(self, "_shape", None)
        if whole.stray:
            return False
        if shape is None:  # while the first rows are looked at
            return True
        width = len(self.columns)
        fits = len(whole.cells) == width or (len(whole.cells) > width and not any(whole.cells[width:]))
        return (
            fits
            and not any(shape.is_a_row(_bare(line).split(self.dialect.delimiter)) for _, line in taken[:-1])
            and not (taken and shape.is_a_row(self._split(_bare(taken[-1][1])).cells))
        )

    def _split(self, text: str) -> RecordCells:
        """A record's cells; where quotes are at odds with the header, with backslashes as escapes if that fits."""
        cells = split_record(text, self.dialect)
        width = len(getattr(self, "columns", ()))
        if (
            "\\" in text
            and not self.dialect.backslash
            and (cells.stray or cells.open or len(cells.cells) != width)
        ):
            other = split_record(text, replace(self.dialect, backslash=True))
            if not (other.stray or other.open) and (not width or len(other.cells) == width):
                return other
        return cells

    def _lines(self) -> Iterator[str]:
        """Lines with their ends, as they are: a text in quotes keeps its own."""
        with self._open() as raw:
            text = io.TextIOWrapper(raw, encoding=self._encoding, errors="replace", newline="")
            try:
                for line in text:
                    yield line.translate(_CONTROL) if "\0" in line else line
            except (OSError, EOFError) as error:
                raise UserError(f"{self.file} is cut short or damaged ({error}); fetch it again.") from error

    def _find_encoding(self, encoding: str) -> str:
        if encoding:
            try:
                "".encode(encoding)
            except LookupError as error:
                raise UserError(
                    f"There is no encoding {encoding!r}; try utf-8, cp1252 or gb18030."
                ) from error
            return encoding
        with self._open() as raw:
            detected, certain = detect_encoding(raw)
        self._is_own_text = certain
        if not certain:
            reason = f"Its encoding was guessed as {detected}; if letters are wrong, name it with --encoding."
            self.notes.append(Problem(self.file, reason))
        return detected


def _bare(line: str) -> str:
    """A line, or a record of several, without its end."""
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith(("\n", "\r")) else line
