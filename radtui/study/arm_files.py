"""Texts of arms from elsewhere: a CSV or JSONL of identifiers and texts, matched to cases."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from radtui.plural import many
from radtui.records import Case, UserError

ID_COLUMNS = (
    "id", "case_id", "image_id", "file", "file_name", "filename", "image", "image_path", "source_key", "key", "path",
    "name",
)  # fmt: skip
TEXT_COLUMNS = (
    "text", "report", "description", "caption", "output", "response", "generated", "prediction", "answer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FileTexts:
    """What a file of texts says of some cases.

    `missing` counts the cases that it has no text of, `unknown` its rows that are about none of them, `empty` its
    rows without a text, which count as missing.
    """

    texts: dict[int, str]  # case id -> text, as it stands in the file
    missing: int
    unknown: int
    empty: int


def read_arm_file(path: Path, cases: Sequence[Case]) -> FileTexts:
    """Read a file of texts and match its rows to cases: by their number here, or by the name of a file.

    Args:
        path: A CSV with a header line, or JSONL; a column of `ID_COLUMNS` and one of `TEXT_COLUMNS`.
        cases: The cases that are asked for.

    Raises:
        UserError: It cannot be read, has no such columns, names a case twice, or none of them.
    """
    names = _names(cases)
    numbers = {case.id for case in cases}
    texts: dict[int, str] = {}
    lines: dict[int, int] = {}
    unknown = empty = 0
    for number, key, text in _rows(path):
        case_id = _case_of(key, names, numbers)
        if case_id is None:
            unknown += 1
        elif case_id in lines:
            raise UserError(
                f"{path.name} has case {key!r} twice, in rows {lines[case_id]} and {number}; keep one of them."
            )
        elif not text.strip():
            empty += 1
            lines[case_id] = number
        else:
            lines[case_id] = number
            texts[case_id] = text
    if not texts:
        raise UserError(
            f"{path.name} has no text of any of the {many(len(cases), 'case')}; its identifiers must be case numbers,"
            " see radtui cases --jsonl, or names of image files."
        )
    return FileTexts(texts, len(cases) - len(texts), unknown, empty)


def _names(cases: Sequence[Case]) -> dict[str, int | None]:
    """Names by which a case may be meant; None for one that several share."""
    names: dict[str, int | None] = {}
    for case in cases:
        whole = {case.source_key, *(image.name for image in case.images)} - {""}
        ends = {PurePosixPath(name).name for name in whole}
        for name in whole | ends | {PurePosixPath(end).stem for end in ends}:
            names[name] = case.id if names.get(name, case.id) == case.id else None
    return names


def _case_of(key: str, names: dict[str, int | None], numbers: set[int]) -> int | None:
    for name in (key, PurePosixPath(key.replace("\\", "/")).name):
        if name in names:
            case_id = names[name]
            if case_id is None:
                raise UserError(
                    f"{key!r} is the name of several cases; use their numbers, see radtui cases --jsonl."
                )
            return case_id
    return int(key) if key.isdecimal() and int(key) in numbers else None


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """(row, identifier, text), rows counted from 1 without a header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            jsonl = path.suffix.lower() in (".jsonl", ".ndjson")
            yield from _json_rows(path, file) if jsonl else _csv_rows(path, file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"Cannot read {path}: {error}; name a CSV or JSONL of texts in UTF-8.") from error


def _csv_rows(path: Path, file: Iterator[str]) -> Iterator[tuple[int, str, str]]:
    table = csv.DictReader(file)
    id_column, text_column = _columns(path, table.fieldnames or ())
    for number, cells in enumerate(table, 1):
        yield number, (cells[id_column] or "").strip(), cells[text_column] or ""


def _json_rows(path: Path, file: Iterator[str]) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"Row {number} of {path.name} is not JSON ({error}); correct it.") from error
        if not isinstance(row, dict):
            raise UserError(f"Row {number} of {path.name} is no JSON object; write an identifier and a text.")
        id_column, text_column = _columns(path, list(row))
        yield number, str(row[id_column]).strip(), str(row[text_column] or "")


def _columns(path: Path, names: Sequence[str]) -> tuple[str, str]:
    plain = {name.strip().lower(): name for name in reversed(names) if name}
    id_column = next((plain[name] for name in ID_COLUMNS if name in plain), None)
    text_column = next((plain[name] for name in TEXT_COLUMNS if name in plain), None)
    if id_column is None or text_column is None:
        raise UserError(
            f"{path.name} needs a column that names the case ({', '.join(ID_COLUMNS[:5])} ...) and one with the text"
            f" ({', '.join(TEXT_COLUMNS[:4])} ...); it has: {', '.join(names) or 'none'}."
        )
    return id_column, text_column
