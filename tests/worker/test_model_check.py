"""A model is checked before it costs anything, and picked from a list."""

from __future__ import annotations

import json

from click.testing import CliRunner

from radtui.cli import cli
from radtui.jobs.known_models import known_model, known_models
from radtui.jobs.model_check import check_lines
from radtui.presets import PRESETS
from radtui.worker.memory import model_check

from . import families


def test_configuration_and_processor_suffice(tmp_path, data, capsys):
    folder = families.qwen3_vl_moe(tmp_path / "model")
    (folder / "model.safetensors").unlink()  # there are no weights to read
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    assert model_check.main(["--data-dir", str(data.root), str(folder)]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["check"]
    assert found["licence"] == "apache-2.0"
    assert found["parameters"] > 100_000
    assert found["several_images"] == "yes" and found["order"] == "as asked"
    assert found["ends_with"].startswith("'<|im_end|>")
    assert found["lora"]["expert weights"] == 4 and found["lora"]["routers left out"] == 2
    assert "the newest data set" in found["image_tokens"]
    lines = check_lines(found)
    assert len(lines) == 5 + len(found["notes"])
    assert "qwen3_vl_moe" in lines[0] and "apache-2.0" in lines[0] and "several images a case" in lines[2]
    assert "routers left out 2" in lines[4]


def test_what_cannot_be_asked_is_one_sentence(tmp_path, capsys):
    folder = families.paligemma(tmp_path / "model")
    assert model_check.main(["--data-dir", str(tmp_path), str(folder)]) == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "has no chat template" in answer["error"]


def test_the_list_names_memory_licence_and_a_preset_for_each():
    listed = CliRunner().invoke(cli, ["model", "list"])
    assert listed.exit_code == 0
    for each in known_models():
        assert each.name in listed.output and each.licence in listed.output
        assert each.preset in PRESETS
        assert 0 < each.gib_4_bit < each.gib_16_bit
    assert known_model("google/medgemma-4b-it").gated
    assert known_model("nobody/knows") is None


def test_presets_of_families_name_models_of_the_list():
    for name in ("medgemma", "qwen-vl", "laptop"):
        PRESETS[name].check()
        assert known_model(PRESETS[name].model).preset == name
