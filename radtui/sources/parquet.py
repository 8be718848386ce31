"""Parquet files that hold images, as Hugging Face datasets writes them: `image` is bytes and a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from radtui.records import NewCase, UserError
from radtui.settings import ImportSettings
from radtui.sources import columns as cols
from radtui.sources.base import (
    SplitLimit,
    counted,
    inside,
    limited_total,
    one_image,
    read_file,
    split_name,
    split_of_path,
    split_rank,
    walk,
)

_BATCH_ROWS = 16  # rows in memory at once; a row group may hold a thousand images
_READ_BUFFER_BYTES = 2**20


def find_parquet(files: list[PurePosixPath]) -> list[PurePosixPath]:
    """The parquet files among the files of a folder."""
    return [file for file in files if file.suffix.lower() == ".parquet"]


class ParquetSource:
    """One parquet file, or all of a folder; file and folder names give the split."""

    def __init__(self, path: Path, settings: ImportSettings) -> None:
        """Open every file's footer and find the columns.

        Raises:
            UserError: pyarrow is not installed, a file is no parquet, or it has no image column.
        """
        self.location = str(path)
        self._settings = settings
        self._root = path if path.is_dir() else path.parent
        self._files = find_parquet(walk(path)) if path.is_dir() else [PurePosixPath(path.name)]
        self._files.sort(key=lambda file: split_rank(self._split(file)))  # stable: by name within a split
        self._columns = {file: self._find_columns(file) for file in self._files}

    def describe(self) -> str:
        """Say what the files have."""
        columns = next(iter(self._columns.values()))
        files = counted(len(self._files), "file")
        total = self.total()
        images = "images" if total is None else counted(total, "image")
        return f"parquet {self.location}: {images} in {files}, {columns.describe()}"

    def total(self) -> int | None:
        """Rows of all files; None when a column says each row's split and only the first ones are wanted."""
        if self._settings.limit and any(columns.split for columns in self._columns.values()):
            return None
        counts: Counter[str] = Counter()
        for file in self._files:
            counts[self._split(file)] += self._open(file).metadata.num_rows
        return limited_total(counts, self._settings.limit)

    def splits(self) -> set[str]:
        """The splits that files, or the cells of a split column, name; of the other columns nothing is read."""
        found = set()
        for file in self._files:
            column = self._columns[file].split
            cells = self._cells(file, column) if column else [None]
            found |= {split_name(cols.cell_text(cell)) or self._split(file) for cell in cells}
        return found

    def __iter__(self) -> Iterator[NewCase]:
        """Every row of every file, in order."""
        limit = SplitLimit(self._settings.limit)
        for file in self._files:
            columns, usual = self._columns[file], self._split(file)
            if not columns.split and limit.full(usual):
                continue
            for number, row in enumerate(self._rows(file)):
                stated = cols.cell_text(row.get(columns.split)) if columns.split else ""
                split = split_name(stated) or usual
                if limit.take(split):
                    yield row_image(row, columns, split, f"{file.stem}:{number}", self._root)
                elif not columns.split:
                    break

    def _rows(self, file: PurePosixPath) -> Iterator[dict[str, Any]]:
        """Rows one by one, a few in memory; a damaged page ends the import with a sentence."""
        try:
            for batch in self._open(file).iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
                yield from batch.to_pylist()
        except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
            raise UserError(
                f"{file} is damaged ({error}); fetch it again, what came before is kept."
            ) from error

    def _cells(self, file: PurePosixPath, column: str) -> list[Any]:
        """The different values of one column; none of a damaged file, which says so when its rows are read."""
        try:
            return list(self._open(file).read([column], use_threads=False)[column].unique().to_pylist())
        except (OSError, ValueError):
            return []

    def _open(self, file: PurePosixPath) -> Any:
        try:
            import pyarrow.parquet as pq
        except ImportError as error:
            raise UserError("Parquet needs pyarrow; install it with: pip install 'radtui[train]'.") from error
        try:
            return pq.ParquetFile(self._root / file, buffer_size=_READ_BUFFER_BYTES, pre_buffer=False)
        except (OSError, ValueError) as error:
            raise UserError(f"{self._root / file} is no parquet file, or cut short ({error}).") from error

    def _find_columns(self, file: PurePosixPath) -> cols.Columns:
        import_types = self._open(file).schema_arrow
        names = [field.name for field in import_types]
        image_like = [field.name for field in import_types if _is_image(field.type)]
        lists = [field.name for field in import_types if "list" in str(field.type).split("<")[0]]
        return cols.find_columns(names, self._settings, image_like=image_like, lists=lists)

    def _split(self, file: PurePosixPath) -> str:
        return split_of_path(file, with_stem=True) or split_name(self._settings.split) or "train"


def _is_image(kind: Any) -> bool:
    """Whether an Arrow type can hold an image: bytes, or the struct of bytes and path."""
    text = str(kind)
    return text in ("binary", "large_binary") or (text.startswith("struct<") and "bytes: " in text)


def row_image(
    row: Mapping[str, Any], columns: cols.Columns, split: str, fallback_key: str, root: Path | None
) -> NewCase:
    """Make a case of a row whose image is bytes, a struct of bytes and path, or a path.

    Args:
        row: Cells by column, the image not decoded.
        columns: As found.
        split: The row's split.
        fallback_key: Key of a row without id and path.
        root: Folder that paths are relative to; None where they are full paths of a cache.
    """
    data, name, error = _image_bytes(row.get(columns.image), root)
    key = cols.cell_text(row.get(columns.id)) if columns.id else ""
    return one_image(
        split, key or name or fallback_key, data, cols.cell_text(row.get(columns.text)),
        cols.cell_text(row.get(columns.examination)), cols.facts(row, columns), cols.truths(row, columns), error,
    )  # fmt: skip


def _image_bytes(cell: Any, root: Path | None) -> tuple[bytes, str, str]:
    """Bytes, file name and, where there are no bytes, the reason."""
    path = ""
    if isinstance(cell, Mapping):
        path = str(cell.get("path") or "")
        cell = cell.get("bytes")
    elif isinstance(cell, str):
        path, cell = cell, None
    name = PurePosixPath(path.replace("\\", "/")).name
    if isinstance(cell, (bytes, bytearray)) and cell:
        return bytes(cell), name, ""
    if not path:
        return b"", "", "The row has no image."
    file = inside(root, path) if root is not None else Path(path)
    if file is None:
        return b"", name, f"{path} is named in the data set but lies outside of it."
    data, error = read_file(file)
    return data, name, error
