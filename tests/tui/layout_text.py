"""A screen as text that can be compared: what stands in each cell, and below it in which colours.

Images are left out, as one sign a cell: how they are drawn is tested elsewhere, and their thousands of greys would
hide what changed.
"""

from __future__ import annotations

from itertools import groupby

from rich.style import Style
from textual.geometry import Region

from radtui.tui.app import RadtuiApp

IMAGE = "▒"
SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def layout_text(app: RadtuiApp) -> str:
    """The screen's lines, then for each its runs of cells of one look, then the colours of each look."""
    images = [view.region for view in app.screen.query("ImageView") if view.display]
    texts: list[str] = []
    looks: list[str] = []
    signs: dict[str, str] = {}
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        cells: list[str] = []
        styles: list[str] = []
        x = 0
        for segment in strip:
            for character in segment.text:
                covered = any(_holds(region, x, y) for region in images) and not app.screen.is_modal
                cells.append(IMAGE if covered else character)
                look = "image" if covered else _look(segment.style or Style())
                styles.append(signs.setdefault(look, SIGNS[min(len(signs), len(SIGNS) - 1)]))
                x += 1
        texts.append("".join(cells).rstrip())
        looks.append(" ".join(f"{sign}{len(list(run))}" for sign, run in groupby(styles)))
    legend = [f"{sign} {look}" for look, sign in signs.items()]
    return "\n".join([*texts, "", *looks, "", *legend, ""])


def _holds(region: Region, x: int, y: int) -> bool:
    return region.x <= x < region.right and region.y <= y < region.bottom


def _look(style: Style) -> str:
    """Colours and weight of a cell in words."""
    parts = [
        (style.color.name if style.color else "-"),
        "on",
        (style.bgcolor.name if style.bgcolor else "-"),
        *(word for word in ("bold", "underline", "reverse") if getattr(style, word)),
    ]
    return " ".join(parts)
