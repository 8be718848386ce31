"""The fixed-shape step decodes the same tokens as `generate`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image as Pillow
from transformers import AutoProcessor, MllamaForConditionalGeneration

from radtui.worker.describing import describe, own_decoder
from radtui.worker.model import mllama_step

SIZES = [(50, 50), (110, 50), (50, 110), (100, 100)]  # px: one, two, two and four tiles
NEW = 40


@pytest.fixture(scope="module")
def parts(tiled: Path):
    model = MllamaForConditionalGeneration.from_pretrained(tiled, attn_implementation="sdpa")
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj", "o_proj", "fc1", "up_proj"])
    torch.manual_seed(0)
    model = get_peft_model(model, config).eval()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return model, AutoProcessor.from_pretrained(tiled)


def asked(processor, sizes: list[tuple[int, int]], words: list[str] | None = None) -> dict[str, torch.Tensor]:
    """Inputs about noisy images of these sizes."""
    rng = random.Random(3)
    pictures = [Pillow.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1])) for size in sizes]
    prompt = describe.asked(processor, "Describe what you see.", "image_first")
    return describe.prepare(processor, [[each] for each in pictures], [prompt] * len(pictures))


def both(model, processor, inputs: dict[str, torch.Tensor], ends: list[int]) -> tuple[list, list]:
    pad = processor.tokenizer.pad_token_id
    length = inputs["input_ids"].shape[1]
    expected = model.generate(
        **inputs, max_new_tokens=NEW, do_sample=False, eos_token_id=ends, pad_token_id=pad
    )[:, length:]
    found = own_decoder.Decoder(model, graphs=False).write(inputs, NEW, ends, pad, own_decoder.greedy)
    return trimmed(found, ends), trimmed(expected, ends)


def trimmed(rows: torch.Tensor, ends: list[int]) -> list[list[int]]:
    """Rows up to their end; a random model may write the token of padding as any other."""
    lengths = [
        next((n + 1 for n, token in enumerate(row) if token in ends), len(row)) for row in rows.tolist()
    ]
    return [row[:length] for row, length in zip(rows.tolist(), lengths, strict=True)]


@pytest.mark.parametrize("sizes", [SIZES[:1], SIZES[1:3], SIZES], ids=["one", "two tiles each", "mixed"])
@pytest.mark.parametrize("adapter", [True, False])
def test_tokens_equal_those_of_generate(parts, sizes, adapter):
    model, processor = parts
    inputs = asked(processor, sizes)
    if adapter:
        found, expected = both(model, processor, inputs, [-1])
    else:
        with model.disable_adapter():
            found, expected = both(model, processor, inputs, [-1])
    assert found == expected
    assert all(len(row) == NEW for row in found)
    assert len({token for row in found for token in row}) > 5  # no constant text


def test_adapter_and_base_differ(parts):
    model, processor = parts
    inputs = asked(processor, SIZES)
    decoder = own_decoder.Decoder(model, graphs=False)
    tuned = decoder.write(inputs, NEW, [-1], 0, own_decoder.greedy)
    with model.disable_adapter():
        base = decoder.write(inputs, NEW, [-1], 0, own_decoder.greedy)
    assert not torch.equal(tuned, base)
    assert torch.equal(decoder.write(inputs, NEW, [-1], 0, own_decoder.greedy), tuned)  # buffers used again


def test_rows_end_where_generate_ends_them(parts):
    model, processor = parts
    inputs = asked(processor, SIZES)
    free, _ = both(model, processor, inputs, [-1])
    ends = [free[0][3], free[1][9]]  # some rows end early, at different places
    found, expected = both(model, processor, inputs, ends)
    assert found == expected
    assert min(map(len, found)) < NEW


def test_all_rows_ended_stops_early(parts):
    model, processor = parts
    inputs = asked(processor, SIZES)
    free, _ = both(model, processor, inputs, [-1])
    ends = [row[0] for row in free]
    rows = own_decoder.Decoder(model, graphs=False).write(inputs, NEW, ends, 0, own_decoder.greedy)
    assert rows.shape[1] <= own_decoder.CHECK_EVERY


def test_left_padding_is_not_looked_at(parts):
    model, processor = parts
    short = asked(processor, SIZES[:1])
    decoder = own_decoder.Decoder(model, graphs=False)
    expected = decoder.write(short, NEW, [-1], 0, own_decoder.greedy)
    pad = torch.full((1, 5), processor.tokenizer.pad_token_id)
    mask = short["cross_attention_mask"]
    padded = short | {
        "input_ids": torch.cat([pad, short["input_ids"]], 1),
        "attention_mask": torch.cat([torch.zeros_like(pad), short["attention_mask"]], 1),
        "cross_attention_mask": torch.cat([torch.zeros_like(mask[:, :1]).expand(-1, 5, -1, -1), mask], 1),
    }
    assert torch.equal(decoder.write(padded, NEW, [-1], 0, own_decoder.greedy), expected)


def test_only_a_mllama_is_supported(parts):
    model, _ = parts
    assert own_decoder.supports(model)
    model.generation_config.repetition_penalty = 1.2
    assert not own_decoder.supports(model)
    model.generation_config.repetition_penalty = None
    other = torch.nn.Linear(2, 2)
    other.generation_config = model.generation_config
    assert not own_decoder.supports(other)


def test_base_and_tuned_have_their_own_graphs(parts, monkeypatch):
    model, processor = parts

    class Recording:
        """Stands in for a CUDA graph: runs the step, as recorded, with the adapter as it was then."""

        def __init__(self, step) -> None:
            self.step, self.off = step, [each.disable_adapters for each in decoder.adapted]

        def replay(self) -> None:
            now = [each.disable_adapters for each in decoder.adapted]
            for each, off in zip(decoder.adapted, self.off, strict=True):
                each._disable_adapters = off
            self.step()
            for each, off in zip(decoder.adapted, now, strict=True):
                each._disable_adapters = off

    decoder = own_decoder.Decoder(model, graphs=True)
    monkeypatch.setattr(
        decoder,
        "_record",
        lambda buffers: Recording(lambda: mllama_step.step(decoder.text, decoder.head, buffers)),
    )
    plain = own_decoder.Decoder(model, graphs=False)
    inputs = asked(processor, SIZES)
    for _ in range(2):
        tuned = decoder.write(inputs, NEW, [-1], 0, own_decoder.greedy)
        assert torch.equal(tuned, plain.write(inputs, NEW, [-1], 0, own_decoder.greedy))
        with model.disable_adapter():
            base = decoder.write(inputs, NEW, [-1], 0, own_decoder.greedy)
            assert torch.equal(base, plain.write(inputs, NEW, [-1], 0, own_decoder.greedy))
        assert not torch.equal(base, tuned)
    assert len(decoder._recorded) == 2


def test_a_machine_that_cannot_record_graphs_is_left_to_generate(parts, monkeypatch):
    model, processor = parts
    inputs = asked(processor, SIZES)
    expected = describe.describe(model, processor, inputs, describe.Decoding(8), [1, 2, 3, 4])
    monkeypatch.setitem(own_decoder._ENABLED, model, own_decoder.Decoder(model, graphs=True))

    def refuse(self, buffers):
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    monkeypatch.setattr(own_decoder.Decoder, "_record", refuse)
    found = describe.describe(model, processor, inputs, describe.Decoding(8), [1, 2, 3, 4])
    assert [each.text for each in found] == [each.text for each in expected]
    assert own_decoder.enabled(model) is None


def test_a_full_gpu_is_for_the_caller(parts, monkeypatch):
    model, processor = parts
    inputs = asked(processor, SIZES)
    monkeypatch.setitem(own_decoder._ENABLED, model, own_decoder.Decoder(model, graphs=False))

    def full(self, buffers, token):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(own_decoder.Decoder, "_next", full)
    with pytest.raises(torch.OutOfMemoryError):
        describe.describe(model, processor, inputs, describe.Decoding(8), [1, 2, 3, 4])
    assert own_decoder.enabled(model) is not None


def test_sampled_texts_are_those_of_generate(parts, monkeypatch):
    model, processor = parts
    inputs = asked(processor, SIZES)
    sampled = describe.Decoding(NEW, temperature=1.2, min_p=0.05, seed=4)
    expected = describe.describe(model, processor, inputs, sampled, [1, 2, 3, 4])
    monkeypatch.setitem(own_decoder._ENABLED, model, own_decoder.Decoder(model, graphs=False))
    found = describe.describe(model, processor, inputs, sampled, [1, 2, 3, 4])
    assert [each.text for each in found] == [each.text for each in expected]
