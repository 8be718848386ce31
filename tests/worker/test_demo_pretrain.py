"""The base model's recipe in small, and the base model that ships."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from radtui.demo.cases import deal  # noqa: E402
from radtui.demo.source import case_of  # noqa: E402
from tools.demo_base import (  # noqa: E402
    pretrain,
    pretrain_check,
    pretrain_lessons,
    pretrain_model,
)
from tools.demo_base.pretrain_exercises import INSTRUCTION, Exercise  # noqa: E402
from tools.demo_base.pretrain_images import tile  # noqa: E402

BASE = Path(__file__).parents[2] / "assets" / "demo-base"


@pytest.fixture(scope="module")
def images():
    return [case_of(case) for case in deal(2, "recipe", 12)]


@pytest.fixture(scope="module")
def processor(images):
    return pretrain_model.build_processor(
        pretrain_model.build_tokenizer([INSTRUCTION, *(i.reference for i in images)])
    )


def test_lessons_are_what_the_processor_makes_of_the_same_chat(images, processor):
    chats = [
        [
            {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": INSTRUCTION}]},
            {"role": "assistant", "content": [{"type": "text", "text": image.reference}]},
        ]
        for image in images
    ]
    pictures = [Image.open(io.BytesIO(image.images[0].data)) for image in images]
    expected = processor(
        images=[[p.convert("RGB")] for p in pictures],
        text=[processor.apply_chat_template(chat) for chat in chats],
        padding=True,
        add_special_tokens=False,
        return_tensors="pt",
    )
    book = [
        (tile(np.asarray(p)), [Exercise(INSTRUCTION, i.reference)])
        for p, i in zip(pictures, images, strict=True)
    ]
    lessons = pretrain_lessons.encode(processor.tokenizer, book)
    rows = torch.arange(len(images))
    made = {
        **pretrain_lessons.pixels_of(lessons, rows),
        **pretrain_lessons.texts_of(lessons, rows, processor.image_token_id),
    }
    for name in expected:
        assert torch.equal(expected[name].float(), made[name].float()), name
    answers = [processor.tokenizer.decode(row[row != -100]) for row in made["labels"]]
    assert answers == [f"{image.reference}<|eot_id|>" for image in images]


def test_a_prompt_has_the_same_tokens_alone_and_before_an_answer(processor):
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": INSTRUCTION}]}]
    prompt = processor.apply_chat_template(chat, add_generation_prompt=True)
    alone = processor.tokenizer(prompt, add_special_tokens=False)["input_ids"]
    whole = processor.tokenizer(prompt + "Chest X-ray.", add_special_tokens=False)["input_ids"]
    assert whole[: len(alone)] == alone


def test_a_step_reaches_the_vision_tower_through_open_gates(processor):
    torch.manual_seed(0)
    model = pretrain_model.build_model(processor.tokenizer)
    gates = [p.item() for n, p in model.named_parameters() if "cross_attn" in n and n.endswith("gate")]
    assert gates == [1.0] * 6
    book = pretrain_lessons.gather(6, seed=0, processes=1)
    lessons = pretrain_lessons.encode(processor.tokenizer, book)
    pretrain.loss_of(model, lessons, pictures=3, questions=2).backward()
    assert model.model.vision_model.patch_embedding.weight.grad.abs().max() > 0
    ends = lessons.first + lessons.count
    for _ in range(20):
        chosen, rows = pretrain_lessons.deal_rows(lessons, pictures=3, questions=2)
        repeated = chosen.repeat_interleave(2)
        assert ((rows >= lessons.first[repeated]) & (rows < ends[repeated])).all()


@pytest.mark.slow
def test_the_base_model_that_ships_describes_anatomy_and_names_no_finding():
    assert sum(f.stat().st_size for f in BASE.glob("*.safetensors")) <= 25e6
    result = pretrain_check.check(BASE, count=60)
    assert result["right_examination"] >= 0.95
    assert result["finding_f1"] <= 0.05
    assert result["findings_named"] <= 3
    assert result["dtype"] == "float32"
