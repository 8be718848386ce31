"""Which parts of a canvas nothing lies over.

What is no text, sixels and placed images, is covered by no frame by itself: whoever draws it leaves out what lies over
it. This leans on a private name of Textual 8 (`Screen._compositor`), which `tests/tui/test_pixels.py` watches.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.widget import Widget


def visible_parts(widget: Widget, area: Region) -> list[Region]:
    """The rectangles of a widget that can be seen, in cells of the screen.

    Args:
        widget: Any; under another screen nothing of it is left.
        area: The part of it that counts, in its own cells.
    """
    screen = widget.screen
    if widget.app.screen is not screen or not widget.is_attached:
        return []
    placed = screen._compositor.visible_widgets  # what lies on top comes first
    if widget not in placed:
        return []
    region, clip = placed[widget]
    parts = [area.translate(region.offset).intersection(region).intersection(clip)]
    for other, (other_region, other_clip) in placed.items():
        if other is widget:
            break
        cover = other_region.intersection(other_clip)
        parts = [part for whole in parts for part in without(whole, cover)]
    return [part for part in parts if part]


def without(whole: Region, cover: Region) -> list[Region]:
    """Cut a rectangle out of another: what is left, in up to four."""
    hidden = whole.intersection(cover)
    if not hidden:
        return [whole]
    left = [
        Region.from_corners(whole.x, whole.y, whole.right, hidden.y),
        Region.from_corners(whole.x, hidden.y, hidden.x, hidden.bottom),
        Region.from_corners(hidden.right, hidden.y, whole.right, hidden.bottom),
        Region.from_corners(whole.x, hidden.bottom, whole.right, whole.bottom),
    ]
    return [part for part in left if part.width > 0 and part.height > 0]


def overlaps(parts: Sequence[Region], others: Sequence[Region]) -> list[Region]:
    """Where rectangles of two groups meet."""
    met = (part.intersection(other) for part in parts for other in others)
    return [part for part in met if part]


def tiles(part: Region, most_columns: int, most_rows: int) -> list[Region]:
    """Cut a rectangle into ones that are no larger than a terminal takes at a time."""
    return [
        Region(x, y, min(most_columns, part.right - x), min(most_rows, part.bottom - y))
        for y in range(part.y, part.bottom, most_rows)
        for x in range(part.x, part.right, most_columns)
    ]
