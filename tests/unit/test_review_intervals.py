"""Intervals against published worked examples and scipy."""

import numpy as np
import pytest
from scipy import stats

from radtui.measures.intervals import (
    Estimate,
    clustered_ratio,
    f1_of,
    mean_of,
    proportion,
    resampled_ratios,
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
    }
    assert f1_of(0, 0, 0).value is None and mean_of([]).value is None


def test_f1_and_its_interval():
    score = f1_of(found=90, missed=10, invented=5)
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
    same = clustered_ratio([(3.0, 3.0)] * 4, n=12)
    assert same == Estimate(1.0, None, None, 12, "cluster bootstrap")
    assert clustered_ratio([(3.0, 3.0)] * 3 + [(1.0, 3.0)], n=12).low is not None


def test_clustered_interval_is_wider_than_one_that_takes_ratings_for_independent():
    # Five raters who always agree are one observation, not five.
    generator = np.random.default_rng(0)
    wins = generator.random(100) < 0.6
    clustered = clustered_ratio([(5.0 * win, 5.0) for win in wins], n=500)
    single = wilson_limits(int(wins.sum()), 100)
    naive = wilson_limits(5 * int(wins.sum()), 500)
    width = clustered.high - clustered.low
    assert clustered.value == pytest.approx(wins.mean()) and clustered.n == 500
    assert width == pytest.approx(single[1] - single[0], rel=0.1)
    assert width > 1.8 * (naive[1] - naive[0])


def test_clustered_interval_covers_the_truth():
    # Images differ in how often the tuned text wins (beta-binomial), three raters each.
    generator = np.random.default_rng(2)
    inside = 0
    for run in range(500):
        per_image = generator.beta(6, 4, size=80)
        pairs = np.column_stack([generator.binomial(3, per_image), np.full(80, 3)]).astype(float)
        low, high = np.quantile(resampled_ratios(pairs[:, :1], pairs[:, 1:], 400, run), [0.025, 0.975])
        inside += low <= 0.6 <= high
    assert 0.92 <= inside / 500 <= 0.98


def test_clusters_without_a_denominator_do_no_harm():
    estimate = clustered_ratio([(0.0, 0.0), (1.0, 2.0), (2.0, 2.0)], n=4)
    assert estimate.value == 0.75 and 0 <= estimate.low <= estimate.high <= 1
    assert clustered_ratio([(0.0, 0.0)], n=0).value is None
    assert clustered_ratio([(1.0, 2.0)], n=2).low is None
