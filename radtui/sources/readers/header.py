"""Whether the first row of a table names its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from radtui.sources.image_names import ENDING

_FILE = re.compile(ENDING + r"(#\d+)?$", re.IGNORECASE)  # "a.jpg#2" is its third caption
_FOLDER = re.compile(r"(?=.*\d)(?:[^\s/\\]+[/\\]){3,}\S*")
"""MURA's train/XR_WRIST/patient00006/, not "AP/PA"."""
_NUMBER_OR_DATE = re.compile(r"[\d.,:/\-+ ]*\d[\d.,:/\-+ ]*")
_NOTHING = frozenset(("", "-", "na", "n/a", "nan", "none", "null", "unknown"))
_SENTENCE_WORDS = 6
_LONG_WORDS = 4
_ID_DIGITS = 3
_MAX_NAME_CHARS = 200


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a table's first row is a header: no cell of it is a file, a sentence or an id like those below it.

    Args:
        rows: The first rows, the one in question first.
    """
    if not rows:
        return True
    first = [cell.strip() for cell in rows[0]]
    if not any(first):
        return True
    if any(_FILE.search(cell) or _FOLDER.fullmatch(cell) or len(cell) > _MAX_NAME_CHARS for cell in first):
        return False
    if any(map(_is_sentence, first)):  # which may be a question that a form asks: then what is answered tells
        return any(_above_others(cell, rows[1:], place) for place, cell in enumerate(first))
    return not any(_same_id(cell, rows[1:], place) for place, cell in enumerate(first))


def _is_sentence(cell: str) -> bool:
    words = len(cell.split())
    return words >= _SENTENCE_WORDS or (words >= _LONG_WORDS and cell.endswith((".", "!", "?", "。")))


def _above_others(cell: str, rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether a cell without digits stands above numbers, dates or files alone: "Record ID" above 1001."""
    below = [text for row in rows if len(row) > place and (text := row[place].strip())]
    words = cell.casefold() not in _NOTHING and not any(sign.isdigit() for sign in cell)
    alike = (all(map(pattern, below)) for pattern in (_NUMBER_OR_DATE.fullmatch, _FILE.search))
    return words and bool(below) and any(alike)


def _same_id(cell: str, rows: Sequence[Sequence[str]], place: int) -> bool:
    """Whether a cell is an id of the form that its column has: "ROCO_00000" above "ROCO_00001"."""
    below = [row[place].strip() for row in rows if len(row) > place]
    if not below or sum(sign.isdigit() for sign in cell) < _ID_DIGITS:
        return False
    return all(re.sub(r"\d", "9", each) == re.sub(r"\d", "9", cell) for each in below[:10])
