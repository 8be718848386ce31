"""Paired comparisons of scores, and whether texts are English."""

import numpy as np
import pytest
from scipy import stats

from radtui.measures.language import is_english
from radtui.measures.paired import CaseParts, compare_pairs
from tests.unit.review_ratings import mean_parts


def scores(generator, n=300, d=0.2, r=0.5):
    """Scores of two arms on the same cases, which go together with correlation r."""
    shared = generator.normal(size=n) * np.sqrt(r)
    own = np.sqrt(1 - r)
    return shared + own * generator.normal(size=n), shared + own * generator.normal(size=n) + d


def test_a_paired_comparison_finds_what_two_intervals_miss():
    generator = np.random.default_rng(1)
    paired = apart = 0
    for run in range(40):
        before, after = scores(generator)
        one = compare_pairs({"x": {"a": mean_parts(before), "b": mean_parts(after)}}, ("a", "b"), run)[0]
        paired += one.p < 0.05
        half = [1.96 * values.std() / np.sqrt(len(values)) for values in (before, after)]
        apart += before.mean() + half[0] < after.mean() - half[1]
    assert paired >= 33 and apart <= 25


def test_a_difference_of_means_is_near_the_paired_t_test():
    before, after = scores(np.random.default_rng(4), n=60, d=0.4)
    one = compare_pairs({"x": {"a": mean_parts(before), "b": mean_parts(after)}}, ("a", "b"))[0]
    test = stats.ttest_rel(after, before)
    assert one.difference.value == pytest.approx((after - before).mean())
    assert one.p == pytest.approx(test.pvalue, abs=0.01)
    limits = test.confidence_interval()
    assert (one.difference.low, one.difference.high) == pytest.approx((limits.low, limits.high), abs=0.04)
    assert one.to_dict()["later"] == "b" and one.difference.n == 60


def test_arms_without_a_difference_are_called_different_in_5_of_100_runs():
    generator = np.random.default_rng(2)
    calls = 0
    for run in range(200):
        found = [generator.integers(0, 2, 40).astype(float) for _ in range(2)]
        parts = [CaseParts(tuple(2 * x), tuple(2 * x + (1 - x))) for x in found]
        calls += compare_pairs({"f1": dict(zip("ab", parts, strict=True))}, ("a", "b"), run)[0].p < 0.05
    assert calls <= 22


def test_f1_differs_by_what_its_sums_say_and_holm_goes_over_all():
    before = CaseParts((2, 0, 2, 0), (2, 1, 3, 1))  # found, missed, found and invented, missed
    after = CaseParts((2, 2, 2, 0), (2, 2, 2, 1))
    found = compare_pairs(
        {"f1": {"a": before, "b": after, "c": after}, "same": {"a": before, "b": before, "c": before}}, "abc"
    )
    assert [(one.score, one.earlier, one.later) for one in found[:3]] == [
        ("f1", "a", "b"),
        ("f1", "a", "c"),
        ("f1", "b", "c"),
    ]
    assert found[0].difference.value == pytest.approx(6 / 7 - 4 / 7)
    assert found[2].difference.value == 0 and found[2].p == 1 and found[2].difference.low is None
    assert all(one.holm_p >= one.p for one in found) and found[0].holm_p == min(1, 6 * found[0].p)


def test_cases_without_the_score_play_no_part():
    parts = {"x": {"a": mean_parts([1.0, None, 3.0]), "b": mean_parts([2.0, None, 5.0])}}
    one = compare_pairs(parts, ("a", "b"))[0]
    assert one.difference.n == 2 and one.difference.value == pytest.approx(1.5)
    nothing = compare_pairs({"x": {"a": mean_parts([None]), "b": mean_parts([None])}}, ("a", "b"))[0]
    assert nothing.p is None and nothing.difference.value is None


ENGLISH = (
    "There is a small effusion on the left. The heart is not enlarged. No pneumothorax is seen in the lungs."
)
OTHERS = [
    "Kein Erguss. Die Lunge ist frei und das Herz ist nicht groß. Rechts basal eine kleine Verschattung ohne Rand.",
    "Le cœur est de taille normale. Il existe un petit épanchement pleural gauche. Les poumons sont clairs.",
    "Corazón de tamaño normal. Se observa un pequeño derrame pleural en el lado izquierdo y la base derecha.",
    "Il cuore è di dimensioni normali. Non versamento pleurico. Si osserva una piccola opacità nella base destra.",
    "Het hart is niet vergroot. Er is een klein pleuravocht aan de linker zijde. De longen zijn verder helder.",
    "心影不大。左侧少量胸腔积液。",
]
TELEGRAPHIC = (
    "Small right effusion with atelectasis. No fracture. Heart size normal. Nodule in left upper lobe."
)


def test_english_is_told_from_other_languages():
    assert is_english([ENGLISH]) and is_english([ENGLISH] * 30 + OTHERS[:1])
    assert is_english(["Chest X-ray."]) and is_english([])
    assert is_english([TELEGRAPHIC] * 3)
    for text in OTHERS:
        assert not is_english([text] * 3)
