"""Whole jobs on other families: reasoning beside the texts, and the resolution that was learnt with."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer, GenerationConfig

from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics, texts
from radtui.store.database import connect
from radtui.worker.describing import generate
from radtui.worker.model import processors
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import train

from . import families
from .conftest import new_job, train_settings

SHORT = {"max_steps": 1, "eval_every": 0, "checkpoint_every": 0, "watch_images": 1, "max_length_tokens": 512}


def trained(data, folder, **changes):
    db = connect(data)
    job = new_job(data, train_settings(folder, **(SHORT | changes)))
    train.run(job, data, db, Reporter(db, job.id))
    return db, job


def test_reasoning_is_stored_beside_the_text(data, tmp_path):
    """A model that may not close its thought: all that it writes is reasoning."""
    folder = families.qwen3_5(tmp_path / "model")
    closes = AutoTokenizer.from_pretrained(folder).convert_tokens_to_ids("</think>")
    GenerationConfig.from_pretrained(folder, suppress_tokens=[closes]).save_pretrained(folder)
    db, job = trained(data, folder, thinking=True)
    watched = texts.since(db, job.id, 0)
    assert watched and all(each.reasoning and not each.text for each in watched)
    settings = GenerateSettings(
        model=str(folder), adapter=str(data.adapter(job.id)), dataset="shapes", message_order="image_first",
        instruction="Describe what you see.", max_new_tokens=8, load_in_4bit=False, limit=2, thinking=True,
    )  # fmt: skip
    describing = new_job(data, settings)
    generate.run(describing, data, db, Reporter(db, describing.id))
    written = texts.finished(db, describing.id)
    assert len(written) == 4 and all(each.reasoning and not each.text for each in written)


def test_describing_sees_images_as_finely_as_training(data, tmp_path, monkeypatch):
    from radtui.worker.describing import describe

    folder = families.internvl(tmp_path / "model")
    db, job = trained(data, folder, image_tokens=4, watch_images=0)
    lengths = []
    whole = describe.prepare

    def spy(processor, images, prompts):
        inputs = whole(processor, images, prompts)
        lengths.append(inputs["pixel_values"].shape[0] // len(images))
        return inputs

    monkeypatch.setattr(describe, "prepare", spy)
    most = {}
    for image_tokens in (4, 0):
        settings = GenerateSettings(
            model=str(folder), adapter=str(data.adapter(job.id)), dataset="shapes", message_order="image_first",
            instruction="Describe what you see.", max_new_tokens=2, load_in_4bit=False, batch_size=1,
            image_tokens=image_tokens,
        )  # fmt: skip
        describing = new_job(data, settings)
        generate.run(describing, data, db, Reporter(db, describing.id))
        most[image_tokens] = max(lengths)
        lengths.clear()
    assert most[4] == 1 and most[0] >= 3
    result = jobs.must_get(db, job.id).result
    assert result["image_tokens"] == "5 tokens, whatever its size"  # InternVL frames each image
    assert not [
        e for e in metrics.events_since(db, job.id, 0) if e.kind == "warning" and "image_tokens" in e.text
    ]


@pytest.mark.parametrize("name", ["smolvlm", "qwen2_5_vl"])
def test_a_processor_without_its_video_part_is_in_every_checkpoint(name, data, tmp_path):
    """Both have none where torchvision is absent, and a job saves at its last step at the latest."""
    folder = families.FAMILIES[name](tmp_path / "model")
    _, job = trained(data, folder, max_steps=2, checkpoint_every=1, watch_images=0)
    (saved,) = data.checkpoints(job.id).glob("checkpoint-2")
    assert (saved / "adapter_model.safetensors").exists()
    for place in (saved, data.adapter(job.id)):
        assert processors.load(str(place)).chat_template
