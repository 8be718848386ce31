"""What radtui promises of its jobs on a GPU, checked at the true shape by four processes at once.

    python -m tests.bench.gpu_checks MODEL --work DIR --out DIR [--steps 16] [--only train,texts]

MODEL is a folder with 16-bit weights of Llama-3.2-11B-Vision's shape; its closed gates are opened in its files, so that
random weights see their images. `train` fits preset seed, stops at a step, resumes, and fits the same with preset
default's means; `texts` and `fourbit_*` (`tests/bench/gpu_checks_texts.py`) describe with the adapter of that step. A
line of JSON per stage goes to OUT/ROLE.jsonl, all of it at the end to OUT/gpu_checks.json.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.settings import TrainSettings
from radtui.worker.process import environment
from tests.bench.gpu_merge import stages
from tests.bench.gpu_parts import DATASET, Results, fill, forget, machine, new_job, parser_of, peak

ROLES = ("train", "texts", "fourbit_unsloth", "fourbit_transformers")
WAIT_S = 420  # for another process, such as the one that trains the adapter
MOST_APART = 0.05  # of gradients' norm; the same code twice is 0.011 apart in 16 bits
GATES = (".cross_attn_attn_gate", ".cross_attn_mlp_gate")
OPEN = {"BF16": struct.pack("<f", 0.5)[2:], "F32": struct.pack("<f", 0.5)}  # bf16 is a float's upper half


def main(arguments: list[str] | None = None) -> None:
    """Run all roles, each in a process of its own, or one of them in this process."""
    options = parsed(arguments)
    data = DataDir(options.work).create()
    if options.role:
        environment.prepare(data)
        play(options, data)
        return
    prepare(options, data)
    running = {}
    for name in options.only.split(","):
        own = {"UNSLOTH_COMPILE_LOCATION": str(data.root / "cache" / f"unsloth-{name}")}
        command = [sys.executable, "-m", "tests.bench.gpu_checks", options.model, "--work", str(options.work),
                   "--out", str(options.out), "--role", name, "--steps", str(options.steps), "--stop-at",
                   str(options.stop_at), "--images", str(options.images), "--tokens", str(options.tokens),
                   "--memory-gib", str(options.memory_gib)]  # fmt: skip
        running[name] = subprocess.Popen(command, env={**os.environ, **own})
    while running:
        for name in [name for name, process in running.items() if process.poll() is not None]:
            del running[name]
            mark(data, name).touch()
        time.sleep(0.5)
    print(json_of(options.out).read_text())


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--stop-at", type=int, default=6, help="step whose adapter is described with")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--memory-gib", type=float, default=40.0, help="for the run with preset default")
    parser.add_argument("--only", default=",".join(ROLES))
    parser.add_argument("--role", choices=ROLES, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def prepare(options: argparse.Namespace, data: DataDir) -> None:
    """Images, and a model that sees them."""
    options.out.mkdir(parents=True, exist_ok=True)
    fill(data, train=8 * options.steps, test=max(16, options.images))
    opened = sum(open_gates(file) for file in Path(options.model).glob("*.safetensors"))
    print(f"{opened} gates opened in {options.model}", flush=True)


def play(options: argparse.Namespace, data: DataDir) -> None:
    """One role's stages, and what is known so far as one file."""
    results = Results(options.out / f"{options.role}.jsonl")
    try:
        if options.role == "train":
            Train(options, data, results).run()
        else:
            from tests.bench import gpu_checks_texts

            gpu_checks_texts.play(options, data, results)
    finally:
        write(options.out)


def mark(data: DataDir, name: str) -> Path:
    """A file that tells the other processes: the role of this name has ended, or `adapter` is there."""
    return data.root / f"{name}.done"


def wait_for(data: DataDir, name: str, unless: str = "") -> None:
    """Wait for a mark. Raises RuntimeError when it will not come."""
    deadline = time.monotonic() + WAIT_S
    while not mark(data, name).exists():
        if time.monotonic() > deadline or (unless and mark(data, unless).exists()):
            raise RuntimeError(f"{name} did not come")
        time.sleep(0.1)


def open_gates(file: Path) -> int:
    """Set a checkpoint's cross-attention gates to one half in its file; returns how many there are.

    Source: the safetensors format: 8 bytes length of a JSON header with each tensor's place after it.
    """
    import json

    with file.open("r+b") as out:
        length = struct.unpack("<Q", out.read(8))[0]
        header = json.loads(out.read(length))
        gates = [facts for name, facts in header.items() if name.endswith(GATES)]
        for facts in gates:
            out.seek(8 + length + facts["data_offsets"][0])
            out.write(OPEN[facts["dtype"]])
    return len(gates)


class Train:
    """Preset seed with a stop and a resume, then the same with preset default's means, from the same weights."""

    def __init__(self, options: argparse.Namespace, data: DataDir, results: Results) -> None:
        self.options, self.data, self.results = options, data, results
        self.loaded: Any = None
        self.tuned: Any = None
        self.start: dict[str, Any] = {}
        self.job = new_job(data, self._settings("seed"))

    def run(self) -> None:
        """All stages; the curve needs the seed's losses, so a resume that failed is made up for."""
        self.results.run("seed", 300, self.seed)
        if not self.results.run("resume", 200, self.resume):
            self.job = new_job(self.data, self._settings("seed"))
            self.results.run("seed_again", 200, self.resume)
        self.results.run("curve", 200, self.curve)
        self.results.run("paths", 200, self.paths)

    def _settings(self, name: str, **changes: Any) -> TrainSettings:
        return replace(
            preset(name), model=self.options.model, dataset=DATASET, max_steps=self.options.steps, eval_split="",
            eval_every=0, watch_images=0, checkpoint_every=0, **changes,
        )  # fmt: skip

    def seed(self) -> dict[str, Any]:
        """The recipe to the letter, asked to stop after a few steps: its adapter is what the others describe with."""
        from radtui.worker.process.reporter import Stopped

        with contextlib.suppress(Stopped):
            self._fit(self.options.stop_at)
        self.results.add("machine", **machine())
        facts = self._facts()
        if not (self.data.adapter(self.job.id) / "adapter_config.json").exists():
            raise RuntimeError("no adapter was left")
        written = mark(self.data, "adapter.partial")
        written.write_text(str(self.job.id))
        written.replace(mark(self.data, "adapter"))
        return facts

    def resume(self) -> dict[str, Any]:
        """The rest of the steps, from the checkpoint that the stop left."""
        self._fit(0)
        return self._facts()

    def curve(self) -> dict[str, Any]:
        """Preset default's batches, attention and recomputation on the recipe's loss: how far the curves are apart."""
        import torch

        seed = self._losses()
        with torch.no_grad():
            for name, parameter in self.tuned.named_parameters():
                if name in self.start:
                    parameter.copy_(self.start[name])
        settings = self._settings(
            "default", loss_on="all", message_order="text_first", describe_order="image_first", lora_seed=0,
            memory_gib=self.options.memory_gib,
        )  # fmt: skip
        self.job = new_job(self.data, settings)
        self._fit(0)
        facts = self._facts()
        default = facts["losses"]
        apart = [abs(a - b) for a, b in zip(seed, default, strict=True)]
        mean = sum(apart) / len(apart)
        return facts | {
            "seed_losses": seed, "mean_difference": round(mean, 4), "largest_difference": round(max(apart), 4),
            "mean_difference_of_fall": round(mean / max(abs(seed[0] - seed[-1]), 1e-9), 4),
        }  # fmt: skip

    def paths(self) -> dict[str, Any]:
        """Each fast path's loss and gradients beside those of PEFT's own layers."""
        from tests.bench.gpu_passes import Passes

        passes = Passes()
        passes.data, passes.model, passes.processor = self.data, self.tuned, self.loaded[1]
        return passes.layers(2)

    def _fit(self, stop_at: int) -> None:
        """The job in this process, as its worker runs it; the model of the first run serves all."""
        from radtui.records import StopRequest
        from radtui.store import jobs
        from radtui.store.database import connect
        from radtui.worker.process.reporter import Reporter
        from radtui.worker.training import train

        class Stopping(Reporter):
            """Finds a stop request in the job's row after a step, as if the app had written it then."""

            def log_step(self, step: int, *rest: Any) -> StopRequest:
                if step == stop_at:
                    jobs.request_stop(self.db, self.job_id, StopRequest.CHECKPOINT)
                return super().log_step(step, *rest)

        forget()
        db = connect(self.data)
        jobs.begin(db, self.job.id, os.getpid())
        with self._loaded_once():
            train.run(jobs.must_get(db, self.job.id), self.data, db, Stopping(db, self.job.id))

    @contextlib.contextmanager
    def _loaded_once(self) -> Iterator[None]:
        from radtui.worker.model import adapters
        from radtui.worker.model import model as models

        load, adapt = models.load, adapters.with_adapter

        def loaded(*arguments: Any, **named: Any) -> Any:
            self.loaded = self.loaded or load(*arguments, **named)
            return self.loaded

        def adapted(*arguments: Any) -> Any:
            if self.tuned is None:
                self.tuned = adapt(*arguments)
                named = self.tuned.named_parameters()
                self.start = {name: p.detach().clone() for name, p in named if p.requires_grad}
            return self.tuned

        with mock.patch.object(models, "load", loaded), mock.patch.object(adapters, "with_adapter", adapted):
            yield

    def _losses(self) -> list[float]:
        from radtui.store import metrics
        from radtui.store.database import connect

        points = metrics.since(connect(self.data), self.job.id, 0)
        found = {p.step: p.value for p in points if p.name == "loss"}
        return [round(found[step] or float("nan"), 4) for step in sorted(found)]

    def _facts(self) -> dict[str, Any]:
        from radtui.store import jobs, metrics
        from radtui.store.database import connect

        db = connect(self.data)
        points = metrics.since(db, self.job.id, 0)
        ends = [p.elapsed_s for p in points if p.name == "loss"]
        kept = ("backend", "weights", "trainable_parameters", "total_parameters", "substitutions", "batch_size",
                "gradient_accumulation", "recomputed_vision_layers", "recomputes_text", "planned_memory_gib",
                "peak_memory_gib", "supervised_tokens", "batch_tokens", "adapter_step")  # fmt: skip
        result = jobs.must_get(db, self.job.id).result
        return {
            "losses": self._losses(), "ends_s": [round(s, 2) for s in ends],
            "events": [e.text for e in metrics.events_since(db, self.job.id, 0)],
            **{key: result[key] for key in kept if key in result}, **peak(),
        }  # fmt: skip


def json_of(out: Path) -> Path:
    """Where everything is written in the end."""
    return out / "gpu_checks.json"


def write(out: Path) -> None:
    """Gather what the roles have written, with the checks that are true or false."""
    import json

    found = {role: stages(file) for role in ROLES if (file := out / f"{role}.jsonl").exists()}
    whole = json.dumps({"checks": verdicts(found), **found}, indent=1)
    partial = json_of(out).with_suffix(f".{os.getpid()}")  # two roles may end at the same moment
    partial.write_text(whole + "\n")
    partial.replace(json_of(out))


def verdicts(found: dict[str, Any]) -> dict[str, bool]:
    """Each promise and whether it held; what did not run is not there."""
    train, texts = found.get("train", {}), found.get("texts", {})
    verdict: dict[str, bool] = {}
    if "losses" in (resumed := train.get("resume", {})):
        losses = resumed["losses"]
        verdict["loss_falls"] = losses[-1] < losses[0]
        verdict["resumed_where_it_stopped"] = (
            losses[: len(train["seed"]["losses"])] == train["seed"]["losses"]
        )
    if "trainable_parameters" in (seed := train.get("seed", {})):
        verdict["trainable_parameters_of_the_recipe"] = seed["trainable_parameters"] == 67_174_400
    if "peft" in (paths := train.get("paths", {})):
        apart = [paths[f"{part}_ours"] for part in ("vision_model", "language_model")]
        verdict["fast_paths_give_pefts_gradients"] = max(apart) < MOST_APART
    for role in ("texts", "fourbit_unsloth", "fourbit_transformers"):
        if "equal_tokens" in (disabled := found.get(role, {}).get("disabled", {})):
            verdict[f"base_through_disabled_adapter_{role}"] = disabled["equal_tokens"] == disabled["tokens"]
            verdict[f"adapter_counts_{role}"] = disabled["tuned_score_difference"] > 0
    if "score_difference" in (merged := texts.get("merged", {})):
        verdict["merged_is_nearer_to_the_adapter_than_to_the_base"] = (
            merged["score_difference"] < merged["score_difference_of_base"]
        )
    return verdict


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # loader threads of libraries may keep a finished process
