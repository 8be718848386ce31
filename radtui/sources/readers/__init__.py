"""Bytes to rows: CSV in any dialect and encoding, JSON, parquet, Arrow, Excel; packed with gzip where it may be.

    table.py      what a table is
    delimited.py  CSV and TSV; dialect.py how it is written, encoding.py in which letters, damage.py what is whole
    drawn.py      tables drawn with strokes, as Markdown's
    json_rows.py  arrays, objects of lists, one object after another
    columnar.py   parquet and Arrow
    sheets.py     Excel; sheet_links.py where its cells lead
    openi.py      reports in XML files, as OpenI gives them
    nesting.py    objects inside cells as columns of their own; exports.py: records of annotation tools
    header.py     whether a first row names the columns

pyarrow and openpyxl are imported where a file needs them.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

from radtui.records import UserError
from radtui.sources.files import Tree
from radtui.sources.readers.columnar import ArrowTable, ParquetTable
from radtui.sources.readers.delimited import Delimited
from radtui.sources.readers.drawn import drawn_tables
from radtui.sources.readers.json_rows import json_tables
from radtui.sources.readers.nesting import unpacked
from radtui.sources.readers.openi import OpeniTable, openi_reports
from radtui.sources.readers.sheets import sheet_tables
from radtui.sources.readers.table import Row, Table, table_name

__all__ = [
    "BOOKKEEPING",
    "TABLE_SUFFIXES",
    "Row",
    "Table",
    "is_cache",
    "read_tables",
    "table_name",
    "table_suffix",
]

_TEXT = (".csv", ".tsv", ".tab", ".txt")
_MARKDOWN = (".md", ".markdown")
_ZIP = b"PK\x03\x04"  # a workbook may be called CSV
_JSON = (".json", ".jsonl", ".ndjson")
_PACKED = (".gz", ".bz2", ".xz")
_OTHER = (".parquet", ".arrow", ".xlsx", ".xlsm")
TABLE_SUFFIXES = frozenset((*_TEXT, *_MARKDOWN, *_JSON, *_OTHER))
BOOKKEEPING = frozenset(("dataset_info.json", "state.json", "dataset_dict.json", "dataset_infos.json"))
"""What `datasets` writes beside its data."""
NO_TABLE = "It is a text in Markdown that belongs to no image and holds no table; save its texts as CSV."


def table_suffix(name: str) -> str:
    """The suffix of a file that may be a table, in lower case and without the packing's; else ""."""
    lower = name.lower()
    base = lower.rsplit("/", 1)[-1]
    if base in BOOKKEEPING or is_cache(base):
        return ""
    base = without_packing(base)
    suffix = "." + base.rsplit(".", 1)[-1] if "." in base else ""
    return suffix if suffix in TABLE_SUFFIXES else ""


def without_packing(name: str) -> str:
    """A file's name without the suffix that says how it is packed."""
    return next((name.removesuffix(suffix) for suffix in _PACKED if name.lower().endswith(suffix)), name)


def is_cache(name: str) -> bool:
    """Whether a file is what `datasets` computed of the data beside it: cache-1f2e.arrow."""
    base = name.rsplit("/", 1)[-1].lower()
    return base.startswith(("cache-", "tmp")) and base.endswith(".arrow")


def read_tables(tree: Tree, file: str, delimiter: str = "", encoding: str = "") -> Sequence[Table]:
    """The tables of a file, looked at but not read.

    Args:
        tree: The source.
        file: Its name in it.
        delimiter: Of CSV, as the user said; "" finds it.
        encoding: Of text, as the user said; "" finds it.

    Raises:
        UserError: It cannot be read, or what reads it is not installed.
    """
    if file.lower().endswith(".xml"):
        (files,) = (each for first, each in openi_reports(tree, tree.names).items() if first == file)
        return [OpeniTable(tree, files)]
    suffix = table_suffix(file)
    opener = _opener(tree, file)
    try:
        is_book = suffix in (".xlsx", ".xlsm") or (suffix in _TEXT and tree.head(file, len(_ZIP)) == _ZIP)
        if not is_book and suffix in (*_TEXT, *_MARKDOWN):
            return _text_tables(file, suffix, opener, delimiter, encoding)
        if suffix in _JSON:
            return [unpacked(table) for table in json_tables(file, opener, encoding)]
        if is_book:
            return [unpacked(table) for table in sheet_tables(tree, file)]
        return [ParquetTable(tree, file) if suffix == ".parquet" else ArrowTable(tree, file)]
    except UserError:
        raise
    except Exception as error:  # one damaged file must not end an import
        raise UserError(f"{file} cannot be read ({type(error).__name__}: {error}).") from error


def _text_tables(
    file: str, suffix: str, opener: Callable[[], BinaryIO], delimiter: str, encoding: str
) -> Sequence[Table]:
    before = "" if suffix in _MARKDOWN else '"\t' if suffix == ".txt" else '"\t,;'
    if drawn := drawn_tables(file, opener, encoding, before):
        return drawn
    if suffix in _MARKDOWN:
        raise UserError(NO_TABLE)
    tabs = "\t" if suffix in (".tsv", ".tab") else ""
    return [unpacked(Delimited(file, opener, delimiter or tabs, encoding))]


def _opener(tree: Tree, file: str) -> Callable[[], BinaryIO]:
    """Opens a file, unpacked where it is packed."""
    packing = file.lower().rpartition(".")[2]
    if packing == "bz2":
        import bz2

        return lambda: cast(BinaryIO, bz2.open(tree.open(file)))
    if packing == "xz":
        import lzma

        return lambda: cast(BinaryIO, lzma.open(tree.open(file)))
    return lambda: (
        cast(BinaryIO, gzip.GzipFile(fileobj=tree.open(file))) if packing == "gz" else tree.open(file)
    )
