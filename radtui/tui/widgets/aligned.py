"""Lines of a list to choose from, whose parts stand below each other."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

GAP = "  "


def aligned(rows: Sequence[Sequence[Content]]) -> list[Content]:
    """Each row as a line: a part is as wide as the widest of its column needs, and the last goes on as it is.

    A column that is empty in all rows takes no room. Nothing is cut: a list wraps what is too long for it.
    """
    columns = max((len(row) for row in rows), default=0)
    widths = [max((row[at].cell_length for row in rows if at < len(row)), default=0) for at in range(columns)]
    lines = []
    for row in rows:
        shown = [(part, widths[at]) for at, part in enumerate(row) if widths[at]]
        padded = [part.pad_right(width - part.cell_length) for part, width in shown[:-1]]
        lines.append(Content(GAP).join([*padded, *(part for part, _ in shown[-1:])]))
    return lines
