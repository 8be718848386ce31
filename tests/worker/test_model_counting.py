"""All cases counted before the first step, and how finely images are seen."""

from __future__ import annotations

import pytest
from PIL import Image as Pillow

from radtui.records import UserError
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.worker.model import counting, processors, prompt, resolution
from radtui.worker.model.collator import Collator
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import train

from . import families, more_families, rare_families
from .conftest import new_job, train_settings

SIZES = [(60, 40), (200, 100), (657, 442), (500, 611), (40, 400)]
QUESTION = "Describe what you see."
MAKERS = more_families.MAKERS | more_families.WITH_TORCHVISION | rare_families.RARE_FAMILIES
NEEDS_TORCHVISION = pytest.mark.skipif(processors.torchvision_state() != "works", reason="needs torchvision")


@pytest.fixture(scope="module", params=list(families.FAMILIES))
def folder(request, tmp_path_factory):
    return families.FAMILIES[request.param](tmp_path_factory.mktemp(request.param))


def length(collate, size, answer, side=0):
    """Tokens that the collator itself makes of one case."""
    asked, picture = prompt.question(QUESTION, "image_first"), prompt.shrink(Pillow.new("RGB", size), side)
    batch = collate([{"messages": [asked, prompt.answer(answer)], "images": [picture]}])
    return batch["input_ids"].shape[1]


@pytest.mark.parametrize("image_tokens", [0, 40])
def test_counted_lengths_are_those_of_the_batches(folder, image_tokens):
    processor = processors.load(str(folder))
    resolution.apply(processor, image_tokens)
    collate = Collator(processor, "answer", 100_000)
    for size in SIZES:
        case = counting.Counted((size,), QUESTION, "A bright disc on the left.")
        lengths = counting.count(collate, [case], "image_first", 300)
        assert lengths.longest_tokens == length(collate, size, case.answer, 300)


def test_most_sizes_are_counted_without_an_image(folder):
    processor = processors.load(str(folder))
    sizes = [(100 + 7 * step, 90 + 5 * step) for step in range(60)]
    tokens = counting.ImageTokens(processor, sizes)
    counted = [tokens.of(size) for size in sizes]
    assert tokens.worked <= 4
    assert len(counted) == 60 and min(counted) > 0


@pytest.mark.parametrize(
    ("name", "budget", "least"),
    [("qwen2_5_vl", 8, 2), ("qwen3_vl", 8, 2), ("glm4v", 8, 2), ("smolvlm", 60, 2), ("internvl", 20, 2),
     ("mistral3", 16, 2), ("llava_onevision", 60, 2), ("gemma4", 70, 2), ("aya_vision", 20, 2), ("ovis2", 12, 2),
     ("video_llama_3", 8, 2), ("ernie4_5_vl_moe", 8, 2), ("idefics2", 20, 2), ("emu3", 30, 2), ("hunyuan_vl", 8, 2),
     ("minicpmv4_6", 20, 2), *(pytest.param(name, budget, 2, marks=NEEDS_TORCHVISION) for name, budget in (
         ("llama4", 20), ("cohere2_vision", 20), ("lfm2_vl", 20), ("lfm2_vl", 12)))],
)  # fmt: skip
def test_image_tokens_bounds_what_an_image_takes(tmp_path, name, budget, least):
    folder = MAKERS[name](tmp_path)
    own, bound = processors.load(str(folder)), processors.load(str(folder))
    assert resolution.apply(bound, budget) == ""
    square = [(300, 300), (500, 611)]
    before, after = (counting.ImageTokens(each, square) for each in (own, bound))
    frame = 10  # tokens around an image, breaks between its rows
    for size in square:
        assert least <= after.of(size) <= budget + frame
        assert after.of(size) <= before.of(size)


def test_a_setting_that_a_processors_own_defaults_would_undo_goes_into_each_call(tmp_path):
    """As DeepSeek-OCR 2's do: what its image processor is set to is never asked."""
    processor = processors.load(str(rare_families.deepseek_ocr2(tmp_path)))
    assert "takes 256 tokens at least" in resolution.apply(processor, 100)
    assert counting.ImageTokens(processor, []).of((600, 300)) == 256
    assert resolution.apply(processor, 256 + 2 * 144) == ""  # the whole, and two tiles
    assert counting.ImageTokens(processor, []).of((600, 300)) == 256 + 2 * 144


def test_gemma_3_crops_where_there_are_tokens_for_crops(tmp_path):
    processor = processors.load(str(families.gemma3(tmp_path)))
    one = counting.ImageTokens(processor, [(600, 300)]).of((600, 300))
    resolution.apply(processor, 12)  # its whole image and two crops, of 4 tokens each
    assert counting.ImageTokens(processor, [(600, 300)]).of((600, 300)) > one


def test_a_family_that_knows_no_switch_is_said(tmp_path):
    processor = processors.load(str(families.llava(tmp_path)))
    assert "image_tokens is not used" in resolution.apply(processor, 100)
    assert resolution.apply(processor, 0) == ""


def test_the_grids_of_model_and_processor_stay_the_same(tmp_path):
    from transformers import AutoConfig

    folder = families.llava_onevision(tmp_path)
    processor, config = processors.load(str(folder)), AutoConfig.from_pretrained(folder)
    resolution.apply(processor, 50, config)
    assert len(config.image_grid_pinpoints) < 4
    assert config.image_grid_pinpoints == [
        list(each) for each in processor.image_processor.image_grid_pinpoints
    ]


def test_cases_that_lose_their_answer_are_named_with_what_helps(tmp_path):
    processor = processors.load(str(families.qwen2_5_vl(tmp_path)))
    processor.image_processor.size = {"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 4000}
    answer = "A bright disc on the left."
    cases = [counting.Counted((size,), QUESTION, answer) for size in ((280, 280), (1120, 1120), (560, 560))]
    whole = length(Collator(processor, "answer", 100_000), (560, 560), answer)
    found = counting.count(Collator(processor, "answer", whole - 2), cases, "image_first", 0)
    assert (found.cut, found.lost) == (1, 1)
    sentence = found.loss(whole - 2)
    assert sentence.startswith("Of 3 cases, 1 lose their whole answer and 1 lose its end")
    assert "max_length_tokens 1792 or image_tokens 300." in sentence
    enough = counting.count(Collator(processor, "answer", 1792), cases, "image_first", 0)
    assert enough.loss(1792) == ""
    resolution.apply(processor, 300)
    assert (
        counting.count(Collator(processor, "answer", whole - 2), cases, "image_first", 0).loss(whole - 2)
        == ""
    )


def test_a_hundred_thousand_cases_need_as_many_sizes_and_no_more_images(tmp_path):
    processor = processors.load(str(families.qwen2_5_vl(tmp_path)))
    cases = [
        counting.Counted(((200 + step % 50, 300),), QUESTION, f"A disc {step}.") for step in range(100_000)
    ]
    found = counting.count(Collator(processor, "answer", 4096), cases, "image_first", 0)
    assert found.cases == 100_000 and not found.cut and not found.lost


def test_a_job_says_what_is_cut_and_refuses_to_learn_nothing(data, tmp_path):
    folder = families.internvl(tmp_path)
    db = connect(data)
    short = {"max_steps": 1, "eval_every": 0, "checkpoint_every": 0, "watch_images": 0}
    processor = processors.load(str(folder))
    collate = Collator(processor, "answer", 4096)
    longest = max(
        length(collate, size, "A bright disc on the left.") for size in ((64, 64), (80, 60), (60, 90))
    )
    job = new_job(data, train_settings(folder, max_length_tokens=longest, **short))
    train.run(job, data, db, Reporter(db, job.id))
    (said,) = [e.text for e in metrics.events_since(db, job.id, 0) if "training cases" in e.text]
    assert "lose its end" in said
    assert jobs.must_get(db, job.id).result["answers_cut"] > 0

    nothing = new_job(data, train_settings(folder, max_length_tokens=16, **short))
    with pytest.raises(UserError, match="Of 24 training cases, 24 lose their whole answer"):
        train.run(nothing, data, db, Reporter(db, nothing.id))
