"""The summary: counted by hand, checked against scipy, and recovering the preference of simulated raters."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import radtui.measures
from radtui.measures.answers import answers_of
from radtui.measures.bias import length_bias, side_bias
from radtui.measures.intervals import mean_of, wilson_limits
from radtui.measures.preference import choices_of, compare, preferred_or_equal, win_rate_of
from radtui.measures.quality import errors_of
from radtui.measures.significance import wilcoxon
from radtui.measures.statistics import summarise
from radtui.study.scheme_file import default_scheme
from tests.unit.review_ratings import rating

SCHEME = default_scheme()


def summary(ratings, **options):
    return summarise(ratings, SCHEME, "base", "tuned", **options)


def accepted(earlier, later):
    return {"acceptability.base": earlier, "acceptability.tuned": later}


def simulated(generator, images, rates, **fields):
    """Ratings of a rater who gives -2..+2 with these chances, sides drawn by a coin."""
    values = generator.choice([-2, -1, 0, 1, 2], size=images, p=rates)
    left = generator.random(images) < 0.5
    return [
        rating(i, int(value), later_left=bool(tuned), **fields)
        for i, (value, tuned) in enumerate(zip(values, left, strict=True))
    ]


def test_a_small_study_counted_by_hand():
    ratings = [rating(i, p) for i, p in enumerate([2, 1, 1, 1, 0, 0, -1, -2])]
    ratings += [rating(20 + i, None, both_bad=True) for i in range(2)]
    found = summary(ratings)
    assert (found.n, found.cases) == (10, 10)
    assert (found.preference.wins, found.preference.ties, found.preference.losses) == (4, 2, 2)
    assert found.preference.counts == {-2: 1, -1: 1, 0: 2, 1: 3, 2: 1}
    assert (found.preference.win_rate.hits, found.preference.win_rate.n) == (4, 6)
    assert (found.preference.win_rate.low, found.preference.win_rate.high) == wilson_limits(4, 6)
    assert (found.preferred_or_equal.hits, found.preferred_or_equal.n) == (6, 10)
    assert (found.both_bad.hits, found.both_bad.n) == (2, 10)
    assert found.preference.mean.value == 0.25 and found.preference.mean.n == 8
    assert found.preference.sign_p == pytest.approx(stats.binomtest(4, 6).pvalue)
    values = [2, 1, 1, 1, 0, 0, -1, -2]
    assert found.preference.wilcoxon_p == pytest.approx(stats.wilcoxon(values, zero_method="pratt").pvalue)
    assert found.verdict == "too few to conclude" and not found.power.enough


def test_verdicts_follow_the_sign_test():
    def verdict(wins, losses):
        return compare(
            answers_of([(i, "ana", 1.0 if i < wins else -1.0) for i in range(wins + losses)]),
            ("base", "tuned"),
        ).verdict

    assert verdict(5, 0) == "too few to conclude"
    assert verdict(19, 0) == "tuned preferred"  # p is 4 in a million
    assert verdict(16, 4) == "tuned preferred"
    assert verdict(4, 16) == "base preferred"
    assert verdict(12, 8) == "no difference shown"


def test_ratings_of_an_image_are_one_piece_of_evidence():
    # Four images that five raters agree on are twenty ratings and four pairs.
    few = summary([rating(i, 1, rater=name) for i in range(4) for name in "abcde"])
    assert few.preference.wins == 20 and few.power.non_ties == 4
    assert few.verdict == "too few to conclude" and not few.power.enough
    # One rater preferred base on 22 images; ten others the tuned text on three: as many ratings, fewer images.
    ratings = [rating(i, -1, rater="a") for i in range(22)]
    ratings += [rating(100 + i, 1, rater=name) for i in range(3) for name in "bcdefghijk"]
    found = summary(ratings)
    assert found.preference.wins > found.preference.losses
    assert (found.preference.cases_won, found.preference.cases_lost) == (3, 22)
    assert found.verdict == "base preferred by these readers"


def test_versions_of_the_scheme_are_counted():
    pooled = [rating(i, 1, scheme_hash="old" if i < 3 else "new") for i in range(8)]
    found = summary([*pooled, rating(8, None, scheme_hash="old")])
    assert found.n == 8 and found.versions == {"new": 5, "old": 3}
    assert found.to_dict()["scheme_versions"] == {"new": 5, "old": 3}


@pytest.mark.parametrize(
    "fields",
    [
        {"answers": {"dim.tone": 1}},
        {"answers": {"error.base.8.significant": 1}},
        {"answers": {"acceptability.base": 9}},
        {"preference": 3},
    ],
)
def test_an_answer_that_the_scheme_does_not_ask_for_keeps_its_version_apart(fields):
    odd = rating(1, **({"preference": 1, "scheme_hash": "older"} | fields))
    assert odd.scheme == SCHEME.id and not SCHEME.holds(odd)
    same_version = [rating(i, -1, scheme_hash="older") for i in (2, 3)]  # alone they would be a selection
    found = summary([odd, *same_version, rating(4, 1)])
    assert (found.n, found.left_out.other_version, found.preference.wins) == (1, 3, 1)
    again = [rating(i, 1, occasion=1, scheme_hash=of) for i, of in ((2, "older"), (4, ""))]
    assert summary([odd, *same_version, rating(4, 1), *again]).repeats.same.n == 1


def test_what_does_not_count_is_named():
    ratings = [
        rating(1, 1),
        rating(2, 1, blinded=False),
        rating(3, None, skipped=True),
        rating(4, 1, occasion=1),
        rating(5, 1),
        rating(6, None),
        rating(7, 1, scheme="other"),
        rating(8, None, both_bad=True),
        rating(9, 1, scheme_hash="older", answers={"dim.tone": 1}),
    ]
    found = summary(ratings, calibration={(1, 5)})
    assert found.n == 2 and found.preference.wins == 1
    left_out = found.to_dict()["left_out"]
    assert left_out == {
        "unrated": 1, "other_scheme": 1, "other_version": 1, "repeats": 1, "calibration": 1, "skipped": 1,
        "unblinded": 1,
    }  # fmt: skip
    assert summary(ratings, include_unblinded=True).preference.wins == 3
    assert summary(ratings, calibration={(2, 5)}).preference.wins == 2  # another study's case


@pytest.mark.parametrize(
    ("rates", "truth"), [([0.1, 0.2, 0.2, 0.3, 0.2], 0.625), ([0.2, 0.2, 0.2, 0.2, 0.2], 0.5)]
)
def test_simulated_raters_are_recovered_in_95_of_100_runs(rates, truth):
    generator = np.random.default_rng(11)
    inside = 0
    for _ in range(500):
        found = win_rate_of(choices_of(simulated(generator, 120, rates)))
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 500 <= 0.98


def test_simulated_means_are_recovered_in_95_of_100_runs():
    generator = np.random.default_rng(12)
    rates = [0.1, 0.2, 0.2, 0.3, 0.2]
    inside = 0
    for run in range(500):
        found = mean_of(
            generator.choice([-2, -1, 0, 1, 2], size=80, p=rates).tolist(), seed=run, resamples=399
        )
        inside += found.low <= 0.3 <= found.high
    assert 0.92 <= inside / 500 <= 0.98


def test_no_difference_is_found_in_95_of_100_runs():
    generator = np.random.default_rng(13)
    wins = generator.binomial(60, 0.5, size=500)
    false_alarms = sum(stats.binomtest(int(w), 60).pvalue < 0.05 for w in wins)
    assert false_alarms / 500 <= 0.05 + 0.03
    one = summary(simulated(generator, 300, [0.2, 0.2, 0.2, 0.2, 0.2]))
    assert one.verdict == "no difference shown"
    other = summary(simulated(generator, 300, [0.05, 0.15, 0.2, 0.35, 0.25]))
    assert other.verdict == "tuned preferred" and other.preference.win_rate.low > 0.5


def test_a_share_covers_the_truth_when_raters_of_an_image_agree():
    generator = np.random.default_rng(21)
    by_image = as_if_independent = 0
    for _ in range(200):
        shared = np.repeat(generator.random(40), 4)
        drawn = np.where(generator.random(160) < 0.9, shared, generator.random(160))
        won = [bool(value < 0.7) for value in drawn]
        found = answers_of([(i // 4, "ana", 0.0) for i in range(160)]).share(won)
        low, high = wilson_limits(sum(won), 160)
        by_image += found.low <= 0.7 <= found.high
        as_if_independent += low <= 0.7 <= high
    assert as_if_independent / 200 < 0.80 and 0.90 <= by_image / 200 <= 0.99


def test_raters_who_are_all_of_one_mind_leave_the_doubt_of_their_images():
    found = summary([rating(i, 1, rater=name) for i in range(10) for name in "abc"])
    won, lost = found.preference.win_rate, found.both_bad
    assert (won.hits, won.n, won.method) == (30, 30, "wilson by case")
    assert (won.low, won.high) == wilson_limits(10, 10)
    assert (lost.hits, lost.low, lost.high) == (0, *wilson_limits(0, 10))


def test_several_raters_make_intervals_wider_not_narrower():
    generator = np.random.default_rng(5)
    one = simulated(generator, 60, [0.1, 0.2, 0.1, 0.3, 0.3])
    copies = [
        rating(r.case_id, r.preference, rater=name, later_left=r.later_left) for r in one for name in "abc"
    ]
    alone, together = summary(one), summary(copies)
    assert together.n == 180 and together.cases == 60 and len(together.raters) == 3
    assert together.preference.win_rate.method == "readers and cases"
    width = alone.preference.win_rate.high - alone.preference.win_rate.low
    low, high = together.preference.win_rate.these_readers
    assert high - low == pytest.approx(width, rel=0.15)
    assert together.preference.win_rate.high - together.preference.win_rate.low >= high - low
    assert together.preference.sign_p == alone.preference.sign_p
    assert together.preference.wilcoxon_p == alone.preference.wilcoxon_p
    assert together.agreement.alpha.value == 1.0 and alone.agreement is None
    assert together.raters[0].win_rate.hits == alone.preference.win_rate.hits


def test_both_bad_speaks_for_neither():
    ratings = [rating(1, 1), rating(2, 0), rating(3, None, both_bad=True), rating(4, -1)]
    share = preferred_or_equal(ratings)
    assert (share.hits, share.n) == (2, 4)


def test_dimensions_are_adjusted_over_those_that_were_answered():
    generator = np.random.default_rng(6)
    shifts = {"correctness": [0.05, 0.1, 0.2, 0.35, 0.3], "conciseness": [0.15, 0.2, 0.2, 0.25, 0.2]}
    ratings = [
        rating(
            i,
            1,
            answers={
                f"dim.{name}": int(generator.choice([-2, -1, 0, 1, 2], p=p)) for name, p in shifts.items()
            },
        )
        for i in range(60)
    ]
    ratings.append(rating(99, 1))  # answers no dimension
    found = summary(ratings).dimensions
    assert list(found) == ["correctness", "conciseness"]
    raw = {name: one.wilcoxon_p for name, one in found.items()}
    for name, one in found.items():
        values = [r.answers[f"dim.{name}"] for r in ratings if r.answers]
        assert (
            raw[name]
            == wilcoxon(values)
            == pytest.approx(stats.wilcoxon(values, zero_method="pratt").pvalue, abs=0.01)
        )
        assert one.mean.value == pytest.approx(np.mean(values)) and one.mean.n == 60
    small, large = sorted(raw.values())
    assert sorted(one.holm_p for one in found.values()) == pytest.approx(
        [min(1, 2 * small), max(2 * small, large)]
    )
    assert summary(ratings).preference.holm_p is None


def test_acceptability_by_hand():
    given = [(2, 5), (3, 4), (4, 5), (5, 5), (4, 2), (1, 4)]
    ratings = [rating(i, 1, answers=accepted(b, t)) for i, (b, t) in enumerate(given)]
    ratings.append(rating(50, 1, answers={"acceptability.tuned": 5}))  # one answer makes no pair
    found = summary(ratings).acceptability
    assert found.earlier.value == pytest.approx(19 / 6) and found.later.value == pytest.approx(25 / 6)
    assert found.difference.value == pytest.approx(1.0) and found.difference.n == 6
    assert (found.usable.earlier.hits, found.usable.later.hits, found.usable.earlier.n) == (3, 5, 6)
    assert (found.usable.mcnemar.only_later, found.usable.mcnemar.only_earlier) == (3, 1)
    assert found.usable.mcnemar.p == pytest.approx(0.625)
    assert (found.as_is.earlier.hits, found.as_is.later.hits) == (1, 3)
    assert found.usable.difference.value == pytest.approx(2 / 6)
    assert summary([rating(1, 1)]).acceptability is None


def test_errors_by_hand():
    ratings = [
        rating(
            1, 1, answers={"error.base.1.significant": 2, "error.base.3.insignificant": 1, "checked.tuned": 1}
        ),
        rating(2, 1, answers={"error.tuned.2.significant": 1, "error.base.2.significant": 1}),
        rating(3, 1, answers={"checked.base": 1, "checked.tuned": 1}),  # looked, and there is none
        rating(4, 1, answers={"error.tuned.2.significant": 1}),  # nothing is said of the other text
        rating(5, 1, rater="bo", answers={"dim.correctness": 1}),  # never asked
    ]
    found = summary(ratings).errors
    assert found.n == 4
    assert found.earlier.significant.value == pytest.approx(1.0) and found.earlier.significant.n == 3
    assert found.later.significant.value == pytest.approx(2 / 4) and found.later.significant.n == 4
    assert (found.earlier.unchecked, found.later.unchecked) == (2, 1)
    assert found.earlier.insignificant.value == pytest.approx(1 / 3) and found.later.insignificant.value == 0
    assert (found.earlier.with_significant.hits, found.later.with_significant.hits) == (2, 2)
    assert found.difference.value == pytest.approx(-2 / 3) and found.difference.n == 3
    base, tuned = found.earlier.by_category, found.later.by_category
    assert [base[c][0].value for c in "123"] == pytest.approx([2 / 3, 1 / 3, 0])
    assert base["3"][1].value == pytest.approx(1 / 3) and tuned["2"][0].value == pytest.approx(1 / 2)
    assert set(base) == set("1234567")
    assert found.earlier.significant.low <= 1.0 <= found.earlier.significant.high
    assert summary([rating(1, 1)]).errors is None


def test_checked_and_none_counts_and_never_asked_does_not():
    anna = [
        rating(i, 1, answers={"checked.base": 1} | ({"error.base.1.significant": 1} if i < 5 else {}))
        for i in range(50)
    ]
    ben = [rating(i, 1, rater="ben", answers={"checked.base": 1}) for i in range(50)]
    of_cora = [{"error.base.1.significant": 1}] * 5 + [{"checked.base": 1}] * 5 + [{}] * 40
    cora = [rating(i, 1, rater="cora", answers=answers) for i, answers in enumerate(of_cora)]
    assert summary(anna + ben).errors.earlier.significant.value == pytest.approx(0.05)
    own = summary(cora).errors
    assert own.earlier.significant.value == pytest.approx(0.5) and own.earlier.unchecked == 40
    assert own.later.significant.value is None and own.later.unchecked == 50 and own.difference.n == 0


def test_error_rates_are_recovered():
    generator = np.random.default_rng(8)
    inside = 0
    for run in range(60):
        ratings = [
            rating(i, 1, answers={"error.base.1.significant": int(k), "checked.base": 1})
            for i, k in enumerate(generator.poisson(0.8, size=100))
        ]
        one = errors_of(ratings, "base", "tuned", ["1", "7"], seed=run).earlier.significant
        inside += one.low <= 0.8 <= one.high
    assert inside >= 52


def test_a_rater_who_likes_the_left_is_noticed():
    generator = np.random.default_rng(9)
    fair = simulated(generator, 300, [0.2, 0.2, 0.2, 0.2, 0.2])
    assert not side_bias(fair).suspected and summary(fair).side.chosen_left.n < 300
    leftist = [rating(i, 1 if i % 2 else -1, later_left=bool(i % 2)) for i in range(40)]
    bias = side_bias(leftist)
    assert bias.chosen_left.hits == bias.chosen_left.n == 40 and bias.suspected
    assert bias.later_left.hits == 20
    assert side_bias([rating(1, 0)]).chosen_left.value is None and not side_bias([]).suspected


def test_sides_drawn_evenly_keep_a_rater_who_always_takes_the_left_from_deciding():
    sides = np.random.default_rng(42).permutation([True, False] * 200).tolist()

    def left_taken(i):
        later_left = sides[i]
        return rating(i, 1 if later_left else -1, later_left=later_left)

    found = summary([left_taken(i) for i in range(400)])
    assert found.verdict == "no difference shown" and abs(found.preference.win_rate.value - 0.5) < 0.02
    assert found.side.suspected and found.side.chosen_left.value == 1.0 and found.side.later_left.value == 0.5


def test_a_rater_who_likes_short_texts_is_noticed():
    generator = np.random.default_rng(10)
    counts = generator.integers(5, 60, size=(80, 2)).tolist()
    words = {(1, i): {"base": b, "tuned": t} for i, (b, t) in enumerate(counts)}
    ratings = [rating(i, int(np.sign(b - t))) for i, (b, t) in enumerate(counts)]
    found = length_bias(ratings, words)
    ratios = [np.log(t / b) for b, t in counts]
    expected = stats.spearmanr(ratios, [r.preference for r in ratings])
    assert found.rho == pytest.approx(expected.statistic) and found.rho < -0.7 and found.n == 80
    assert found.p == pytest.approx(expected.pvalue)
    assert length_bias([rating(1, 1)], {(1, 1): {"base": 5, "tuned": 0}}).n == 0
    assert length_bias([rating(i, 1) for i in range(9)], words).rho is None  # preference never varies


def test_repeats_and_raters_are_told_apart():
    ratings = [rating(i, 1) for i in range(10)] + [rating(i, 1 if i else -1, occasion=1) for i in range(4)]
    found = summary(ratings)
    assert found.n == 10 and found.repeats.same.hits == 3 and found.repeats.same.n == 4
    assert summary(ratings[:10]).repeats is None
    blind = [*ratings, rating(9, -1, occasion=1, blinded=False)]
    assert summary(blind).repeats.same.n == 4


def test_nothing_rated_is_no_error():
    told = summary([]).to_dict()
    assert told["n"] == 0 and told["preference"]["win_rate"]["value"] is None
    assert told["verdict"] == "too few to conclude"
    json.dumps(told, allow_nan=False)


def test_every_figure_is_plain_json_and_the_same_twice():
    generator = np.random.default_rng(3)
    ratings = []
    for name in ("ana", "bo"):
        for one in simulated(generator, 40, [0.1, 0.2, 0.2, 0.3, 0.2], rater=name):
            ratings.append(
                rating(
                    one.case_id, one.preference, rater=name, later_left=one.later_left,
                    answers=accepted(3, 4) | {"dim.correctness": 1, "error.base.1.significant": 1},
                )
            )  # fmt: skip
    ratings += [rating(i, 1, occasion=1) for i in range(5)]
    words = {(1, i): {"base": 20 + i, "tuned": 10} for i in range(40)}
    first = json.dumps(summary(ratings, words=words).to_dict(), allow_nan=False)
    assert first == json.dumps(summary(ratings[::-1], words=words).to_dict(), allow_nan=False)
    told = json.loads(first)
    assert told["power"]["needed"] == {"0.60": 199, "0.65": 90, "0.70": 49, "0.75": 30, "0.80": 20}
    assert told["agreement"]["alpha"]["n"] == 40 and told["repeats"]["same"]["n"] == 5
    assert len(told["raters"]) == 2


def test_importing_the_room_loads_no_heavy_library():
    modules = sorted(
        path.stem for path in Path(radtui.measures.__file__).parent.glob("*.py") if path.stem != "__init__"
    )
    code = "import sys\n" + "".join(f"import radtui.measures.{name}\n" for name in modules)
    code += "print([name for name in ('numpy', 'scipy', 'sacrebleu', 'rouge_score') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(modules) > 15 and done.stdout.strip() == "[]"
