"""Captions say the truth in words that the scores read back, and pretraining never gives a finding away."""

import random

from radtui.demo.captions import caption
from radtui.demo.cases import deal
from radtui.demo.vocabulary import EXAMINATIONS, SIGHTINGS, SYNONYMS
from radtui.measures.extraction import extract
from radtui.measures.truth_scores import TruthCase, score_truth
from radtui.records import Truth
from tools.demo_base import pretrain_exercises as exercises

CASES = deal(3, "train", 1500)
CAPTIONS = [caption(random.Random(c.index), c.examination, c.truth) for c in CASES]


def test_the_scores_read_every_truth_back_from_its_caption():
    scores = score_truth(
        TruthCase((case.truth,), text, case.examination) for case, text in zip(CASES, CAPTIONS, strict=True)
    )
    assert scores.f1.value == 1
    assert scores.side.value == 1
    assert scores.zone.value == 1
    assert scores.invented_on_normal.value == 0
    assert scores.examination.value == 1
    assert scores.outside == 0


def test_captions_are_short_sentences_of_many_forms():
    assert max(len(text.split()) for text in CAPTIONS) <= 40
    assert all(
        text.endswith(".") and text[0].isupper() and "{" not in text and "  " not in text for text in CAPTIONS
    )
    assert len(set(CAPTIONS)) > 1000
    assert not any(f" a {v}" in text for text in CAPTIONS for v in "aeio")


def test_one_truth_is_said_in_many_ways():
    truth = Truth("pneumothorax", "left", "", "large")
    assert len({caption(random.Random(k), "chest PA", truth) for k in range(200)}) > 60


def test_every_finding_has_synonyms_and_every_zone_a_phrase_with_its_words():
    assert {f for found in SIGHTINGS.values() for f in found} == set(SYNONYMS)
    for found in SIGHTINGS.values():
        for sighting in found.values():
            for place in sighting.places:
                assert all(place.zone in phrase for phrase in place.phrases)
                assert all(("{side}" in phrase) == bool(place.sides[0]) for phrase in place.phrases)


def test_no_answer_about_a_phantom_names_a_finding():
    rng = random.Random(0)
    for case in CASES:
        asked = [
            exercises.overview(rng, case.examination),
            exercises.sign(rng, case.examination, case.truth),
            exercises.question(rng, case.examination, case.truth, (0.4, 0.5, 0.1), "R"),
        ]
        for exercise in asked:
            named = {mention.finding for mention in extract(exercise.answer).mentions}
            assert not named & set(SYNONYMS), exercise


def test_an_overview_names_its_examination_and_no_other():
    for name in EXAMINATIONS:
        texts = {exercises.overview(random.Random(k), name).answer.lower() for k in range(60)}
        assert len(texts) > 8
        for text in texts:
            assert [e.name for e in EXAMINATIONS.values() if any(w in text for w in e.keywords)] == [name], (
                text
            )


def test_signs_say_where_and_thirds_are_the_images():
    truth = Truth("nodule", "left", "upper", "small")
    answers = {exercises.sign(random.Random(k), "chest PA", truth).answer for k in range(50)}
    assert all("left" in a and "upper" in a and "bright round spot" in a.lower() for a in answers)
    assert exercises.third(0.1, 0.9) == "lower third, image left"
    assert exercises.third(0.99, 0.0) == "upper third, image right"
