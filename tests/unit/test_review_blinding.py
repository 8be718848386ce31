"""Sides, order, repeats and calibration are balanced, independent and the same in every process."""

import itertools
import random
import subprocess
import sys
from collections import Counter

import pytest

from radtui.study.blinding import (
    calibration_set,
    draw_pair,
    has_repeat,
    later_left,
    order_key,
    repeat_delay,
)


def later_left_share(ids, seed=1, rater="ana", draw_id=7):
    return sum(later_left(draw_id, i, rater, 0, seed) for i in ids) / len(ids)


@pytest.mark.parametrize("seed", range(5))
def test_the_later_arm_stands_left_in_half_of_2000(seed):
    assert 0.47 <= later_left_share(range(1, 2001), seed) <= 0.53
    assert 0.47 <= later_left_share(range(5000, 7000), seed) <= 0.53
    assert 0.47 <= later_left_share(random.Random(seed).sample(range(20_000), 2000), seed) <= 0.53
    assert 0.47 <= later_left_share(range(0, 8000, 4), seed) <= 0.53  # one id of each block


@pytest.mark.parametrize("seed", range(5))
def test_the_first_2000_in_shown_order_are_balanced(seed):
    shown = sorted(range(4000), key=lambda i: order_key(7, i, "ana", 0, seed))[:2000]
    assert 0.47 <= later_left_share(shown, seed) <= 0.53


def test_any_run_of_ids_is_balanced():
    for start in range(200):
        left = sum(later_left(1, i, "ana", 0, 3) for i in range(start, start + 40))
        assert 18 <= left <= 22


def test_the_side_does_not_follow_the_order_shown():
    # Knowing the last side must not help to guess the next one.
    shown = sorted(range(4000), key=lambda i: order_key(7, i, "ana", 0, 9))
    sides = [later_left(7, i, "ana", 0, 9) for i in shown]
    same = sum(a is b for a, b in itertools.pairwise(sides)) / (len(sides) - 1)
    assert 0.47 < same < 0.53


@pytest.mark.parametrize("other", [{"rater": "bo"}, {"seed": 2}, {"draw_id": 8}])
def test_each_rater_seed_and_study_has_sides_of_its_own(other):
    def sides(**kw):
        base = {"draw_id": 7, "rater": "ana", "seed": 1} | kw
        return [later_left(base["draw_id"], i, base["rater"], 0, base["seed"]) for i in range(2000)]

    agree = sum(a is b for a, b in zip(sides(), sides(**other), strict=True)) / 2000
    assert 0.46 < agree < 0.54


def test_the_repeat_draws_its_side_anew():
    agree = sum(later_left(1, i, "ana", 0, 1) is later_left(1, i, "ana", 1, 1) for i in range(2000)) / 2000
    assert 0.46 < agree < 0.54


def test_another_process_with_another_hash_seed_agrees():
    code = (
        "from radtui.study.blinding import *;"
        "print([later_left(3,i,'zoë',0,5) for i in range(9)],[order_key(3,i,'zoë',0,5) for i in range(3)],"
        "[has_repeat(3,i,'zoë',5,.1) for i in range(40)],calibration_set(3,range(50),4,5))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": s, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for s in ("1", "2")
    }
    assert len(outputs) == 1


def test_values_are_pinned():
    # A change here would move the sides of studies that are under way.
    assert ["tuned" if later_left(1, i, "ana", 0, 42) else "base" for i in range(8)] == [
        "base",
        "base",
        "tuned",
        "tuned",
        "base",
        "tuned",
        "tuned",
        "base",
    ]
    assert order_key(1, 1, "ana", 0, 42) == 1255085152556089753


def test_order_is_a_shuffle_that_later_pairs_do_not_disturb():
    early, late = list(range(0, 500)), list(range(500, 1000))

    def shuffled(ids, rater="ana"):
        return sorted(ids, key=lambda i: order_key(1, i, rater, 0, 1))

    assert [i for i in shuffled(early + late) if i < 500] == shuffled(early)
    assert shuffled(early) != early and shuffled(early) != shuffled(early, "bo")
    assert abs(sum(i < 500 for i in shuffled(early + late)[:500]) - 250) < 45


@pytest.mark.parametrize("share", [0.0, 0.07, 0.10, 0.125, 0.5])
def test_repeats_have_their_share(share):
    marked = sum(has_repeat(1, i, "ana", 1, share) for i in range(10_000)) / 10_000
    assert marked == pytest.approx(share, abs=0.005)


def test_a_short_study_gets_repeats_too():
    assert [sum(has_repeat(1, i, "ana", s, 0.1) for i in range(40)) for s in range(5)] == [4] * 5


def test_repeats_come_back_after_the_gap_at_varying_times():
    delays = Counter(repeat_delay(1, i, "ana", 1, 20) for i in range(2000))
    assert min(delays) == 20 and max(delays) == 40 and len(delays) == 21


def test_calibration_is_the_same_for_every_rater_and_any_order_of_ids():
    chosen = calibration_set(1, range(100), 10, 1)
    assert len(set(chosen)) == 10
    assert calibration_set(1, reversed(range(100)), 10, 1) == chosen
    assert calibration_set(1, range(100), 10, 2) != chosen
    assert sorted(calibration_set(1, range(5), 10, 1)) == [0, 1, 2, 3, 4]
    assert calibration_set(1, range(5), 0, 1) == ()


def test_pairs_among_three_arms_are_balanced_and_sides_too():
    drawn = Counter(draw_pair(("base", "sft", "dpo"), 1, i, "ana", 1) for i in range(600))
    assert len(drawn) == 6 and set(drawn.values()) == {100}
    with pytest.raises(ValueError):
        draw_pair(("base",), 1, 1, "ana", 1)
    with pytest.raises(ValueError):
        draw_pair(("base", "base"), 1, 1, "ana", 1)
