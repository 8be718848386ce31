"""Intervals against published worked examples and scipy."""

import numpy as np
import pytest
from scipy import stats

from radtui.measures.intervals import (
    Estimate,
    f1_of,
    mean_of,
    proportion,
    wilson_limits,
)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_table(hits, n, low, high):
    # Newcombe, Stat Med 17 (1998), table I, method 3.
    assert wilson_limits(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_agrees_with_scipy_everywhere():
    for n in (1, 2, 7, 40, 333):
        for hits in range(n + 1):
            ours = wilson_limits(hits, n)
            theirs = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
            assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)
            assert 0 <= ours[0] <= hits / n <= ours[1] <= 1


def test_nothing_of_nothing_has_no_value():
    empty = proportion(0, 0)
    assert empty.value is None and empty.low is None
    assert empty.to_dict() == {
        "value": None,
        "hits": 0,
        "n": 0,
        "low": None,
        "high": None,
        "method": "wilson",
        "readers": 1,
        "cases": 0,
        "these_readers": None,
    }
    assert f1_of(0, 0, 0).value is None and mean_of([]).value is None


def test_f1_and_its_interval():
    score = f1_of(hits=90, missed=10, invented=5)
    assert score.value == pytest.approx(2 * 90 / (2 * 90 + 10 + 5))
    assert score.low < score.value < score.high
    generator = np.random.default_rng(1)
    truth = f1_of(850, 100, 50).value
    inside = 0
    for _ in range(400):
        found, missed, invented = generator.multinomial(300, [0.85, 0.10, 0.05])
        drawn = f1_of(int(found), int(missed), int(invented))
        inside += drawn.low <= truth <= drawn.high
    assert 0.92 <= inside / 400 <= 0.98
    assert f1_of(0, 20, 3).value == 0.0 and f1_of(0, 20, 3).low == 0.0


def test_mean_has_scipys_bca_interval():
    values = np.random.default_rng(3).integers(-2, 3, size=60)
    ours = mean_of(values, seed=5)
    theirs = stats.bootstrap((values.astype(float),), np.mean, n_resamples=4999, rng=np.random.default_rng(5))
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)
    assert mean_of(values, seed=5) == ours and mean_of(values, seed=6) != ours


def test_equal_or_single_values_have_a_mean_and_no_interval():
    for values in ([2, 2, 2], [2]):
        assert mean_of(values) == Estimate(2.0, None, None, len(values), "bca")
