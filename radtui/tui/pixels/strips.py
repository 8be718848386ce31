"""Rows of cells that show real pixels: to the terminal as their protocol has it, half blocks to all others.

A modal tints what lies under it, and a screenshot copies it, by the segments of strips. Tinted, the colour that names
an image would name another one. So the segments here are half blocks, made when first asked for, and only what goes to
the terminal as it is shows pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from radtui.imaging.ansi import RESET
from radtui.imaging.cells import Cells
from radtui.imaging.protocols import kitty
from radtui.tui.ansi_strip import segments_of

BLACK = "\x1b[48;2;0;0;0m"
BLACK_OF_256 = "\x1b[48;5;16m"


@dataclass(frozen=True, slots=True)
class ShownImage:
    """A number of cells that show an image.

    Attributes:
        left: First column.
        top: First row.
        columns: How many.
        rows: How many.
        image_id: The image's number.
    """

    left: int
    top: int
    columns: int
    rows: int
    image_id: int


@dataclass(slots=True)
class PixelRows:
    """All rows of one frame.

    Attributes:
        blocks: Draws the frame as half blocks; called once, when somebody needs them.
        ground: The sequence that colours empty cells; "" leaves the terminal's own, behind which placed images lie.
        shown: The cells that stand for images, from left to right.
        true_colour: Whether 24-bit colours reach the terminal.
    """

    blocks: Callable[[], Cells]
    ground: str
    shown: Sequence[ShownImage] = ()
    true_colour: bool = True
    _blocks: Cells | None = field(default=None)

    def segments(self, y: int, start: int, stop: int) -> list[Segment]:
        """A part of a row as half blocks."""
        if self._blocks is None:
            self._blocks = self.blocks()
        return segments_of(self._blocks.crop(start, stop, y, y + 1))

    def ansi(self, y: int, start: int, stop: int) -> str:
        """A part of a row for the terminal."""
        parts, at = [self.ground], start
        for image in self.shown:
            begin, end = max(start, image.left), min(stop, image.left + image.columns)
            if begin >= end or not image.top <= y < image.top + image.rows:
                continue
            colour, high = kitty.colour(image.image_id, self.true_colour)
            cells = kitty.cells(y - image.top, begin - image.left, end - image.left, high)
            parts += " " * (begin - at), colour, cells
            at = end
        return "".join([*parts, " " * (stop - at), RESET])


class PixelStrip(Strip):
    """A part of one row.

    Args:
        rows: The frame.
        y: Row of the frame.
        start: First cell.
        stop: The cell behind the last one.
    """

    __slots__ = ("_made", "_place", "_rows")

    def __init__(self, rows: PixelRows, y: int, start: int, stop: int) -> None:
        self._rows, self._place = rows, (y, start, stop)
        self._made: list[Segment] | None = None
        super().__init__((), stop - start)
        self._made = None  # the base class has just set it to its empty list
        self._cell_count = stop - start
        self._render_cache = rows.ansi(y, start, stop)

    @property
    def _segments(self) -> list[Segment]:
        """Half blocks, made when first asked for."""
        if self._made is None:
            self._made = self._rows.segments(*self._place)
        return self._made

    @_segments.setter
    def _segments(self, value: list[Segment]) -> None:
        self._made = value

    def __bool__(self) -> bool:
        return self._place[2] > self._place[1]

    def apply_filter(self, filter: LineFilter, background: Color) -> Strip:
        """Pass filters of colours, which do not reach pixels, and the one for text, of which there is none."""
        del filter, background
        return self

    def crop(self, start: int, end: int | None = None) -> Strip:
        """Cut out cells `start` to `end`, which still show their pixels."""
        y, first, stop = self._place
        width = stop - first
        start, end = max(0, start), width if end is None else min(end, width)
        if (start, end) == (0, width):
            return self
        return Strip([], 0) if end <= start else PixelStrip(self._rows, y, first + start, first + end)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut into pieces that end at `cuts`."""
        ends = [cut for cut in cuts if cut <= self._place[2] - self._place[1]]
        return [self.crop(start, end) for start, end in zip([0, *ends], ends, strict=False)]
