"""Any number of arms, of any names: every two compared, and one scale for all that finds known strengths."""

import json
import math
import random
from itertools import combinations

from radtui.measures.arms import compare_arms
from radtui.study.scheme_file import default_scheme
from tests.unit.review_ratings import rating

SCHEME = default_scheme()
TRUTH = {"base": 0.0, "tuned v1.2": 1.0, "gpt.csv": 1.8, "reference": 2.2}


def drawn(truth, cases, seed=5, raters=("ana",)):
    """Ratings of one pair a case, each preferred with the chance that Bradley and Terry give it."""
    rng, rows, pairs = random.Random(seed), [], list(combinations(truth, 2))
    for case_id in range(cases):
        earlier, later = pairs[case_id % len(pairs)]
        for rater in raters:
            wins = rng.random() < 1 / (1 + math.exp(truth[earlier] - truth[later]))
            fields = {"earlier_arm": earlier, "later_arm": later, "later_left": rng.random() < 0.5}
            rows.append(rating(case_id, 1 if wins else -1, rater=rater, **fields))
    return rows


def test_known_strengths_of_four_arms_are_found():
    found = compare_arms(drawn(TRUTH, 3000), tuple(TRUTH), SCHEME)
    assert [one.arm for one in found.strengths] == ["reference", "gpt.csv", "tuned v1.2", "base"]
    for one in found.strengths[:3]:
        assert one.low <= TRUTH[one.arm] <= one.high and one.high - one.low < 0.8
    base = found.strengths[3]
    assert (base.log_odds, base.low, base.high) == (0, 0, 0)


def test_every_two_arms_are_compared_under_their_own_names():
    found = compare_arms(drawn(TRUTH, 3000), tuple(TRUTH), SCHEME)
    assert [(one.earlier, one.later) for one in found.contrasts] == list(combinations(TRUTH, 2))
    assert found.n == 3000 == sum(one.summary.n for one in found.contrasts) and found.cases == 3000
    assert (
        found.contrasts[0].verdict == "tuned v1.2 preferred" == found.contrasts[0].summary.preference.verdict
    )
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["contrasts"][1]["later"] == "gpt.csv" and told["contrasts"][1]["summary"]["earlier"] == "base"
    assert {one["arm"] for one in told["strengths"]} == set(TRUTH)


def test_the_earlier_arm_can_win():
    rows = [rating(i, -1, earlier_arm="a.b", later_arm="c d") for i in range(30)]
    assert compare_arms(rows, ("a.b", "c d"), SCHEME).contrasts[0].verdict == "a.b preferred"


def test_answers_count_for_the_arm_they_name_and_dots_in_it_do_no_harm():
    answers = {
        "acceptability.tuned v1.2": 3, "acceptability.gpt.csv": 5, "error.gpt.csv.1.significant": 2,
        "checked.tuned v1.2": 1,
    }  # fmt: skip
    rows = [rating(i, 1, earlier_arm="tuned v1.2", later_arm="gpt.csv", answers=answers) for i in range(4)]
    summary = compare_arms(rows, tuple(TRUTH), SCHEME).contrasts[3].summary
    assert (summary.acceptability.earlier.value, summary.acceptability.later.value) == (3, 5)
    assert (summary.errors.earlier.significant.value, summary.errors.later.significant.value) == (0, 2)
    assert summary.errors.later.by_category["1"][0].value == 2 and summary.errors.difference.value == 2


def test_pairs_with_an_arm_that_is_not_of_the_study_play_no_part():
    rows = [*drawn(TRUTH, 60), *(rating(i, 1, later_arm="elsewhere") for i in range(9))]
    assert compare_arms(rows, tuple(TRUTH), SCHEME).n == 60


def test_without_a_common_scale_there_are_no_strengths():
    rows = [rating(i, 1, later_arm="gpt.csv") for i in range(3)]
    found = compare_arms(rows, tuple(TRUTH), SCHEME)
    assert found.strengths == () and found.n == 3
    alone = [rating(i, 1, earlier_arm="tuned v1.2", later_arm="gpt.csv") for i in range(3)]
    assert compare_arms(alone, tuple(TRUTH), SCHEME).strengths == ()  # the first arm is in no pair
    assert compare_arms([], (), SCHEME).contrasts == ()


def test_a_case_seen_in_two_pairs_is_two_comparisons_of_one_case():
    rows = [
        rating(i, 1, rater=name, pair=number, earlier_arm="base", later_arm=later)
        for i in range(12)
        for name in ("ana", "ben")
        for number, later in enumerate(("tuned v1.2", "gpt.csv"))
    ]
    found = compare_arms(rows, tuple(TRUTH), SCHEME)
    assert found.n == 48 and found.cases == 12
    assert [one.summary.n for one in found.contrasts[:2]] == [24, 24]
    assert all(one.summary.agreement.alpha.n == 12 for one in found.contrasts[:2])
