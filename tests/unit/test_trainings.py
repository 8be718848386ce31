"""The gain of tuning over several trainings: chance in training widens the interval, and cases cannot narrow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from radtui.charts.seeds import own_steps, series_of, steps_each
from radtui.measures.paired import CaseParts
from radtui.measures.trainings import preference_gain, training_gains, trainings_of
from radtui.records import Metric, Rating
from tests.unit.review_ratings import mean_parts

from .review_ratings import rating


def drawn(rng, cases: int, spread: float, trainings: int = 3) -> dict[str, dict[str, CaseParts]]:
    """A score that tuning raises by 0.3 on average; `spread` is how much trainings differ among themselves."""
    hard = rng.normal(0, 0.2, cases)
    arms = {"base": mean_parts(list(hard + rng.normal(0, 0.1, cases)))}
    for number in range(trainings):
        gain = 0.3 + rng.normal(0, spread)
        arms["tuned" if not number else f"seed {number + 1}"] = mean_parts(
            list(hard + gain + rng.normal(0, 0.1, cases))
        )
    return {"score": arms}


def test_trainings_are_the_arms_of_one_job():
    assert trainings_of(("base", "tuned", "seed 2", "seed 3")) == ["tuned", "seed 2", "seed 3"]
    assert (
        trainings_of(("base", "tuned"))
        == []
        == trainings_of(("tuned", "seed 2"))
        == trainings_of(("base", "dpo"))
    )


def test_the_gain_is_the_mean_of_all_trainings_less_the_base():
    (gain,) = training_gains(drawn(np.random.default_rng(1), 50, 0.1))
    assert gain.gain.value == pytest.approx(np.mean(gain.each)) and len(gain.each) == 3
    assert (gain.gain.readers, gain.gain.cases) == (3, 50)


def test_the_interval_for_any_training_holds_the_truth_and_that_for_these_often_does_not():
    """400 studies whose trainings differ: coverage of the true gain of 0.3 at 95 %."""
    rng, any_training, these = np.random.default_rng(7), 0, 0
    for _ in range(400):
        (gain,) = training_gains(drawn(rng, 60, 0.1))
        low, high = gain.gain.these_readers
        any_training += gain.gain.low <= 0.3 <= gain.gain.high
        these += low <= 0.3 <= high
    assert any_training >= 0.89 * 400  # 91 % here: three trainings tell little of how much trainings differ
    assert these < 0.6 * 400, these


def test_where_trainings_agree_the_two_intervals_are_alike():
    (gain,) = training_gains(drawn(np.random.default_rng(3), 200, 0.0))
    low, high = gain.gain.these_readers
    assert gain.gain.high - gain.gain.low < 1.6 * (high - low)


def test_a_ratio_of_sums_is_taken_by_what_its_cases_add():
    base = CaseParts((1.0, 0.0, 1.0), (2.0, 1.0, 1.0))
    tuned = CaseParts((2.0, 1.0, 1.0), (2.0, 1.0, 2.0))
    (gain,) = training_gains({"f1": {"base": base, "tuned": tuned, "seed 2": tuned}})
    assert gain.gain.value == pytest.approx(4 / 5 - 2 / 4)


def test_steps_of_each_training_are_laid_over_each_other():
    assert series_of("loss, seed 2") == ("loss", 2) and series_of("eval_loss") == ("eval_loss", 1)
    points = [Metric(1, 7, 0.0, 0.0, "loss, seed 2", 1.0), Metric(2, 12, 0.0, 0.0, "loss, seed 2", 0.5)]
    assert [point.step for point in own_steps(points, 2, steps_each(12, 2))] == [1, 6]
    assert steps_each(12, 1) == 12


def answers(arm: str, values: list[int], **fields: object) -> list[Rating]:
    """One reader's preferences towards a training's texts, a case each."""
    return [rating(case, value, later_arm=arm, **fields) for case, value in enumerate(values, start=1)]


def test_readers_preference_is_taken_over_all_trainings():
    arms = ("base", "tuned", "seed 2")
    ratings = [*answers("tuned", [2, 1, 2, 0]), *answers("seed 2", [0, -1, 1, 0])]
    gain = preference_gain(ratings, arms)
    assert gain.score == "preference" and gain.each == (1.25, 0.0)
    assert gain.gain.value == pytest.approx(0.625) and (gain.gain.readers, gain.gain.cases) == (2, 4)
    low, high = gain.gain.these_readers
    # The two trainings differ, which another one would too.
    assert gain.gain.high - gain.gain.low > high - low
    assert preference_gain(ratings[:4], arms) is None and preference_gain(ratings, ("base", "tuned")) is None


def test_several_readers_of_one_text_are_one_value_and_the_order_of_arms_does_not_matter():
    arms = ("base", "tuned", "seed 2")
    ratings = [
        *answers("tuned", [2, 0]), *answers("tuned", [0, 0], rater="bo"), *answers("seed 2", [1, 1]),
        rating(3, 2, earlier_arm="tuned", later_arm="seed 2"),  # neither is the base
    ]  # fmt: skip
    gain = preference_gain(ratings, arms)
    assert gain.each == (0.5, 1.0) and gain.gain.n == 4
    turned = [
        replace(each, earlier_arm=each.later_arm, later_arm="base", preference=-each.preference)
        for each in ratings[:6]
    ]
    assert preference_gain(turned, arms) == gain
