"""The describing half of `tests/bench/gpu_checks.py`: base, tuned and merged model, in 16 and in 4 bits."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from radtui.paths import DataDir
from radtui.settings import INSTRUCTION, GenerateSettings
from tests.bench.gpu_checks import mark, wait_for
from tests.bench.gpu_parts import (
    DATASET,
    Results,
    agreed,
    device,
    forget,
    gap,
    machine,
    new_job,
    peak,
    seconds,
)

SPEED_IMAGES = 16
SPEED_TOKENS = 64
EXPORT = """
import sys
from pathlib import Path
from radtui.export.adapter import export_adapter
from radtui.paths import DataDir
from radtui.store.database import connect
data = DataDir(Path(sys.argv[1]))
export_adapter(data, connect(data), int(sys.argv[2]), Path(sys.argv[3]), merged=True)
"""  # what `radtui adapter export JOB --merged` does, without the command line's packages


def play(options: argparse.Namespace, data: DataDir, results: Results) -> None:
    """All stages of a role. The timed ones wait until the GPU is theirs."""
    role: str = options.role
    if role == "texts":
        settings = GenerateSettings(model=options.model, backend="transformers", load_in_4bit=False)
    else:
        backend = role.removeprefix("fourbit_") if device() == "cuda" else "transformers"
        settings = GenerateSettings(model=options.model, backend=backend, prefer_16_bit=False)
    bench = Texts(options, data, settings)
    results.add("machine", **machine())
    if not results.run("alone", 200, bench.alone):
        return
    wait_for(data, "adapter", unless="train")
    bench.export_starts = role == "texts"
    results.run("disabled", 150, bench.disabled)
    if role == "texts":
        results.run("job", 150, bench.job)
        results.run("merged", 200, bench.merged)
        return
    if device() == "cuda":
        wait_for(data, "train")
        wait_for(data, "texts")
        if role != "fourbit_unsloth":
            wait_for(data, "fourbit_unsloth")
    results.run("job", 150, bench.job)


class Texts:
    """One loaded base model; `alone` comes before an adapter was ever on it."""

    def __init__(self, options: argparse.Namespace, data: DataDir, settings: GenerateSettings) -> None:
        from radtui.worker.model import backend

        self.options, self.data, self.settings = options, data, settings
        self.how = backend.plan(settings)
        self.model: Any = None
        self.processor: Any = None
        self.inputs: dict[str, Any] = {}
        self.base: list[list[int]] = []
        self.base_texts: list[str] = []
        self.tuned: list[list[int]] = []
        self.scores: dict[str, Any] = {}
        self.export_starts = False
        self.export: subprocess.Popen[bytes] | None = None

    @property
    def adapter(self) -> Path:
        """The folder of the trained adapter."""
        return self.data.adapter(int(mark(self.data, "adapter").read_text()))

    def alone(self) -> dict[str, Any]:
        """Load the base model and let it write."""
        from radtui.store import cases
        from radtui.store.database import connect
        from radtui.worker.model import model as models

        load_s, (self.model, self.processor) = seconds(lambda: models.load(self.options.model, self.how))
        from radtui.worker.describing import describe
        from radtui.worker.model import examples, vision_attention

        if self.how.backend == "unsloth":
            from unsloth import FastVisionModel

            FastVisionModel.for_inference(self.model)
        self.model.eval()
        vision_attention.install(self.model)
        db = connect(self.data)
        records = cases.get_many(db, cases.usable(db, DATASET, "test", self.options.images))
        pictures = [examples.open_images(each, 0) for each in examples.examples(records, self.data)]
        prompts = [describe.asked(self.processor, INSTRUCTION, "image_first")] * len(pictures)
        inputs = describe.prepare(self.processor, pictures, prompts)
        self.inputs = {k: v.to(device(), _dtype(v, self.how.precision)) for k, v in inputs.items()}
        write_s, self.base = seconds(lambda: self._write(self.model))
        self.scores["base"] = self._scores(self.model)
        decoding = describe.Decoding(self.options.tokens)
        # Ends where the model ends.
        written = describe.describe(self.model, self.processor, inputs, decoding, list(range(len(records))))
        self.base_texts = [each.text for each in written]
        return {"weights": self.how.weights, "backend": self.how.backend, "load_s": round(load_s, 1),
                "write_s": round(write_s, 1), **peak()}  # fmt: skip

    def disabled(self) -> dict[str, Any]:
        """The trained adapter loaded onto it: base texts through the disabled adapter, and tuned ones."""
        from radtui.worker.model import adapters

        if self.export_starts:
            self._start_export()
        self.model = adapters.load_adapter(self.model, str(self.adapter), self.how)
        with self.model.disable_adapter():
            through = self._write(self.model)
            apart = float((self._scores(self.model) - self.scores["base"]).abs().max())
        self.tuned = self._write(self.model)
        self.scores["tuned"] = self._scores(self.model)
        return {
            "images": len(self.base), "tokens": sum(map(len, self.base)),
            "equal_tokens": _equal(self.base, through), "largest_score_difference": apart,
            "tuned_equal_tokens": _equal(self.base, self.tuned),
            "tuned_score_difference": self._apart("tuned", "base"),
        }  # fmt: skip

    def job(self) -> dict[str, Any]:
        """A generation job on the loaded model: its speed, and its base texts beside those of the base alone."""
        import os

        from radtui.store import jobs, texts
        from radtui.store.database import connect
        from radtui.worker.describing import generate
        from radtui.worker.process.reporter import Reporter

        timed = not self.settings.prefer_16_bit
        settings = GenerateSettings.from_dict(
            self.settings.to_dict() | {
                "adapter": str(self.adapter), "dataset": DATASET, "instruction": INSTRUCTION,
                "message_order": "image_first", "limit": SPEED_IMAGES if timed else self.options.images,
                "max_new_tokens": SPEED_TOKENS if timed else self.options.tokens,
            }
        )  # fmt: skip
        job = new_job(self.data, settings)
        forget()
        db = connect(self.data)
        jobs.begin(db, job.id, os.getpid())
        began = time.monotonic()
        with self._loaded_already():
            generate.run(job, self.data, db, Reporter(db, job.id))
        wall_s = time.monotonic() - began
        written = texts.finished(db, job.id)
        found: dict[str, Any] = {
            "descriptions": len(written), "job_s": round(wall_s, 2), **peak(),
            "tokens_per_s": round(sum(each.tokens for each in written) / wall_s, 1),
            "result": {k: v for k, v in jobs.must_get(db, job.id).result.items() if k != "substitutions"},
        }  # fmt: skip
        if not timed:
            written_texts = [each.text for each in sorted(written, key=lambda d: d.case_id)
                     if each.arm == "base"]  # fmt: skip
            found["base_texts_unlike_the_base_alone"] = sum(
                a != b for a, b in zip(written_texts, self.base_texts, strict=True)
            )
        return found

    def merged(self) -> dict[str, Any]:
        """`adapter export --merged`, loaded as any model is: its texts beside those of base and adapter."""
        from radtui.worker.model import model as models
        from radtui.worker.model import vision_attention

        assert self.export is not None
        if self.export.wait(timeout=180):
            raise RuntimeError(f"the export ended with code {self.export.returncode}")
        load_s, (model, _) = seconds(lambda: models.load(str(self._folder), self.how))
        vision_attention.install(model.eval())
        written = self._write(model)
        self.scores["merged"] = self._scores(model)
        parted = [row for row, pair in enumerate(zip(self.tuned, written, strict=True)) if pair[0] != pair[1]]
        gaps = [
            gap(
                self.model,
                {k: v[row : row + 1] for k, v in self.inputs.items()},
                self.tuned[row],
                written[row],
            )
            for row in parted
        ]
        shutil.rmtree(self._folder)
        return {
            "load_s": round(load_s, 1), "texts": len(written), "texts_that_differ": len(parted),
            "tokens": sum(map(len, written)), "tokens_until_they_part": sum(map(agreed, self.tuned, written)),
            "gaps_where_texts_part_in_bf16_steps": gaps,
            "score_difference": self._apart("merged", "tuned"),
            "score_difference_of_base": self._apart("base", "tuned"), **peak(),
        }  # fmt: skip

    @property
    def _folder(self) -> Path:
        return self.data.root / "merged"

    def _start_export(self) -> None:
        """In the background: it loads and writes 20 GB while this process describes."""
        job = mark(self.data, "adapter").read_text()
        self.export = subprocess.Popen(
            [sys.executable, "-c", EXPORT, str(self.data.root), job, str(self._folder)]
        )

    @contextlib.contextmanager
    def _loaded_already(self) -> Iterator[None]:
        from radtui.worker.model import adapters
        from radtui.worker.model import model as models

        given = (self.model, self.processor)
        with (
            mock.patch.object(models, "load", lambda *_, **__: given),
            mock.patch.object(adapters, "load_adapter", lambda model, *_: model),
        ):
            yield

    def _write(self, model: Any) -> list[list[int]]:
        """Greedy tokens, as many for every image, by the model's own `generate`."""
        import torch

        count = self.options.tokens
        with torch.no_grad():  # PEFT's own LoRA
            output = model.generate(
                **self.inputs, max_new_tokens=count, min_new_tokens=count, do_sample=False
            )
        return output[:, self.inputs["input_ids"].shape[1] :].tolist()  # type: ignore[no-any-return]

    def _scores(self, model: Any) -> Any:
        """Scores of each image's first token, (B, vocabulary) float32."""
        import torch

        with torch.no_grad():
            return model(**self.inputs, logits_to_keep=1).logits[:, -1].float()

    def _apart(self, one: str, other: str) -> float:
        """Root mean square difference of the first tokens' scores."""
        return round(float((self.scores[one] - self.scores[other]).square().mean().sqrt()), 5)


def _equal(a: list[list[int]], b: list[list[int]]) -> int:
    return sum(x == y for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True))


def _dtype(value: Any, precision: str) -> Any:
    import torch

    return getattr(torch, precision) if value.is_floating_point() else value.dtype
