"""Processors on an install without torchvision, or with one that does not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from radtui.jobs.packages import torchvision_command
from radtui.records import UserError
from radtui.worker.model import processors

from . import families, more_families
from .conftest import REPOSITORY

LOAD = """
import sys
from radtui.worker.model import processors
loaded = processors.load(sys.argv[1])
print(processors.torchvision_state(), type(loaded.image_processor).__name__)
"""


@pytest.mark.parametrize(
    ("name", "kind"), [("qwen2_5_vl", "Qwen2VLImageProcessorPil"), ("llava", "CLIPImageProcessorPil")]
)
def test_a_torchvision_that_does_not_import_breaks_nothing(tmp_path, name, kind):
    folder = families.FAMILIES[name](tmp_path / name)
    broken = tmp_path / "packages" / "torchvision"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    ended = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)], capture_output=True, text=True, check=False, cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(broken.parent), str(REPOSITORY)])},
    )  # fmt: skip
    assert ended.stdout.split() == ["broken", kind], ended.stderr


@pytest.mark.skipif(processors.torchvision_state() != "absent", reason="torchvision is installed")
def test_a_family_that_truly_needs_it_is_told_the_command(tmp_path):
    folder = families.llava(tmp_path)
    for name in ("preprocessor_config.json", "processor_config.json"):
        values = json.loads((folder / name).read_text()) | {"processor_class": "Lfm2VlProcessor"}
        values |= {"image_processor_type": "Lfm2VlImageProcessor"} if name.startswith("pre") else {}
        (folder / name).write_text(json.dumps(values))
    with pytest.raises(
        UserError, match=r"needs torchvision, which is not installed: pip install torchvision"
    ):
        processors.load(str(folder))


@pytest.mark.skipif(processors.torchvision_state() != "absent", reason="torchvision is installed")
@pytest.mark.parametrize("name", list(more_families.WITH_TORCHVISION))
def test_those_of_the_further_families_that_need_it_are_told_the_command(tmp_path, name):
    folder = getattr(more_families, name)(tmp_path / name)
    with pytest.raises(UserError, match="needs torchvision, which is not installed: pip install torchvision"):
        processors.load(str(folder))


@pytest.mark.parametrize("name", ["qwen2_5_vl", "smolvlm", "gemma4", "ernie4_5_vl_moe"])
def test_what_is_saved_loads_here_and_names_no_pillow_class(tmp_path, name):
    maker = (families.FAMILIES | more_families.MORE_FAMILIES)[name]
    loaded = processors.load(str(maker(tmp_path / "model")))
    processors.save(loaded, tmp_path / "saved")
    values = json.loads((tmp_path / "saved" / "processor_config.json").read_text())
    assert not values["image_processor"]["image_processor_type"].endswith("Pil")
    assert values["video_processor"]["video_processor_type"]  # for machines that have what it takes
    again = processors.load(str(tmp_path / "saved"))
    assert again.image_processor.to_dict() == loaded.image_processor.to_dict()
    assert again.chat_template == loaded.chat_template


def test_the_command_names_the_torchvision_that_belongs_to_torch():
    assert torchvision_command("2.13.0") == "pip install torchvision==0.28.0"
    assert torchvision_command("2.14.1+cu130") == (
        "pip install torchvision==0.29.1 --index-url https://download.pytorch.org/whl/cu130"
    )


def test_pixels_that_a_processor_gives_in_16_bits_are_of_32():
    """As Llama 4's are: a model whose weights are kept in 32 bits would refuse them."""
    import torch

    from radtui.worker.model.collator import encode

    class Words:
        bos_token = None

    class Halves:
        tokenizer = Words()
        model_input_names = ("input_ids", "pixel_values")

        def __call__(self, **_):
            return {
                "input_ids": torch.ones(1, 4, dtype=torch.int64),
                "pixel_values": torch.ones(1, 3, dtype=torch.bfloat16),
            }

    batch = encode(Halves(), ["x"], [[]], "right")
    assert batch["pixel_values"].dtype == torch.float32
    assert batch["input_ids"].dtype == torch.int64
