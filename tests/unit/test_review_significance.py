"""Tests and power against scipy, textbook examples and brute force."""

import itertools
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy import stats

from radtui.measures.significance import (
    EXACT,
    detectable_rate,
    holm,
    mcnemar,
    pairs_needed,
    power_table,
    sign_test,
    sign_test_power,
    wilcoxon,
)


def test_sign_test_by_counting():
    for wins, losses in itertools.product(range(8), range(8)):
        n, few = wins + losses, min(wins, losses)
        if n == 0:
            assert sign_test(wins, losses) is None
            continue
        tail = sum(comb(n, k) for k in range(few + 1)) / 2**n
        assert sign_test(wins, losses) == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_counts_what_differs():
    later = [True] * 8 + [False] * 2 + [True] * 5 + [False] * 5
    earlier = [False] * 8 + [True] * 2 + [True] * 5 + [False] * 5
    found = mcnemar(later, earlier)
    assert (found.only_later, found.only_earlier, found.n) == (8, 2, 20)
    assert found.p == pytest.approx(stats.binomtest(8, 10).pvalue) == pytest.approx(0.109375)
    assert mcnemar([True], [True]).p == 1.0 and mcnemar([], []).p is None


def test_wilcoxon_ranks_zeros_by_pratt():
    values = [2, 1, 1, 0, 0, 0, -1, 2, 1, 0, 1, -2, 1, 1, 2]
    ranks = stats.rankdata(np.abs(values))[np.array(values) != 0]
    sums = np.array(
        [sum(r for r, up in zip(ranks, signs, strict=True) if up) for signs in product((0, 1), repeat=11)]
    )
    positive = ranks[np.array(values)[np.array(values) != 0] > 0].sum()
    assert wilcoxon(values) == pytest.approx(2 * min((sums >= positive).mean(), (sums <= positive).mean()))
    assert wilcoxon(values) != pytest.approx(stats.wilcoxon(values, zero_method="wilcox").pvalue, abs=1e-4)
    assert wilcoxon([0, 0]) == 1.0 and wilcoxon([]) is None


def test_wilcoxon_agrees_with_scipy_without_ties_and_where_there_are_many():
    generator = np.random.default_rng(1)
    untied = generator.normal(0.3, 1, size=40)
    assert wilcoxon(untied) == pytest.approx(stats.wilcoxon(untied, method="exact").pvalue)
    many = generator.choice([-2, -1, 0, 1, 2], size=300, p=[0.15, 0.2, 0.2, 0.25, 0.2])
    assert wilcoxon(many) == pytest.approx(
        stats.wilcoxon(many, zero_method="pratt", method="asymptotic").pvalue
    )
    few = many[:120]  # exact, where the normal distribution is near
    assert np.count_nonzero(few) <= EXACT
    assert wilcoxon(few) == pytest.approx(
        stats.wilcoxon(few, zero_method="pratt", method="asymptotic").pvalue, rel=0.1
    )


def test_holm_steps_down():
    # Four tests, alpha 0.05: 0.005*4, 0.01*3, 0.03*2, and 0.04 held up to the one before.
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "none": None})
    assert adjusted == {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02, "none": None}
    assert holm({"a": 0.9, "b": 0.8})["a"] == 1.0 and holm({}) == {}


def test_power_table_is_the_schemes():
    assert power_table() == {0.60: 199, 0.65: 90, 0.70: 49, 0.75: 30, 0.80: 20}


@pytest.mark.parametrize(("n", "rate"), [(20, 0.8), (30, 0.75), (49, 0.7), (7, 0.9), (5, 0.9)])
def test_power_by_adding_up_every_outcome(n, rate):
    power = sum(
        comb(n, wins) * rate**wins * (1 - rate) ** (n - wins)
        for wins in range(n + 1)
        if stats.binomtest(wins, n).pvalue <= 0.05
    )
    assert sign_test_power(n, rate) == pytest.approx(power)


def test_what_a_number_of_pairs_can_show():
    assert detectable_rate(20) == 0.80 and detectable_rate(5) is None
    assert detectable_rate(199) == 0.60
    assert pairs_needed(1.0) == 6
    with pytest.raises(ValueError):
        pairs_needed(0.5)
