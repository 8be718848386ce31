"""One row per kind of processor: it loads, learns the reference and its end, stops, and is plain PEFT afterwards."""

from __future__ import annotations

import gc
import re

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from radtui.worker.model import adapters, backend, lora, model, processors, prompt, template

from . import more_families, rare_families
from .conftest import DRAW, train_settings

INSTRUCTION = "Describe what you see."
REFERENCES = ("A bright disc on the left.", "A bar on the right, well seen.")
STEPS, LEARNT = 300, 0.02
SLOW = ("qwen3_vl_moe", "qwen3_vl", "idefics3", "llava_onevision")  # their kinds have another row
# Of the further ones: images resampled to a fixed number, Auto classes named by itself, a video part asked to save.
QUICK = ("idefics2", "paddleocr_vl", "ernie4_5_vl_moe")
# Transformers cannot take two shapes of picture in MiniCPM's tower.
FAULTY = ("minicpmv4_6",)
RAREST = {name: make for name, make in rare_families.RARE_FAMILIES.items() if name not in FAULTY}
RARE = [name for name in (more_families.MORE_FAMILIES | RAREST) if name not in QUICK]
MARKS = dict.fromkeys(SLOW, pytest.mark.slow) | dict.fromkeys(RARE, pytest.mark.long)
MAKERS = more_families.MAKERS | RAREST
NAMES = [pytest.param(name, marks=MARKS.get(name, ())) for name in MAKERS]


def pictures():
    """Two pictures of different shapes that no model need look at twice."""
    disc, bar = Pillow.new("RGB", (90, 60), (30, 30, 30)), Pillow.new("RGB", (56, 100), (30, 30, 30))
    ImageDraw.Draw(disc).ellipse((5, 15, 35, 45), fill=(230, 230, 230))
    ImageDraw.Draw(bar).rectangle((40, 10, 50, 90), fill=(230, 230, 230))
    return [disc, bar]


def items(order="image_first"):
    asked = prompt.question(INSTRUCTION, order)
    return [
        {"messages": [asked, prompt.answer(reference)], "images": [picture]}
        for reference, picture in zip(REFERENCES, pictures(), strict=True)
    ]


def describing(network, processor, images, max_new_tokens=24):
    from radtui.worker.describing import describe

    prompts = [describe.asked(processor, INSTRUCTION, "image_first")] * len(images)
    inputs = describe.prepare(processor, [[image] for image in images], prompts)
    decoding = describe.Decoding(max_new_tokens)
    return describe.describe(network.eval(), processor, inputs, decoding, list(range(len(images))))


def learn(network, batch):
    """AdamW with a short memory on one batch until it is known by heart; returns the first and the last loss."""
    import torch

    network.train()
    learnt = [p for p in network.parameters() if p.requires_grad]
    # The usual averages need three times as many steps.
    optimizer = torch.optim.AdamW(learnt, lr=5e-3, betas=(0.8, 0.9))
    losses = []
    for _ in range(STEPS):
        loss = network(**batch).loss
        losses.append(loss.item())
        if losses[-1] < LEARNT:
            break  # before a step that would change what was just measured
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return losses[0], losses[-1]


@pytest.fixture(scope="module", params=NAMES)
def family(request, tmp_path_factory):
    """Name and folder of a tiny checkpoint."""
    import torch

    torch.manual_seed(DRAW)
    folder = tmp_path_factory.mktemp(request.param)
    yield request.param, MAKERS[request.param](folder)
    gc.collect()


def test_it_learns_the_reference_and_its_end_and_nothing_else_changes(family, tmp_path):
    import torch
    from peft import PeftModel
    from transformers import AutoConfig

    from radtui.worker.model import kinds
    from radtui.worker.model.collator import IGNORED, Collator

    _name, folder = family
    settings = train_settings(folder, lora_alpha=32)
    how = backend.plan(settings)
    base, processor = model.load(str(folder), how)
    plain_base = describing(base, processor, pictures())

    ends = template.end_token_ids(base, processor)
    batch = Collator(processor, "answer", 4096, ends)(items())
    for row, reference in enumerate(REFERENCES):
        learnt = batch["input_ids"][row][batch["labels"][row] != IGNORED].tolist()
        ended = next(place for place, token in enumerate(learnt) if token in ends)
        assert processor.tokenizer.decode(learnt[:ended], skip_special_tokens=True).strip() == reference
        assert not processor.tokenizer.decode(learnt[ended + 1 :]).strip()

    network = adapters.with_adapter(base, how, settings)
    same = [{**item, "messages": [item["messages"][0], prompt.answer(REFERENCES[0])]} for item in items()]
    first, last = learn(network, Collator(processor, "answer", 4096, ends)(same))
    assert last < LEARNT < first
    tuned = describing(network, processor, pictures())
    assert [text.text for text in tuned] == [REFERENCES[0]] * 2
    assert not any(text.truncated or text.reasoning for text in tuned)
    assert [text.text for text in tuned] == [
        describing(network, processor, [each])[0].text for each in pictures()
    ]
    with network.disable_adapter():
        assert [t.text for t in describing(network, processor, pictures())] == [t.text for t in plain_base]

    network.save_pretrained(tmp_path)
    processors.save(processor, tmp_path)
    config = kinds.writer(AutoConfig.from_pretrained(folder))
    plain = kinds.auto_class(config).from_pretrained(folder, config=config, dtype=torch.float32)
    again = PeftModel.from_pretrained(plain, tmp_path)
    saved = processors.load(str(tmp_path))
    assert [text.text for text in describing(again, saved, pictures())] == [REFERENCES[0]] * 2


def test_the_base_text_is_that_of_plain_generate(family):
    import torch

    from radtui.worker.describing import describe
    from radtui.worker.model import collator

    _name, folder = family
    base, processor = model.load(str(folder), backend.plan(train_settings(folder)))
    (ours,) = describing(base, processor, pictures()[:1])
    asked = template.rendered_prompt(processor, INSTRUCTION)
    special = processor.tokenizer.bos_token is None or not asked.startswith(processor.tokenizer.bos_token)
    inputs = processor(
        text=[asked], images=[pictures()[:1]], add_special_tokens=special, return_tensors="pt",
        **collator.modalities(processor),
    )  # fmt: skip
    with torch.inference_mode():
        written = base.generate(**inputs, max_new_tokens=24, do_sample=False)[
            0, inputs["input_ids"].shape[1] :
        ]
    ids = [token for token in written.tolist() if token not in template.end_token_ids(base, processor)]
    answer, _ = template.split_reasoning(processor.tokenizer, ids, inputs["input_ids"][0].tolist())
    assert processor.tokenizer.decode(answer, skip_special_tokens=True).strip() == ours.text
    assert isinstance(ours, describe.WrittenText)


def test_what_a_step_takes_is_estimated_on_empty_tensors(family):
    from radtui.worker.memory.footprint import Footprint
    from radtui.worker.model.collator import Collator

    _name, folder = family
    settings = train_settings(folder)
    config, processor = model.describe(str(folder))
    collate = Collator(processor, "answer", 4096)
    footprint = Footprint(config, settings, backend.plan(settings), collate, items()[0])
    assert 0 < footprint.activations_gib(1) < footprint.activations_gib(2)


def test_a_case_of_two_images_and_a_question_of_its_own(family):
    import torch

    from radtui.worker.model.collator import Collator, image_token_ids

    _name, folder = family
    processor = processors.load(str(folder))
    one, two = items()
    two = {
        "messages": [prompt.question("A bar?", "image_first", 2), two["messages"][1]], "images": pictures(),
    }  # fmt: skip
    batch = Collator(processor, "answer", 4096)([one, two])
    spread = torch.isin(batch["input_ids"], torch.tensor(sorted(image_token_ids(processor)))).sum(dim=1)
    assert 2 <= spread[1] != spread[0]  # LLaVA-OneVision spends fewer tokens on each where there are several
    assert re.search(r"A bar\?", processor.tokenizer.decode(batch["input_ids"][1]))
    assert INSTRUCTION in processor.tokenizer.decode(batch["input_ids"][0])


def test_lora_leaves_no_matrix_without_a_gradient(family):
    from radtui.worker.model.collator import Collator

    _name, folder = family
    settings = train_settings(folder)
    how = backend.plan(settings)
    base, processor = model.load(str(folder), how)
    network = lora.add_adapter(base, settings)
    batch = Collator(processor, "answer", 4096)(items())
    network.train()
    network(**batch).loss.backward()
    without = [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert not without


def test_a_length_that_compiled_kernels_like_changes_nothing_that_is_learnt(family):
    import torch

    from radtui.worker.model.collator import COMPILED_MULTIPLE, IGNORED, Collator

    _name, folder = family
    network, processor = model.load(str(folder), backend.plan(train_settings(folder)))
    ends = template.end_token_ids(network, processor)
    plain = Collator(processor, "answer", 4096, ends)(items())
    padded = Collator(processor, "answer", 4096, ends, multiple=COMPILED_MULTIPLE)(items())
    length = plain["input_ids"].shape[1]
    assert padded["input_ids"].shape[1] == -(-length // COMPILED_MULTIPLE) * COMPILED_MULTIPLE
    assert torch.equal(padded["input_ids"][:, :length], plain["input_ids"])
    assert torch.equal(padded["labels"][:, :length], plain["labels"])
    assert not (padded["labels"][:, length:] != IGNORED).any()
    assert not padded["attention_mask"][:, length:].any()
    with torch.inference_mode():
        assert abs(network.eval()(**padded).loss - network(**plain).loss) < 1e-4
