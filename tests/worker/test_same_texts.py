"""One set of weights, several ways to them: what must write the same greedy texts does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from radtui.records import UserError
from radtui.store import cases
from radtui.store.database import connect
from radtui.worker.describing import describe
from radtui.worker.model import adapters, backend, merge, model, pretrained
from radtui.worker.model import examples as items
from tests.bench.gpu_parts import gap
from tests.worker.conftest import train_settings

TOKENS = 24
NEARLY_TIED = 4  # steps of bf16 between two tokens' scores


def plan(precision: str) -> backend.LoadPlan:
    return backend.LoadPlan("transformers", False, False, precision)


@pytest.fixture(scope="module")
def base(tiled, tmp_path_factory) -> Path:
    """A model stored in 16 bits, so that 16 and 32 bits of arithmetic begin with the same weights."""
    network, processor = model.load(str(tiled), plan("bfloat16"))
    out = tmp_path_factory.mktemp("base-bf16")
    network.save_pretrained(out)
    processor.save_pretrained(out)
    return out


@pytest.fixture(scope="module")
def adapter(base, tmp_path_factory) -> Path:
    """One with random matrices: it changes texts, whatever they say."""
    network, processor = model.load(str(base), plan("float32"))
    network = adapters.with_adapter(network, plan("float32"), train_settings(base))
    torch.manual_seed(2)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.2)
    folder = tmp_path_factory.mktemp("adapter")
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def asked(data, processor, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Eight images and a question."""
    db = connect(data)
    records = cases.get_many(db, cases.usable(db, "shapes", "test"))
    pictures = [items.open_images(each, 0) for each in items.examples(records, data)]
    prompts = [describe.asked(processor, "Describe what you see.", "image_first")] * len(pictures)
    inputs = describe.prepare(processor, pictures, prompts)
    return {k: v.to(dtype) if v.is_floating_point() else v for k, v in inputs.items()}


def written(network, inputs) -> list[list[int]]:
    with torch.no_grad():
        output = network.eval().generate(
            **inputs, max_new_tokens=TOKENS, min_new_tokens=TOKENS, do_sample=False
        )
    return output[:, inputs["input_ids"].shape[1] :].tolist()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_base_through_the_disabled_adapter_is_the_base_alone(data, base, adapter, precision):
    how = plan(precision)
    alone, processor = model.load(str(base), how)
    assert alone.dtype == getattr(torch, precision)
    inputs = asked(data, processor, alone.dtype)
    expected = written(alone, inputs)
    tuned = adapters.load_adapter(model.load(str(base), how)[0], str(adapter), how)
    with tuned.disable_adapter():
        assert written(tuned, inputs) == expected
    assert written(tuned, inputs) != expected


def test_the_merged_model_writes_what_base_and_adapter_write(data, base, adapter, tmp_path):
    merge.merge(str(base), adapter, tmp_path / "merged")
    how = plan("float32")
    network, processor = model.load(str(base), how)
    inputs = asked(data, processor, torch.float32)
    untuned = written(network, inputs)
    tuned = adapters.load_adapter(network, str(adapter), how)
    expected = written(tuned, inputs)
    found = written(model.load(str(tmp_path / "merged"), how)[0], inputs)
    assert sum(a != b for a, b in zip(untuned, expected, strict=True)) > len(expected) / 2
    rows = [row for row, (a, b) in enumerate(zip(expected, found, strict=True)) if a != b]
    assert len(rows) <= len(expected) / 2
    for row in rows:  # the sum is rounded to 16 bits: texts may part where two tokens are as likely
        own = {name: value[row : row + 1] for name, value in inputs.items()}
        assert gap(tuned, own, expected[row], found[row]) <= NEARLY_TIED


@pytest.fixture
def quantised(base, tmp_path) -> Path:
    """The folder of a model that says it is stored in 4 bits, as `...-bnb-4bit` repositories do."""
    folder = Path(shutil.copytree(base, tmp_path / "quantised"))
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_weights_stored_in_few_bits_are_refused_without_a_gpu(quantised, adapter, tmp_path):
    with pytest.raises(UserError, match="stored in few bits, which needs a CUDA GPU"):
        model.load(str(quantised), plan("float32"))
    with pytest.raises(UserError, match="stored in few bits"):
        merge.merge(str(quantised), adapter, tmp_path / "merged")


@pytest.mark.parametrize("stored", [True, False])
def test_on_a_gpu_stored_bits_are_loaded_as_they_are_and_others_are_quantised(
    base, quantised, monkeypatch, stored
):
    from transformers import AutoModelForImageTextToText

    seen = {}
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(pretrained.memory, "free_gpu_gib", lambda: 80.0)
    monkeypatch.setattr(pretrained, "_four_bit", lambda dtype: ("4 bits", dtype))

    def from_pretrained(name, **options):
        seen.update(options)
        return SimpleNamespace(), {}  # with nothing to report of its weights

    monkeypatch.setattr(AutoModelForImageTextToText, "from_pretrained", from_pretrained)
    model.load(
        str(quantised if stored else base),
        backend.LoadPlan("transformers", cuda=True, four_bit=True, precision="bfloat16"),
    )
    assert seen.get("quantization_config") == (None if stored else ("4 bits", torch.bfloat16))
    assert seen["device_map"] == {"": 0} and seen["dtype"] is torch.bfloat16
