"""Bradley-Terry strengths against Agresti's baseball example and known truths."""

import math

import numpy as np
import pytest

from radtui.measures.bradley_terry import Match, matches_of, scale_of
from radtui.measures.words import strength_limits

# Agresti, Categorical Data Analysis, 2nd ed. (2002), table 10.10: American League 1987, wins of row over column.
TEAMS = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
WINS = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]


def test_agrestis_baseball_teams():
    matches = [Match(TEAMS[i], TEAMS[j], 1.0) for i in range(7) for j in range(7) for _ in range(WINS[i][j])]
    found = {strength.arm: strength for strength in scale_of(matches, "Baltimore").strengths}
    # Estimates and standard errors as the R package BradleyTerry2 documents them for these data.
    expected = {
        "Milwaukee": (1.5814, 0.3433),
        "Detroit": (1.4364, 0.3396),
        "Toronto": (1.2945, 0.3367),
        "New York": (1.2476, 0.3359),
        "Boston": (1.1077, 0.3339),
        "Cleveland": (0.6839, 0.3319),
        "Baltimore": (0.0, 0.0),
    }
    assert list(found) == list(expected)
    for team, (log_odds, error) in expected.items():
        assert found[team].log_odds == pytest.approx(log_odds, abs=5e-5)
        assert found[team].standard_error == pytest.approx(error, abs=5e-5)
    assert found["Boston"].n == 78


def test_two_arms_give_the_win_rates_odds():
    matches = [Match("tuned", "base", 1.0)] * 30 + [Match("base", "tuned", 1.0)] * 10
    tuned, base = scale_of(matches, "base").strengths
    assert tuned.log_odds == pytest.approx(math.log(3)) and tuned.win_rate == pytest.approx(0.75)
    assert tuned.standard_error == pytest.approx(math.sqrt(1 / 30 + 1 / 10))
    assert (base.log_odds, base.low, base.high) == (0, 0, 0)
    assert tuned.to_dict()["arm"] == "tuned"
    assert strength_limits(tuned) == "+0.38 to +1.81" and strength_limits(base) == "the baseline"


def test_ties_are_half_a_win_each():
    ties = [Match("a", "b", 0.5)] * 4
    assert [round(s.log_odds, 9) for s in scale_of(ties, "a").strengths] == [0, 0]
    mixed = scale_of([Match("a", "b", 1.0), Match("a", "b", 0.5)], "b").strengths
    assert mixed[0].win_rate == pytest.approx(0.75)
    assert matches_of([("a", "b", -2), ("a", "b", 0), ("a", "b", 1)]) == [
        ("a", "b", 1),
        ("a", "b", 0.5),
        ("a", "b", 0),
    ]


def test_no_finite_strengths_without_a_loss_or_a_link():
    assert scale_of([Match("a", "b", 1.0)] * 5, "a") is None
    apart = [Match("a", "b", 1.0), Match("a", "b", 0.0), Match("c", "d", 1.0), Match("c", "d", 0.0)]
    assert scale_of(apart, "a") is None
    with pytest.raises(ValueError):
        scale_of(apart, "e")
    with pytest.raises(ValueError):
        scale_of([Match("a", "b", 2.0)], "a")


def test_intervals_cover_known_strengths():
    truth = {"base": 0.0, "sft": 0.8, "dpo": 1.2}
    pairs = [("base", "sft"), ("base", "dpo"), ("sft", "dpo")]
    generator = np.random.default_rng(4)
    inside = runs = 0
    for _ in range(250):
        matches = []
        for first, second in pairs:
            chance = 1 / (1 + math.exp(truth[second] - truth[first]))
            matches += [Match(first, second, float(won)) for won in generator.random(60) < chance]
        for strength in scale_of(matches, "base").strengths:
            if strength.arm != "base":
                runs += 1
                inside += strength.low <= truth[strength.arm] <= strength.high
    assert 0.92 <= inside / runs <= 0.98


def _clustered(generator, truth, images, raters, agreement):
    """Matches of several raters over images, one pair an image, and the images; a rater goes along with the others
    on an image with a chance of `agreement`, so that each pair's marginal win rate stays the model's."""
    pairs = [("base", "sft"), ("base", "dpo"), ("sft", "dpo")]
    matches, clusters = [], []
    for image in range(images):
        first, second = pairs[image % 3]
        chance = 1 / (1 + math.exp(truth[second] - truth[first]))
        shared = generator.random()
        for _ in range(raters):
            drawn = shared if generator.random() < agreement else generator.random()
            matches.append(Match(first, second, float(drawn < chance)))
            clusters.append(image)
    return matches, clusters


def _coverage(agreement, clustered):
    truth = {"base": 0.0, "sft": 0.8, "dpo": 1.2}
    generator = np.random.default_rng(9)
    inside = []
    for _ in range(300):
        matches, clusters = _clustered(generator, truth, 45, 4, agreement)
        found = scale_of(matches, "base", clusters if clustered else ()).strengths
        inside += [one.low <= truth[one.arm] <= one.high for one in found if one.arm != "base"]
    return sum(inside) / len(inside)


def test_intervals_cover_known_strengths_when_raters_of_an_image_agree():
    assert _coverage(0.9, clustered=False) < 0.80  # taken as independent, four raters count four times
    assert 0.93 <= _coverage(0.9, clustered=True) <= 0.98
    assert 0.93 <= _coverage(0.0, clustered=True) <= 0.99


def test_one_rating_an_image_is_as_if_no_image_were_named():
    matches, clusters = _clustered(np.random.default_rng(2), {"base": 0, "sft": 1, "dpo": 1}, 60, 1, 0)
    alone, named = scale_of(matches, "base").strengths, scale_of(matches, "base", clusters).strengths
    assert alone == named and {one.method for one in named} == {"wald"}


def test_raters_who_repeat_each_other_add_nothing():
    matches, clusters = _clustered(np.random.default_rng(2), {"base": 0, "sft": 1, "dpo": 1}, 90, 1, 0)
    once = {one.arm: one for one in scale_of(matches, "base").strengths}
    for one in scale_of(matches * 4, "base", clusters * 4).strengths:
        assert one.log_odds == pytest.approx(once[one.arm].log_odds)
        assert one.standard_error == pytest.approx(once[one.arm].standard_error, rel=0.1)
        assert one.method == "cases"


def test_raters_who_split_on_every_image_are_no_certainty():
    tuned, base = scale_of(
        [Match("tuned", "base", 1.0), Match("tuned", "base", 0.0)] * 2, "base", [1, 1, 2, 2]
    ).strengths
    assert sorted([tuned.log_odds, base.log_odds]) == pytest.approx([0, 0])
    assert max(tuned.standard_error, base.standard_error) == pytest.approx(1.0)  # of four independent pairs
    one_image = scale_of([Match("tuned", "base", 1.0), Match("tuned", "base", 0.0)], "base", [1, 1]).strengths
    assert max(one.high for one in one_image) > 2
