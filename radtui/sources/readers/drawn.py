"""Tables drawn with strokes in a text: Markdown's, psql's, MySQL's, Org's.

    | image | report |        image | report         +-------+--------+
    |-------|--------|       -------+--------        | image | report |
    | a.png | Clear. |        a.png | Clear.         +-------+--------+

What makes a text such a table is a line of strokes alone below its header. Source: GitHub Flavored Markdown, 4.10.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import BinaryIO

from radtui.records import Problem, UserError
from radtui.sources.identity_columns import identity_of_column
from radtui.sources.readers.encoding import detect_encoding
from radtui.sources.readers.table import NOTHING, Row, twice_named, unique_columns

_HEAD_BYTES = 2**16
_MAX_BYTES = 2**28
_STROKES = r"(?:-{2,}:?|:-+:?|-:)"
_RULE = re.compile(rf"[ \t]*[|+]?(?:[ \t]*{_STROKES}[ \t]*[|+])*[ \t]*{_STROKES}[ \t]*[|+]?[ \t]*\Z")
_BETWEEN = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"!?\[[^\]]*\]\(<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\)|!\[\[([^\]|]+)(?:\|[^\]]*)?\]\]")
"""A picture or a link that is a whole cell, as Markdown and Obsidian write it."""
_SHOWN_CHARS = 60
Opener = Callable[[], BinaryIO]


def drawn_tables(file: str, opener: Opener, encoding: str = "", before: str = "") -> list[DrawnTable]:
    """The tables that are drawn in a text; none where there is no line of strokes among its first lines.

    Args:
        file: Its name in the source.
        opener: Opens it at its beginning.
        encoding: As the user said, or "" to find it.
        before: Signs of a table with another form: where one stands before the first drawn table, this is in a text
            of that one's, as reports that a model wrote may hold tables.

    Raises:
        UserError: It holds such a table and is too long to be one.
    """
    with opener() as raw:
        head = raw.read(_HEAD_BYTES)
    if b"-" not in head or (b"|" not in head and b"+" not in head):
        return []
    first_lines = head.decode(encoding or detect_encoding(io.BytesIO(head))[0], "replace").splitlines()
    starts = _headers(first_lines)
    if not starts or any(sign in line for line in first_lines[: starts[0]] for sign in before):
        return []
    with opener() as raw:
        data = raw.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise UserError(f"{file} is a table drawn with strokes of more than 256 MiB; save it as CSV.")
    encoding = (
        encoding or detect_encoding(io.BytesIO(data))[0]
    )  # of all: the first bytes may end within a letter
    lines = data.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace").splitlines()
    starts = _headers(lines)
    parts = [""] if len(starts) == 1 else [f"table {number}" for number in range(1, len(starts) + 1)]
    return [DrawnTable(file, part, lines, start) for part, start in zip(parts, starts, strict=True)]


def _headers(lines: list[str]) -> list[int]:
    """The lines that are headers: they have strokes, and the line below has as many and nothing else."""
    places: list[int] = []
    within = False  # a table, whose rows may be parted by strokes as Org's and reST's are
    for place, (line, below) in enumerate(pairwise(lines)):
        within = within and _is_drawn(line)
        if within or "|" not in line or "-" not in below or not _RULE.match(below) or _RULE.match(line):
            continue
        if len(_cells(line)) == len(_cells(below.replace("+", "|"))):
            places.append(place)
            within = True
    return places


def _is_drawn(line: str) -> bool:
    return "|" in line or _RULE.match(line) is not None


class DrawnTable:
    """One table that is drawn with strokes."""

    def __init__(self, file: str, part: str, lines: list[str], header: int) -> None:
        """Name its columns.

        Args:
            file: Its name in the source.
            part: Which of the file's tables it is; "" for the only one.
            lines: The file's.
            header: The place of its header among them.
        """
        self.file, self.part = file, part
        names = _cells(lines[header])
        self.columns = tuple(unique_columns(names))
        self.notes: list[Problem] = twice_named(file, names, self.columns)
        self._lines, self._header = lines, header
        self._tells = any(map(identity_of_column, self.columns))

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Its rows, down to the first line without strokes; one with more or fewer cells as a problem."""
        width = len(self.columns)
        for number in range(self._header + 1, len(self._lines)):
            line = self._lines[number]
            if "|" not in line and not _RULE.match(line):
                return
            if _RULE.match(line):
                continue
            cells = _cells(line)
            if not any(cells):  # left for a row to come
                continue
            if len(cells) != width:
                quoted = "" if self._tells else f": {' '.join(line.split())[:_SHOWN_CHARS]}"
                reason = (
                    f"The row has {len(cells)} cells, and the header {width}; write a stroke in a text as \\|"
                )
                reason += quoted
                yield Problem(f"{self.file}, line {number + 1}", reason)
            else:
                yield Row(number + 1, dict(zip(self.columns, cells, strict=True)))


def _cells(line: str) -> list[str]:
    """A line's cells, without the strokes at its ends."""
    bare = line.strip()
    bare = bare[1:] if bare.startswith("|") else bare
    bare = bare[:-1] if bare.endswith("|") and not bare.endswith("\\|") else bare
    return [_plain(cell) for cell in _BETWEEN.split(bare)]


def _plain(cell: str) -> str:
    """A cell as people read it: of a picture or a link its file, no marks around code."""
    text = cell.strip().replace("\\|", "|")
    if match := _LINK.fullmatch(text):
        return match[1] or match[2]
    return text.strip("`") if text.startswith("`") and text.endswith("`") else text
