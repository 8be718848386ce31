"""Where tiles lie."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from radtui.tui.data.tiling import Tiling

TILES = Tiling(count=11, width_cells=80, least_cells=16)


def test_tiles_fill_the_width_and_are_square_in_cells_of_one_to_two():
    assert (TILES.across, TILES.box, TILES.pitch) == (4, (18, 9), 10)
    # A screen that is too narrow for one.
    assert Tiling(3, 5, 16).across == 1 and Tiling(3, 5, 16).box == (4, 2)


def test_every_cell_of_a_tile_leads_back_to_it():
    for index in range(TILES.count):
        region = TILES.region(index)
        assert TILES.at(region.x, region.y) == TILES.at(region.right - 1, region.bottom - 1) == index
    assert TILES.region(5) == Region(20, 10, 20, 10)
    assert TILES.at(79, 29) is None and TILES.at(80, 0) is None and TILES.at(0, 30) is None


@pytest.mark.parametrize("rows", range(5, 60))
def test_at_the_end_of_scrolling_a_tile_begins_at_the_top_and_the_last_one_is_whole(rows):
    over = TILES.height_in(rows) - rows
    if over > 0:
        assert over % TILES.pitch == 0
    assert TILES.height_in(rows) >= min(rows, 30) and max(over, 0) + rows >= 30


def test_tiles_in_sight():
    assert TILES.between(0, 20) == (0, 8)
    assert TILES.between(9, 11) == (0, 8)
    assert TILES.between(10, 30) == (4, 11)


@pytest.mark.parametrize(
    ("index", "rows", "expected"),
    [(0, 1, 4), (6, 1, 10), (7, 1, 10), (8, 1, 8), (2, -1, 2), (9, -2, 1), (3, 9, 10)],
)
def test_up_and_down_stay_in_the_column_but_for_a_short_last_row(index, rows, expected):
    assert TILES.vertically(index, rows) == expected
