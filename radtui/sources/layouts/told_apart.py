"""Images with several texts in rows that differ in one thing: a section, a reader, a report before the final one."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from itertools import combinations, islice

from radtui.records import Problem
from radtui.sources.identity import identity_of_column, identity_of_value
from radtui.sources.layouts.candidates import Candidate
from radtui.sources.layouts.cells import cell_text
from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.table_names import TableNames
from radtui.sources.readers import Row

_ROWS = 500
_MOST_VALUES = 8
_SHOWN = 3
_MOST_TABLES = 20
_FEWEST = 2  # images: of one alone nothing can be told


def told_apart(candidate: Candidate) -> list[Problem]:
    """That images have several texts, by what tells these apart; nothing where nothing does, as of several captions."""
    roles = candidate.roles
    if not roles.images or not roles.text or roles.question or roles.conversation:
        return []
    if candidate.table.count() is not None:  # tables that hold their images' bytes
        return []
    several = [
        rows for rows in _by_image(candidate).values()
        if len({_text_of(row, candidate) for row in rows}) > 1
    ]  # fmt: skip
    for column in roles.facts if len(several) >= _FEWEST else ():
        values = [[cell_text(row.cells.get(column)) for row in rows] for rows in several]
        every = dict.fromkeys(value for each in values for value in each)
        apart = all(len(set(each)) == len(each) and all(each) for each in values)
        if apart and len(every) <= _MOST_VALUES and not all(value.isdigit() for value in every):
            names = identity_of_column(column) or any(
                map(identity_of_value, every)
            )  # of readers, none is said
            shown = "" if names else f" ({', '.join(list(every)[:_SHOWN])})"
            reason = (
                f"Images have several texts, one for each {column}{shown}, and each is a case: a model is asked the"
                " same and taught all of them. Leave some rows out"
            )
            reason += "." if names else f", or have it asked with --question-column {column}."
            return [Problem(candidate.name, reason, len(several))]
    return []


def told_twice(chosen: Sequence[Candidate], names: FileNames) -> list[Problem]:
    """That two tables of one split have different texts of the same images, as of two readers.

    Args:
        chosen: The tables that are used.
        names: The source's files: 1.png of two folders, each with a table of its own, is not the same.
    """
    usable = [
        each for each in chosen if each.roles.text and not each.roles.question and each.table.count() is None
    ]
    images = [(each, _by_file(each, names)) for each in usable[:_MOST_TABLES] if each.roles.images]
    for (first, mine), (second, theirs) in combinations(images, 2):
        if first.split != second.split:
            continue
        different = [
            file for file in mine.keys() & theirs.keys()
            if _text_of(mine[file], first) != _text_of(theirs[file], second)
        ]  # fmt: skip
        if different:
            reason = (
                f"{first.name} has other texts of the same images, and each text is a case: a model is asked the same"
                " and taught both. Name one of them with --table, or leave it so where both are right."
            )
            return [Problem(second.name, reason, len(different))]
    return []


def _by_file(candidate: Candidate, names: FileNames) -> dict[tuple[str, ...], Row]:
    """The first row that means a file, or several that lie in a folder, by these."""
    table = candidate.table
    finder = TableNames(names, posixpath.dirname(table.file), candidate.split, way=candidate.way)
    rows: dict[tuple[str, ...], Row] = {}
    for name, (first, *_) in _by_image(candidate).items():
        file = finder.find(name)
        files = (file,) if file else tuple(finder.folder(name))
        if files:
            rows.setdefault(files, first)
    return rows


def _by_image(candidate: Candidate) -> dict[str, list[Row]]:
    """The first rows by the image that they name."""
    image = candidate.roles.images[0][0]
    groups: dict[str, list[Row]] = {}
    for row in islice(candidate.table.rows(), _ROWS):
        if isinstance(row, Row) and isinstance(row.cells.get(image), str) and cell_text(row.cells[image]):
            groups.setdefault(cell_text(row.cells[image]), []).append(row)
    return groups


def _text_of(row: Row, candidate: Candidate) -> tuple[str, ...]:
    return tuple(cell_text(row.cells.get(name)) for name in candidate.roles.text)
