"""Training on a GPU: the plain script of the report's recipe beside radtui's worker, in one process and on one model.

    python -m tests.bench.gpu MODEL --work DIR --out FILE [--steps 6] [--wait FILE]

MODEL is a folder or hub id of Llama-3.2-11B-Vision's shape; random weights train at the real speed. Results are JSON
lines. `tests/bench/gpu_generate.py` measures descriptions.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.settings import INSTRUCTION
from radtui.worker.process import environment
from tests.bench.gpu_parts import (
    DATASET,
    Results,
    fill,
    forget,
    machine,
    median,
    new_job,
    open_gates,
    parser_of,
    peak,
    seconds,
)
from tests.bench.gpu_passes import Passes


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--wait", type=Path, help="before the first step, wait until this file is there")
    parser.add_argument("--stages", default="plain,default,default60,seed,equal,profile,again,curve")
    options = parser.parse_args()
    data = DataDir(options.work).create()
    environment.prepare(data)
    fill(data, train=96, test=16)
    bench = Bench(options, data, Results(options.out))
    for stage in options.stages.split(","):  # the first, plain or load, gives the others their model
        bench.results.run(stage, 330 if stage == "plain" else 150, getattr(bench, stage))


class Bench(Passes):
    """The stages; each leaves the model as trainable as it found it."""

    def __init__(self, options: argparse.Namespace, data: DataDir, results: Results) -> None:
        self.options, self.data, self.results = options, data, results
        self.model: Any = None
        self.processor: Any = None

    def plain(self) -> dict[str, Any]:
        """The recipe as a script: Unsloth and TRL, batch 2 x 4, every decoded image in a list."""
        began = time.monotonic()
        from unsloth import FastVisionModel  # isort: skip
        from PIL import Image

        model, processor = FastVisionModel.from_pretrained(
            self.options.model, load_in_4bit=True, use_gradient_checkpointing="unsloth"
        )
        model = FastVisionModel.get_peft_model(
            model, finetune_vision_layers=True, finetune_language_layers=True, finetune_attention_modules=True,
            finetune_mlp_modules=True, r=16, lora_alpha=16, lora_dropout=0, bias="none", random_state=3407,
            use_rslora=False, loftq_config=None,
        )  # fmt: skip
        loaded_s = time.monotonic() - began
        open_gates(model)
        self.model, self.processor = model, processor
        self.results.add("machine", **machine())
        trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
        samples = []
        for caption, content in self._pairs():
            image = Image.open(io.BytesIO(content)).convert("RGB")
            user = [{"type": "text", "text": INSTRUCTION}, {"type": "image", "image": image}]
            answer = [{"type": "text", "text": caption}]
            samples.append(
                {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}
            )
        self.samples = samples
        return {"load_s": round(loaded_s, 1), "trainable_parameters": trainable, **self.again()}

    def again(self) -> dict[str, Any]:
        """The plain script's training, on the model as it is."""
        from unsloth import FastVisionModel  # isort: skip
        from trl import SFTConfig, SFTTrainer
        from unsloth.trainer import UnslothVisionDataCollator

        model, processor = self.model, self.processor
        self._as_published()
        deadline = time.monotonic() + 180
        while self.options.wait and not self.options.wait.exists() and time.monotonic() < deadline:
            time.sleep(0.2)  # the GPU is another process's yet
        FastVisionModel.for_training(model)
        clock = _clock()
        trainer = SFTTrainer(
            model=model, processing_class=processor, data_collator=UnslothVisionDataCollator(model, processor),
            train_dataset=self.samples, callbacks=[clock],
            args=SFTConfig(
                per_device_train_batch_size=2, gradient_accumulation_steps=4, warmup_steps=5,
                max_steps=self.options.steps, learning_rate=2e-4, logging_steps=1, optim="adamw_8bit",
                weight_decay=0.001, lr_scheduler_type="linear", seed=3407, output_dir=str(self.data.root / "plain"),
                report_to="none", remove_unused_columns=False, dataset_text_field="", save_strategy="no",
                dataset_kwargs={"skip_prepare_dataset": True}, max_length=2048, disable_tqdm=True,
            ),
        )  # fmt: skip
        forget()
        trainer.train()
        losses = [round(each["loss"], 4) for each in trainer.state.log_history if "loss" in each]
        del trainer
        return {"losses": losses, **clock.figures(), **peak()}

    def _as_published(self) -> None:
        """The model without radtui's vision attention, recomputing as the recipe does."""
        from radtui.worker.model import vision_attention

        vision_attention.uninstall(self.model)
        self.model._unsloth_gradient_checkpointing = "unsloth"

    def load(self) -> dict[str, Any]:
        """The model as radtui loads it, for a run without the plain script."""
        from radtui.worker.model import adapters, backend
        from radtui.worker.model import model as models

        settings = preset("default")
        how = backend.plan(settings)
        took_s, loaded = seconds(lambda: models.load(self.options.model, how, checkpointing="auto"))
        self.model, self.processor = adapters.with_adapter(loaded[0], how, settings), loaded[1]
        self.results.add("machine", **machine())
        return {"load_s": round(took_s, 1), "backend": how.backend, **peak()}

    def seed(self) -> dict[str, Any]:
        """radtui's worker with preset seed."""
        return self._worker("seed")

    def default(self) -> dict[str, Any]:
        """radtui's worker with preset default, all of the GPU's memory."""
        return self._worker("default")

    def default60(self) -> dict[str, Any]:
        """The same within 60 GiB."""
        return self._worker("default", memory_gib=60.0)

    def _worker(self, name: str, **changes: Any) -> dict[str, Any]:
        from dataclasses import replace

        from radtui.store import jobs, metrics
        from radtui.store.database import connect
        from radtui.worker.model import adapters
        from radtui.worker.model import model as models
        from radtui.worker.process.reporter import Reporter
        from radtui.worker.training import train

        forget()
        settings = replace(
            preset(name), model=self.options.model, dataset=DATASET, max_steps=self.options.steps,
            eval_split="", eval_every=0, watch_images=0, checkpoint_every=0, **changes,
        )  # fmt: skip
        job = new_job(self.data, settings)
        db = connect(self.data)
        if name == "seed":
            self._as_published()
        load, adapt = models.load, adapters.with_adapter
        models.load = lambda *_, **__: (self.model, self.processor)  # loading is not what is measured
        adapters.with_adapter = lambda model, *_: model
        began = time.monotonic()
        try:
            train.run(job, self.data, db, Reporter(db, job.id))
        finally:
            models.load, adapters.with_adapter = load, adapt
        points = metrics.since(db, job.id, 0)
        ends = [p.elapsed_s for p in points if p.name == "loss"]
        steps = [later - earlier for earlier, later in pairwise(ends)]
        result = jobs.must_get(db, job.id).result
        shown = ("batch_size", "gradient_accumulation", "recomputed_vision_layers", "recomputes_text",
                 "planned_memory_gib", "supervised_tokens", "batch_tokens", "peak_memory_gib")  # fmt: skip
        last = {p.name: p.value for p in points}
        return {
            "step_s": round(median(steps[1:] or steps), 3), "steps_s": [round(s, 3) for s in steps],
            "first_step_s": round(ends[0], 1), "run_s": round(time.monotonic() - began, 1),
            "losses": [round(p.value or 0, 4) for p in points if p.name == "loss"],
            "tokens_per_s": round(last.get("tokens_per_s") or 0, 1), **peak(),
            **{key: result[key] for key in shown if key in result},
            "gpu": {key: value for key, value in last.items() if key.startswith("gpu")},
        }  # fmt: skip

    def curve(self) -> dict[str, Any]:
        """The seed preset's losses with vision attention masked and maskless, from the same weights."""
        import torch

        start = {n: p.detach().clone() for n, p in self.model.named_parameters() if p.requires_grad}
        found: dict[str, Any] = {}
        for name, maskless in (("masked", False), ("maskless", True)):
            with torch.no_grad():
                for parameter_name, parameter in self.model.named_parameters():
                    if parameter_name in start:
                        parameter.copy_(start[parameter_name])
            run = self._worker("seed", maskless_vision=maskless)
            found |= {f"{name}_losses": run["losses"], f"{name}_step_s": run["step_s"]}
        return found

    def _pairs(self) -> list[tuple[str, bytes]]:
        from radtui.store import cases
        from radtui.store.database import connect

        db = connect(self.data)
        records = cases.get_many(db, cases.usable(db, DATASET, "train", 0))
        return [(r.reference, self.data.blob(r.first.sha256).read_bytes()) for r in records]


def _clock() -> Any:
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        """When each step ended."""

        def __init__(self) -> None:
            self.ends: list[float] = []

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.ends.append(time.monotonic())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            import torch

            torch.cuda.synchronize()
            self.ends.append(time.monotonic())

        def figures(self) -> dict[str, Any]:
            first, *steps = [later - earlier for earlier, later in pairwise(self.ends)]
            return {
                "first_step_s": round(first, 1), "steps_s": [round(s, 3) for s in steps],
                "step_s": round(median(steps[1:] or steps), 3),
            }  # fmt: skip

    return Clock()


if __name__ == "__main__":
    main()
    os._exit(0)  # loader threads of libraries may keep a finished process
