"""Studies at the edges of what statistics can say: no number that is not so, and what is not known is said."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from radtui.cli.stats import print_stats
from radtui.measures.arms import compare_arms
from radtui.measures.statistics import Summary, summarise
from radtui.records import Study
from radtui.study.scheme_file import default_scheme
from tests.unit.review_ratings import rating

SCHEME = default_scheme()
STUDY = Study(1, "edges", None, "drawn", 0, (), {}, 0.0, None)


def numbers(value: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number of nested plain values, with where it stands."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{at}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, float(value)


def intervals(value: object, path: str = "") -> Iterator[tuple[str, dict[str, object]]]:
    """Every figure with an interval in nested plain values."""
    if isinstance(value, dict):
        if {"value", "low", "high"} <= value.keys():
            yield path, value
        for name, inner in value.items():
            yield from intervals(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from intervals(inner, f"{path}[{at}]")


def scale_of(path: str) -> tuple[float, float]:
    """The values that a figure can have at all, by where it stands."""
    if path.endswith((".preference.mean", ".mean")):
        return -2, 2
    if ".acceptability." in path and path.endswith((".acceptability.earlier", ".acceptability.later")):
        return 1, 5
    if path.endswith(".acceptability.difference"):
        return -4, 4
    if ".acceptability." in path and path.endswith(".difference"):
        return -1, 1
    if ".errors." in path and path.endswith(".difference"):
        return -math.inf, math.inf
    if ".errors." in path and not path.endswith(".with_significant"):
        return 0, math.inf
    return (-1, 1) if path.endswith(".alpha") else (0, 1)


def sound(summary: Summary) -> str:
    """Check every number of a summary and its words; returns these."""
    values = summary.to_dict()
    for path, number in numbers(values):
        assert math.isfinite(number), path
    for path, figure in intervals(values):
        value, low, high = figure["value"], figure["low"], figure["high"]
        assert (low is None) == (high is None), path
        low_end, high_end = scale_of(path)
        if value is None:
            assert low is None, path
            continue
        assert low_end <= value <= high_end, (path, figure)
        for ends in filter(None, ((low, high) if low is not None else None, figure.get("these_readers"))):
            first, last = ends
            assert low_end - 1e-9 <= first <= value + 1e-9 and value - 1e-9 <= last <= high_end + 1e-9, (
                path,
                figure,
            )
    for path, p in numbers(values):
        if path.endswith(("_p", ".p")):
            assert 0 <= p <= 1, (path, p)
    runner = CliRunner()
    with runner.isolation() as (output, *_):
        print_stats(STUDY, summary, SCHEME)
        text = output.getvalue().decode()
    assert "nan" not in text.casefold() and "inf" not in text.casefold().replace("infarct", "")
    return text


def answers_by(dice: random.Random) -> dict[str, int]:
    return {
        "acceptability.base": dice.randint(1, 4), "acceptability.tuned": dice.randint(2, 5),
        "checked.base": 1, "checked.tuned": 1, "error.base.2.significant": dice.randint(0, 2),
        "dim.correctness": dice.randint(-2, 2),
    }  # fmt: skip


def test_a_reader_who_always_ties_decides_nothing_and_that_is_said():
    dice = random.Random(3)
    rows = [
        rating(case, dice.choice([1, 2, 1, -1]), rater="ana", answers=answers_by(dice)) for case in range(40)
    ]
    rows += [rating(case, 0, rater="ben", answers={"acceptability.base": 3, "acceptability.tuned": 3})
             for case in range(40)]  # fmt: skip
    summary = summarise(rows, SCHEME, "base", "tuned")
    text = sound(summary)
    assert summary.preference.win_rate.n == 40 and summary.preference.ties == 40
    ben = next(line for line in summary.raters if line.rater == "ben")
    assert ben.win_rate.value is None and (ben.wins, ben.ties, ben.losses) == (0, 40, 0)
    # The interval of the win rate is one reader's, which the sentence about both must not hide.
    assert summary.preference.win_rate.readers == 1
    assert "Only 1 of 2 readers preferred a text" in text
    assert summary.verdict == "tuned preferred by these readers"


def test_one_reader_alone_who_always_ties():
    summary = summarise([rating(case, 0) for case in range(25)], SCHEME, "base", "tuned")
    text = sound(summary)
    assert summary.preference.win_rate.value is None and summary.verdict == "too few to conclude"
    assert "0 pairs without ties" in text


@pytest.mark.parametrize("agree", [True, False])
def test_a_second_reader_of_five_cases_widens_the_interval(agree):
    dice = random.Random(5)
    rows = [
        rating(case, dice.choice([1, 2, 1, 1, -1]), rater="ana", answers=answers_by(dice))
        for case in range(60)
    ]
    alone = summarise(rows, SCHEME, "base", "tuned")
    for case in range(5):
        mine = rows[case].preference if agree else -(rows[case].preference or 0)
        rows.append(rating(case, mine, rater="ben", answers=answers_by(dice)))
    both = summarise(rows, SCHEME, "base", "tuned")
    text = sound(both)
    rate, before = both.preference.win_rate, alone.preference.win_rate
    assert rate.readers == 2 and rate.low is not None and rate.high is not None
    if not agree:  # what one differs by from the other is all that is known of how readers differ
        assert rate.high - rate.low > before.high - before.low
    assert "two readers tell little of how others" in text


@pytest.mark.parametrize("readers", [1, 2, 3])
@pytest.mark.parametrize("value", [2, -2])
@pytest.mark.parametrize("cases", [1, 2, 5, 60])
def test_win_rates_of_0_and_100_percent(readers, value, cases):
    rows = [
        rating(case, value, rater=f"reader {reader}",
               answers={"acceptability.base": 1, "acceptability.tuned": 5, "checked.base": 1, "checked.tuned": 1})
        for case in range(cases) for reader in range(readers)
    ]  # fmt: skip
    summary = summarise(rows, SCHEME, "base", "tuned")
    sound(summary)
    rate = summary.preference.win_rate
    assert rate.value == (1.0 if value > 0 else 0.0)
    if rate.low is not None:
        # As many independent answers as there are cases, however many readers agree.
        assert rate.high - rate.low >= 0.9 * 3.84 / (cases + 3.84), rate
    few = cases < 6
    assert (summary.verdict == "too few to conclude") == few


def test_everybody_says_the_same_so_agreement_cannot_be_told_from_chance():
    rows = [rating(case, 1, rater=reader) for case in range(20) for reader in ("ana", "ben")]
    summary = summarise(rows, SCHEME, "base", "tuned")
    text = sound(summary)
    assert summary.agreement is not None and summary.agreement.alpha.value is None
    assert "not known: all answers are the same" in text


def test_an_arm_with_a_third_of_its_texts_missing_is_compared_where_it_has_one():
    dice = random.Random(8)
    rows = []
    for case in range(90):
        there = ("base", "tuned") if case % 3 == 0 else ("base", "tuned", "file")
        pairs = [(there[0], there[1]), *([(there[1], there[2])] if len(there) > 2 else [])]
        for number, (earlier, later) in enumerate(pairs):
            for reader in ("ana", "ben", "cora"):
                rows.append(rating(case, dice.choice([-1, 0, 1, 1, 2]), rater=reader, pair=number,
                                   earlier_arm=earlier, later_arm=later, later_left=dice.random() < 0.5))  # fmt: skip
    arms = compare_arms(rows, ("base", "tuned", "file"), SCHEME)
    cases = {(pair.earlier, pair.later): pair.summary.cases for pair in arms.contrasts}
    assert cases == {("base", "tuned"): 90, ("base", "file"): 0, ("tuned", "file"): 60}
    for pair in arms.contrasts:
        sound(pair.summary)
    for path, number in numbers(arms.to_dict()):
        assert math.isfinite(number), path
    never = next(pair for pair in arms.contrasts if pair.summary.cases == 0)
    assert never.verdict == "too few to conclude" and never.summary.preference.win_rate.value is None
    assert {strength.arm for strength in arms.strengths} == {"base", "tuned", "file"}
