"""What LoRA goes on and how: experts, routers, DoRA, rsLoRA, and the adapter of the least held-out loss."""

from __future__ import annotations

import json

import pytest

from radtui.jobs.adapter_files import WEIGHTS
from radtui.records import UserError
from radtui.store import jobs, metrics
from radtui.store.database import connect
from radtui.worker.model import adapter_keys, adapters, backend, lora, model
from radtui.worker.process.reporter import Reporter
from radtui.worker.training import train
from radtui.worker.training.best import Best

from . import families
from .conftest import new_job, train_settings
from .test_model_families import describing, items, pictures


@pytest.fixture(scope="module")
def experts(tmp_path_factory):
    return families.qwen3_vl_moe(tmp_path_factory.mktemp("experts"))


def test_expert_weights_are_tuned_and_routers_are_not(experts, tmp_path):
    from peft import PeftModel

    from radtui.worker.model.collator import Collator

    settings = train_settings(experts)
    how = backend.plan(settings)
    base, processor = model.load(str(experts), how)
    assert lora.routers(base) and len(lora.expert_parameters(base)) == 4
    network = adapters.with_adapter(base, how, settings)
    tuned = {name for name, p in network.named_parameters() if p.requires_grad}
    assert any("experts" in name for name in tuned)
    assert not any(".gate." in name for name in tuned)
    network.train()
    network(**Collator(processor, "answer", 4096)(items())).loss.backward()
    grads = [p.grad for name, p in network.named_parameters() if p.requires_grad and "experts" in name]
    assert all(grad is not None for grad in grads)
    import torch

    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.02)
    told = [text.text for text in describing(network, processor, pictures())]
    network.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(model.load(str(experts), how)[0], tmp_path)
    assert [text.text for text in describing(again, processor, pictures())] == told


def test_expert_weights_know_no_dropout(experts):
    settings = train_settings(experts, lora_dropout=0.1)
    base, _ = model.load(str(experts), backend.plan(settings))
    with pytest.raises(UserError, match="no dropout"):
        lora.add_adapter(base, settings)


def test_dora_and_rslora_are_peft_s(mllama):
    settings = train_settings(mllama, dora=True, rslora=True, lora_r=4, lora_alpha=8)
    network = adapters.with_adapter(
        model.load(str(mllama), backend.plan(settings))[0], backend.plan(settings), settings
    )
    config = network.peft_config["default"]
    assert config.use_dora and config.use_rslora
    layer = next(m for m in network.modules() if hasattr(m, "lora_A") and "default" in m.scaling)
    assert layer.scaling["default"] == pytest.approx(8 / 4**0.5)
    assert any("magnitude" in name for name, p in network.named_parameters() if p.requires_grad)


def test_dora_is_learnt_without_unsloth(mllama):
    assert backend.training_plan(train_settings(mllama, dora=True)).backend == "transformers"


def test_the_best_adapter_is_left_and_a_run_that_gets_no_better_ends(data, mllama, monkeypatch):
    losses = iter([3.0, 2.0, 2.5, 2.4, 2.3, 2.2, 2.1])
    whole = Best.seen
    monkeypatch.setattr(
        Best, "seen", lambda self, network, step, loss: whole(self, network, step, next(losses))
    )
    db = connect(data)
    settings = train_settings(
        mllama, max_steps=30, eval_every=2, keep_best=True, stop_after=2, watch_images=0
    )
    job = new_job(data, settings)
    train.run(job, data, db, Reporter(db, job.id))
    result = jobs.must_get(db, job.id).result
    assert result["adapter_step"] == 2
    assert max(m.step for m in metrics.since(db, job.id, 0) if m.name == "loss") == 6
    texts = [event.text for event in metrics.events_since(db, job.id, 0)]
    assert any("2 evaluations without a held-out loss below 2.0000, that of step 2" in text for text in texts)
    from peft import load_peft_weights

    left = load_peft_weights(str(data.adapter(job.id)), device="cpu")
    best = load_peft_weights(str(data.checkpoints(job.id) / "best"), device="cpu")
    last = load_peft_weights(str(data.checkpoints(job.id) / "checkpoint-6"), device="cpu")
    assert left.keys() == best.keys() and all((left[name] == best[name]).all() for name in left)
    assert any((left[name] != last[name]).any() for name in left)


def test_a_resumed_run_forgets_a_best_that_it_will_evaluate_again(tmp_path, mllama, data):
    folder = tmp_path / "best"
    folder.mkdir()
    (folder / "best.json").write_text(json.dumps({"step": 50, "loss": 1.0}))
    db = connect(data)
    reporter = Reporter(db, new_job(data, train_settings(mllama)).id)
    assert Best(tmp_path, train_settings(mllama), reporter, 40).step == -1
    assert Best(tmp_path, train_settings(mllama), reporter, 60).step == 50


@pytest.fixture
def adapted():
    """The smallest model with an adapter."""
    import torch
    from peft import LoraConfig, get_peft_model

    return get_peft_model(torch.nn.Sequential(torch.nn.Linear(2, 2)), LoraConfig(r=1, target_modules=["0"]))


def filled(network, value):
    import torch

    with torch.no_grad():
        for name, matrix in network.named_parameters():
            if "lora_" in name:
                matrix.fill_(value)


def values(network):
    return {matrix.detach().mean().item() for name, matrix in network.named_parameters() if "lora_" in name}


@pytest.mark.parametrize("names", ["own", "published", "neither"])
def test_the_best_is_put_back_by_the_names_that_it_was_saved_under(
    adapted, names, tmp_path, mllama, data, monkeypatch
):
    held = adapter_keys.read_names(adapted)
    read = {name: name if names == "own" else f"old.{name}" for name in held} if names != "neither" else {}
    monkeypatch.setattr(adapter_keys, "read_names", lambda network: read)
    adapter_keys.save_as_read(adapted)
    db = connect(data)
    reporter = Reporter(db, new_job(data, train_settings(mllama)).id)
    settings = train_settings(mllama, keep_best=True)
    best = Best(tmp_path, settings, reporter, 0)
    for step, (value, loss) in enumerate([(1.0, 3.0), (2.0, 2.0), (3.0, 4.0)], 1):
        filled(adapted, value)
        best.seen(adapted, step, loss)
    assert best.restore(adapted) and values(adapted) == {2.0} and best.step == 2
    best.folder.rename(tmp_path / "best.partial")  # as where it was killed before the new one took its place
    filled(adapted, 3.0)
    again = Best(tmp_path, settings, reporter, 3)
    assert again.step == 2 and again.restore(adapted) and values(adapted) == {2.0}
    (tmp_path / "best.partial" / WEIGHTS).write_bytes(b"cut")
    filled(adapted, 3.0)
    assert not again.restore(adapted) and values(adapted) == {3.0}
    (event,) = metrics.events_since(db, reporter.job_id, 0)
    assert event.kind == "warning" and "the last one is kept instead" in event.text
    again.seen(adapted, 4, 1.0)
    assert again.restore(adapted) and [path.name for path in tmp_path.glob("best*")] == ["best"]


def test_keeping_the_best_needs_evaluations(mllama):
    with pytest.raises(UserError, match="keep_best needs evaluations"):
        train_settings(mllama, keep_best=True, eval_every=0).check()


def test_means_and_variances_of_a_frozen_tower_stay_as_they_are():
    """No adapter holds them: trained on, they would make another base model, and texts that depend on their batch."""
    import torch

    from radtui.worker.model import adapters

    tower = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout())
    adapters.keep_statistics(tower)
    tower.train()
    assert tower[2].training and not tower[1].training
    tower(torch.randn(2, 3, 8, 8) + 5)
    assert not tower[1].running_mean.any()


def test_an_adapter_that_peft_renames_past_the_model_is_read_as_it_was_saved(tmp_path, monkeypatch):
    """PEFT only warns, and the model would write as if it had never learnt; DeepSeek-OCR 2 is such a family."""
    import torch
    from peft import PeftModel
    from peft.utils import transformers_weight_conversion as conversion

    from radtui.records import UserError
    from radtui.worker.model import adapters, backend, model

    settings = train_settings(families.llava(tmp_path / "model"))
    how = backend.plan(settings)
    network = adapters.with_adapter(model.load(settings.model, how)[0], how, settings)
    learnt = {name: each for name, each in network.named_parameters() if "lora_B" in name}
    for each in learnt.values():
        torch.nn.init.ones_(each.data)
    network.save_pretrained(tmp_path / "adapter")

    def elsewhere(adapter_state_dict, **_):
        return {f"elsewhere.{name}": each for name, each in adapter_state_dict.items()}

    monkeypatch.setattr(conversion, "convert_peft_adapter_state_dict_for_transformers", elsewhere)
    again = adapters.load_adapter(model.load(settings.model, how)[0], str(tmp_path / "adapter"), how)
    assert isinstance(again, PeftModel)
    assert all(each.eq(1).all() for name, each in again.named_parameters() if "lora_B" in name)
    other = adapters.with_adapter(
        model.load(settings.model, how)[0], how, train_settings(settings.model, tune_mlp=False)
    )
    other.save_pretrained(tmp_path / "other")
    config = (tmp_path / "adapter" / "adapter_config.json").read_text()
    (tmp_path / "other" / "adapter_config.json").write_text(config)  # as if a part of its file had been lost
    with pytest.raises(UserError, match="does not fit this model"):
        adapters.load_adapter(model.load(settings.model, how)[0], str(tmp_path / "other"), how)
