"""A study of five arms and three readers recovers strengths that are known, as often as its intervals say."""

from __future__ import annotations

from collections import Counter

from tests.bench.arms import ARMS, CASES, NEEDED, coverage, drawn_pairs, true_strengths


def test_pairs_of_five_arms_are_balanced_where_a_file_lacks_a_third_of_the_cases():
    pairs = drawn_pairs(1)
    assert len(pairs) == CASES and not any(case % 3 == 0 and 4 in arms for case, *arms in pairs)
    asked = Counter((earlier, later) for _, earlier, later in pairs)
    assert len(asked) == 10 and max(asked.values()) - min(asked.values()) <= 2


def test_known_strengths_lie_in_their_intervals():
    truth = true_strengths(drawn_pairs(1))
    assert (
        list(truth) == list(ARMS) and truth["base"] == 0 < truth["file"] < truth["tuned"] < truth["reference"]
    )
    rows = coverage(60)  # tests/bench/arms.py runs 500
    assert {row["runs"] for row in rows.values()} == {60}
    assert sum(row["coverage"] for row in rows.values()) / len(rows) >= NEEDED
    assert min(row["coverage"] for row in rows.values()) >= 0.85
