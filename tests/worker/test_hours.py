"""How long a run would take: from a run like it, from one layer measured here, or for a GPU as a range."""

from __future__ import annotations

import pytest
import torch

from radtui.worker.memory import hours, meta_pass
from radtui.worker.memory.footprint import Footprint
from radtui.worker.memory.hours import Work
from radtui.worker.model import backend, prompt
from radtui.worker.model import model as models
from radtui.worker.model.collator import Collator

from .conftest import train_settings
from .families import FAMILIES

WORK = Work(steps=60, images_a_step=8, evaluated_images=40, flops_per_image=1e12)


def never() -> float:
    raise AssertionError("measured although it is known")


def test_a_run_like_it_says_more_than_any_measure():
    said = hours.sentence(WORK, 3.0, "", never)
    assert said == (
        "about 25 min for 60 steps of 8 images, 24 s each; texts that are watched come on top, as a run like it took "
        "here"
    )


def test_a_cpu_is_measured():
    said = hours.sentence(WORK, None, "", lambda: 1e12 / 30)
    assert said.startswith("about 4 h 10 min for 60 steps of 8 images, 4 min each")
    assert said.endswith("as one layer's pass was measured here just now")


def test_a_gpu_has_a_range_and_an_unknown_one_no_figure():
    said = hours.sentence(WORK, None, "NVIDIA L4", never)
    assert said.startswith(
        "20 s to 46 s for 60 steps of 8 images, if it uses 9 to 21 % of the GPU's arithmetic"
    )
    assert hours.sentence(WORK, None, "NVIDIA T4", never) == ""


def test_without_operations_or_steps_nothing_is_said():
    assert hours.sentence(Work(60, 8, 0, 0.0), None, "", never) == ""
    assert hours.sentence(Work(0, 8, 0, 1e12), None, "", never) == ""
    assert hours.sentence(WORK, None, "", lambda: 0.0) == ""


def test_steps_of_less_than_a_second_keep_their_digits():
    said = hours.sentence(Work(300, 8, 0, 1e9), 0.008, "", never)
    assert said == "about 19 s for 300 steps of 8 images, 0.064 s each, as a run like it took here"


@pytest.mark.parametrize("recomputes", ["on", "off"])  # without, layers are handed a cache
@pytest.mark.parametrize("name", ["qwen2_5_vl", "smolvlm", "gemma3", "llava", "internvl"])
def test_a_layer_runs_by_itself_with_the_run_s_own_shapes(name, recomputes, tmp_path):
    from PIL import Image as Pillow

    settings = train_settings(
        FAMILIES[name](tmp_path / name), tune_vision=False, gradient_checkpointing=recomputes
    )
    config, processor = models.describe(settings.model)
    how = backend.LoadPlan("transformers", False, False, "float32")
    item = {
        "messages": [prompt.question("What is it?", "image_first"), prompt.answer("A hand.")],
        "images": [Pillow.new("RGB", (64, 64))],
    }
    footprint = Footprint(config, settings, how, Collator(processor, "answer", 4096), item)
    batch = footprint.batch(2)
    assert hours.cpu_rate(footprint, batch) > 0
    assert next(footprint.model.parameters()).is_meta  # the estimate itself is left as it was
    assert meta_pass.pass_bytes(footprint.model, batch, torch.float32) > 0
