"""Settings: ranges, typed text, JSON round trips, and the presets."""

from __future__ import annotations

import json

import pytest

from radtui.presets import PRESETS, preset
from radtui.records import UserError
from radtui.settings import INSTRUCTION, GenerateSettings, TrainSettings, value_text


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid_and_survive_json(name: str) -> None:
    settings = preset(name)
    assert settings.problems() == {}
    assert TrainSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_the_seed_preset_is_the_reports_recipe() -> None:
    seed = preset("seed")
    assert seed.model == "unsloth/Llama-3.2-11B-Vision-Instruct"
    assert seed.instruction == INSTRUCTION
    assert (seed.lora_r, seed.lora_alpha, seed.lora_dropout, seed.lora_seed) == (16, 16, 0, 0)
    assert seed.tune_vision and seed.tune_language and seed.tune_attention and seed.tune_mlp
    assert (seed.batch_size, seed.gradient_accumulation, seed.warmup_steps, seed.max_steps) == (2, 4, 5, 30)
    assert (seed.learning_rate, seed.scheduler, seed.optimizer, seed.weight_decay) == (
        2e-4,
        "linear",
        "adamw_8bit",
        0.001,
    )
    assert (seed.message_order, seed.asking_order, seed.loss_on) == ("text_first", "image_first", "all")
    assert seed.load_in_4bit and seed.gradient_checkpointing == "unsloth" and not seed.eval_split


def test_a_value_out_of_range_is_named_with_its_range() -> None:
    problems = TrainSettings(lora_dropout=1.5, batch_size=0, loss_on="everything").problems()
    assert set(problems) == {"lora_dropout", "batch_size", "loss_on"}
    assert "0 to 0.9" in problems["lora_dropout"]
    with pytest.raises(UserError, match="lora_dropout"):
        TrainSettings(lora_dropout=1.5).check()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("learning_rate", "3e-4", 3e-4),
        ("max_steps", "1,000", 1000),
        ("load_in_4bit", "no", False),
        ("model", " org/name ", "org/name"),
    ],
)
def test_typed_text_becomes_a_value(name: str, text: str, value: object) -> None:
    assert getattr(TrainSettings().with_text(name, text), name) == value


@pytest.mark.parametrize(
    ("name", "text"), [("max_steps", "ten"), ("learning_rate", ""), ("load_in_4bit", "maybe"), ("lr", "1")]
)
def test_text_of_the_wrong_kind_is_one_sentence(name: str, text: str) -> None:
    with pytest.raises(UserError, match=name):
        TrainSettings().with_text(name, text)


def test_settings_of_another_version_still_load() -> None:
    assert TrainSettings.from_dict({"max_steps": 7, "from_the_future": 1}).max_steps == 7
    assert isinstance(TrainSettings.from_dict({"epochs": 2}).epochs, float)


def test_decoding_is_named_as_it_is_stored() -> None:
    assert GenerateSettings().decoding == "greedy, at most 128 tokens"
    assert GenerateSettings(temperature=1.5, min_p=0.1).decoding == (
        "t=1.5 min_p=0.1 seed=3407, at most 128 tokens"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.16948664188385, "1.16949"), (2e-4, "0.0002"), (33_554_432.25, "33,554,432"), (67_174_400, "67,174,400"),
        (3407, "3407"), (True, "yes"), (["a", 2], "a, 2"), ({"train": 46, "test": 4}, "train 46, test 4"),
        ({"a.png": "It is empty."}, "a.png: It is empty."), ("", "-"), (None, "-"), ([], "-"), ({}, "-"),
    ],
)  # fmt: skip
def test_settings_and_results_are_words(value: object, text: str) -> None:
    assert value_text(value) == text


def test_further_adapters_have_names_of_their_own() -> None:
    settings = GenerateSettings(more_adapters="dpo=/jobs/3/adapter; base with=a better one = /x y")
    assert settings.further_adapters == {"dpo": "/jobs/3/adapter", "base with": "a better one = /x y"}
    assert not settings.problems()
    for text in ("dpo", "=/a", "dpo=", "tuned=/a", "a=/b; a=/c"):
        assert GenerateSettings(more_adapters=text).problems().keys() == {"more_adapters"}
    # A job of an earlier version named its third adapter in a field of its own.
    assert GenerateSettings.from_dict({"dpo_adapter": "/old"}).further_adapters == {"dpo": "/old"}
    assert GenerateSettings.from_dict({"dpo_adapter": ""}).further_adapters == {}
