"""The columns of `comparisons.csv` as a Parquet file: typed, and texts exactly as they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from radtui import __version__
from radtui.export.comparisons import RAW_SCHEMA, answer_columns, columns, rows, third_answer_columns
from radtui.export.csv_text import storable
from radtui.export.files import whole_file
from radtui.records import UserError
from radtui.study.study import Review

BATCH = 1_000
_WHOLE = {
    "job_id", "image_id", "preference", "base_acceptability", "tuned_acceptability", "base_words", "tuned_words",
    "occasion", "dpo_acceptability", "dpo_words",
}  # fmt: skip
_YES_NO = {"both_bad", "blinded", "flagged", "skipped"}
_SECONDS = {"active_seconds", "wall_seconds"}


def write_parquet(db: sqlite3.Connection, review: Review, out: Path) -> int:
    """Write the rated comparisons as Parquet, whole file or none; returns the number of rows.

    Raises:
        UserError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            'Parquet needs pyarrow, which is not installed; install radtui with its "train" extra, or export csv.'
        ) from error
    schema = _schema(pa, review)
    written = 0
    with (
        whole_file(out, binary=True) as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        batch: list[dict[str, object]] = []
        for row in rows(db, review):
            batch.append({name: _value(value) for name, value in row.items()} | {"export_schema": RAW_SCHEMA})
            written += 1
            if len(batch) == BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch.clear()
        writer.write_table(pa.Table.from_pylist(batch, schema))
    return written


def _schema(pa: Any, review: Review) -> Any:
    answers = answer_columns(review.scheme) | third_answer_columns(review.scheme)
    fields = []
    for name in columns(review.scheme, review.variants):
        if name in _WHOLE or name in answers:
            kind = pa.int64()
        elif name in _YES_NO:
            kind = pa.bool_()
        else:
            kind = pa.float64() if name in _SECONDS else pa.string()
        fields.append(pa.field(name, kind))
    return pa.schema(fields, metadata={"radtui": __version__, "export_schema": RAW_SCHEMA})


def _value(value: object) -> object:
    return storable(str(value)) if isinstance(value, str) else value
