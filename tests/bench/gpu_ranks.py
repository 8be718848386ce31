"""The same jobs on one GPU and on two: training with preset default, and describing, each as the app starts them.

    python -m tests.bench.gpu_ranks MODEL --work DIR --out FILE [--stages one,train,wide,generate]

MODEL is a folder with 16-bit weights of Llama-3.2-11B-Vision's shape; its cross-attention gates are opened in place.
Stage `one` trains on the first GPU and describes on the second at the same time, `single` only trains on the first;
`train` and `generate` use both, one job after the other; `wide` trains on both with twice the images a step, as many
for each GPU as one had alone. Results are JSON lines; the last one has the ratios.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from radtui.jobs import alive, stop, submit_generate, submit_train
from radtui.paths import DataDir
from radtui.presets import preset
from radtui.records import Job, JobState, StopRequest
from radtui.settings import INSTRUCTION, GenerateSettings
from radtui.store import jobs, metrics, texts
from radtui.store.database import connect
from tests.bench.gpu_checks import open_gates
from tests.bench.gpu_parts import DATASET, Results, fill, machine, median, parser_of

REPOSITORY = Path(__file__).parents[2]
BATCH = 64  # images described at once, on either number of GPUs: the ratio is of GPUs, not of batches
NEW_TOKENS = 128
WARM_STEPS = 4  # the first ones compile
SHOWN_BYTES = 6_000


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--images", type=int, default=384, help="of them, half for each of two GPUs")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--tokens", type=int, default=NEW_TOKENS)
    parser.add_argument("--backend", default="auto", choices=("auto", "unsloth", "transformers"))
    parser.add_argument("--stages", default="one,train,wide,generate")
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    bench = Bench(options, DataDir(options.work.resolve()).create(), Results(options.out))
    bench.results.run("prepare", 120, bench.prepare)
    for stage in options.stages.split(","):
        bench.results.run(stage, 330, getattr(bench, stage))
    bench.results.add("ratios", **bench.ratios())


class Bench:
    """The stages; figures of earlier ones are read from the data folder, so that they may be of an earlier call."""

    def __init__(self, options: argparse.Namespace, data: DataDir, results: Results) -> None:
        self.options, self.data, self.results = options, data, results
        self.db = connect(data, create=True)
        self.adapter = data.root / "adapter"

    def prepare(self) -> dict[str, Any]:
        """Images, an adapter with random matrices, and gates that let the image in."""
        if not self.adapter.exists():
            fill(self.data, train=16 * self.options.steps, test=self.options.images)
            write_adapter(Path(self.options.model), self.adapter)
        opened = sum(open_gates(file) for file in sorted(Path(self.options.model).glob("*.safetensors")))
        return {"opened_gates": opened, **machine()}

    def one(self) -> dict[str, Any]:
        """Both jobs at once, each on its own GPU."""
        began = time.time()
        train = self._start("0", self._train_settings(1))
        generate = self._start("1", self._generate_settings(1))
        self._wait(train, generate)
        return {
            "train": self.trained(train),
            "generate": self.described(generate),
            "wall": time.time() - began,
        }

    def single(self) -> dict[str, Any]:
        """Training on the first GPU, while the second is left to whatever else runs."""
        job = self._start("0", self._train_settings(1))
        self._wait(job)
        return self.trained(job)

    def train(self) -> dict[str, Any]:
        """Training on both GPUs."""
        job = self._start("", self._train_settings(2))
        self._wait(job)
        return self.trained(job)

    def wide(self) -> dict[str, Any]:
        """Training on both GPUs, each with what one had alone."""
        settings = self._train_settings(2)
        job = self._start("", replace(settings, batch_size=2 * settings.batch_size))
        self._wait(job)
        return self.trained(job)

    def generate(self) -> dict[str, Any]:
        """Describing on both GPUs."""
        job = self._start("", self._generate_settings(2))
        self._wait(job)
        return self.described(job)

    def _train_settings(self, gpus: int) -> Any:
        return replace(
            preset("default"), model=str(self.options.model), dataset=DATASET, max_steps=self.options.steps, gpus=gpus,
            eval_split="", eval_every=0, watch_images=0, checkpoint_every=0, backend=self.options.backend,
        )  # fmt: skip

    def _generate_settings(self, gpus: int) -> GenerateSettings:
        return GenerateSettings(
            model=str(self.options.model), adapter=str(self.adapter), dataset=DATASET, instruction=INSTRUCTION,
            message_order="image_first", max_new_tokens=self.options.tokens, batch_size=self.options.batch, gpus=gpus,
        )  # fmt: skip

    def _start(self, visible: str, settings: Any) -> Job:
        """Start a job as the app does; `visible` names its GPU, and is empty where the worker is to choose."""
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        if visible:
            os.environ["CUDA_VISIBLE_DEVICES"] = visible
        submit = submit_generate if isinstance(settings, GenerateSettings) else submit_train
        try:
            return submit(self.data, self.db, settings)
        finally:
            os.environ.pop("CUDA_VISIBLE_DEVICES", None)

    def _wait(self, *started: Job) -> None:
        """Wait until jobs are done, and say what became of one that is not."""
        try:
            while any(alive(self.data, job.id) for job in started):
                time.sleep(0.2)
        except BaseException:
            for job in started:
                if alive(self.data, job.id):
                    stop(self.data, self.db, job.id, StopRequest.NOW)
            time.sleep(5)
            raise
        finally:
            self._show_logs(started)
        for job in started:
            ended = jobs.must_get(self.db, job.id)
            if ended.state is not JobState.DONE:
                raise RuntimeError(f"job {job.id} is {ended.state}: {ended.error}")

    def _show_logs(self, started: tuple[Job, ...]) -> None:
        for job in started:
            for file in sorted(self.data.job(job.id).glob("log*.txt")):
                text = file.read_text(errors="replace")
                (self.options.out.parent / f"job{job.id}-{file.name}").write_text(text)
                if jobs.must_get(self.db, job.id).state is not JobState.DONE:
                    print(f"--- {file}\n{text[-SHOWN_BYTES:]}", flush=True)

    def trained(self, job: Job) -> dict[str, Any]:
        """A training job's speed: images of a step over the median of the steps after the first few."""
        points = metrics.since(self.db, job.id, 0)
        ends = [p.elapsed_s for p in points if p.name == "loss"]
        steps = [later - earlier for earlier, later in pairwise(ends)]
        step_s = median(steps[WARM_STEPS - 1 :])
        batch = _step_images(job)
        result = jobs.must_get(self.db, job.id).result
        shown = ("backend", "weights", "batch_size", "gradient_accumulation", "recomputed_vision_layers",
                 "recomputes_text", "peak_memory_gib")  # fmt: skip
        return {
            "samples_per_s": round(batch / step_s, 3), "step_s": round(step_s, 3), "first_step_s": round(ends[0], 1),
            "steps_s": [round(each, 3) for each in steps],
            "losses": [round(p.value or 0, 4) for p in points if p.name == "loss"],
            "job_s": _lasted(self.db, job), **{key: result[key] for key in shown if key in result},
        }  # fmt: skip

    def described(self, job: Job) -> dict[str, Any]:
        """A generation job's speed after each GPU's first batch, and with it."""
        written = texts.finished(self.db, job.id)
        commits: dict[float, int] = {}  # when -> tokens
        sizes: dict[float, float] = {}  # when -> seconds the batch took
        rows = self.db.execute(
            "SELECT created_at, tokens, seconds FROM descriptions WHERE job_id = ? AND step IS NULL",
            (job.id,),
        )
        for at, tokens, seconds in rows:
            commits[at] = commits.get(at, 0) + tokens
            sizes[at] = sizes.get(at, 0) + seconds
        times = sorted(commits)
        gpus = int(str(job.settings["gpus"]))
        began, warm, end = min(at - sizes[at] for at in times[:gpus]), times[gpus - 1], times[-1]
        result = jobs.must_get(self.db, job.id).result
        return {
            "tokens_per_s": round(sum(commits[at] for at in times if at > warm) / (end - warm), 1),
            "tokens_per_s_with_first_batch": round(sum(commits.values()) / (end - began), 1),
            "descriptions": len(written), "tokens": sum(commits.values()), "describing_s": round(end - began, 1),
            "job_s": _lasted(self.db, job),
            **{key: result[key] for key in ("backend", "weights", "peak_memory_gib") if key in result},
        }  # fmt: skip

    def ratios(self) -> dict[str, Any]:
        """Two GPUs over one, of the newest jobs of either kind; how far losses and texts are apart."""
        newest: dict[tuple[str, int], Job] = {}
        found: dict[str, Any] = {}
        for job in reversed(jobs.all_jobs(self.db)):
            if job.state is JobState.DONE:
                kind = (
                    "train_wide"
                    if job.kind == "train" and _step_images(job) > preset("default").effective_batch
                    else str(job.kind)
                )
                newest[kind, int(str(job.settings.get("gpus", 1)))] = job
        if ("train", 1) in newest and ("train_wide", 2) in newest:
            one, wide = self.trained(newest["train", 1]), self.trained(newest["train_wide", 2])
            found["train_wide_samples_per_s"] = [one["samples_per_s"], wide["samples_per_s"]]
            found["train_wide"] = round(wide["samples_per_s"] / one["samples_per_s"], 3)
        if ("train", 1) in newest and ("train", 2) in newest:
            one, two = (self.trained(newest["train", gpus]) for gpus in (1, 2))
            found["train_samples_per_s"] = [one["samples_per_s"], two["samples_per_s"]]
            found["train"] = round(two["samples_per_s"] / one["samples_per_s"], 3)
            pairs = zip(one["losses"], two["losses"], strict=False)
            found["largest_loss_difference"] = round(max(abs(a - b) for a, b in pairs), 4)
        if ("generate", 1) in newest and ("generate", 2) in newest:
            one, two = (self.described(newest["generate", gpus]) for gpus in (1, 2))
            for key in ("tokens_per_s", "tokens_per_s_with_first_batch"):
                found[f"generate_{key}"] = [one[key], two[key]]
                found["generate" + key.removeprefix("tokens_per_s")] = round(two[key] / one[key], 3)
            both = [
                {(d.case_id, d.arm): d.text for d in texts.finished(self.db, newest["generate", n].id)}
                for n in (1, 2)
            ]
            found["texts_that_differ"] = sum(both[0][key] != both[1].get(key) for key in both[0])
            found["texts"] = len(both[0])
        return found


def _step_images(job: Job) -> int:
    """Images of an optimizer step, over all GPUs."""
    return int(str(job.settings["batch_size"])) * int(str(job.settings["gradient_accumulation"]))


def _lasted(db: sqlite3.Connection, job: Job) -> float:
    """From the worker's start to its end, loading included, s."""
    ended = jobs.must_get(db, job.id)
    return round((ended.ended_at or 0) - (ended.started_at or 0), 1)


def write_adapter(model: Path, folder: Path) -> None:
    """An adapter of the default preset's shape with random matrices, made without loading the model."""
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForImageTextToText

    from radtui.worker.model import lora

    with torch.device("meta"):  # shapes without storage
        tuned = lora.add_adapter(
            AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(model)), preset("default")
        )
    generator = torch.Generator().manual_seed(0)
    matrices = {
        name: torch.randn(matrix.shape, generator=generator) * 0.02
        for name, matrix in get_peft_model_state_dict(tuned).items()
    }
    folder.mkdir(parents=True)
    tuned.peft_config["default"].base_model_name_or_path = str(model)
    tuned.peft_config["default"].save_pretrained(folder)
    save_file(matrices, folder / "adapter_model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # loader threads of libraries may keep a finished process
