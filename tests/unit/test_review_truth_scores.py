"""Scores against ground truth, counted by hand, on the demo's captions, and on captions dealt to the wrong images."""

import random

import pytest

from radtui.demo.captions import caption
from radtui.demo.cases import deal
from radtui.measures.truth_scores import TruthCase, score_truth
from radtui.records import Truth

EFFUSION = Truth("pleural effusion", "right")
NODULE = Truth("nodule", "left", "upper")
NORMAL = Truth("normal")


def case(truth, text, examination=""):
    return TruthCase(truth if isinstance(truth, tuple) else (truth,), text, examination)


def test_a_study_counted_by_hand():
    scores = score_truth(
        [
            case(NODULE, "Chest X-ray: nodule in the left upper lobe.", "chest PA"),  # all right
            case(NODULE, "Nodule in the right upper lobe.", "chest PA"),  # wrong side, examination not named
            case(NODULE, "Nodule in the left lower lobe.", "chest PA"),  # wrong zone
            case(NODULE, "Nodule.", "chest PA"),  # neither side nor zone
            # Missed and invented.
            case(NODULE, "No nodule. Right pleural effusion on chest X-ray.", "chest PA"),
            case(EFFUSION, "Right pleural effusion.", "chest PA"),
            case(NORMAL, "Chest X-ray without effusion or nodule.", "chest PA"),
            case(NORMAL, "Small nodule. Pleural effusion.", "chest PA"),  # two invented in one normal study
            case((), "A nodule.", "chest PA"),  # no truth known
        ]
    )
    assert scores.cases == 8
    assert (scores.found, scores.missed, scores.invented) == (5, 1, 3)
    assert (scores.precision.hits, scores.precision.n) == (5, 8)
    assert (scores.recall.hits, scores.recall.n) == (5, 6)
    assert scores.f1.value == pytest.approx(10 / 14)
    assert (scores.side.hits, scores.side.n) == (3, 5)
    assert (scores.zone.hits, scores.zone.n) == (2, 4)
    assert (scores.invented_on_normal.hits, scores.invented_on_normal.n) == (1, 2)
    assert (scores.examination.hits, scores.examination.n) == (3, 8)
    told = scores.to_dict()
    assert told["findings"]["nodule"] == {"found": 4, "missed": 1, "invented": 1}
    assert told["findings"]["pleural effusion"] == {"found": 1, "missed": 0, "invented": 2}
    assert set(told["side"]) >= {"value", "n", "low", "high"}


def test_a_second_side_is_an_error_and_both_sides_can_be_right():
    both = (Truth("pleural effusion", "right"), Truth("pleural effusion", "left"))
    scores = score_truth(
        [
            case(EFFUSION, "Right pleural effusion. Left pleural effusion."),
            case(both, "Bilateral pleural effusions."),
            case(both, "Right pleural effusion."),
        ]
    )
    assert (scores.side.hits, scores.side.n) == (1, 3)
    assert (scores.found, scores.missed) == (3, 0)


def test_zones_more_exact_than_the_truth_are_right_and_broader_ones_wrong():
    mandible = Truth("fracture", "left", "mandible")
    posterior = Truth("fracture", "left", "posterior mandible")
    text = "Fracture of the left posterior mandible."
    assert score_truth([case(mandible, text)]).zone.hits == 1
    assert score_truth([case(posterior, text)]).zone.hits == 1
    assert score_truth([case(posterior, "Fracture of the left mandible.")]).zone.hits == 0
    assert (
        score_truth([case(mandible, "Fractures of the left mandible and of the parietal bone.")]).zone.hits
        == 1
    )


def test_findings_of_which_the_truth_never_speaks_are_not_judged():
    scores = score_truth(
        [case(Truth("mass", "left", "frontal"), "Mass with surrounding oedema in the left frontal lobe.")]
    )
    assert (scores.found, scores.invented, scores.outside) == (1, 0, 1)
    strict = score_truth([case(NODULE, "A fracture.")], vocabulary=["nodule", "fracture"])
    assert strict.invented == 1


def test_a_kind_of_the_true_finding_is_found_and_the_broader_is_not():
    bleed, cyst = Truth("haemorrhage", "left"), Truth("radicular cyst", "left")
    assert score_truth([case(bleed, "Left subdural hematoma.")]).recall.hits == 1
    scores = score_truth([case(cyst, "A cyst.")], vocabulary=["radicular cyst", "cyst"])
    assert (scores.found, scores.missed, scores.invented) == (0, 1, 1)


def test_names_the_lexicon_does_not_know_are_matched_as_they_stand():
    truth = Truth("tuberous sclerosis", "left", "planum temporale")
    good = score_truth(
        [case(truth, "Tuberous sclerosis of the left planum temporale, knee MRI.", "knee MRI")]
    )
    bad = score_truth([case(truth, "No tuberous sclerosis.", "knee MRI")])
    assert (good.found, good.side.hits, good.zone.hits, good.examination.hits) == (1, 1, 1, 1)
    assert (bad.found, bad.missed, bad.examination.hits) == (0, 1, 0)


def test_nothing_to_score():
    scores = score_truth([])
    assert scores.cases == 0 and scores.f1.value is None and scores.to_dict()["recall"]["value"] is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_references_score_perfectly_and_shuffled_ones_do_not(seed):
    cases = deal(seed, "test", 300)
    texts = [caption(random.Random(f"{seed}.{c.index}"), c.examination, c.truth) for c in cases]
    perfect = score_truth(TruthCase((c.truth,), t, c.examination) for c, t in zip(cases, texts, strict=True))
    assert perfect.f1.value == perfect.side.value == perfect.zone.value == perfect.examination.value == 1.0
    assert perfect.invented_on_normal.hits == 0 and perfect.invented_on_normal.n == 60
    random.Random(seed).shuffle(texts)
    shuffled = score_truth(TruthCase((c.truth,), t, c.examination) for c, t in zip(cases, texts, strict=True))
    assert shuffled.f1.value < 0.2


def test_macro_f1_is_the_mean_over_findings_that_are_named():
    from radtui.measures.truth_scores import truth_parts

    cases = [
        TruthCase((Truth("nodule"),), "There is a nodule."),
        TruthCase((Truth("nodule"),), "There is a nodule and a pleural effusion."),
        TruthCase((Truth("pleural effusion"),), "There is a pleural effusion."),
        TruthCase((Truth("pneumothorax"),), "The lungs are clear."),
    ]
    scores = score_truth(cases, vocabulary={"nodule", "pleural effusion", "pneumothorax", "fracture"})
    each = (1.0, 2 / 3, 0.0)  # fracture is named by nobody
    assert scores.f1_macro.value == pytest.approx(sum(each) / 3)
    assert scores.f1.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert scores.f1_macro.low <= scores.f1_macro.value <= scores.f1_macro.high
    parts = truth_parts(cases, {"nodule", "pleural effusion", "pneumothorax"})["f1_macro"]
    assert parts.whole == pytest.approx(scores.f1_macro.value)
