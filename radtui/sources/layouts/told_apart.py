"""Images with several texts in rows that differ in one thing: a section, a reader, a report before the final one."""

from __future__ import annotations

from itertools import islice

from radtui.records import Problem
from radtui.sources.identity import identity_of_column, identity_of_value
from radtui.sources.layouts.candidates import Candidate
from radtui.sources.layouts.cells import cell_text
from radtui.sources.readers import Row

_ROWS = 500
_MOST_VALUES = 8
_SHOWN = 3
_FEWEST = 2  # images: of one alone nothing can be told


def told_apart(candidate: Candidate) -> list[Problem]:
    """That images have several texts, by what tells these apart; nothing where nothing does, as of several captions."""
    roles = candidate.roles
    if not roles.images or not roles.text or roles.question or roles.conversation:
        return []
    if candidate.table.count() is not None:  # tables that hold their images' bytes
        return []
    image = roles.images[0][0]
    groups: dict[str, list[Row]] = {}
    for row in islice(candidate.table.rows(), _ROWS):
        if isinstance(row, Row) and isinstance(row.cells.get(image), str) and cell_text(row.cells[image]):
            groups.setdefault(cell_text(row.cells[image]), []).append(row)
    several = [
        rows for rows in groups.values()
        if len({tuple(cell_text(row.cells.get(name)) for name in roles.text) for row in rows}) > 1
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
