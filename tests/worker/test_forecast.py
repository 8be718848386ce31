"""What a run needs is told before it begins: by estimate, or by what fitted last time."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest
import torch

from radtui.worker.memory import arithmetic, fitting, forecast, remembered
from radtui.worker.model import backend
from radtui.worker.process import memory
from tests.worker.conftest import LIMIT_S, new_job, train_settings

CARD = backend.LoadPlan("transformers", True, True, "bfloat16")
FIT = fitting.Fit(8, 1, 19, 40, False, 70.0, 79.0)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """A GPU of 80 GiB, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        remembered, "_device", lambda cuda: ("NVIDIA H100 80GB HBM3", 79.6) if cuda else ("CPU", 0.0)
    )
    monkeypatch.setattr(memory, "free_gpu_gib", lambda: 79.0)


def test_another_process_says_what_fits_and_what_an_image_costs(card, data, mllama):
    settings = train_settings(mllama, batch_size=8, gradient_checkpointing="auto")
    with forecast.Forecast(data, settings, CARD) as ahead:
        plan, why = ahead.fit(3)
        assert why == "by estimate" and plan.batch_size == 8 and not plan.recomputes
        assert 0 < plan.peak_gib < 1 and plan.limit_gib == 79.0
        assert ahead.flops_per_image > 1e6 and 0 < ahead.base_gib < plan.peak_gib


def test_where_nothing_can_be_estimated_everything_is_recomputed_and_the_reason_said(card, data, tmp_path):
    settings = train_settings(tmp_path / "gone", batch_size=8, gradient_checkpointing="auto")
    with forecast.Forecast(data, settings, CARD) as ahead:
        plan, why = ahead.fit(40)
        assert (plan.recomputed_layers, plan.recompute_text, plan.batch_size) == (40, True, 8)
        assert why.startswith("without an estimate (") and "gone" in why
        assert ahead.flops_per_image == 0.0 and ahead.base_gib == 0.0


def test_a_process_that_answers_nothing_is_said_with_its_code(card, data, tmp_path, monkeypatch):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\ncat > /dev/null\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(forecast.sys, "executable", str(broken))
    settings = train_settings(tmp_path / "model", batch_size=8, gradient_checkpointing="auto")
    with forecast.Forecast(data, settings, CARD) as ahead:
        plan, why = ahead.fit(40)
    assert plan.recomputes
    assert why == "without an estimate (its process ended with code 3 and no answer)"


@pytest.mark.parametrize(
    ("peak_gib", "was_full", "free_gib", "taken"),
    [
        (70.0, False, 79.0, True),
        (70.0, False, 60.0, False),  # less is free now
        (50.0, False, 79.0, False),  # it recomputed although there was room
        (50.0, True, 79.0, True),  # because the first plan was too large
        (50.0, True, 139.0, False),
    ],
)
def test_what_fitted_last_time_is_taken_where_it_would_be_planned_again(
    card, data, mllama, monkeypatch, peak_gib, was_full, free_gib, taken
):
    monkeypatch.setattr(memory, "free_gpu_gib", lambda: free_gib)
    asked = []
    monkeypatch.setattr(forecast.Forecast, "_ask", lambda self, data: asked.append(self.share))
    settings = train_settings(mllama, gradient_checkpointing="auto")
    key = forecast.Forecast(data, settings, CARD).key
    asked.clear()
    remembered.keep(
        key,
        fit=asdict(FIT),
        peak_gib=peak_gib,
        was_full=was_full,
        share=1.2,
        flops_per_image=5e9,
        base_gib=8.0,
    )
    ahead = forecast.Forecast(data, settings, CARD)
    assert asked == ([] if taken else [1.2]) and ahead.flops_per_image == 5e9
    if taken:
        assert ahead.fit(40) == (replace(FIT, peak_gib=peak_gib), "as it fitted last time")


def test_a_run_is_known_by_shape_settings_and_device_not_by_folder_or_seed(tmp_path, mllama, card):
    settings = train_settings(mllama)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "config.json").write_text((mllama / "config.json").read_text())
    key = remembered.run_key(settings, "4-bit", "H100")
    assert (
        remembered.run_key(replace(settings, model=str(copy), seed=9, learning_rate=1.0), "4-bit", "H100")
        == key
    )
    others = [
        remembered.run_key(replace(settings, batch_size=2), "4-bit", "H100"),
        remembered.run_key(settings, "bfloat16", "H100"),
        remembered.run_key(settings, "4-bit", "H200"),
        remembered.run_key(replace(settings, model="no/such-model"), "4-bit", "H100"),
    ]
    assert len({key, *others}) == 5


def test_facts_add_up_the_oldest_go_and_a_broken_file_is_begun_anew(card, monkeypatch):
    monkeypatch.setattr(remembered, "KEPT", 3)
    remembered.keep("a", load_s=4.0)
    remembered.keep("a", first_step_s=90.0)
    assert {"load_s": 4.0, "first_step_s": 90.0}.items() <= remembered.recall("a").items()
    for name in "bcd":
        remembered.keep(name, load_s=1.0)
    assert remembered.recall("a") == {} and remembered.recall("d")["load_s"] == 1.0
    remembered._file().write_text("{")
    assert remembered.recall("d") == {}
    remembered.keep("e", load_s=2.0)
    assert set(json.loads(remembered._file().read_text())) == {"e"}
    assert (remembered.last_time(90.4), remembered.last_time(0.2), remembered.last_time(None)) == (
        ", 90 s last time", "", "",
    )  # fmt: skip


def test_operations_are_counted_as_pytorch_counts_them(mllama):
    from torch.utils.flop_counter import FlopCounterMode

    from radtui.worker.memory import meta_pass
    from radtui.worker.model import lora, pretrained
    from radtui.worker.model import model as models
    from radtui.worker.model.collator import Collator
    from tests.worker.test_estimate import item

    config, processor = models.describe(str(mllama))
    settings = train_settings(mllama)
    batch = Collator(processor, "answer", 512)([item()])
    empty = lora.add_adapter(pretrained.empty_model(config), settings)
    counted = meta_pass.pass_cost(empty, batch, torch.float32).flops
    real, _ = models.load(str(mllama), backend.LoadPlan("transformers", False, False, "float32"))
    real.set_attn_implementation("eager")  # whose products PyTorch counts one by one
    real = lora.add_adapter(real, settings)
    with FlopCounterMode(display=False) as counter:
        real(**batch).loss.backward()
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize(
    ("gpu", "tera"),
    [
        ("NVIDIA H100 80GB HBM3", 989), ("NVIDIA H100 PCIe", 756), ("NVIDIA H100 NVL", 835), ("NVIDIA H200", 989),
        ("NVIDIA A100-SXM4-80GB", 312), ("NVIDIA L4", 121), ("NVIDIA L40S", 362), ("NVIDIA GeForce RTX 4090", 165),
        ("NVIDIA GeForce RTX 3090", 71), ("NVIDIA L40", None), ("NVIDIA GeForce RTX 3090 Ti", None), ("Tesla T4", None),
    ],
)  # fmt: skip
def test_a_chip_that_is_not_in_the_table_has_no_figure(gpu, tera):
    peak = arithmetic.peak_flops(gpu)
    assert peak == (None if tera is None else tera * 1e12)
    found = arithmetic.utilisation(4.0, 47e12, gpu)
    assert found == ({} if tera is None else {"mfu": pytest.approx(188 / tera)})
    assert arithmetic.utilisation(4.0, 0.0, gpu) == {}


def test_the_first_steps_are_compared_with_the_plan_and_remembered(card, data, mllama, monkeypatch):
    from radtui.store import jobs, metrics
    from radtui.store.database import connect
    from radtui.worker.process.reporter import Reporter
    from radtui.worker.training.first_steps import FirstSteps

    settings = train_settings(mllama, gradient_checkpointing="auto")
    monkeypatch.setattr(forecast.Forecast, "_ask", lambda self, data: None)
    for name, value in (("allocated_gib", 8.0), ("peak_allocated_gib", 39.0)):
        monkeypatch.setattr(memory, name, lambda value=value: value)
    monkeypatch.setattr(memory, "forget_peak", lambda: None)
    monkeypatch.setattr(fitting, "apply", lambda model, plan: None)
    job = new_job(data, settings)
    db = connect(data)
    with forecast.Forecast(data, settings, CARD) as ahead:
        ahead._answer = {"base_gib": 8.0, "flops_per_image": 5e9}
        watching = FirstSteps(Reporter(db, job.id), ahead, replace(FIT, peak_gib=28.0), False)
        state = SimpleNamespace(global_step=0, max_steps=30)
        watching.on_train_begin(None, state, None, model=torch.nn.Identity())
        assert (
            "Waiting for the first step while its kernels are compiled" in jobs.must_get(db, job.id).message
        )
        for step in (1, 2, 3):
            state.global_step = step
            watching.on_step_end(None, state, None)
    assert [e.text for e in metrics.events_since(db, job.id, 0)] == [
        "The first steps took 39.0 of 79.0 GiB, 28.0 GiB were planned"
    ]
    known = remembered.recall(ahead.key)
    assert known["peak_gib"] == 39.0 and known["share"] == 1.55 and known["flops_per_image"] == 5e9
    assert forecast.Forecast(data, settings, CARD).share == 1.55


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S)
def test_a_warm_up_lets_the_first_step_come_before_the_first_look(data, mllama):
    from radtui.store import metrics
    from radtui.store.database import connect
    from radtui.worker.process.reporter import Reporter
    from radtui.worker.training import train

    values = {}
    for warmup in (1, 0):
        job = new_job(data, train_settings(mllama, warmup_steps=warmup))
        db = connect(data)
        train.run(job, data, db, Reporter(db, job.id))
        points = [p for p in metrics.since(db, job.id, 0) if p.name in ("loss", "eval_loss")]
        values[warmup] = points
    assert [(p.name, p.step) for p in values[1]][:3] == [("loss", 1), ("eval_loss", 0), ("loss", 2)]
    assert [(p.name, p.step) for p in values[0]][:3] == [("eval_loss", 0), ("loss", 1), ("loss", 2)]
    untrained = [next(p.value for p in points if p.name == "eval_loss") for points in values.values()]
    # The look after the step sees the same model.
    assert untrained[0] == pytest.approx(untrained[1], rel=1e-6)
