"""Batches: what is learnt, what is masked, and what is cut."""

from __future__ import annotations

import pytest
from PIL import Image as Pillow

from radtui.worker.model import prompt

INSTRUCTION = "Describe what you see."
REFERENCES = ("A bright disc on the left.", "A bright bar on the right, well seen.")


@pytest.fixture(scope="module")
def processor(mllama):
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(mllama)


def collate(processor, loss_on="answer", max_length_tokens=256, order="image_first", references=REFERENCES):
    from radtui.worker.model.collator import Collator

    image = Pillow.new("RGB", (60, 40), (90, 90, 90))
    ask = prompt.question(INSTRUCTION, order)
    samples = [{"messages": [ask, prompt.answer(text)], "images": [image]} for text in references]
    return Collator(processor, loss_on, max_length_tokens)(samples)


def learnt(processor, batch, row):
    kept = batch["labels"][row] != -100
    assert (batch["labels"][row][kept] == batch["input_ids"][row][kept]).all()
    return processor.tokenizer.decode(batch["input_ids"][row][kept])


@pytest.mark.parametrize("order", ["image_first", "text_first"])
def test_answer_loss_learns_the_reference_and_its_end_alone(processor, order):
    batch = collate(processor, order=order)
    for row, reference in enumerate(REFERENCES):
        assert learnt(processor, batch, row) == reference + "<|eot_id|>"


def test_loss_on_all_leaves_out_padding_and_image_tokens_only(processor):
    batch = collate(processor, "all")
    image = processor.tokenizer.convert_tokens_to_ids("<|image|>")
    masked = batch["labels"] == -100
    assert bool((masked == ((batch["attention_mask"] == 0) | (batch["input_ids"] == image))).all())
    assert batch["attention_mask"].sum(dim=1)[0] < batch["attention_mask"].sum(dim=1)[1]  # there is padding
    assert INSTRUCTION in learnt(processor, batch, 0)


def test_rows_are_padded_on_the_right_and_begin_with_one_first_token(processor):
    batch = collate(processor)
    first = processor.tokenizer.bos_token_id
    assert batch["input_ids"][:, 0].tolist() == [first, first]
    assert int((batch["input_ids"] == first).sum()) == 2
    assert batch["attention_mask"][0].tolist() == sorted(batch["attention_mask"][0].tolist(), reverse=True)


def test_a_long_answer_loses_its_end(processor):
    whole = collate(processor)
    length = whole["input_ids"].shape[1]
    cut = collate(processor, max_length_tokens=length - 3)
    assert cut["input_ids"].shape == cut["labels"].shape == cut["attention_mask"].shape == (2, length - 3)
    assert cut["cross_attention_mask"].shape[1] == length - 3
    assert cut["pixel_values"].shape == whole["pixel_values"].shape
    assert (REFERENCES[1] + "<|eot_id|>").startswith(learnt(processor, cut, 1))


def test_an_image_token_is_never_cut(processor):
    batch = collate(processor, max_length_tokens=4, order="text_first")
    image = processor.tokenizer.convert_tokens_to_ids("<|image|>")
    assert (batch["input_ids"] == image).sum(dim=1).tolist() == [1, 1]
    assert batch["input_ids"][0, -1] == image


def test_a_template_whose_prompt_is_no_training_turn_is_learnt_behind_the_prompt_it_asks_with(
    processor, monkeypatch
):
    monkeypatch.setattr(processor, "chat_template", "{% if add_generation_prompt %}<|image|>x y z{% else %}" +
                        processor.chat_template + "{% endif %}")  # fmt: skip
    batch = collate(processor)
    for row, reference in enumerate(REFERENCES):
        assert learnt(processor, batch, row) == reference + "<|eot_id|>"
        before = batch["input_ids"][row][: (batch["labels"][row] != -100).nonzero()[0]]
        assert processor.tokenizer.decode(before).endswith("x y z")


def test_shrinking_keeps_the_shape_and_never_enlarges():
    image = Pillow.new("RGB", (400, 100))
    assert prompt.shrink(image, 200).size == (200, 50)
    assert prompt.shrink(image, 500) is image
    assert prompt.shrink(image, 0) is image
    assert prompt.shrink(Pillow.new("RGB", (1000, 1)), 10).size == (10, 1)
