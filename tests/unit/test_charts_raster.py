"""Lines and bands as characters."""

import numpy as np
import pytest

from radtui.charts import raster


def drawn(cells):
    return ["".join(chr(raster.BRAILLE + dots) if dots else " " for dots in row) for row in cells.tolist()]


def line(columns, rows, width, height):
    spans = raster.line_spans(np.array(columns), np.array(rows, float), width)
    return drawn(raster.line_cells(*spans, height))


def test_rows_run_from_the_top_down():
    values = np.array([0.0, 5.0, 10.0, 20.0, -20.0, np.nan])
    rows = raster.rows_of(values, 0, 10, 11, log=False)
    assert rows[:5].tolist() == [10, 5, 0, -1, 11] and np.isnan(rows[5])


def test_log_rows_are_even_in_decades_and_zero_is_below():
    rows = raster.rows_of(np.array([1.0, 10.0, 100.0, 0.0, -3.0]), 1, 100, 3, log=True)
    assert rows.tolist() == pytest.approx([2, 1, 0, 3, 3])


def test_each_braille_dot_has_its_bit():
    for y in range(4):
        for x in range(2):
            top = np.full(2, np.nan)
            top[x] = y
            cells = raster.line_cells(top, top, 1)
            assert cells[0, 0] == raster.BITS[y, x]


def test_a_flat_line_joins_two_points():
    assert line([0, 7], [0, 0], 8, 1) == ["⠉⠉⠉⠉"]


def test_a_slope_has_no_hole():
    cells = line([0, 7], [0, 7], 8, 2)
    assert cells == ["⠑⢄  ", "  ⠑⢄"]


def test_a_jump_between_neighbours_is_joined():
    spans = raster.line_spans(np.array([3, 4]), np.array([0.0, 8.0]), 8)
    assert spans[0][3] == 0 and spans[1][3] == 4 and spans[0][4] == 4 and spans[1][4] == 8


def test_nan_breaks_the_line_but_not_the_points_beside_it():
    top, bottom = raster.line_spans(np.array([0, 2, 4, 6, 8]), np.array([1.0, 1, np.nan, 1, 1]), 10)
    assert np.isfinite(top).tolist() == [True, True, True, False, False, False, True, True, True, False]
    assert np.array_equal(top, bottom, equal_nan=True)


def test_points_outside_lead_the_line_to_the_edges():
    top, _ = raster.line_spans(np.array([-10, 20]), np.array([0.0, 30.0]), 10)
    assert np.isfinite(top).all() and top[0] < top[-1]


def test_a_single_point_is_one_column():
    top, _ = raster.line_spans(np.array([3]), np.array([2.0]), 6)
    assert np.flatnonzero(np.isfinite(top)).tolist() == [3]


def test_lines_beyond_the_edges_are_not_drawn():
    assert line([0, 7], [-1, -1], 8, 1) == ["    "]
    assert line([0, 7], [4, 4], 8, 1) == ["    "]


def test_band_ends_in_eighths():
    band = raster.band_cells(np.array([1.5, np.nan]), np.array([3.25, np.nan]), 5)
    chars = [chr(code) if code else "" for code in band.chars[:, 0].tolist()]
    assert chars == ["", "▄", " ", "▆", ""]
    # The upper edge is a block of the band; at the lower one the background covers the rest of the cell.
    assert band.front[:, 0].tolist() == [False, True, False, False, False]
    assert band.behind[:, 0].tolist() == [False, False, True, True, False]
    assert band.covered[:, 0].tolist() == [0, 0.5, 1, 0.25, 0]
    assert not band.chars[:, 1].any()


def test_a_thin_band_stays_visible():
    for top, char in ((0.3, "▀"), (0.6, "▄")):
        band = raster.band_cells(np.array([top]), np.array([top + 0.2]), 1)
        assert chr(band.chars[0, 0]) == char and band.front[0, 0]
