"""A folder of image files, with a metadata table, texts beside the images, or nothing but the images.

The layout is that of Hugging Face's ImageFolder: `metadata.csv` or `metadata.jsonl` in the folder or in any folder
below it, file names relative to the table, and folders called `train`, `test`, `validation` as splits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from radtui.records import NewCase, Truth
from radtui.settings import ImportSettings
from radtui.sources import columns as cols
from radtui.sources import dicom
from radtui.sources.base import (
    DICOM_SUFFIXES,
    IMAGE_SUFFIXES,
    SplitLimit,
    counted,
    inside,
    limited_total,
    one_image,
    read_file,
    split_name,
    split_of_path,
    walk,
)
from radtui.sources.table import TABLE_SUFFIXES, Row, Table

_MAX_SIDECAR_BYTES = 2**20  # a text beside an image; anything larger is something else


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of an image before its bytes are read."""

    split: str
    key: str
    path: Path | None
    error: str = ""
    text: str = ""
    examination: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    truth: tuple[Truth, ...] = ()


def find_tables(root: Path, files: list[PurePosixPath]) -> list[PurePosixPath]:
    """The tables of a folder: every metadata file, else a lone table, else those named after splits."""
    named = [f for f in files if f.stem.lower() == "metadata" and f.suffix.lower() in TABLE_SUFFIXES]
    if named:
        return named
    top = [f for f in files if len(f.parts) == 1 and f.suffix.lower() in TABLE_SUFFIXES]
    return top if len(top) == 1 else [f for f in top if split_of_path(f, with_stem=True)]


class FolderSource:
    """Images of a folder and what tables or texts beside them say."""

    def __init__(self, path: Path, settings: ImportSettings) -> None:
        """Look through the folder.

        Args:
            path: A folder, or a table that lists images beside it.
            settings: Columns, split and limit.

        Raises:
            UserError: a table cannot be read, or it has no column with images.
        """
        self.location = str(path)
        self._settings = settings
        self._root = path if path.is_dir() else path.parent
        files = walk(self._root)
        self._images = [f for f in files if f.suffix.lower() in IMAGE_SUFFIXES | DICOM_SUFFIXES]
        listed = find_tables(self._root, files) if path.is_dir() else [PurePosixPath(path.name)]
        self._tables = {name: Table(self._root / name, settings) for name in listed}
        self._finder = _Finder(self._root, self._images)

    def describe(self) -> str:
        """Say what the folder has."""
        count = self.total()
        text = f"folder {self._root}: {counted(count, 'image')}"
        if not self._tables:
            return text + ", texts from files beside them where there are any"
        for name, table in self._tables.items():
            text += f", {table.columns.describe()} of {name}"
        left_out = sum(self._governed(image) for image in self._images) - self._found_by_tables()
        return text + (
            f"; left out because no table lists them: {counted(left_out, 'image')}" if left_out > 0 else ""
        )

    def total(self) -> int:
        """Images that will come."""
        return limited_total(Counter(entry.split for entry in self._entries()), self._settings.limit)

    def splits(self) -> set[str]:
        """The splits that folders, tables and cells name, and the usual one for images without."""
        return {entry.split for entry in self._entries()}

    def __iter__(self) -> Iterator[NewCase]:
        """The tables' images in their order, then those of folders without a table."""
        limit = SplitLimit(self._settings.limit)
        for entry in self._entries():
            if limit.take(entry.split):
                yield self._read(entry)

    def _entries(self) -> Iterator[Entry]:
        for name, table in self._tables.items():
            for row in table:
                yield self._listed(name, table.columns, row)
        for image in self._images:
            if not self._governed(image):
                folder = "/".join(p for p in image.parts[:-1] if not split_of_path(PurePosixPath(p, "x")))
                facts = {"folder": folder} if folder else {}
                yield Entry(self._split(image), str(image), self._root / image, facts=facts)

    def _governed(self, image: PurePosixPath) -> bool:
        """Whether a table lies in the image's folder or above: then the table says what is imported."""
        return any(table.parent in image.parents for table in self._tables)

    def _found_by_tables(self) -> int:
        found = {
            self._finder.find(name.parent, cols.cell_text(row.cells.get(table.columns.image)))
            for name, table in self._tables.items()
            for row in table
        }
        return len(found - {None})

    def _listed(self, table: PurePosixPath, columns: cols.Columns, row: Row) -> Entry:
        """The image that one row of a table names."""
        if row.error:
            return Entry(self._split(table), f"{table}:{row.number}", None, row.error)
        name = cols.cell_text(row.cells.get(columns.image))
        image = self._finder.find(table.parent, name)
        error = "" if image else _why_not(name, table)
        own_id = cols.cell_text(row.cells.get(columns.id)) if columns.id else ""
        facts = cols.facts(row.cells, columns)
        key = str(image) if image else name or f"{table}:{row.number}"
        if own_id and self._settings.id_column:
            key = own_id
        elif own_id:
            facts = {columns.id: own_id, **facts}
        split = split_name(cols.cell_text(row.cells.get(columns.split))) if columns.split else ""
        return Entry(
            split or self._split(image or table, table), key, self._root / image if image else None,
            error, cols.cell_text(row.cells.get(columns.text)), cols.cell_text(row.cells.get(columns.examination)),
            facts, cols.truths(row.cells, columns),
        )  # fmt: skip

    def _split(self, image: PurePosixPath, table: PurePosixPath | None = None) -> str:
        named = split_of_path(image) or (split_of_path(table, with_stem=True) if table else "")
        return named or split_name(self._settings.split) or "train"

    def _read(self, entry: Entry) -> NewCase:
        """Read the bytes, and the text beside them where the table has none."""
        if entry.path is None:
            return one_image(entry.split, entry.key, b"", entry.text, entry.examination, entry.facts, entry.truth,
                             entry.error)  # fmt: skip
        data, error = read_file(entry.path)
        path = entry.path
        if not entry.text:
            entry = _with_sidecars(entry, path)
        facts, examination = entry.facts, entry.examination
        if path.suffix.lower() in DICOM_SUFFIXES and data:
            header = dicom.header_facts(data)
            facts, examination = {**header.facts, **facts}, examination or header.examination
        return one_image(entry.split, entry.key, data, entry.text, examination, facts, entry.truth, error)


def _why_not(name: str, table: PurePosixPath) -> str:
    if not name:
        return f"A row of {table} names no image."
    return f"{name} is named in {table} but is not in the folder."


class _Finder:
    """Finds the file a table means: by its path, else by its name alone, with or without the suffix."""

    def __init__(self, root: Path, images: list[PurePosixPath]) -> None:
        self._root = root
        self._images = set(images)
        self._by_name: dict[str, PurePosixPath | None] = {}
        for image in images:
            for name in {image.name, image.stem}:
                # Two files of one name: neither may be taken for the other.
                self._by_name[name] = None if name in self._by_name else image

    def find(self, folder: PurePosixPath, name: str) -> PurePosixPath | None:
        """The image of a name in a table of a folder, relative to the source, or None."""
        if not name:
            return None
        name = name.replace("\\", "/")
        path = inside(self._root, str(folder / name))
        if path is not None:
            image = PurePosixPath(path.relative_to(self._root).as_posix())
            if image in self._images or path.is_file():
                return image
        return self._by_name.get(PurePosixPath(name).name)


def _with_sidecars(entry: Entry, image: Path) -> Entry:
    """Add what `x.txt` and `x.json`, or `x.png.txt` and `x.png.json`, beside `x.png` say."""
    for path in (image.with_suffix(".json"), image.with_name(image.name + ".json")):
        if text := _sidecar_text(path):
            entry = _with_object(entry, text)
            break
    for path in (image.with_suffix(".txt"), image.with_name(image.name + ".txt")):
        if text := _sidecar_text(path):
            return replace(entry, text=text)
    return entry


def _sidecar_text(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_SIDECAR_BYTES:
            return ""
        data = path.read_bytes()
    except OSError:  # the image is worth having without its text
        return ""
    try:
        return data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").strip()


def _with_object(entry: Entry, text: str) -> Entry:
    """Add the fields of a JSON object beside an image; other JSON is left alone."""
    try:
        cells = json.loads(text)
    except (ValueError, RecursionError):
        return entry
    if not isinstance(cells, dict):
        return entry
    lists = {name for name, value in cells.items() if isinstance(value, list)}
    columns = cols.other_columns(list(cells), ImportSettings(), lists=lists)
    own_id = cols.cell_text(cells.get(columns.id)) if columns.id else ""
    own_facts = ({columns.id: own_id} if own_id else {}) | cols.facts(cells, columns)
    return replace(
        entry,
        text=cols.cell_text(cells.get(columns.text)),
        examination=entry.examination or cols.cell_text(cells.get(columns.examination)),
        facts={**entry.facts, **own_facts},
        truth=entry.truth or cols.truths(cells, columns),
    )
