"""Agreement against the published worked examples."""

import numpy as np
import pytest

from radtui.measures.agreement import (
    agreement_between,
    agreement_with_self,
    alpha_of,
    weighted_kappa,
)
from tests.unit.review_ratings import rating

_ = None
# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four observers, twelve units.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
]
UNITS = [[value for value in unit if value is not None] for unit in zip(*OBSERVERS, strict=True)]


def alpha(units):
    """Alpha with its interval, from the values that each unit was given."""
    scale = sorted({value for unit in units for value in unit})
    counts = [[float(list(unit).count(value)) for value in scale] for unit in units]
    return alpha_of(np.array(counts).reshape(len(units), len(scale)))


def test_krippendorffs_own_example_with_missing_data():
    assert alpha(UNITS).value == pytest.approx(0.815, abs=0.0005)


def test_krippendorffs_binary_example_of_two_observers():
    # The same paper, section A: ten units, alpha 0.095.
    one, other = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha(list(zip(one, other, strict=True))).value == pytest.approx(0.095, abs=0.0005)


def test_alpha_by_its_definition():
    # Observed and expected disagreement added up value by value, without a coincidence table.
    values = [value for unit in UNITS if len(unit) > 1 for value in unit]
    counts = {value: values.count(value) for value in set(values)}

    def distance(a, b):
        low, high = min(a, b), max(a, b)
        between = sum(count for value, count in counts.items() if low <= value <= high)
        return (between - (counts[a] + counts[b]) / 2) ** 2 if a != b else 0.0

    kept = [unit for unit in UNITS if len(unit) > 1]
    observed = sum(
        distance(unit[i], unit[j]) / (len(unit) - 1)
        for unit in kept
        for i in range(len(unit))
        for j in range(len(unit))
        if i != j
    ) / len(values)
    expected = sum(distance(a, b) for a in values for b in values) / (len(values) * (len(values) - 1))
    assert alpha(UNITS).value == pytest.approx(1 - observed / expected)


def test_alpha_at_its_ends():
    assert alpha([[1, 1], [2, 2], [5, 5, 5]]).value == 1.0
    assert alpha([[1, 1], [1, 1]]).value is None  # nothing varies
    assert alpha([[1], [2], []]).value is None and alpha([]).value is None
    noise = np.random.default_rng(0).integers(-2, 3, size=(3000, 3)).tolist()
    assert abs(alpha(noise).value) < 0.03
    agreed = alpha([[1, 1], [2, 2], [5, 5, 5]])  # of three images, which is no certainty
    assert (agreed.value, agreed.low, agreed.high, agreed.n) == (1.0, None, None, 3)


def test_alphas_interval_holds_it_and_narrows():
    generator = np.random.default_rng(1)

    def drawn(count):
        truth = generator.integers(-2, 3, size=(count, 1))
        return np.clip(truth + generator.integers(-1, 2, size=(count, 3)), -2, 2).tolist()

    few, many = alpha(drawn(40)), alpha(drawn(1000))
    assert few.low < few.value < few.high and few.n == 40
    assert few.low < many.value < few.high
    assert many.high - many.low < 0.35 * (few.high - few.low)
    assert alpha([[1, 2]]).low is None and alpha([]).value is None


def table_pairs(table):
    return [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]


def test_kappa_of_agrestis_carcinoma_raters():
    # Agresti, Categorical Data Analysis, 2nd ed., section 10.5: two pathologists, weighted kappa 0.78.
    pairs = table_pairs([[22, 2, 2, 0], [5, 7, 14, 0], [0, 2, 36, 0], [0, 1, 17, 10]])
    assert weighted_kappa(pairs, range(4)) == pytest.approx(0.78, abs=0.005)


def test_kappa_at_its_ends():
    assert weighted_kappa([(0, 0), (1, 1), (2, 2)], range(3)) == 1.0
    assert weighted_kappa([(0, 2), (2, 0)], range(3)) == -1.0
    assert weighted_kappa([(1, 1)], range(3)) is None and weighted_kappa([], range(3)) is None


def test_agreement_of_ratings_leaves_out_what_is_off_the_scale():
    ana = [rating(i, p) for i, p in enumerate([2, 1, -1, -2, 0, 1])]
    bo = [rating(i, p, rater="bo") for i, p in enumerate([2, 1, -1, -2, 0])]
    bo += [
        rating(5, None, both_bad=True, rater="bo"),
        rating(9, 1, rater="bo"),
        rating(0, -2, rater="bo", occasion=1),
    ]
    found = agreement_between(ana + bo)
    assert found.alpha.value == 1.0 and found.alpha.n == 5
    assert found.kappas == {("ana", "bo"): (1.0, 5)}
    assert found.to_dict()["kappas"] == [{"raters": ["ana", "bo"], "kappa": 1.0, "n": 5}]
    assert agreement_between(ana) is None


def test_agreement_with_oneself():
    first = [rating(i, p) for i, p in enumerate([2, 1, 0, -1])]
    again = [rating(i, p, occasion=1) for i, p in enumerate([1, 1, 0, 1])]
    found = agreement_with_self(first + again + [rating(0, -2, rater="bo", occasion=1)])
    assert (found.same.hits, found.same.n) == (2, 4)
    assert (found.same_direction.hits, found.same_direction.n) == (3, 4)
    assert found.kappa == weighted_kappa([(2, 1), (1, 1), (0, 0), (-1, 1)], (-2, -1, 0, 1, 2))
    assert agreement_with_self(first) is None


def test_repeats_of_an_image_by_several_raters_are_no_independent_answers():
    names = ("ana", "bo", "cy", "di")
    showings = [
        rating(i, 1 if occasion == 0 or i % 2 else -1, rater=name, occasion=occasion)
        for i in range(10)
        for name in names
        for occasion in (0, 1)
    ]
    several = agreement_with_self(showings).same
    one = agreement_with_self([row for row in showings if row.rater == "ana"]).same
    assert (several.hits, several.n, several.method) == (20, 40, "readers and cases")
    assert (one.hits, one.n, one.method) == (5, 10, "wilson")
    assert several.high - several.low > 0.9 * (one.high - one.low)
