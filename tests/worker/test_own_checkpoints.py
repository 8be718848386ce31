"""Checkpoints as people save them: each loads and learns, and writes what the model it was made from writes."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radtui.paths import DataDir
from radtui.worker.memory import model_check
from radtui.worker.model import adapters, backend, model, template
from radtui.worker.model.collator import Collator

from . import families
from .conftest import train_settings
from .test_model_families import describing, items, pictures

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a whole tiny model."""
    import torch

    torch.manual_seed(0)
    return families.qwen2_5_vl(tmp_path_factory.mktemp("whole") / "model")


def network(folder: Path) -> Any:
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(folder)


def changed(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def merged(folder: Path) -> None:
    """An adapter merged by PEFT, saved as Unsloth does with fields of its own."""
    from peft import LoraConfig, get_peft_model

    adapted = get_peft_model(network(folder), LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    adapted.merge_and_unload().save_pretrained(folder)
    changed(folder / "config.json", unsloth_fixed=True, unsloth_version="2026.10.7")


def sharded(folder: Path) -> None:
    read = network(folder)
    (folder / "model.safetensors").unlink()
    read.save_pretrained(folder, max_shard_size="100KB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1


def with_more_tokens(folder: Path) -> None:
    from transformers import AutoTokenizer

    words, read = AutoTokenizer.from_pretrained(folder), network(folder)
    assert words.add_tokens(["<finding>", "<impression>"]) == 2
    read.resize_token_embeddings(len(words))
    read.save_pretrained(folder)
    words.save_pretrained(folder)


def template_in_a_file(folder: Path) -> None:
    """As transformers keeps it now, and no longer in the tokenizer's or the processor's file."""
    texts = []
    for name in ("tokenizer_config.json", "processor_config.json", "chat_template.json"):
        file = folder / name
        if file.exists():
            known = json.loads(file.read_text())
            texts += filter(None, [known.pop("chat_template", None)])
            file.write_text(json.dumps(known))
    own = folder / "chat_template.jinja"
    own.write_text(texts[0] if texts else own.read_text())


def in_two_precisions(folder: Path) -> None:
    """Every other tensor in 16 bits."""
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    weights = load_file(file)
    some = {key: each.half() if place % 2 else each for place, (key, each) in enumerate(weights.items())}
    save_file(some, file, metadata={"format": "pt"})
    changed(folder / "config.json", dtype="float16")


@pytest.mark.parametrize("change", [merged, sharded, with_more_tokens, template_in_a_file, in_two_precisions])
def test_it_is_checked_and_learns_and_writes_as_what_it_was_made_from(
    whole, tmp_path, change: Callable[[Path], None]
):
    folder = Path(shutil.copytree(whole, tmp_path / "model"))
    change(folder)
    assert model_check.check(str(folder), DataDir(tmp_path / "data"), "")["notes"] == []
    settings = train_settings(folder)
    load_plan = backend.plan(settings)
    read, processor = model.load(str(folder), load_plan)
    assert not model.doubt(read)
    if change not in (in_two_precisions, with_more_tokens):  # rounded, or free to write a new token
        original, own = model.load(str(whole), load_plan)
        texts = [describing(*each, pictures()) for each in ((read, processor), (original, own))]
        assert [each.text for each in texts[0]] == [each.text for each in texts[1]]
    ends = template.end_token_ids(read, processor)
    tuned = adapters.with_adapter(read, load_plan, settings)
    loss = tuned(**Collator(processor, "answer", 4096, ends)(items())).loss
    loss.backward()
    assert math.isfinite(loss.item())
    assert any(each.grad is not None and each.grad.any() for each in tuned.parameters())
