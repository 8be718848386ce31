"""Vision layers while describing: joined products with LoRA in their columns give what PEFT's layers give."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoProcessor, MllamaForConditionalGeneration

from radtui.worker.describing import own_decoder
from radtui.worker.model import vision_attention, vision_describing

from .test_own_decoder import NEW, SIZES, asked
from .test_vision_attention import pixels

ALL = r".*vision_model.*\.(q_proj|k_proj|v_proj|o_proj|fc1|fc2)"
SOME = r".*vision_model.*\.(q_proj|v_proj|fc2)"
TEXT = r".*language_model.*\.(q_proj|v_proj|up_proj)"


def described(tiled, targets: str, ranks: tuple[int, ...] = (4,), **options: object):
    """A model with an adapter of each rank, `default` first, whose matrices are not zero."""
    base = MllamaForConditionalGeneration.from_pretrained(tiled, attn_implementation="sdpa")
    torch.manual_seed(3)
    first, *further = (LoraConfig(r=r, lora_alpha=6, target_modules=targets, **options) for r in ranks)
    model = get_peft_model(base, first)
    for number, config in enumerate(further):
        model.add_adapter(f"further{number}", config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
            if name.endswith(("gate_attn", "gate_ffn")):
                parameter.fill_(0.7)
    return model.requires_grad_(False).eval()


def seen(model, tiles: list[int]) -> torch.Tensor:
    """What the vision tower gives."""
    inner = model.base_model.model
    with torch.inference_mode():
        output: torch.Tensor = inner.model.vision_model(**pixels(inner, tiles)).last_hidden_state
    return output


def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever a layer is computed so."""
    taken: list[int] = []
    own = vision_describing._computed
    monkeypatch.setattr(vision_describing, "_computed", lambda *given: (taken.append(1), own(*given))[1])
    return taken


def close(ours: torch.Tensor, expected: torch.Tensor) -> None:
    scale = expected.abs().max()
    torch.testing.assert_close(ours / scale, expected / scale, rtol=0, atol=2e-5)


@pytest.mark.parametrize("tiles", [[1], [4], [2, 1, 4, 1]])
@pytest.mark.parametrize("targets", [ALL, SOME, TEXT], ids=["all", "some", "none of the tower"])
def test_the_tower_gives_what_it_gave(tiled, tiles, targets, monkeypatch):
    model = described(tiled, targets)
    vision_attention.install(model, as_steps=False)
    expected = seen(model, tiles)
    with model.disable_adapter():
        expected_base = seen(model, tiles)
    assert vision_describing.install(model) == 3
    taken = computed(monkeypatch)
    close(seen(model, tiles), expected)
    with model.disable_adapter():
        close(seen(model, tiles), expected_base)
    close(seen(model, tiles), expected)  # the adapter is on again
    assert len(taken) == 9
    if targets != TEXT:
        assert (expected - expected_base).abs().max() > 1e-2


def test_each_adapter_has_its_own_columns(tiled, monkeypatch):
    model = described(tiled, ALL, ranks=(4, 2))
    vision_attention.install(model)
    expected = {}
    for name in ("default", "further0"):
        model.set_adapter(name)
        expected[name] = seen(model, [2, 1])
    vision_describing.install(model)
    taken = computed(monkeypatch)
    for name in ("further0", "default", "further0"):
        model.set_adapter(name)
        close(seen(model, [2, 1]), expected[name])
    assert len(taken) == 9
    assert (expected["default"] - expected["further0"]).abs().max() > 1e-2


@pytest.mark.parametrize("options", [{"use_dora": True}, {"lora_dropout": 0.0, "lora_bias": True}])
def test_what_is_more_than_plain_lora_is_left_to_peft(tiled, options, monkeypatch):
    model = described(tiled, ALL, **options)
    vision_attention.install(model)
    expected = seen(model, [2])
    vision_describing.install(model)
    taken = computed(monkeypatch)
    close(seen(model, [2]), expected)
    assert not taken


def test_matrices_of_another_precision_are_left_to_peft(tiled, monkeypatch):
    model = described(tiled, ALL)
    vision_attention.install(model)
    vision_describing.install(model)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.double()
    taken = computed(monkeypatch)
    seen(model, [2])
    assert not taken


def test_nothing_changes_where_gradients_are_kept(tiled, monkeypatch):
    model = described(tiled, ALL)
    vision_attention.install(model, as_steps=False)
    expected = seen(model, [2])
    vision_describing.install(model)
    taken = computed(monkeypatch)
    inner = model.base_model.model
    close(inner.model.vision_model(**pixels(inner, [2])).last_hidden_state.detach(), expected)
    assert not taken


def test_weights_are_kept_once_and_uninstalling_gives_the_layers_back(tiled):
    model = described(tiled, ALL)
    vision_attention.install(model)
    expected = seen(model, [2])
    assert vision_describing.install(model) == vision_describing.install(model) == 3
    attention = model.base_model.model.model.vision_model.transformer.layers[0].self_attn
    q, k = attention.q_proj.base_layer.weight, attention.k_proj.base_layer.weight
    assert q.untyped_storage().data_ptr() == k.untyped_storage().data_ptr()
    vision_attention.uninstall(model)
    close(seen(model, [2]), expected)


@pytest.mark.parametrize("targets", [ALL, TEXT])
def test_texts_are_the_same_and_images_are_looked_at_once_where_all_arms_see_alike(
    tiled, targets, monkeypatch
):
    model, processor = described(tiled, targets), AutoProcessor.from_pretrained(tiled)
    inputs = asked(processor, SIZES)
    ends, pad = [-1], processor.tokenizer.pad_token_id

    def plain() -> list[list[int]]:
        rows = model.generate(
            **inputs, max_new_tokens=NEW, do_sample=False, eos_token_id=ends, pad_token_id=pad
        )
        return [row[inputs["input_ids"].shape[1] :] for row in rows.tolist()]

    expected = plain()
    with model.disable_adapter():
        expected_base = plain()
    vision_attention.install(model)
    vision_describing.install(model)
    decoder = own_decoder.Decoder(model, graphs=False)
    assert decoder.sees_alike == (targets == TEXT)
    taken = computed(monkeypatch)
    with model.disable_adapter():
        assert decoder.write(inputs, NEW, ends, pad, own_decoder.greedy).tolist() == expected_base
    assert decoder.write(inputs, NEW, ends, pad, own_decoder.greedy).tolist() == expected
    assert expected != expected_base
    assert len(taken) == (3 if targets == TEXT else 6)


def test_another_batch_is_looked_at_anew(tiled):
    model, processor = described(tiled, TEXT), AutoProcessor.from_pretrained(tiled)
    decoder = own_decoder.Decoder(model, graphs=False)
    first, second = asked(processor, SIZES[:2]), asked(processor, SIZES[2:])
    texts = [
        decoder.write(each, NEW, [-1], 0, own_decoder.greedy).tolist() for each in (first, second, first)
    ]
    fresh = own_decoder.Decoder(model, graphs=False).write(second, NEW, [-1], 0, own_decoder.greedy).tolist()
    assert texts[0] == texts[2] and texts[1] == fresh
    decoder.release()
    assert decoder._seen is None
