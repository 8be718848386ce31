"""Objects inside cells as columns of their own, so that what they hold has a name and passes the gate of identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from radtui.records import Problem
from radtui.sources.literals import parsed_text
from radtui.sources.readers.table import NOTHING, SAMPLE_ROWS, Row, Table, first_columns

_IMAGES = frozenset(
    (
        "bytes",
        "path",
        "url",
        "image",
        "image_url",
        "image_path",
        "file_name",
        "filename",
        "src",
        "data",
        "file",
    )
)
"""Keys of objects that stand for an image, which stay as they are."""
_OF_IMAGES = _IMAGES | frozenset(
    ("width", "height", "format", "mode", "size", "type", "mime", "mime_type", "mimetype", "media_type", "id", "name",
     "title", "alt", "view", "role", "channels", "md5", "sha256", "detail")
)  # fmt: skip
_WHOLE = frozenset(("choices", "options", "answers"))  # objects by letter
_DEEPEST = 4


def unnested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose objects of plain values are columns: {"report": {"findings": "Clear."}} has "report.findings".

    Images, answers by letter, and objects of lists (conversations in an old form of datasets) stay as they are.
    """
    result: dict[str, Any] = {}
    for name, value in cells.items():
        if isinstance(value, Mapping) and is_nested(name, value.items()):
            result.update(_columns(name, value, 1))
        else:
            result[name] = value
    return result


def is_nested(name: str, items: Iterable[tuple[Any, Any]]) -> bool:
    """Whether an object is several facts under one name."""
    pairs = dict(items)
    is_image = not _IMAGES.isdisjoint(pairs) and pairs.keys() <= _OF_IMAGES
    if not pairs or name.casefold() in _WHOLE or is_image:
        return False
    return all(isinstance(key, str) for key in pairs) and not all(
        isinstance(each, list) for each in pairs.values()
    )


def _columns(name: str, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, each in value.items():
        inner = f"{name}.{key}"
        if isinstance(each, Mapping) and depth < _DEEPEST and is_nested(key, each.items()):
            result.update(_columns(inner, each, depth + 1))
        else:
            result[inner] = each
    return result


class UnpackedTable:
    """A table with columns of texts that are JSON objects, each taken apart into columns of its own."""

    def __init__(self, table: Table, packed: frozenset[str]) -> None:
        """Take the columns apart.

        Args:
            table: The table.
            packed: Its columns whose cells are JSON objects.
        """
        self.file, self.part, self.notes = table.file, table.part, table.notes
        self.form: dict[str, str] = getattr(table, "form", {})
        self._table, self._packed = table, packed
        self.columns = first_columns(self.rows(), (name for name in table.columns if name not in packed))

    def count(self) -> int | None:
        """As the table tells."""
        return self._table.count()

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every row, its objects taken apart; a cell that is none stays as it is."""
        for row in self._table.rows(without):
            if isinstance(row, Problem):
                yield row
                continue
            cells = {
                name: (_object(value) or value) if name in self._packed else value
                for name, value in row.cells.items()
            }
            yield Row(row.number, unnested(cells))


def unpacked(table: Table) -> Table:
    """The table itself, or with its columns of JSON objects taken apart: '{"findings": "Clear."}' in a CSV's cell."""
    texts: dict[str, list[str]] = {}
    for row in islice(table.rows(), SAMPLE_ROWS):
        if isinstance(row, Row):
            for name, value in row.cells.items():
                if isinstance(value, str) and value.strip():
                    texts.setdefault(name, []).append(value)
    packed = frozenset(
        name for name, cells in texts.items()
        if cells[0].lstrip().startswith("{") and all(_is_packed(name, cell) for cell in cells)
    )  # fmt: skip
    return UnpackedTable(table, packed) if packed else table


def _is_packed(name: str, cell: str) -> bool:
    value = _object(cell)
    return value is not None and is_nested(name, value.items())


def _object(cell: object) -> dict[str, Any] | None:
    """The object that a text holds as JSON, or as Python writes it; None where it holds none."""
    if not isinstance(cell, str) or not cell.lstrip().startswith("{"):
        return None
    value = parsed_text(cell)
    return value if isinstance(value, dict) and value else None
