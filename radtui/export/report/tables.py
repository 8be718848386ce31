"""A report's tables as CSV files, its references as BibTeX and its methods as text, in one folder."""

from __future__ import annotations

from pathlib import Path

from radtui.export.csv_text import cell, csv_line
from radtui.export.files import whole_folder
from radtui.export.report.document import Document, FactList, ReportTable
from radtui.export.report.gather import Gathered
from radtui.export.report.methods import bibtex, methods

BIBTEX, METHODS = "references.bib", "methods.txt"


def write_tables(gathered: Gathered, document: Document, folder: Path) -> list[str]:
    """Write every table of a report into a folder, whole or not at all; returns the files' names.

    Raises:
        UserError: Something else stands there, or it cannot be written.
    """
    files = dict(_tables(document))
    files |= {BIBTEX: bibtex(gathered), METHODS: methods(gathered) + "\n"}
    with whole_folder(folder, _is_ours) as place:
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    return list(files)


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds what an earlier report left, and nothing else."""
    names = {path.name for path in folder.iterdir()}
    return {BIBTEX, METHODS} <= names and all(name.endswith((".csv", ".bib", ".txt")) for name in names)


def _tables(document: Document) -> list[tuple[str, str]]:
    """Name and text of each table: that of its section, with a number where it has several."""
    tables = []
    for section in document.sections:
        blocks = [block for block in section.blocks if isinstance(block, (ReportTable, FactList))]
        for number, block in enumerate(blocks, 1):
            name = section.key if len(blocks) == 1 else f"{section.key}-{number}"
            rows = block.rows if isinstance(block, FactList) else (block.header, *block.rows)
            tables.append((f"{name}.csv", "".join(csv_line(cell(value) for value in row) for row in rows)))
    return tables
