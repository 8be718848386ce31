"""JSON of every form that data sets come in: an array, an object of splits or lists, one object after another."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, BinaryIO

from radtui.records import Problem, UserError
from radtui.sources.base import is_split_word
from radtui.sources.image_names import IMAGE_ENDING
from radtui.sources.literals import parsed_text
from radtui.sources.readers.encoding import detect_encoding
from radtui.sources.readers.exports import flat
from radtui.sources.readers.nesting import unnested
from radtui.sources.readers.table import NOTHING, Row, first_columns

MAX_JSON_BYTES = 2**30
_DEEPEST = 4
_COMMA_AT_END = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])')
"""A comma before the end of a list or an object, outside texts."""
_DECODER = json.JSONDecoder()
Opener = Callable[[], BinaryIO]
KEY, VALUE = "key", "text"


class JsonTable:
    """The objects of a JSON file, or of one list in it."""

    def __init__(self, file: str, part: str, rows: Callable[[], Iterator[Row | Problem]]) -> None:
        self.file, self.part = file, part
        self.notes: list[Problem] = []
        self._rows = rows
        self.columns = first_columns(rows())

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Every object, in order."""
        return self._rows()


def json_tables(file: str, opener: Opener, encoding: str = "") -> list[JsonTable]:
    """The tables of a JSON file.

    Args:
        file: Its name in the source.
        opener: Opens it at its beginning.
        encoding: As the user said, or "" to find it.

    Returns:
        One table for an array or for objects one after another; one for each list of an object (splits, or the
        images and annotations of COCO); none where it holds neither.

    Raises:
        UserError: It is too large to be read as a whole.
    """
    if not encoding:
        with opener() as raw:
            encoding, _ = detect_encoding(raw)
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    if _is_lines(file, opener, encoding):
        return [JsonTable(file, "", lambda: _lines(file, opener, encoding))]
    with opener() as raw:
        data = raw.read(MAX_JSON_BYTES + 1)
    if len(data) > MAX_JSON_BYTES:
        raise UserError(f"{file} is larger than 1 GiB and not one object a line; write it as JSON Lines.")
    text = data.decode(encoding, "replace")
    values = list(_values(file, text))
    if text[_skip(text, 0) :][:1] == "[":
        return [_table(file, "", values)]
    if len([each for each in values if not isinstance(each, Problem)]) != 1 or not isinstance(
        values[0], dict
    ):
        return [_table(file, "", values)]
    if file.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return [_table(file, "", values)]  # one row that happens to be alone
    return _tables_of_object(file, values[0], values[1:])


def _tables_of_object(file: str, value: Mapping[str, Any], problems: list[Any]) -> list[JsonTable]:
    lists = {key: each for key, each in value.items() if isinstance(each, list) and _has_objects(each)}
    if value and all(is_split_word(key) and _are_names(each) for key, each in value.items()):
        return [_table(file, key, [{KEY: name} for name in names]) for key, names in value.items() if names]
    if isinstance(value.get("data"), dict) and "annotations" in value:
        rows: Sequence[Mapping[str, Any]] = [value]  # one task of an annotation tool
    elif any("role" in each[0] or "from" in each[0] for each in lists.values()):
        rows = [value]  # one conversation
    else:
        rows = _columns(value)
    if rows:
        return [_table(file, "", [*rows, *problems])]
    if lists and len(lists) == len(value) and all(IMAGE_ENDING.search(key) for key in lists):
        of_files = [
            {KEY: key, **each} for key, rows in lists.items() for each in rows if isinstance(each, dict)
        ]
        return [_table(file, "", [*of_files, *problems])]  # questions by the image that they are about
    if lists:
        named = {key: each for key, each in value.items() if is_split_word(key) and each and _are_names(each)}
        tables = [_table(file, key, [*rows, *problems]) for key, rows in lists.items()]
        return tables + [_table(file, key, [{KEY: name} for name in names]) for key, names in named.items()]
    return _tables_of_objects(file, value, problems)


def _tables_of_objects(file: str, value: Mapping[str, Any], problems: list[Any]) -> list[JsonTable]:
    """The tables of an object without lists of objects: of objects by name, of texts by name, or of one row."""
    objects = {key: each for key, each in value.items() if isinstance(each, dict)}
    if len(objects) == 1 and (inner := _lists_inside(next(iter(objects.values())))):
        # An answer of a server, with words about it around its rows.
        return _tables_of_object(file, inner, problems)
    if len(objects) > 1 or (objects and len(objects) == len(value)):
        nested = _by_split(file, value) or [
            table for each in objects.values()
            if any(isinstance(inner, list) and _has_objects(inner) for inner in each.values())
            for table in _tables_of_object(file, each, [])
        ]  # fmt: skip
        return nested or [_table(file, "", _rows_by_key(objects))]
    texts = {key: each if isinstance(each, list) else [each] for key, each in value.items()}
    named = sum("." in key or any(sign.isdigit() for sign in key) for key in value)
    if named > len(value) / 2 and all(isinstance(text, str) for each in texts.values() for text in each):
        return [_table(file, "", [{KEY: key, VALUE: text} for key, each in texts.items() for text in each])]
    return [_table(file, "", [value])]


def _rows_by_key(objects: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each object, with its key; of objects that hold objects alike, as patients hold exams, one for each."""
    inner = [each for value in objects.values() for each in value.values()]
    keys = {key for value in objects.values() for key in value}
    alike = inner and all(isinstance(each, dict) and each for each in inner)
    if (
        alike
        and set.intersection(*map(set, inner))
        and (len(keys) > len(objects) or any(map(_has_digit, keys)))
    ):
        return [
            {KEY: key, f"{KEY} inside": name, **each}
            for key, value in objects.items()
            for name, each in value.items()
        ]
    return [{KEY: key, **each} for key, each in objects.items()]


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _columns(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an object that holds a table by its columns, as pandas and `datasets` write it; else none."""
    names, rows = value.get("columns"), value.get("data")
    if isinstance(names, list) and isinstance(rows, list) and all(isinstance(each, str) for each in names):
        wide = [row for row in rows if isinstance(row, list) and len(row) == len(names)]
        return [dict(zip(names, row, strict=True)) for row in wide] if len(wide) == len(rows) else []
    columns: dict[str, list[Any]] = {}
    for name, each in value.items():
        by_number = isinstance(each, dict) and bool(each) and all(key.isdigit() for key in each)
        cells = list(each.values()) if by_number else each
        if name.isdigit() or not isinstance(cells, list) or any(isinstance(cell, dict) for cell in cells):
            return []
        columns[name] = cells
    lengths = {len(each) for each in columns.values()}
    named = sum("." in name or any(sign.isdigit() for sign in name) for name in columns)
    if len(columns) < 2 or len(lengths) != 1 or not next(iter(lengths)) or named > len(columns) / 2:
        return []
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _lists_inside(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object, at this depth or below, that holds a list of objects; an empty one where there is none."""
    for _ in range(_DEEPEST):
        if any(isinstance(each, list) and _has_objects(each) for each in value.values()):
            return value
        inside = [each for each in value.values() if isinstance(each, dict)]
        if len(inside) != 1:
            break
        value = inside[0]
    return {}


def _by_split(file: str, value: Mapping[str, Any]) -> list[JsonTable]:
    """The tables of an object whose keys are splits, such as {"train": {"a.png": "Clear."}}; else none."""
    if not all(is_split_word(key) and isinstance(each, dict) for key, each in value.items()):
        return []
    tables = []
    for split, each in value.items():
        for table in _tables_of_object(file, each, []):
            table.part = table.part or split
            tables.append(table)
    return tables


def _are_names(value: Any) -> bool:
    """Whether a value is a list of names, or an empty one."""
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _has_objects(values: list[Any]) -> bool:
    return bool(values) and isinstance(values[0], dict)


def _table(file: str, part: str, values: list[Any]) -> JsonTable:
    def rows() -> Iterator[Row | Problem]:
        for number, each in enumerate(values, start=1):
            if isinstance(each, Problem):
                yield each
            elif isinstance(each, dict):
                yield Row(number, unnested(flat(each)))
            elif isinstance(each, list) and each and isinstance(each[0], dict):
                yield Row(number, {"messages": each})  # a conversation without a name
            else:
                yield Problem(f"{file}, entry {number}", "It is no JSON object.")

    return JsonTable(file, part, rows)


def _values(file: str, text: str) -> Iterator[Any]:
    """The objects of an array, or of a text of several values; where it is damaged, a problem and no more."""
    place = _skip(text, 0)
    in_array = text[place : place + 1] == "["
    if in_array:
        place = _skip(text, place + 1)
    number = lines_before = 0
    while place < len(text) and text[place] != "]":
        number += 1
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            repaired = _COMMA_AT_END.sub(lambda match: match[1] or match[2], text[place:])
            if len(repaired) < len(text) - place:  # as people write lists by hand
                lines_before += text.count("\n", 0, place)
                text, place, number = repaired, 0, number - 1
                continue
            line = text.count("\n", 0, place) + 1 + lines_before
            reason = f"It is not valid JSON from entry {number} on ({error}); what comes after is left out."
            yield Problem(f"{file}, line {line}", reason)
            return
        yield value
        place = _skip(text, place)


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n,\ufeff\x1e":
        place += 1
    return place


def _is_lines(file: str, opener: Opener, encoding: str) -> bool:
    """Whether there is one object a line: the first is whole, and others follow or the file's name says so."""
    with opener() as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
        first = list(islice((line for line in text if line.strip()), 2))
    try:
        whole = bool(first) and isinstance(json.loads(first[0]), dict)
    except (ValueError, RecursionError):
        whole = first[0].startswith("{'") and isinstance(parsed_text(first[0]), dict)
    return whole and (len(first) > 1 or file.lower().removesuffix(".gz").endswith("l"))


def _lines(file: str, opener: Opener, encoding: str) -> Iterator[Row | Problem]:
    with opener() as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
        for number, line in enumerate(text, start=1):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except (ValueError, RecursionError) as error:
                cells = parsed_text(line) if line.startswith("{'") else None  # as Python prints an object
                if isinstance(cells, dict):
                    yield Row(number, unnested(flat(cells)))
                    continue
                yield Problem(f"{file}, line {number}", f"The line is not JSON ({error}).")
                continue
            if isinstance(cells, dict):
                yield Row(number, unnested(flat(cells)))
            elif isinstance(cells, list) and cells and isinstance(cells[0], dict):
                yield Row(number, {"messages": cells})
            else:
                yield Problem(f"{file}, line {number}", "The line is no JSON object.")
