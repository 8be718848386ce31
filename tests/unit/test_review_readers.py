"""Readers and cases both random: iMRMC's published variances, coverage of known truths, and how readers are told."""

import json
from pathlib import Path

import numpy as np
import pytest

from radtui.measures.answers import BY_READERS, Answers, answers_of
from radtui.measures.bradley_terry import Match, scale_of
from radtui.measures.readers import moments, share_limits, spread_of
from radtui.measures.words import readers_words, share
from tests.bench.readers import simulated_answers, true_share

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "data" / "imrmc_mean_score.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("design", ["crossed", "split_plot"])
def test_variance_is_that_of_imrmc(design):
    table = np.array(PUBLISHED[design]["scores"], dtype=float)
    cases, readers = np.nonzero(~np.isnan(table))
    values = table[cases, readers]
    assert values.mean() == pytest.approx(PUBLISHED[design]["mean"], rel=1e-7)
    assert moments(values, readers, cases).variance == pytest.approx(PUBLISHED[design]["variance"], rel=1e-7)


def test_a_crossed_design_has_the_variance_of_its_mean_squares():
    table = np.array(PUBLISHED["crossed"]["scores"], dtype=float)
    (many_cases, many_readers), mean = table.shape, table.mean()
    of_readers, of_cases = table.mean(axis=0) - mean, table.mean(axis=1) - mean
    rest = table - mean - of_readers - of_cases[:, np.newaxis]
    squares = (
        many_cases * (of_readers**2).sum() / (many_readers - 1),
        many_readers * (of_cases**2).sum() / (many_cases - 1),
        (rest**2).sum() / ((many_cases - 1) * (many_readers - 1)),
    )
    cases, readers = np.nonzero(~np.isnan(table))
    found = spread_of(table[cases, readers], readers, cases)
    assert found.variance == pytest.approx((squares[0] + squares[1] - squares[2]) / table.size)
    assert found.degrees == pytest.approx(
        (found.variance * table.size / squares[0]) ** 2 * (many_readers - 1)
    )


@pytest.mark.parametrize(
    ("readers", "cases", "sd", "missing"), [(3, 100, 0.5, 0), (3, 300, 0.5, 0.5), (5, 60, 0.5, 0.5)]
)
def test_a_win_rate_covers_readers_in_general_where_fixed_readers_do_not(readers, cases, sd, missing):
    generator, truth = np.random.default_rng(3), true_share(sd)
    general = these = 0
    for _ in range(400):
        answers = simulated_answers(generator, readers, cases, sd, missing)
        found = answers.share(answers.values > 0)
        assert found.method == BY_READERS and found.readers == readers
        general += found.low <= truth <= found.high
        these += found.these_readers[0] <= truth <= found.these_readers[1]
    assert general / 400 >= 0.92 and these / 400 < 0.92


def test_one_reader_has_no_such_interval_and_is_told_so():
    rows = [(i, "ana", float(i % 3 > 0)) for i in range(60)]
    alone = answers_of(rows).share([value > 0 for _, _, value in rows])
    assert (alone.method, alone.readers, alone.these_readers) == ("wilson", 1, None)
    assert "this reader" in readers_words(1) and "two readers" in readers_words(2).lower()
    assert readers_words(0) == "" and "these readers only" in readers_words(3)


def test_two_readers_who_differ_have_an_honest_width():
    rows = [(i, name, float(i % 10 < top)) for i in range(100) for name, top in (("ana", 8), ("ben", 5))]
    found = answers_of(rows).share([value > 0 for _, _, value in rows])
    assert found.high - found.low > 0.6 > 5 * (found.these_readers[1] - found.these_readers[0]) / 2
    assert "n=200 ratings of 100 cases" in share(found)


def test_readers_of_one_mind_are_no_wider_than_their_cases():
    rows = [(i, name, float(i % 10 < 7)) for i in range(100) for name in ("ana", "ben", "cy")]
    found = answers_of(rows).mean()
    assert (found.low, found.high) == pytest.approx(found.these_readers)


def test_each_reader_with_cases_of_its_own_counts_readers_too():
    generator = np.random.default_rng(8)
    readers = np.repeat([0, 1, 2, 3], 50)
    values = (generator.random(200) < np.array([0.3, 0.5, 0.7, 0.9])[readers]).astype(float)
    split = Answers(np.arange(200), readers, values).share(values > 0)
    low, high = split.these_readers
    assert split.high - split.low > 2 * (high - low)


def test_a_share_of_independent_ratings_is_nearly_wilsons():
    generator = np.random.default_rng(2)
    values = (generator.random(400) < 0.3).astype(float)
    low, high = share_limits(values.mean(), float(values.var() / 400), 10_000, 400)
    from radtui.measures.intervals import wilson_limits

    assert (low, high) == pytest.approx(wilson_limits(int(values.sum()), 400), abs=5e-4)


def test_strengths_and_two_arms_on_the_scale_know_of_readers():
    truth = {"base": 0.0, "sft": 0.8, "dpo": 1.2}
    pairs = [("base", "sft"), ("base", "dpo"), ("sft", "dpo")]
    generator = np.random.default_rng(6)
    inside = these = runs = 0
    for _ in range(150):
        taste = {(name, reader): generator.normal(0, 0.6) for name in truth for reader in range(4)}
        matches, cases, readers = [], [], []
        for case in range(150):
            for reader in range(4):
                first, second = pairs[case % 3]
                gap = truth[first] + taste[first, reader] - truth[second] - taste[second, reader]
                matches.append(Match(first, second, float(generator.random() < 1 / (1 + np.exp(-gap)))))
                cases.append(case)
                readers.append(reader)
        scale = scale_of(matches, "base", cases, readers, ("base", "sft", "dpo"))
        assert [(one.earlier, one.later) for one in scale.differences] == pairs
        for one in scale.differences:
            gap = truth[one.later] - truth[one.earlier]
            runs += 1
            inside += one.low <= gap <= one.high
            these += one.these_readers[0] <= gap <= one.these_readers[1]
    assert inside / runs >= 0.92 and these / runs < 0.8


def test_two_arms_differ_where_their_intervals_against_base_overlap():
    matches = [Match("a", "base", 1.0)] * 20 + [Match("a", "base", 0.0)] * 10
    matches += [Match("b", "base", 1.0)] * 20 + [Match("b", "base", 0.0)] * 8
    matches += [Match("b", "a", 1.0)] * 75 + [Match("b", "a", 0.0)] * 40
    scale = scale_of(matches, "base", arms=("base", "a", "b"))
    strength = {one.arm: one for one in scale.strengths}
    between = scale.differences[-1]
    assert (between.earlier, between.later) == ("a", "b")
    assert strength["a"].high > strength["b"].low and between.low > 0 and between.p < 0.05
    assert between.log_odds == pytest.approx(strength["b"].log_odds - strength["a"].log_odds)
    assert all(one.holm_p >= one.p for one in scale.differences)
