"""A fine-tuning run and its review told in one file, as HTML or Markdown.

gather.py    what the report is about, read from the store once
findings.py  what got better, what got worse, and what the numbers leave open
plots.py     preferences, acceptability and errors as SVG
sections.py  the report's words and tables, the same for both forms
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
from radtui.records import Job, UserError

SUFFIXES = (".html", ".md")


def write_report(data: DataDir, db: sqlite3.Connection, job: Job, scheme: Scheme, out: Path) -> Job:
    """Write the report about a job, whole or not at all.

    Args:
        data: Where the images lie.
        db: The database.
        job: A generation job, or a training job, whose newest descriptions are taken.
        scheme: What the raters were asked.
        out: A file ending in `.html` or `.md`.

    Returns:
        The generation job it is about.

    Raises:
        UserError: Another ending, nothing described yet, or the file cannot be written.
    """
    from radtui.export.report.gather import gather, report_job
    from radtui.export.report.sections import compose

    if out.suffix not in SUFFIXES:
        raise UserError(f"{out} is neither .html nor .md; choose one of the two with --out.")
    about = report_job(db, job)
    document = compose(gather(data, db, about, scheme))
    if out.suffix == ".md":
        from radtui.export.report.markdown import markdown_page as render
    else:
        from radtui.export.report.page import html_page as render
    text = render(document)
    with whole_file(out, binary=True) as file:
        file.write(text.encode("utf-8", "backslashreplace"))
    return about
