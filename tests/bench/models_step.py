"""CPU time of a training step: a plain TRL script's beside radtui's, alternating in one process.

    OMP_NUM_THREADS=1 python -m tests.bench.models_step --work DIR --out FILE [--steps 40] [--rounds 3]

A tiny Mllama, 2 images x 4 passes a step, equal settings: nearly all of a step is Python around the arithmetic, so a
callback, a written row or a walk through all layers shows. `before` is radtui without `training.upkeep`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from radtui.paths import DataDir
from radtui.settings import TrainSettings
from radtui.store import cases, jobs
from radtui.store.database import connect
from radtui.worker.process import environment, libraries
from tests.bench.gpu_parts import Results, machine
from tests.worker.conftest import fill, new_job, train_settings, write_mllama

NOT_COUNTED = 3  # steps: the first ones make what later ones find
Ends = list[tuple[float, float]]  # of steps: wall and CPU seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = DataDir(options.work).create()
    environment.prepare(data)
    fill(data, train=48, test=0)
    settings = train_settings(
        write_mllama(options.work / "model"), max_steps=options.steps, batch_size=2, gradient_accumulation=4,
        learning_rate=2e-4, eval_every=0, eval_split="", checkpoint_every=0, watch_images=0, max_length_tokens=2048,
    )  # fmt: skip
    libraries.load("transformers", trains=True)
    ways: dict[str, Callable[[], Ends]] = {
        "plain": partial(plain, settings, data),
        "before": partial(before, settings, data),
        "radtui": partial(ours, settings, data),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            took[name].append(each_ms(way()))
    results = Results(options.out)
    results.add("machine", **machine())
    results.add("step", steps=options.steps, wall_and_cpu_ms_of_each_round=took)


def each_ms(ends: Ends) -> tuple[float, float]:
    """The middle step's wall and CPU time, ms."""
    later = ends[NOT_COUNTED:]
    return tuple(
        round(statistics.median((b[kind] - a[kind]) * 1e3 for a, b in itertools.pairwise(later)), 1)
        for kind in (0, 1)
    )  # type: ignore[return-value]


def _clock() -> tuple[Any, Ends]:
    """A callback, and where it notes the ends of steps."""
    from transformers import TrainerCallback

    ends: Ends = []

    class Clock(TrainerCallback):
        """Notes when steps end."""

        def on_step_end(self, *arguments: Any, **named: Any) -> None:
            ends.append((time.perf_counter(), time.process_time()))

    return Clock(), ends


def ours(settings: TrainSettings, data: DataDir) -> Ends:
    """A training job as the worker does it."""
    from radtui.worker.process.reporter import Reporter
    from radtui.worker.training import train, trainer

    clock, ends = _clock()
    made = trainer.WatchedTrainer.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        self.add_callback(clock)

    job, db = new_job(data, settings), connect(data)
    jobs.begin(db, job.id, os.getpid())
    with mock.patch.object(trainer.WatchedTrainer, "__init__", init):
        train.run(jobs.must_get(db, job.id), data, db, Reporter(db, job.id))
    return ends


def before(settings: TrainSettings, data: DataDir) -> Ends:
    """The same with what the Trainer does at every pass by itself."""
    from radtui.worker.training import upkeep

    with (
        mock.patch.object(upkeep.TrainingMode, "kept", lambda *_: contextlib.nullcontext()),
        mock.patch.object(upkeep.OperationCount, "of", lambda _, inputs, name, count: count(inputs)),
    ):
        return ours(settings, data)


def plain(settings: TrainSettings, data: DataDir) -> Ends:
    """TRL's trainer on the same model, images and settings, as its own examples call it."""
    from trl import SFTConfig, SFTTrainer

    from radtui.worker.model import backend, examples, lora
    from radtui.worker.model import model as models

    base, processor = models.load(settings.model, backend.plan(settings), trains=True)
    db = connect(data)
    records = cases.get_many(
        db, cases.usable(db, settings.dataset, settings.train_split, 0, with_reference=True)
    )
    images = examples.ImageTexts(
        examples.examples(records, data), settings.instruction, settings.message_order, 0
    )

    def collate(items: list[dict[str, Any]]) -> dict[str, Any]:
        texts = [processor.apply_chat_template(item["messages"], tokenize=False) for item in items]
        shown = [item["images"] for item in items]
        batch = dict(
            processor(text=texts, images=shown, padding=True, add_special_tokens=False, return_tensors="pt")
        )
        return batch | {"labels": batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)}

    clock, ends = _clock()
    arguments = SFTConfig(
        output_dir=str(data.root / "plain"), max_steps=settings.max_steps, learning_rate=settings.learning_rate,
        per_device_train_batch_size=settings.batch_size, optim=settings.optimizer, logging_steps=1, use_cpu=True,
        gradient_accumulation_steps=settings.gradient_accumulation, report_to="none", bf16=False, max_length=None,
        gradient_checkpointing=False, remove_unused_columns=False, save_strategy="no", disable_tqdm=True,
        dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip
    SFTTrainer(
        model=lora.add_adapter(base, settings), args=arguments, train_dataset=images, data_collator=collate,
        processing_class=processor, callbacks=[clock],
    ).train()  # fmt: skip
    return ends


if __name__ == "__main__":
    main()
