"""Scores of arms, described once, compared in pairs, and none of findings where the texts are not English."""

import pytest

from radtui.measures.score_table import BY_KEY, SCORES
from radtui.measures.scores import ScoredText, compare_scores, score_arms
from radtui.records import Truth

NODULE = (Truth("nodule", "left", "upper"),)
RIGHT = "There is a nodule in the left upper lobe of the lung. The heart is of normal size."
WRONG = "There is a nodule in the right lower lobe of the lung. The heart is of normal size and shape."
MISSED = "The lungs are clear. The heart is of normal size and there is no effusion."
GERMAN = (
    "Die Lunge ist frei und das Herz ist nicht groß. Kein Erguss und keine Stauung, der Hilus ist schlank."
)


def arm(*texts):
    return [ScoredText(text, RIGHT, NODULE, "chest PA") for text in texts]


def test_every_score_is_told_by_its_description():
    scores = score_arms({"a.b": arm(RIGHT, WRONG, MISSED, RIGHT)})["a.b"]
    for score in SCORES:
        # No case is normal, no job scored.
        missing = score.key == "invented_on_normal" or score.group == "package"
        assert (score.text(scores) == "-") == missing
        assert bool(score.language) == (score.group in ("truth", "package") or score.key in (
            "slots_filled", "sentences_naming_finding", "professional_per_100_words"))  # fmt: skip
    assert BY_KEY["recall"].text(scores).startswith("75.0 % (") and BY_KEY["f1"].text(scores).startswith(
        "0.86 ("
    )
    assert len(BY_KEY) == len(SCORES) and BY_KEY["invented_on_normal"].less_is_better


def test_findings_of_texts_in_another_language_are_not_scored():
    scores = score_arms({"base": arm(*[GERMAN] * 3), "tuned": arm(*[RIGHT] * 3)})
    assert (scores["base"].truth, scores["base"].proxies, scores["base"].english) == (None, None, False)
    assert scores["base"].text is not None and BY_KEY["f1"].text(scores["base"]) == "-"
    assert scores["tuned"].english and scores["tuned"].truth is not None
    compared = compare_scores({"base": arm(*[GERMAN] * 3), "tuned": arm(*[RIGHT] * 3)})
    keys = {one.score for one in compared}
    assert {"bleu", "chrf", "rouge_l", "words"} <= keys and not any(BY_KEY[key].language for key in keys)


def test_two_arms_are_compared_by_every_score_that_cases_add_up_to():
    texts = {"base": arm(*[MISSED] * 20, *[WRONG] * 20), "tuned": arm(*[RIGHT] * 38, MISSED, WRONG)}
    found = {one.score: one for one in compare_scores(texts)}
    assert {"f1", "recall", "side", "zone", "rouge_l", "words"} <= found.keys()
    scores = score_arms(texts)
    for key in ("f1", "f1_macro", "recall", "side", "bleu", "chrf", "rouge_l"):
        own = [BY_KEY[key].value(scores[name]).value for name in texts]
        assert found[key].difference.value == pytest.approx(own[1] - own[0])
        assert (found[key].earlier, found[key].later) == ("base", "tuned") and found[key].holm_p < 0.05
    with pytest.raises(ValueError):
        compare_scores({"base": arm(RIGHT), "tuned": arm(RIGHT, RIGHT)})
