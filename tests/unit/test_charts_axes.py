"""Ticks, short numbers, windows and colours."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radtui.charts import palette
from radtui.charts.ticks import (
    duration,
    linear_ticks,
    log_ticks,
    measured,
    number,
    time_ticks,
    whole_ticks,
)
from radtui.charts.view import AxisView


def labels(ticks):
    return [tick.label for tick in ticks]


def test_linear_ticks_are_round_and_share_their_decimals():
    assert labels(linear_ticks(0.27, 3.6, 8)) == ["0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5"]
    assert labels(linear_ticks(0, 10_000, 5)) == ["0", "5,000", "10,000"]
    assert labels(linear_ticks(-1, 1, 5)) == ["-1.0", "-0.5", "0", "0.5", "1.0"]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 12))
def test_ticks_lie_inside_and_are_not_too_many(lo, span, most):
    hi = lo + span
    if hi - lo < span / 2:  # the span is below the precision of the numbers
        return
    ticks = linear_ticks(lo, hi, most)
    assert len(ticks) <= most
    slack = span * 1e-6 + abs(lo) * 1e-12
    assert all(lo - slack <= tick.value <= hi + slack for tick in ticks)


def test_whole_ticks_for_steps():
    assert labels(whole_ticks(1, 3, 10)) == ["1", "2", "3"]
    assert labels(whole_ticks(0.5, 1.5, 5)) == ["1"]


def test_log_ticks_get_denser_with_room():
    assert labels(log_ticks(1e-4, 10, 8)) == ["1e-4", "0.001", "0.01", "0.1", "1", "10"]
    assert labels(log_ticks(0.2, 3, 6)) == ["0.2", "0.3", "0.5", "1", "2", "3"]
    assert labels(log_ticks(1.1, 1.4, 4)) == ["1.1", "1.2", "1.3", "1.4"]
    assert len(log_ticks(1e-12, 1e12, 5)) <= 6


def test_time_ticks_are_minutes_and_hours():
    assert labels(time_ticks(0, 1800, 6)) == ["0s", "10m", "20m", "30m"]
    assert labels(time_ticks(0, 7, 4)) == ["0s", "2s", "4s", "6s"]
    assert labels(time_ticks(0, 7200, 5)) == ["0s", "30m", "1h00m", "1h30m", "2h00m"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.23456, "1.235"), (0.5, "0.5"), (2e-4, "2e-4"), (1.5e-5, "1.5e-5"), (12345.6, "12,346"), (1234.5, "1,234"),
     (0, "0"), (math.nan, "–"), (3e12, "3e+12"), (-0.25, "-0.25")],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert number(value) == text


def test_measured_numbers_keep_their_width():
    assert [measured(v) for v in (0.32, 1.2, 15.0, 2e-4, 0.0, 1500.4)] == [
        "0.3200",
        "1.200",
        "15.00",
        "2.00e-4",
        "0",
        "1,500",
    ]


def test_durations():
    assert [duration(s) for s in (0, 59.4, 60, 750, 3600, 11_100, 190_000)] == [
        "0s", "59s", "1m", "12m30s", "1h00m", "3h05m", "2d04h",
    ]  # fmt: skip


def test_window_is_everything_until_zoomed():
    view = AxisView()
    assert view.window((0, 100)) == (0, 100) and view.whole
    assert view.window((5, 5)) == (4.5, 5.5)


def test_zoom_keeps_its_centre_and_zooming_out_ends_at_everything():
    view = AxisView()
    view.zoom((0, 100), 0.5, 40, 1)
    lo, hi = view.window((0, 100))
    assert (lo, hi) == (20, 70) and (40 - lo) / (hi - lo) == 0.4
    view.zoom((0, 100), 2, 40, 1)
    assert view.whole


def test_zoom_stops_at_the_smallest_window():
    view = AxisView()
    for _ in range(50):
        view.zoom((0, 100), 0.5, 50, 4)
    lo, hi = view.window((0, 100))
    assert hi - lo == pytest.approx(4)


def test_a_window_at_the_end_follows_new_points_and_another_does_not():
    following, resting = AxisView(), AxisView()
    following.zoom((0, 100), 0.5, 100, 1)
    resting.zoom((0, 100), 0.5, 0, 1)
    assert following.window((0, 120)) == (70, 120)
    assert resting.window((0, 120)) == (0, 50)


def test_pan_stops_at_the_ends():
    view = AxisView()
    view.pan((0, 100), 1)
    assert view.whole
    view.zoom((0, 100), 0.2, 100, 1)
    view.pan((0, 100), -0.5)
    assert view.window((0, 100)) == (70, 90)
    view.pan((0, 100), 10)
    assert view.window((0, 110)) == (90, 110)
    view.pan((0, 110), -100)
    assert view.window((0, 110)) == (0, 20)


def test_a_job_keeps_its_colour_whatever_is_beside_it():
    assert palette.job_colours([3])[3] == palette.job_colours([3, 4, 5])[3] == palette.job_colours([5, 3])[3]


def test_jobs_shown_together_differ():
    colours = palette.job_colours([1, 8, 15, 2, 3])  # 1, 8 and 15 share a place in the palette
    assert len(set(colours.values())) == 5
    assert len(palette.job_colours(range(1, 20))) == 19


@pytest.mark.parametrize("background", ["#ffffff", "#101010", "#e0e0e0", "#1e1e2e", "#777777"])
def test_curves_stand_out_from_any_background(background):
    for colour in palette.PALETTE:
        assert palette.contrast(palette.readable(colour, background), background) >= palette.LEAST_CONTRAST


def test_contrast_of_black_and_white():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
