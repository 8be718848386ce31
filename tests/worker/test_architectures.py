"""Any vision-language model: whole jobs on architectures that place, count and number image tokens differently."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from radtui.records import UserError
from radtui.settings import GenerateSettings
from radtui.store import jobs, metrics
from radtui.store import texts as stored
from radtui.store.database import connect
from radtui.worker.describing import generate
from radtui.worker.model import adapters, backend, lora, model
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import train

from .conftest import new_job, train_settings
from .more_families import MAKERS

ARCHITECTURES = [
    pytest.param("llava", marks=pytest.mark.slow),
    "llava_next",
    "gemma3",
    pytest.param("qwen2_vl", marks=pytest.mark.long),
]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_trains_and_describes(data, tmp_path, name):
    folder = MAKERS[name](tmp_path / name)
    db = connect(data)
    job = new_job(
        data, train_settings(folder, max_steps=4, eval_every=2, checkpoint_every=0, max_length_tokens=512)
    )
    train.run(job, data, db, Reporter(db, job.id))
    loss = [m.value for m in metrics.since(db, job.id, 0) if m.name == "loss"]
    assert len(loss) == 4 and loss[-1] < loss[0]
    learn_more(data.adapter(job.id))
    result = jobs.must_get(db, job.id).result
    references = 4 * len("A bright disc on the left.</s>")  # byte tokens, at most
    assert 0 < result["supervised_tokens"] < min(result["batch_tokens"], 2 * references)

    texts = {}
    for batch_size in (1, 8):
        settings = GenerateSettings(
            model=str(folder), adapter=str(data.adapter(job.id)), dataset="shapes", message_order="image_first",
            instruction="Describe what you see.", max_new_tokens=8, batch_size=batch_size, load_in_4bit=False,
        )  # fmt: skip
        describing = new_job(data, settings)
        db.execute("UPDATE texts SET model = model || ' of text ' || id")  # none is taken over
        generate.run(describing, data, db, Reporter(db, describing.id))
        texts[batch_size] = {(d.case_id, d.arm): d.text for d in stored.finished(db, describing.id)}
    assert len(texts[1]) == 16
    assert texts[1] == texts[8]  # padding on the left changes nothing
    changed = any(texts[1][i, "base"] != texts[1][i, "tuned"] for i, _ in texts[1])
    assert (
        changed or name == "gemma3"
    )  # its head is its embedding, drawn large: what is learnt changes no token


def learn_more(adapter: Path) -> None:
    """Go forty times as far as a few steps went, which may change no token that a random model writes."""
    file = adapter / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file({name: tensor * (40 if "lora_B" in name else 1) for name, tensor in tensors.items()}, file)


@pytest.mark.parametrize("name", ["llava", "gemma3", "mllama"])
def test_lora_goes_where_the_settings_say(name, tmp_path, request):
    folder = request.getfixturevalue("mllama") if name == "mllama" else MAKERS[name](tmp_path)
    network, _ = model.load(str(folder), backend.plan(train_settings(folder)))

    def targets(**switches):
        on = {"vision": True, "language": True, "attention": True, "mlp": True} | switches
        return set(lora.target_modules(network, **on))

    everything = targets()
    assert not any("lm_head" in target for target in everything)
    vision, language = targets(language=False), targets(vision=False)
    assert vision | language == everything and not vision & language
    assert all("language_model" in target for target in language)
    assert not any("language_model" in target for target in vision)
    assert any("projector" in target for target in vision) or name == "gemma3"  # Gemma's is no linear layer
    attention, mlp = targets(mlp=False), targets(attention=False)
    assert attention | mlp == everything and not attention & mlp
    assert all("attn" in target for target in attention)
    with pytest.raises(UserError, match="No layer is left to tune"):
        targets(vision=False, language=False)


def test_the_adapter_is_on_the_selected_layers_only(mllama):
    settings = train_settings(mllama, tune_vision=False, tune_mlp=False)
    how = backend.plan(settings)
    network = adapters.with_adapter(model.load(str(mllama), how)[0], how, settings)
    tuned = {name.split(".lora_")[0] for name, p in network.named_parameters() if p.requires_grad}
    assert tuned and all("language_model" in name and "attn" in name for name in tuned)


def test_the_same_seed_draws_the_same_matrices_and_another_one_others(mllama):
    def drawn(seed):
        settings = train_settings(mllama, lora_seed=seed)
        how = backend.plan(settings)
        network = adapters.with_adapter(model.load(str(mllama), how)[0], how, settings)
        return next(p for name, p in network.named_parameters() if "lora_A" in name)

    assert (drawn(0) == drawn(0)).all()
    assert (drawn(0) != drawn(3407)).any()
