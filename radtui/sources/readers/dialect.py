"""How a CSV file separates, quotes and escapes; found by which way gives its lines as many cells as its header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

DELIMITERS = ("\t", ",", ";", "|", "^", "~")
"""The likelier first: a comma may stand in texts, a tab that parts all lines alike hardly does by chance."""
RARE = (":", "\x1f", "\x01", "¦", "§", "¬", "þ", "#", "=", "!", "$", "%", "&", "*", "@")
"""Tried where none of the usual signs parts the lines: they also stand in texts, so every line must have them."""
_MOST_ABOVE = 10
_SHARE_BELOW = 0.9
_REGULAR = 0.5  # share of lines as wide as the header from which a sign is taken for the delimiter
_SEP_LINE = re.compile(r"^sep=(.)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write a row. With `backslash`, a backslash makes the next sign stand for itself."""

    delimiter: str
    quote: str = '"'
    backslash: bool = False


@dataclass(frozen=True, slots=True)
class RecordCells:
    """The cells of a record.

    Attributes:
        cells: As written in the record, unquoted.
        open: A quote is not closed: the record may go on in the next line.
        stray: A quote stands where none may: after it, text follows.
        quoted: Whether any cell was in quotes.
    """

    cells: list[str]
    open: bool = False
    stray: bool = False
    quoted: bool = False


@cache
def _patterns(dialect: Dialect) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A whole quoted cell up to its delimiter, the same without what follows, and a bare cell."""
    d, q = re.escape(dialect.delimiter), re.escape(dialect.quote)
    inner = rf"(?:[^{q}\\]|\\.|{q}{q})*+" if dialect.backslash else rf"(?:[^{q}]|{q}{q})*+"
    other = rf"[^{d}]" if len(dialect.delimiter) == 1 else rf"(?:(?!{d}).)"
    bare = rf"(?:\\.|(?!\\){other})*" if dialect.backslash else rf"{other}*"
    whole = re.compile(rf" *{q}({inner}){q} *(?={d}|\Z)", re.DOTALL)
    return whole, re.compile(rf" *{q}{inner}{q}", re.DOTALL), re.compile(bare, re.DOTALL)


def split_record(text: str, dialect: Dialect) -> RecordCells:
    """Split one record, which may hold newlines in quoted cells."""
    if dialect.quote not in text and not (dialect.backslash and "\\" in text):
        return RecordCells(text.split(dialect.delimiter))
    whole, closed, bare = _patterns(dialect)
    cells: list[str] = []
    place, is_open, stray, quoted = 0, False, False, False
    while True:
        start = text[place:].lstrip(" ")[:1] if text[place : place + 1] == " " else text[place : place + 1]
        match = whole.match(text, place) if start == dialect.quote else None
        if match is not None:
            cells.append(_unescaped(match[1], dialect, doubled=True))
            quoted = True
        else:
            if start == dialect.quote:
                if closed.match(text, place):
                    stray = True
                else:
                    is_open = True
            match = bare.match(text, place)
            assert match is not None  # it matches the empty text
            cells.append(_unescaped(match[0], dialect, doubled=False))
            if dialect.backslash and match[0].endswith("\\") and match.end() >= len(text):
                is_open = True
        place = match.end()
        if place >= len(text):
            return RecordCells(cells, is_open, stray, quoted)
        if not text.startswith(dialect.delimiter, place):  # a lone backslash at the very end
            return RecordCells(cells, True, stray, quoted)
        place += len(dialect.delimiter)


def _unescaped(cell: str, dialect: Dialect, doubled: bool) -> str:
    if doubled:
        cell = cell.replace(dialect.quote * 2, dialect.quote)
    if dialect.backslash:
        cell = re.sub(r"\\(.)", r"\1", cell, flags=re.DOTALL)
    return cell


def find_dialect(lines: Sequence[str], delimiter: str = "") -> tuple[Dialect, int]:
    """Find how a file is written.

    Args:
        lines: Its first lines, without their ends.
        delimiter: As the user said, or "".

    Returns:
        The dialect, and how many lines come before the first row: a `sep=` line, a title, comments.
    """
    before = 0
    if lines and (match := _SEP_LINE.match(lines[0])):
        delimiter, before = delimiter or match[1], 1
    before += _lines_above(lines[before:], delimiter)
    body = [line for line in lines[before:] if line.strip()]
    if not body:
        return Dialect(delimiter or ","), before
    choices = [delimiter] if delimiter else [each for each in DELIMITERS if each in body[0]]
    best, score = _best(body, choices)
    if not delimiter and score[0] < _REGULAR:
        rare = [each for each in (*RARE, *([" "] if '" "' in body[0] else [])) if each in body[0]]
        other, other_score = _best(body, rare)
        if other_score[0] >= (_REGULAR if other.delimiter == ":" else 1.0):
            best = other
    return best, before


def _best(body: Sequence[str], delimiters: Sequence[str]) -> tuple[Dialect, tuple[float, ...]]:
    """The dialect that explains the lines best, with its score: -1 where there is nothing to choose from."""
    best, best_score = Dialect(delimiters[0] if delimiters else ","), (-1.0, -1.0, -1.0, -1.0)
    for place, each in enumerate(delimiters):
        for quote in ('"', "'"):
            for backslash in (False, True):
                dialect = Dialect(each, quote, backslash)
                if (quote == "'" or backslash) and not _plausible(body, dialect):
                    continue
                score = (*_score(body, dialect), float(-place))
                if score > best_score:
                    best, best_score = dialect, score
    return best, best_score


def _lines_above(lines: Sequence[str], delimiter: str) -> int:
    """How many lines come before a table that begin with "#" or, unlike nearly all after them, hold no delimiter."""
    signs = [delimiter] if delimiter else list(DELIMITERS)
    for place, line in enumerate(lines[:_MOST_ABOVE]):
        if not line.strip() or line.startswith("#"):
            continue
        if any(sign in line for sign in signs):
            return place
        rest = [each for each in lines[place + 1 :] if each.strip()]
        if re.search(r"\w:\w", line) and all(":" in each for each in rest):
            return place
        if '"' in line or not any(
            sum(sign in each for each in rest) >= _SHARE_BELOW * len(rest) for sign in signs if len(rest) > 1
        ):
            return place
    return 0


def _plausible(body: Sequence[str], dialect: Dialect) -> bool:
    """Whether anything in the text asks for a single quote or a backslash."""
    sample = "\n".join(body)
    d, q = dialect.delimiter, dialect.quote
    if q == "'":
        quoted = re.findall(rf"(?:^|{re.escape(d)})'[^\n]*?'(?={re.escape(d)}|$)", sample, re.MULTILINE)
        if not quoted or f'{d}"' in sample or sample.startswith('"'):
            return False
    return not dialect.backslash or any(f"\\{sign}" in sample for sign in (d, q)) or "\\\n" in sample


def _score(body: Sequence[str], dialect: Dialect) -> tuple[float, float, float]:
    """How well a dialect explains the lines: share of records as wide as the header, clean quotes, cells in quotes."""
    records = list(_records(body, dialect))
    width = len(records[0].cells)
    rest = records[1:] or records
    if width == 1:
        return 0.0, 0.0, 0.0
    wide = width + numbers_its_rows([each.cells for each in records])
    right = sum(
        len(each.cells) == wide or (len(each.cells) > wide and not any(each.cells[wide:])) for each in rest
    )
    clean = sum(not (each.stray or each.open) for each in records)
    return (
        round(right / len(rest), 2),
        round(clean / len(records), 2),
        sum(each.quoted for each in records) / len(records),
    )


def _records(body: Sequence[str], dialect: Dialect) -> list[RecordCells]:
    """Records of the sample, each over as few lines as close its quotes; at most 50 lines each."""
    records: list[RecordCells] = []
    place = 0
    while place < len(body):
        end = place + 1
        cells = split_record(body[place], dialect)
        while cells.open and end < len(body) and end - place < 50:
            end += 1
            if dialect.quote in body[end - 1] or dialect.backslash:
                cells = split_record("\n".join(body[place:end]), dialect)
        if cells.open:
            end = place + 1
            cells = split_record(body[place], dialect)
        records.append(cells)
        place = end
    return records


def numbers_its_rows(records: Sequence[Sequence[str]]) -> bool:
    """Whether rows begin with their number and the header has no cell for it, as R's write.table writes them."""
    width, rest = len(records[0]), records[1:]
    return bool(rest) and all(
        len(cells) == width + 1 and cells[0].strip() == str(number)
        for number, cells in enumerate(rest, start=1)
    )
