"""Data sets that say of each image what is seen, in columns or in names of folders, and have no text to learn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from radtui.plural import many
from radtui.records import Problem
from radtui.sources.layouts.cells import cell_text
from radtui.sources.layouts.draft import class_folder
from radtui.sources.layouts.tabled import TableLayout
from radtui.sources.readers import Row, table_name
from radtui.sources.readers.table import SAMPLE_ROWS

_MARKS = frozenset(("", "0", "1", "-1", "yes", "no", "y", "n", "true", "false", "x", "+", "-", "ja", "nein"))
"""What stands in columns of findings; CheXpert's -1 is "uncertain"."""
_SHOWN = 2
_MOST_CLASSES = 20
_WAY_OUT = (
    " and nothing is learnt from them. To train, write a text for each image into a column of a table, which"
    " --text-column names; describing images and rating what is said needs none."
)


def label_problems(layouts: Sequence[TableLayout], pictures: Iterable[str], location: str) -> list[Problem]:
    """That labels are no texts, and what to do.

    Args:
        layouts: The tables that are used, none of which has a text.
        pictures: The source's images.
        location: The source.
    """
    if layouts:
        return [_of_table(layouts[0])]
    classes = {class_folder(file).rpartition("/")[2] for file in pictures} - {""}
    named = sorted(name for name in classes if not any(sign.isdigit() for sign in name))
    if not 1 < len(named) == len(classes) <= _MOST_CLASSES:
        return []
    reason = f"Names of folders ({_some(named)}) are kept as facts of their images,{_WAY_OUT}"
    return [Problem(location, reason)]


def _of_table(layout: TableLayout) -> Problem:
    without = frozenset(name for name, _ in layout.roles.images)
    rows = [row.cells for row in islice(layout.table.rows(without), SAMPLE_ROWS) if isinstance(row, Row)]
    marks = [name for name in layout.roles.facts if _are_marks([cell_text(row.get(name)) for row in rows])]
    if len(marks) > 1:
        what = f"It says yes or no of {many(len(marks), 'finding')} ({_some(marks)}) and holds no text: they are kept"
        what += " as facts,"
    else:
        what = "It holds no text: its columns are kept as facts,"
    return Problem(table_name(layout.table), f"{what}{_WAY_OUT}")


def _are_marks(cells: list[str]) -> bool:
    """Whether cells are marks of yes and no, and not all empty."""
    bare = {cell.casefold().removesuffix(".0") for cell in cells}
    return bare <= _MARKS and len(bare) > 1


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest if rest else " and ".join(names)
