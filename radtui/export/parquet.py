"""The columns of `comparisons.csv` as a Parquet file: typed, and texts exactly as they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from radtui import __version__
from radtui.export.columns import answer_columns, schema_of
from radtui.export.comparisons import columns, rows
from radtui.export.csv_text import storable
from radtui.export.files import whole_file
from radtui.records import UserError
from radtui.study.schemes import Survey
from radtui.study.study import Review

BATCH = 1_000
_WHOLE = {
    "job_id", "image_id", "study_id", "case_id", "preference", "occasion", "pair", "earlier_words", "later_words",
}  # fmt: skip
_YES_NO = {"both_bad", "blinded", "flagged", "skipped"}
_SECONDS = {"active_seconds", "wall_seconds"}


def write_parquet(db: sqlite3.Connection, review: Review, seen: Survey, out: Path) -> int:
    """Write the rated comparisons as Parquet, whole file or none; returns the number of rows.

    Where ratings are chained, the column `chain` holds what links each to the one before it.

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
    schema, form = _schema(pa, review, seen), schema_of(review.study, raw=True)
    written = 0
    with (
        whole_file(out, binary=True) as file,
        parquet.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        batch: list[dict[str, object]] = []
        for row in rows(db, review, seen, _beside(seen)):
            batch.append({name: _value(value) for name, value in row.items()} | {"export_schema": form})
            written += 1
            if len(batch) == BATCH:
                writer.write_table(pa.Table.from_pylist(batch, schema))
                batch.clear()
        writer.write_table(pa.Table.from_pylist(batch, schema))
    return written


def _schema(pa: Any, review: Review, seen: Survey) -> Any:
    arms = review.study.arm_names
    whole = _WHOLE | answer_columns(review.scheme, arms).keys() | {f"{arm}_words" for arm in arms}
    fields = []
    for name in [*columns(review, seen), *_beside(seen)]:
        if name in whole:
            kind = pa.int64()
        elif name in _YES_NO:
            kind = pa.bool_()
        else:
            kind = pa.float64() if name in _SECONDS else pa.string()
        fields.append(pa.field(name, kind))
    return pa.schema(
        fields, metadata={"radtui": __version__, "export_schema": schema_of(review.study, raw=True)}
    )


def _beside(seen: Survey) -> list[str]:
    return ["chain"] if seen.chained else []


def _value(value: object) -> object:
    return storable(str(value)) if isinstance(value, str) else value
