"""A fine-tuning run and its review told in one file, as HTML or Markdown.

gather.py    what the report is about, read from the store once
findings.py  what got better, what got worse, and what the numbers leave open
plots.py     preferences, acceptability and errors as SVG
sections.py  the report's words and tables, the same for both forms; results.py, rounds.py and phrases.py belong to it
provenance.py  what the rows say of how a study was made
checklists.py  reporting checklists of the field, filled from that
methods.py   a methods paragraph, and references as BibTeX
tables.py    every table as CSV
document.py  the blocks that sections are made of
page.py      those blocks as one self-contained HTML page
markdown.py  those blocks as Markdown
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from radtui.export.files import whole_file
from radtui.measures.scheme import Scheme
from radtui.paths import DataDir
from radtui.records import Study, UserError

SUFFIXES = (".html", ".md")


def write_report(
    data: DataDir, db: sqlite3.Connection, study: Study, scheme: Scheme, out: Path, tables: Path | None = None
) -> list[str]:
    """Write the report about a study, whole or not at all; returns the names of the files with its tables.

    Args:
        data: Where the images lie.
        db: The database.
        study: One with comparisons; `gather.report_study` gives a job's.
        scheme: What the raters were asked.
        out: A file ending in `.html` or `.md`.
        tables: A folder for its tables as CSV, its references as BibTeX and its methods as text; None for none.

    Raises:
        UserError: Another ending, or the file cannot be written.
    """
    from radtui.export.report.gather import gather
    from radtui.export.report.sections import compose
    from radtui.export.report.tables import write_tables

    if out.suffix not in SUFFIXES:
        raise UserError(f"{out} is neither .html nor .md; choose one of the two with --out.")
    gathered = gather(data, db, study, scheme)
    document = compose(gathered)
    if out.suffix == ".md":
        from radtui.export.report.markdown import markdown_page as render
    else:
        from radtui.export.report.page import html_page as render
    text = render(document)
    with whole_file(out, binary=True) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    return write_tables(gathered, document, tables) if tables is not None else []
