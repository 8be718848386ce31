"""String scores agree with the libraries' own figures; proxies are counted by hand."""

import json
import random

import pytest

from radtui.measures.paired import compare_pairs
from radtui.measures.rouge import rouge_l_each
from radtui.measures.text_scores import describe, score_texts, text_parts

PAIRS = [
    ("A nodule in the left upper lobe of the lung.", "A nodule in the left lower lobe of the lung."),
    ("No fracture is seen in the hand.", "Fracture of the hand."),
    ("Chest X-ray with a pleural effusion.", "Chest radiograph with a right pleural effusion."),
    ("Unrelated words entirely.", "Brain MRI showing an infarct."),
]


def test_scores_are_the_libraries_own():
    import sacrebleu
    from rouge_score.rouge_scorer import RougeScorer

    scores = score_texts(PAIRS)
    texts, references = map(list, zip(*PAIRS, strict=True))
    assert scores.bleu.value == pytest.approx(sacrebleu.corpus_bleu(texts, [references]).score)
    assert scores.chrf.value == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score)
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    rouge = sum(scorer.score(r, t)["rougeL"].fmeasure for t, r in PAIRS) / 4
    assert scores.means["rouge_l"].value == pytest.approx(rouge)
    assert scores.means["words"].value == pytest.approx((10 + 7 + 6 + 3) / 4)
    assert scores.n == scores.bleu.n == scores.means["rouge_l"].n == 4
    assert "version" in scores.signatures["BLEU"] and "nc:6" in scores.signatures["chrF2"]


def test_intervals_hold_their_values_and_are_the_same_twice():
    scores = score_texts(PAIRS * 10)
    for estimate in (scores.bleu, scores.chrf, scores.means["rouge_l"], scores.means["words"]):
        assert estimate.low <= estimate.value <= estimate.high
    assert score_texts(PAIRS * 10).to_dict() == scores.to_dict()


def test_same_text_scores_full_and_format_costs_nothing():
    scores = score_texts([(f"**{reference}**", reference) for _, reference in PAIRS])
    assert scores.bleu.value == pytest.approx(100) and scores.chrf.value == pytest.approx(100)
    assert scores.means["rouge_l"].value == 1.0


def test_pairs_without_a_reference_are_left_out():
    assert score_texts([("a", " "), ("b", "")]).n == 0
    assert score_texts([("a", "")]).to_dict()["bleu"]["value"] is None
    one = score_texts([PAIRS[0], ("x", "")])
    assert one.n == 1 and one.bleu.low is None and one.bleu.value > 0
    assert score_texts([("", "A nodule."), ("", "A mass.")]).bleu.value == 0.0


def test_proxies_by_hand():
    proxies = describe(
        [
            (
                "Axial CT of the abdomen showing a large cyst in the right kidney.",
                "CT: cyst in the right kidney.",
            ),
            ("An image. It has parts.", ""),
        ]
    )
    assert proxies.n == 2 and proxies.slots["finding"].hits == 1 and proxies.slots["finding"].n == 2
    assert proxies.slots_filled == 3.5
    assert (proxies.sentences_naming_finding.hits, proxies.sentences_naming_finding.n) == (1, 3)
    assert proxies.words == (13 + 5) / 2
    assert proxies.words_to_reference == pytest.approx(13 / 6)
    assert proxies.professional_per_100_words == pytest.approx(100 * 3 / 18)  # axial, CT, cyst
    assert describe([]).to_dict()["words"] is None


def test_rouge_l_is_that_of_rouge_score():
    from rouge_score.rouge_scorer import RougeScorer

    generator = random.Random(3)
    vocabulary = ["effusions", "opacity", "left", "right", "lungs", "clear", "nodular", "in", "the", "shows"]

    def text():
        return " ".join(generator.choices(vocabulary, k=generator.randint(0, 90)))

    pairs = [(text(), text()) for _ in range(60)] + [("", "a"), ("Same text.", "same, text")]
    theirs = RougeScorer(["rougeL"], use_stemmer=True)
    ours = rouge_l_each([one for one, _ in pairs], [other for _, other in pairs])
    assert ours == pytest.approx([theirs.score(other, one)["rougeL"].fmeasure for one, other in pairs])


def test_chrf_and_its_interval_are_those_of_sacrebleu():
    from sacrebleu.metrics import CHRF

    generator = random.Random(7)
    vocabulary = ["the", "lungs", "are", "clear", "Größe", "é", "心影", "effusion,", "(right)", "zone."]

    def text():
        return " ".join(generator.choices(vocabulary, k=generator.randint(1, 40)))

    pairs = [(text(), text()) for _ in range(700)] + [("ab", text()), (text(), "abc"), ("x", "y")]
    metric = CHRF()
    theirs = metric.corpus_score([a for a, _ in pairs], [[b for _, b in pairs]], n_bootstrap=1000)
    told = json.loads(theirs.format(width=6, signature=str(metric.get_signature()), is_json=True))
    ours = score_texts(pairs)
    assert ours.chrf.value == pytest.approx(theirs.score)
    middle, half = told["confidence_mean"], told["confidence_var"]
    assert (ours.chrf.low, ours.chrf.high) == pytest.approx((middle - half, middle + half), abs=1e-4)
    assert ours.signatures["chrF2"] == str(metric.get_signature())


def test_texts_without_a_match_beside_others_are_scored_and_have_a_signature():
    pairs = [("", "A bright disc."), ("A disc", "A bright disc.")]
    scores = score_texts(pairs)  # chrF of their resamples is 0 in a quarter of them
    assert scores.chrf.value > 0 and set(scores.signatures) == {"BLEU", "chrF2"}


def test_chrf_of_texts_without_room_for_their_characters_is_sacrebleus_own():
    from sacrebleu.metrics import CHRF

    every = "".join(map(chr, range(0x4E00, 0x4E00 + 3000)))
    pairs = [(every[i : i + 300], every[i + 5 : i + 300]) for i in range(0, 2700, 300)]
    theirs = CHRF().corpus_score([a for a, _ in pairs], [[b for _, b in pairs]])
    assert score_texts(pairs).chrf.value == pytest.approx(theirs.score)


def test_bleu_and_its_interval_are_those_of_sacrebleu():
    from sacrebleu.metrics import BLEU

    generator = random.Random(11)
    vocabulary = [
        "the",
        "lungs",
        "are",
        "clear",
        "Größe",
        "T2-weighted",
        "1.5",
        "effusion,",
        "(right)",
        "zone.",
    ]

    def text(least=1):
        return " ".join(generator.choices(vocabulary, k=generator.randint(least, 30)))

    pairs = [(text(), text()) for _ in range(700)] + [
        ("ab", text()),
        ("", text()),
        (text(), "abc"),
        ("x", "y"),
    ]
    metric = BLEU()
    theirs = metric.corpus_score([a for a, _ in pairs], [[b for _, b in pairs]], n_bootstrap=1000)
    told = json.loads(theirs.format(width=6, signature=str(metric.get_signature()), is_json=True))
    ours = score_texts(pairs)
    assert ours.bleu.value == pytest.approx(theirs.score)
    middle, half = told["confidence_mean"], told["confidence_var"]
    assert (ours.bleu.low, ours.bleu.high) == pytest.approx((middle - half, middle + half), abs=1e-3)
    assert ours.signatures["BLEU"] == str(metric.get_signature())


def test_bleu_of_single_texts_is_sacrebleus():
    from sacrebleu.metrics import BLEU

    pairs = [*PAIRS, ("A.", "A."), ("", "A mass."), ("A mass of the lung", "Mass"), ("a b c", "a b c")]
    own = BLEU(effective_order=True)
    each = text_parts(pairs)["bleu"].each_case
    assert each == pytest.approx([own.sentence_score(text, [reference]).score for text, reference in pairs])


def test_scores_of_a_corpus_are_compared_in_pairs():
    generator = random.Random(2)
    references = [
        " ".join(generator.choices(["left", "right", "lung", "mass", "effusion", "of"], k=12))
        for _ in range(60)
    ]
    good = [reference.replace("mass", "masses") for reference in references]
    bad = [" ".join(generator.sample(reference.split(), 12)) for reference in references]
    parts = {
        name: text_parts(list(zip(texts, references, strict=True)))
        for name, texts in (("a", bad), ("b", good))
    }
    found = {
        key: compare_pairs({key: {arm: own[key] for arm, own in parts.items()}}, ("a", "b"))[0]
        for key in ("bleu", "chrf")
    }
    for key in ("bleu", "chrf"):
        before, after = (
            getattr(score_texts(list(zip(t, references, strict=True))), key).value for t in (bad, good)
        )
        assert found[key].difference.value == pytest.approx(after - before)
        assert found[key].difference.low > 0 and found[key].p < 0.001
    same = compare_pairs({"bleu": {"a": parts["a"]["bleu"], "b": parts["a"]["bleu"]}}, ("a", "b"))[0]
    assert same.p == 1 and same.difference.low is None
