"""Where tiles of equal size lie that stand side by side in rows; no widget."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

CAPTION_ROWS = 1
GAP = 2  # columns beside each box: one for the cursor's sign, and a free one


@dataclass(frozen=True, slots=True)
class Tiling:
    """So many tiles in a width.

    Attributes:
        count: Tiles in all.
        width_cells: What they share.
        least_cells: Width of a tile's box; it grows until a row of them fills the width.
    """

    count: int
    width_cells: int
    least_cells: int

    @property
    def across(self) -> int:
        """Tiles in a row."""
        return max(1, self.width_cells // (self.least_cells + GAP))

    @property
    def box(self) -> tuple[int, int]:
        """Columns and rows of a thumbnail, square on most terminals."""
        columns = max(4, self.width_cells // self.across - GAP)
        return columns, (columns + 1) // 2

    @property
    def pitch(self) -> int:
        """Rows from one tile to the one below."""
        return self.box[1] + CAPTION_ROWS

    def height_in(self, rows: int) -> int:
        """Rows to scroll over in a window of so many: no tile is cut at the top, not even at the end."""
        all_rows = -(-self.count // self.across) * self.pitch
        return all_rows if all_rows <= rows else rows - (rows - all_rows) // self.pitch * self.pitch

    def region(self, index: int) -> Region:
        """Where a tile is, its gap and caption included."""
        row, column = divmod(index, self.across)
        width, pitch = self.box[0] + GAP, self.pitch
        return Region(column * width, row * pitch, width, pitch)

    def at(self, x: int, y: int) -> int | None:
        """Position of the tile in a cell, None where there is none."""
        column, row = x // (self.box[0] + GAP), y // self.pitch
        index = row * self.across + column
        return index if 0 <= column < self.across and 0 <= index < self.count else None

    def between(self, top: int, bottom: int) -> tuple[int, int]:
        """Positions [start, stop) of the tiles that rows [top, bottom) touch."""
        return top // self.pitch * self.across, min(self.count, -(-bottom // self.pitch) * self.across)

    def vertically(self, index: int, rows: int) -> int:
        """Position so many rows of tiles below one, in its column; the same one where there is no such row."""
        target = index + rows * self.across
        if 0 <= target < self.count:
            return target
        short = rows > 0 and index // self.across < (self.count - 1) // self.across
        return self.count - 1 if short else index  # the last row may end before the column
