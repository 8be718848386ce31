"""What a run is estimated to take: against what real passes take, against a card's memory, and in words."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from radtui.estimates import DeviceMemory
from radtui.jobs.estimate import Estimating, estimate, estimate_lines
from radtui.presets import preset
from radtui.records import UserError
from radtui.store.database import connect
from radtui.worker.memory import estimate as estimates
from radtui.worker.memory import gpu_memory, meta_pass
from radtui.worker.memory.footprint import Footprint
from radtui.worker.model import backend, lora, prompt, vision_attention
from radtui.worker.model import model as models
from radtui.worker.model.collator import Collator
from tests.commands import invoked
from tests.worker.conftest import REPOSITORY, train_settings
from tests.worker.more_families import MAKERS

CPU = backend.LoadPlan("transformers", False, False, "float32")
CARD = backend.LoadPlan("unsloth", True, True, "bfloat16")


def item(side_px: int = 130):
    from PIL import Image

    picture = Image.effect_noise((side_px, 90), 24).convert("RGB")
    messages = [prompt.question("Describe.", "image_first"), prompt.answer("A bright disc, well seen. " * 6)]
    return {"messages": messages, "images": [picture]}


def learn(model, batch) -> None:
    model(**batch).loss.backward()


def most_held(work) -> int:
    """The most bytes PyTorch's own profiler saw allocated at once.

    What an earlier profile left in a circle is collected before or not at all: freed meanwhile, it would be taken off.
    """
    from torch.profiler import ProfilerActivity, profile

    gc.collect()
    gc.freeze()
    try:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            work()
    finally:
        gc.unfreeze()
    events = [e for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def test_what_others_left_behind_is_not_taken_off_what_a_pass_holds():
    class Circle:
        def __init__(self) -> None:
            self.own, self.weights = self, torch.zeros(2**22)

    def learns() -> None:
        gc.collect()  # as it happens at any time
        torch.zeros(2**20)

    gc.disable()
    try:
        most_held(Circle)  # PyTorch knows how large what it profiled was, for as long as that is there
        assert most_held(learns) == 4 * 2**20
    finally:
        gc.enable()


@pytest.mark.parametrize("text_too", [False, True])
def test_an_empty_pass_holds_what_a_real_one_holds(tiled, text_too):
    settings = train_settings(tiled)
    config, processor = models.describe(str(tiled))
    collate = Collator(processor, "answer", 512)
    footprint = Footprint(config, settings, CPU, collate, item())
    base, _ = models.load(str(tiled), CPU)
    real = lora.add_adapter(base, settings)
    vision_attention.install(real)
    real.train()
    layers = footprint.layers if text_too else 0
    footprint.recompute(layers, text_too)
    from radtui.worker.memory import fitting

    fitting.keeper(real)(layers, text_too)
    batch = footprint.batch(4)
    took = most_held(partial(learn, real, batch)) + batch["pixel_values"].nbytes
    assert meta_pass.pass_bytes(footprint.model, batch, torch.float32) == pytest.approx(took, rel=0.1)
    assert footprint.trainable == sum(p.numel() for p in real.parameters() if p.requires_grad)
    assert footprint.weights_gib * 2**30 == sum(
        p.numel() * 4 for name, p in real.named_parameters() if "lora" not in name
    )


def test_recomputing_and_fewer_images_take_less_and_weights_have_no_storage(tiled):
    config, processor = models.describe(str(tiled))
    footprint = Footprint(config, train_settings(tiled), CPU, Collator(processor, "answer", 512), item())
    assert all(p.is_meta for p in footprint.model.parameters())
    footprint.recompute(0, False)
    kept, half = footprint.activations_gib(8), footprint.activations_gib(4)
    assert half == pytest.approx(kept / 2, rel=0.1)
    footprint.recompute(footprint.layers, True)
    assert footprint.activations_gib(8) < 0.8 * kept
    assert all(p.grad is None for p in footprint.model.parameters())


@pytest.mark.parametrize("kind", ["llava", "llava_next", "gemma3"])
def test_other_architectures_are_estimated_too(tmp_path, kind):
    folder = MAKERS[kind](tmp_path / kind)
    config, processor = models.describe(str(folder))
    collate = Collator(processor, "answer", 512)
    footprint = Footprint(config, train_settings(folder), CPU, collate, item())
    base, _ = models.load(str(folder), CPU)
    real = lora.add_adapter(base, train_settings(folder)).train()
    batch = footprint.batch(2)
    took = most_held(partial(learn, real, batch)) + batch["pixel_values"].nbytes
    footprint.recompute(0, False)
    assert meta_pass.pass_bytes(footprint.model, batch, torch.float32) == pytest.approx(took, rel=0.15)


def on_card(tiled, free_gib: float, how: backend.LoadPlan = CARD, others=(), **changes):
    """An estimate for a card with so much free memory beside what CUDA takes itself."""
    settings = replace(
        train_settings(tiled, batch_size=8, load_in_4bit=how.four_bit, gradient_checkpointing="auto"),
        **changes,
    )
    config, processor = models.describe(str(tiled))
    from PIL import Image

    picture = {"image": Image.effect_noise((900, 700), 24).convert("RGB"), "text": "A bright disc. " * 8}
    estimator = estimates.Estimator(settings, how, config, processor, picture)
    card = DeviceMemory("GPU 0, Test", free_gib + estimates.CONTEXT_GIB, 80, "process 7 holds 2.0 GiB", True)
    return estimator.estimate((card, *others))


@pytest.fixture(scope="module")
def large(tiled):
    """What is estimated for a card on which all of it fits at once."""
    return on_card(tiled, 60)


@pytest.fixture
def no_spare(monkeypatch):
    """These models take megabytes: a spare of a GiB would hide what is decided."""
    from radtui.worker.memory import fitting

    monkeypatch.setattr(fitting, "SPARE_GIB", 0.0)


def test_a_large_card_takes_all_at_once(large):
    assert large.fits and (large.images, large.passes) == (8, 1)
    assert "nothing is computed twice" in large.verdict and large.precision == "4-bit"
    assert large.image_tokens == 4 * 24 and large.text_tokens > 30  # four tiles, each padded from 17 tokens
    assert 0 < large.optimizer_gib <= large.adapter_gib < large.total_gib < large.limit_gib == 60


@pytest.mark.slow
def test_a_small_card_recomputes_then_halves_the_batch(tiled, large, no_spare):
    some = on_card(tiled, (large.total_gib - large.optimizer_gib) * 0.9)
    assert some.fits and some.images == 8 and "keep their activations" in some.verdict
    few = on_card(tiled, large.weights_gib + large.adapter_gib + large.activations_gib * 0.25)
    assert few.fits and few.images < 8 and few.images * few.passes == 8


def test_of_several_gpus_each_takes_as_much_and_the_fullest_decides(tiled, large):
    free = DeviceMemory("GPU 1, Test", 70, 80, chosen=True)
    found = on_card(tiled, 30, others=(free,), gpus=2)
    assert (found.gpus, found.images, found.limit_gib) == (2, 8, 30)
    assert found.verdict.startswith("On each of 2 GPUs: 8 images at a time take")
    assert found.weights_gib == large.weights_gib and found.activations_gib == large.activations_gib
    assert found.adapter_gib * 2**30 == large.adapter_gib * 2**30 + 4 * found.trainable_parameters
    assert estimate_lines(found)[0] == ("gpus", "2, each takes what follows")
    assert "gpus" not in dict(estimate_lines(large))


@pytest.mark.slow
def test_where_nothing_fits_a_sentence_names_what_would(tiled, large, no_spare):
    sixteen = backend.LoadPlan("unsloth", True, False, "bfloat16")
    config, _ = models.describe(str(tiled))
    free = Footprint(config, train_settings(tiled), sixteen, None, None).weights_gib * 1.05
    other = DeviceMemory("GPU 1, Test", 30, 80)
    found = on_card(tiled, free, sixteen, (other,), lora_r=64, batch_size=2)
    assert not found.fits and large.weights_gib < free
    assert "process 7 holds 2.0 GiB" in found.verdict and "it would fit with" in found.verdict
    assert "GPU 1, Test" in found.verdict and found.images == 1
    assert "max_side_px" not in found.verdict  # this model cuts every picture into as many tiles
    nothing = on_card(tiled, 0.0001, sixteen, batch_size=2)
    assert not nothing.fits and nothing.verdict.endswith("GiB free, or a smaller model.")


def test_quantised_weights_are_counted_as_stored(tiled):
    config, _ = models.describe(str(tiled))
    model = Footprint(config, train_settings(tiled), CARD, None, None)
    whole = backend.LoadPlan("unsloth", True, False, "bfloat16")
    assert model.weights_gib == pytest.approx(model.weights_4bit_gib)
    in_16 = Footprint(config, train_settings(tiled), whole, None, None)
    assert in_16.weights_gib > model.weights_gib == in_16.weights_4bit_gib
    config.quantization_config = {"load_in_4bit": True, "llm_int8_skip_modules": ["vision_model"]}
    stored = Footprint(config, train_settings(tiled), whole, None, None)
    assert model.weights_gib < stored.weights_gib < in_16.weights_gib


def true_shape():
    """The configuration of Llama 3.2 11B Vision."""
    from transformers import MllamaConfig
    from transformers.models.mllama.configuration_mllama import MllamaTextConfig, MllamaVisionConfig

    text = MllamaTextConfig(vocab_size=128_256, pad_token_id=0, bos_token_id=1, eos_token_id=2)
    return MllamaConfig(
        vision_config=MllamaVisionConfig(image_size=560), text_config=text, image_token_index=5
    )


def true_batch(rows: list[object]) -> dict[str, torch.Tensor]:
    """As the benchmark's: pictures of two tiles and 123 tokens of text; zeros, of which only the shape matters."""
    count, tokens = len(rows), 123
    tiles = torch.tensor([1, 1, 0, 0])
    return {
        "input_ids": torch.full((count, tokens), 7), "labels": torch.full((count, tokens), 7),
        "attention_mask": torch.ones(count, tokens, dtype=torch.long),
        "pixel_values": torch.zeros(count, 1, 4, 3, 560, 560),
        "aspect_ratio_ids": torch.ones(count, 1, dtype=torch.long),
        "aspect_ratio_mask": tiles.expand(count, 1, 4),
        "cross_attention_mask": tiles.expand(count, tokens, 1, 4),
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "stage", "name", "images", "text_too", "within"),
    [
        ("limit", "memory", "default", 8, False, 0.03), ("train", "plain", "seed", 2, True, 0.06),
    ],
)  # fmt: skip
def test_the_true_shape_is_estimated_as_it_was_measured(where, stage, name, images, text_too, within):
    measured = json.loads((REPOSITORY / "assets" / "benchmarks" / "gpu.json").read_text())[where][stage]
    footprint = Footprint(true_shape(), preset(name), CARD, true_batch, None)
    footprint.recompute(measured.get("recomputed_vision_layers", footprint.layers), text_too)
    estimated = footprint.probe(140.0)(images)
    assert estimated == pytest.approx(measured["allocated_peak_gib"], rel=within)
    assert estimated > 0.97 * measured["allocated_peak_gib"]  # rather too much than too little


def test_every_gpu_is_listed_with_what_is_free_and_who_holds_it(monkeypatch):
    gib = 2**30
    library = SimpleNamespace(
        nvmlInit=lambda: None, nvmlDeviceGetCount=lambda: 2, nvmlDeviceGetHandleByIndex=lambda number: number,
        nvmlDeviceGetName=lambda handle: "NVIDIA H200", NVMLError=OSError,
        nvmlDeviceGetMemoryInfo=lambda h: SimpleNamespace(free=(120 + h) * gib, total=140 * gib),
        nvmlDeviceGetComputeRunningProcesses=lambda h: (
            [SimpleNamespace(pid=4711, usedGpuMemory=9 * gib)] if h == 1 else []
        ),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpu_memory.devices() == (
        DeviceMemory("GPU 0, NVIDIA H200", 120.0, 140.0, "", chosen=False),
        DeviceMemory("GPU 1, NVIDIA H200", 121.0, 140.0, "process 4711 holds 9.0 GiB", chosen=True),
    )
    monkeypatch.setitem(sys.modules, "pynvml", None)
    (machine,) = gpu_memory.devices()
    assert machine.name == "main memory" and 0 < machine.free_gib <= machine.total_gib and machine.chosen


@pytest.mark.slow
def test_asking_from_the_app_side_starts_no_job_loads_no_weights_and_asks_nobody(
    data, mllama, tmp_path, guarded
):
    import shutil

    shapes = tmp_path / "shapes-only"
    shutil.copytree(mllama, shapes, ignore=shutil.ignore_patterns("*.safetensors"))
    db = connect(data)
    settings = train_settings(shapes)
    found = estimate(data, db, settings)
    assert found.fits and found.images == 4 and found.devices[0].name == "main memory"
    words = dict(estimate_lines(found))
    assert (
        words["activations"].endswith("4 images at a time, 1 pass a step")
        and "GiB free" in words["main memory"]
    )
    assert not db.execute("SELECT count(*) FROM jobs").fetchone()[0]
    with pytest.raises(UserError, match="no split 'nowhere'"):
        estimate(data, db, replace(settings, train_split="nowhere"))
    asked = Estimating(data, settings)
    asked.cancel()
    with pytest.raises(UserError, match="it tries what fits"):
        asked.result()
    assert not guarded.exists(), guarded.read_text()


def test_processes_without_a_gpu_share_a_step_and_the_main_memory(data, mllama, monkeypatch):
    machine = DeviceMemory("main memory", 16.0, 32.0, chosen=True)
    monkeypatch.setattr(gpu_memory, "devices", lambda: (machine,))
    settings = train_settings(mllama, batch_size=8)
    alone, found = (estimates.estimate(replace(settings, gpus=n), data, connect(data)) for n in (1, 2))
    assert (alone.images, found.images, found.passes) == (8, 4, 1)
    assert found.activations_gib == pytest.approx(alone.activations_gib / 2, rel=0.2)
    assert found.limit_gib == pytest.approx(alone.limit_gib - 0.9 * 16.0 / 2, abs=0.2)
    assert found.verdict.startswith("On each of 2 processes: 4 images at a time take ")


def test_more_gpus_than_there_are_is_said_by_the_estimate_too(data, mllama, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="The job asks for 2 GPUs and there is 1: lower gpus"):
        estimates.estimate(train_settings(mllama, gpus=2), data, connect(data))


def test_preferences_are_estimated_on_the_backend_that_learns_them(data, mllama, monkeypatch):
    """A machine with unsloth learns references with it, and preferences without."""
    monkeypatch.setattr(
        backend, "plan", lambda asked: replace(CPU, backend="unsloth" if asked.backend == "auto" else asked.backend)
    )  # fmt: skip
    monkeypatch.setattr(
        estimates, "Estimator", lambda settings, how, *_: SimpleNamespace(estimate=lambda *_: too_large(how))
    )
    chosen: list[backend.LoadPlan] = []

    def too_large(how: backend.LoadPlan) -> SimpleNamespace:
        chosen.append(how)
        return SimpleNamespace(fits=False)

    learnt = train_settings(mllama, backend="auto")
    rated = replace(learnt, objective="dpo", from_job=1)
    for each in (learnt, rated):
        estimates.estimate(each, data, connect(data))
    assert [plan.backend for plan in chosen] == ["unsloth", "transformers"]


@pytest.mark.slow
def test_the_command_line_prints_it(data, mllama):
    run = invoked(data, "train", "--model", mllama, "--dry-run", "--json")
    assert run.exit_code == 0, run.output
    found = json.loads(run.output[run.output.index("{") :])
    assert found["fits"] and found["weights_gib"] > 0 and found["trainable_parameters"] > 0
    code = "import sys, radtui.jobs.estimate, radtui.cli.start; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
