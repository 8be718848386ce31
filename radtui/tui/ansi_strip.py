"""A strip whose terminal output is already written, for images: no object per cell until something asks for one.

Textual's strips hold Rich segments, and an image has a differently coloured one in nearly every cell: creating,
filtering and rendering those costs ten times what the image itself does. `AnsiStrip` fills the strip's render
cache instead, and makes segments only when an overlay, a modal's tint or a screenshot asks for them.

This leans on two private names of Textual 8 (`Strip._render_cache`, `Strip._segments`), which
`tests/tui/test_ansi_strip.py` watches. Should they change, `segment_strips` draws the same in public parts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import ANSIToTruecolor, LineFilter, Monochrome
from textual.strip import Strip

from radtui.imaging.ansi import ansi_rows, rgb_of_256
from radtui.imaging.cells import GLYPHS, Cells
from radtui.tui.harmless_lines import HarmlessLines


class AnsiStrip(Strip):
    """One row of cells, drawn from a ready string.

    Args:
        row: One row of cells, brought to the terminal's depth.
        ansi: The row's terminal sequences; written here when left out.
    """

    __slots__ = ("_made", "_row")

    def __init__(self, row: Cells, ansi: str | None = None) -> None:
        self._row = row
        self._made: list[Segment] | None = None
        super().__init__((), row.width)
        self._made = None  # the base class has just set it to its empty list
        self._cell_count = row.width
        self._render_cache = ansi_rows(row)[0] if ansi is None else ansi

    @property
    def _segments(self) -> list[Segment]:
        """Segments of the row, made when first asked for."""
        if self._made is None:
            self._made = segments_of(self._row)
        return self._made

    @_segments.setter
    def _segments(self, value: list[Segment]) -> None:
        self._made = value

    def __bool__(self) -> bool:
        return self._row.width > 0

    def apply_filter(self, filter: LineFilter, background: Color) -> Strip:
        """Pass filters that change nothing here: no named colours, greys that are grey already, blocks for text."""
        grey = self._row.ink is not None and self._row.ink.ndim == 2 and not self._row.indexed
        if isinstance(filter, ANSIToTruecolor | HarmlessLines) or (grey and isinstance(filter, Monochrome)):
            return self
        return super().apply_filter(filter, background)

    def crop(self, start: int, end: int | None = None) -> Strip:
        """Cut out cells `start` to `end`, staying ready for the terminal."""
        start, end = max(0, start), self._row.width if end is None else min(end, self._row.width)
        if (start, end) == (0, self._row.width):
            return self
        return Strip([], 0) if end <= start else AnsiStrip(self._row.crop(start, end))

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut into pieces that end at `cuts`, each ready for the terminal."""
        ends = [cut for cut in cuts if cut <= self._row.width]
        return [self.crop(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def ansi_strips(cells: Cells) -> list[Strip]:
    """Make one ready strip a row."""
    rows = ansi_rows(cells)
    return [AnsiStrip(cells.crop(0, cells.width, y, y + 1), ansi) for y, ansi in enumerate(rows)]


def segment_strips(cells: Cells) -> list[Strip]:
    """Make ordinary strips that draw the same, about ten times slower."""
    rows = (cells.crop(0, cells.width, y, y + 1) for y in range(cells.height))
    return [Strip(segments_of(row), cells.width) for row in rows]


def segments_of(row: Cells) -> list[Segment]:
    """Turn one row of cells into segments, neighbours of equal colours joined.

    Args:
        row: Cells of height 1, brought to the terminal's depth.
    """
    text = "".join([GLYPHS[index] for index in row.glyph[0].tolist()])
    if row.ink is None or row.paper is None:
        return [Segment(text)]
    ink, paper = row.ink, row.paper
    if row.indexed:
        ink, paper = rgb_of_256(ink), rgb_of_256(paper)
    if ink.ndim == 2:
        ink, paper = np.repeat(ink[..., None], 3, axis=2), np.repeat(paper[..., None], 3, axis=2)
    pairs = np.concatenate([ink[0], paper[0]], axis=1)
    starts = [0, *(np.flatnonzero((pairs[1:] != pairs[:-1]).any(axis=1)) + 1).tolist(), len(pairs)]
    return [
        Segment(text[a:b], _style(*colours))
        for a, b, colours in zip(starts, starts[1:], pairs[starts[:-1]].tolist(), strict=False)
    ]


@lru_cache(maxsize=8192)  # half blocks of a grey image use a few thousand pairs at most
def _style(r: int, g: int, b: int, paper_r: int, paper_g: int, paper_b: int) -> Style:
    return Style(color=RichColor.from_rgb(r, g, b), bgcolor=RichColor.from_rgb(paper_r, paper_g, paper_b))
