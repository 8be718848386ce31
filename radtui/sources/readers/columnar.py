"""Parquet files, and the Arrow files that `datasets` writes with save_to_disk; images stay the bytes they are."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from radtui.records import Problem, UserError
from radtui.sources.files import Tree
from radtui.sources.readers.nesting import unnested
from radtui.sources.readers.table import MAX_CELL_BYTES, NOTHING, Row

_BATCH_ROWS = 16  # rows in memory at once; a row group may hold a thousand images
_READ_BUFFER_BYTES = 2**20
_MAX_RATIO = 300
_RATIO_FROM_BYTES = 2**28
NEEDS = "needs pyarrow; install it with: pip install 'radtui[train]'."


class ParquetTable:
    """One parquet file."""

    def __init__(self, tree: Tree, file: str) -> None:
        """Read the footer.

        Raises:
            UserError: pyarrow is not installed, or the file is no parquet.
        """
        self.file, self.part = file, ""
        self.notes: list[Problem] = []
        self._tree = tree
        opened = self._open()
        self.columns = _columns(opened.schema_arrow)
        self._stored = tuple(opened.schema_arrow.names)
        self._count = opened.metadata.num_rows
        # Lists and text may be inflated without a bound by a few bytes of run lengths.
        groups = [opened.metadata.row_group(n) for n in range(opened.metadata.num_row_groups)]
        inflated = sum(group.total_byte_size for group in groups)
        packed = sum(
            group.column(n).total_compressed_size for group in groups for n in range(group.num_columns)
        )
        if inflated > _RATIO_FROM_BYTES and inflated > _MAX_RATIO * max(packed, 1):
            raise UserError(
                f"{file} inflates to {inflated / 2**30:.1f} GiB from {packed / 2**20:.1f} MiB; it is not read."
            )
        self._dictionaries = [
            field.name
            for field in opened.schema_arrow
            if str(field.type) in ("string", "large_string", "binary")
        ]

    def count(self) -> int | None:
        """The footer's number of rows."""
        return int(self._count)

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Rows one by one, a few in memory; a damaged page ends the file with a problem."""
        columns = [name for name in self._stored if name not in without]
        number = 0
        try:
            # Dictionaries stay packed, so that a repeated text of 64 MiB is in memory once.
            opened = self._open(self._dictionaries)
            for batch in opened.iter_batches(batch_size=_BATCH_ROWS, use_threads=False, columns=columns):
                for place in range(batch.num_rows):
                    number += 1
                    yield _row(self.file, number, batch, place)
        except (OSError, ValueError) as error:  # pyarrow's own errors derive from these
            reason = f"It is damaged after row {number} ({error}); fetch it again."
            yield Problem(f"{self.file}, row {number + 1}", reason)

    def _open(self, dictionaries: list[str] | None = None) -> Any:
        try:
            import pyarrow.parquet as pq
        except ImportError as error:
            raise UserError(f"{self.file}: Parquet {NEEDS}") from error
        local = self._tree.local(self.file)
        source: Any = local if local is not None else self._tree.open(self.file)
        try:
            return pq.ParquetFile(
                source, buffer_size=_READ_BUFFER_BYTES, pre_buffer=False, read_dictionary=dictionaries
            )
        except (OSError, ValueError) as error:
            raise UserError(f"{self.file} is no parquet file, or cut short ({error}).") from error


class ArrowTable:
    """One Arrow file, as a stream or as a file."""

    def __init__(self, tree: Tree, file: str) -> None:
        """Read the schema.

        Raises:
            UserError: pyarrow is not installed, or the file is no Arrow file.
        """
        self.file, self.part = file, ""
        self.notes: list[Problem] = []
        self._tree = tree
        self.columns = _columns(next(self._batches(schema_only=True)))

    def count(self) -> int | None:
        """Only reading tells."""
        return None

    def rows(self, without: AbstractSet[str] = NOTHING) -> Iterator[Row | Problem]:
        """Rows one by one."""
        number = 0
        try:
            for batch in self._batches():
                kept = batch.select([name for name in batch.schema.names if name not in without])
                for place in range(batch.num_rows):
                    number += 1
                    yield _row(self.file, number, kept, place)
        except (OSError, ValueError) as error:
            reason = f"It is damaged after row {number} ({error}); save the data set again."
            yield Problem(f"{self.file}, row {number + 1}", reason)

    def _batches(self, schema_only: bool = False) -> Iterator[Any]:
        try:
            import pyarrow as pa
        except ImportError as error:
            raise UserError(f"{self.file}: Arrow {NEEDS}") from error
        local = self._tree.local(self.file)
        try:
            source: Any = pa.memory_map(str(local)) if local is not None else self._tree.open(self.file)
            try:
                reader = pa.ipc.open_stream(source)
            except pa.ArrowInvalid:
                opened = pa.ipc.open_file(source)
                if schema_only:
                    yield opened.schema
                    return
                yield from (opened.get_batch(n) for n in range(opened.num_record_batches))
                return
            if schema_only:
                yield reader.schema
                return
            yield from reader
        except (OSError, ValueError) as error:
            if schema_only:
                raise UserError(f"{self.file} is no Arrow file, or cut short ({error}).") from error
            raise


def _columns(schema: Any) -> tuple[str, ...]:
    """The columns that rows will have: those inside objects under names of their own."""
    empty = {field.name: _empty(field.type) for field in schema}
    return tuple(unnested(empty))


def _empty(kind: Any) -> Any:
    """An empty value of a type, as far as its nesting matters."""
    text = str(kind)
    if text.startswith("struct<"):
        return {kind.field(n).name: _empty(kind.field(n).type) for n in range(kind.num_fields)}
    return [] if text.startswith(("list<", "large_list<", "fixed_size_list<")) else None


def _row(file: str, number: int, batch: Any, place: int) -> Row | Problem:
    cells: dict[str, object] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            cells[name] = column[place].as_py()
        except (ValueError, OverflowError, UnicodeDecodeError):  # text that is none, dates out of range
            cells[name] = None
        value = cells[name]
        if isinstance(value, str) and len(value) > MAX_CELL_BYTES:
            return Problem(f"{file}, row {number}", f"The cell {name} is longer than 64 MiB.")
    return Row(number, unnested(cells))
