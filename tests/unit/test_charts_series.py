"""Points in, columns and averages out."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radtui.charts.series import FACTOR, Axis, Series
from radtui.charts.smoothing import Ema
from radtui.records import Metric


def metric(step, value, epoch=0.0, elapsed_s=0.0):
    return Metric(step, step, epoch, elapsed_s, "loss", value)


def filled(values, start=1):
    series = Series()
    steps = np.arange(start, start + len(values))
    series.extend_arrays(steps, steps / 10, steps * 2.0, values)
    return series


def brute_columns(series, axis, x0, x1, width):
    x, y = series.x(axis), series.values
    half = (x1 - x0) / (width - 1) / 2
    edges = np.searchsorted(x, np.linspace(x0 - half, x1 + half, width + 1))
    return [y[a:b] for a, b in pairwise(edges)]


def test_metrics_become_points_and_none_a_gap():
    series = Series()
    series.extend([metric(1, 2.5, 0.1, 3.0), metric(2, None, 0.2, 6.0)])
    series.extend([metric(3, 1.5, 0.3, 9.0)])
    series.extend([])
    assert len(series) == 3
    assert series.x(Axis.STEP).tolist() == [1, 2, 3]
    assert series.x(Axis.EPOCH).tolist() == [0.1, 0.2, 0.3]
    assert series.x(Axis.TIME).tolist() == [3, 6, 9]
    assert series.values[0] == 2.5 and math.isnan(series.values[1])


def test_infinite_is_a_gap_too():
    assert np.isnan(filled([1.0, math.inf, -math.inf]).values[1:]).all()


def test_steps_measured_again_replace_the_old_ones():
    series = filled(np.arange(100.0))
    series.ema(4)
    series.extend([metric(step, -1.0) for step in range(51, 61)])
    assert len(series) == 60
    assert series.values[49] == 49 and (series.values[50:] == -1).all()
    fresh = Series()
    fresh.extend_arrays(series.x(Axis.STEP), series.x(Axis.EPOCH), series.x(Axis.TIME), series.values)
    assert np.allclose(series.ema(4), fresh.ema(4))
    assert np.array_equal(series.columns(Axis.STEP, 1, 60, 4).lo, fresh.columns(Axis.STEP, 1, 60, 4).lo)


def test_a_repeat_inside_one_batch_is_replaced_as_well():
    series = Series()
    series.extend([metric(1, 1.0), metric(2, 2.0), metric(3, 3.0), metric(2, 20.0), metric(3, 30.0)])
    assert series.values.tolist() == [1, 20, 30]


def test_a_clock_that_starts_again_goes_on():
    series = Series()
    series.extend([metric(1, 1.0, elapsed_s=10), metric(2, 1.0, elapsed_s=20)])
    series.extend([metric(3, 1.0, elapsed_s=1), metric(4, 1.0, elapsed_s=11)])
    series.extend([metric(5, 1.0, elapsed_s=21)])
    assert series.x(Axis.TIME).tolist() == [10, 20, 21, 31, 41]


def test_appending_in_pieces_is_the_same_as_at_once():
    values = np.random.default_rng(0).normal(size=5000)
    values[::97] = np.nan
    whole, pieces = filled(values), Series()
    for start in range(0, 5000, 37):
        steps = np.arange(start, min(start + 37, 5000)) + 1
        pieces.extend_arrays(steps, steps / 10, steps * 2.0, values[steps - 1])
        pieces.ema(20)
    for width in (2, 10, 300):
        a, b = (s.columns(Axis.STEP, 1, 5000, width) for s in (whole, pieces))
        for name in ("lo", "hi", "mean", "start", "stop"):
            assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
    assert np.allclose(whole.ema(20), pieces.ema(20), equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=1, max_size=200),
    st.integers(2, 60),
    st.floats(0, 100),
    st.floats(1, 200),
)
def test_columns_of_few_points_are_exact(values, width, x0, span):
    series = filled(values)
    got = series.columns(Axis.STEP, x0, x0 + span, width)
    for column, part in enumerate(brute_columns(series, Axis.STEP, x0, x0 + span, width)):
        finite = part[np.isfinite(part)]
        assert got.stop[column] - got.start[column] == len(part)
        if len(finite):
            assert got.lo[column] == finite.min() and got.hi[column] == finite.max()
            assert got.mean[column] == pytest.approx(finite.mean(), abs=1e-9)
        else:
            assert math.isnan(got.lo[column]) and math.isnan(got.mean[column])


def test_columns_of_many_points_lose_no_extreme_and_no_value():
    rng = np.random.default_rng(1)
    values = rng.normal(size=300_000)
    values[rng.integers(0, len(values), 50)] += 100
    series = filled(values)
    columns = series.columns(Axis.STEP, 1, len(values), 100)
    assert columns.hi.max() == values.max() and columns.lo.min() == values.min()
    parts = brute_columns(series, Axis.STEP, 1, len(values), 100)
    assert np.allclose(columns.mean, [part.mean() for part in parts], atol=0.3)
    # A peak is drawn in its own column or the next one.
    peak_column = next(c for c, part in enumerate(parts) if part.max() == values.max())
    assert abs(int(columns.hi.argmax()) - peak_column) <= 1


def test_a_column_without_finite_values_is_a_gap_at_every_level():
    values = np.ones(200_000)
    values[50_000:100_000] = np.nan
    columns = filled(values).columns(Axis.STEP, 1, 200_000, 40)
    gap = np.isnan(columns.mean)
    assert gap[12:18].all() and not gap[:9].any() and not gap[21:].any()
    assert (columns.stop > columns.start).all()


def test_partial_blocks_at_both_ends_count():
    values = np.arange(FACTOR**3 * 50 + 5, dtype=float)
    series = filled(values)
    columns = series.columns(Axis.STEP, 4, len(values) - 2, 3)
    assert columns.lo[0] >= 0 and columns.hi[-1] == values[-1]


def test_nearest_point():
    series = filled([1.0, 1.0, 1.0], start=10)
    assert [series.nearest(Axis.STEP, x) for x in (-5, 10.4, 10.6, 11.9, 99)] == [0, 0, 1, 2, 2]
    assert Series().nearest(Axis.STEP, 1) is None


def naive_ema(values, half_life):
    decay, state, count, out = 2 ** (-1 / half_life), 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            out.append(math.nan)
            continue
        state, count = decay * state + (1 - decay) * value, count + 1
        out.append(state / (1 - decay**count))
    return out


@pytest.mark.parametrize("half_life", [0.5, 1, 7.5, 1000])
def test_average_is_what_its_formula_says(half_life):
    values = np.random.default_rng(2).normal(3, 1, 700)
    values[[0, 5, 64, 65, 300]] = np.nan
    ema = Ema(half_life)
    for start, stop in ((0, 1), (1, 60), (60, 64), (64, 500), (500, 700)):
        ema.extend(values[start:stop])
    assert np.allclose(ema.values, naive_ema(values, half_life), equal_nan=True)


def test_first_average_is_the_first_value():
    ema = Ema(100)
    ema.extend(np.array([5.0]))
    assert ema.values.tolist() == pytest.approx([5.0])


def test_half_life_must_be_positive():
    with pytest.raises(ValueError, match="half_life"):
        Ema(0)
