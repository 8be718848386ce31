"""Which score may stand in for readers: tau as scipy has it, accuracy by hand, intervals that hold the truth."""

import numpy as np
import pytest
from scipy import stats

from radtui.measures.concordance import concordances, kendall_tau, readers_accuracy, values_of_texts
from radtui.measures.score_table import BY_KEY
from tests.unit.review_ratings import mean_parts

from .review_ratings import rating


def test_tau_is_scipys_with_ties_and_without():
    generator = np.random.default_rng(5)
    for size in (3, 20, 700):
        x, y = generator.integers(0, 6, size).astype(float), generator.normal(size=size).round(1)
        tau = kendall_tau([(n, *pair) for n, pair in enumerate(zip(x, y, strict=True))])
        assert tau.value == pytest.approx(stats.kendalltau(x, y).statistic) and tau.n == tau.cases == size
    assert kendall_tau([(n, 1.0, float(n)) for n in range(9)]).value is None
    assert kendall_tau([]).n == 0 and kendall_tau([(1, 2.0, 3.0)]).value is None


def test_an_interval_of_tau_is_that_of_resampled_cases_with_all_their_items():
    generator = np.random.default_rng(8)
    rows = [
        (case, value, value + generator.normal()) for case in range(40) for value in generator.normal(size=3)
    ]
    found = kendall_tau(rows)
    assert (found.n, found.cases) == (120, 40)
    drawn = []
    for _ in range(400):
        picked = [row for case in generator.integers(0, 40, 40) for row in rows[3 * case : 3 * case + 3]]
        drawn.append(stats.kendalltau([row[1] for row in picked], [row[2] for row in picked]).statistic)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.04)


def test_accuracy_counts_decided_ratings_and_a_score_better_when_less_is_turned():
    ratings = [
        rating(1, 2), rating(2, -1), rating(3, 1), rating(4, 0), rating(5, 1, earlier_arm="tuned", later_arm="dpo"),
        rating(6, None, both_bad=True), rating(7, -2, rater="ben"),
    ]  # fmt: skip
    radcliq = {"base": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], "tuned": [0.5, 0.2, 1.0, 0.1, 0.7, 0.2, 2.0]}
    radcliq["dpo"] = [None] * 4 + [0.3, None, None]
    parts = {
        arm: {"radcliq": mean_parts(values), "words": mean_parts(values)} for arm, values in radcliq.items()
    }
    values = values_of_texts(parts, dict.fromkeys(radcliq, range(1, 8)))
    assert set(values) == {"radcliq"} and values["radcliq"][1, "tuned"] == -0.5
    (found,) = concordances(ratings, values)
    # right: 1, 5 and 7; wrong: 2; a tie of the score: 3
    assert found.accuracy.value == pytest.approx(3.5 / 5) and (found.accuracy.n, found.accuracy.cases) == (
        5,
        5,
    )
    assert found.tau.n == 6 and found.errors_tau.n == 0 and not found.stands_in
    assert found.to_dict()["score"] == "radcliq"


def test_errors_are_of_texts_that_somebody_checked():
    ratings = []
    for case in range(1, 9):
        answers = {"checked.base": 1, "checked.tuned": 1, "error.base.1.significant": case}
        ratings.append(rating(case, 1, answers=answers | {"error.base.2.insignificant": 1}))
    ratings.append(rating(20, 1))  # nobody looked
    values = {
        "f1": {(case, "base"): 1 / case for case in range(1, 21)} | {(c, "tuned"): 2.0 for c in range(1, 21)}
    }
    (found,) = concordances(ratings, values)
    assert found.errors_tau.n == 16 and found.errors_tau.value == pytest.approx(1.0)
    assert found.all_errors_tau.value == pytest.approx(1.0)
    assert found.accuracy.value == 1.0 and found.accuracy.low is None  # no doubt was seen


def test_readers_predict_each_other_on_the_same_pair():
    given = [
        (1, "ana", 1),
        (1, "ben", 2),
        (2, "ana", 1),
        (2, "ben", -1),
        (3, "ana", 1),
        (3, "ben", 0),
        (4, "ana", 1),
    ]
    found = readers_accuracy([rating(case, value, rater=rater) for case, rater, value in given])
    # pair 1: 1 and 1; pair 2: 0 and 0; pair 3: ana decided, ben is half
    assert found.value == pytest.approx(2.5 / 5) and found.n == 5
    assert readers_accuracy([rating(1, 1)]).value is None


def test_a_score_that_follows_readers_is_told_from_noise():
    generator = np.random.default_rng(3)
    ratings, good, noise = [], {}, {}
    for case in range(120):
        gap = generator.normal()
        ratings += [
            rating(case, 1 if gap + generator.normal() > 0 else -1, rater=name) for name in ("ana", "ben")
        ]
        good |= {(case, "base"): 0.0, (case, "tuned"): gap}
        noise |= {(case, "base"): generator.normal(), (case, "tuned"): generator.normal()}
    found = {one.score.key: one for one in concordances(ratings, {"rouge_l": good, "bleu": noise})}
    assert found["rouge_l"].stands_in and not found["bleu"].stands_in
    assert found["rouge_l"].accuracy.low > found["bleu"].accuracy.value
    assert list(found) == [key for key in BY_KEY if key in found]


def test_every_accuracy_interval_holds_the_truth_in_most_runs():
    inside = 0
    for run in range(100):
        generator = np.random.default_rng((9, run))
        gaps = generator.normal(size=60)
        chance = 1 / (1 + np.exp(-gaps))
        ratings = [rating(n, 1 if generator.random() < chance[n] else -1) for n in range(60)]
        values = {(n, "tuned"): gap for n, gap in enumerate(gaps)} | {(n, "base"): 0.0 for n in range(60)}
        (found,) = concordances(ratings, {"rouge_l": values})
        inside += found.accuracy.low <= 0.6749 <= found.accuracy.high  # by quadrature of 1 / (1 + exp(-|z|))
    assert inside >= 88
