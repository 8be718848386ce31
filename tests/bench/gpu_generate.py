"""Descriptions on a GPU: one image at a time with `generate`, and radtui's worker, on the same images.

    python -m tests.bench.gpu_generate MODEL --work DIR --out FILE [--images 160] [--done FILE]

MODEL is a folder with 16-bit weights of Llama-3.2-11B-Vision's shape. The adapter is made here, with random matrices.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.settings import INSTRUCTION, GenerateSettings
from radtui.worker.process import environment
from tests.bench.gpu_parts import (
    DATASET,
    Results,
    activities,
    agreed,
    device,
    fill,
    forget,
    gap,
    kernels,
    machine,
    new_job,
    open_gates,
    parser_of,
    peak,
    seconds,
)

SAME_TOKENS = 32  # of the texts compared one by one, which take 50 ms a token
SAME_IMAGES = 4


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--images", type=int, default=160)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=128, help="of each text")
    parser.add_argument(
        "--texts", type=Path, help="where to write the job's texts, to compare those of other code"
    )
    parser.add_argument("--done", type=Path, help="written when the GPU is free")
    parser.add_argument("--stages", default="load,step,job,same,base_alone")
    options = parser.parse_args()
    data = DataDir(options.work).create()
    environment.prepare(data)
    fill(data, train=2, test=options.images)
    bench = Bench(options, data, Results(options.out))
    for stage in options.stages.split(","):
        bench.results.run(stage, 150, getattr(bench, stage))
    if options.done:
        options.done.touch()


class Bench:
    """The stages; `load` comes first."""

    def __init__(self, options: argparse.Namespace, data: DataDir, results: Results) -> None:
        self.options, self.data, self.results = options, data, results
        self.model: Any = None
        self.processor: Any = None
        self.adapter = data.root / "adapter"

    def load(self) -> dict[str, Any]:
        """Load the base in 16 bits, make an adapter that changes texts, save it, and load it as a job does."""
        import torch

        from radtui.worker.model import adapters, backend, lora
        from radtui.worker.model import model as models

        began = time.monotonic()
        settings = GenerateSettings(backend="transformers", load_in_4bit=False)
        how = backend.plan(settings)
        base, self.processor = models.load(self.options.model, how)
        loaded_s = time.monotonic() - began
        open_gates(base)
        tuned = lora.add_adapter(base, preset("default"))
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.02)
        trainable = sum(p.numel() for p in tuned.parameters() if p.requires_grad)
        tuned.save_pretrained(self.adapter)
        self.model = adapters.load_adapter(tuned.unload(), str(self.adapter), how)
        self.results.add("machine", **machine())
        return {"load_s": round(loaded_s, 1), "trainable_parameters": trainable, **peak()}

    def _inputs(self, count: int) -> dict[str, Any]:
        from radtui.store import cases
        from radtui.store.database import connect
        from radtui.worker.describing import describe
        from radtui.worker.model import examples

        db = connect(self.data)
        records = cases.get_many(db, cases.usable(db, DATASET, "test", count))
        pictures = [examples.open_images(each, 0) for each in examples.examples(records, self.data)]
        prompts = [describe.asked(self.processor, INSTRUCTION, "image_first")] * len(pictures)
        inputs = describe.prepare(self.processor, pictures, prompts)
        return {k: v.to(device(), torch_dtype(v)) for k, v in inputs.items()}

    def step(self) -> dict[str, Any]:
        """One decoding step of a batch as a graph, its capture and prefill, and where prefill spends its time."""
        import torch

        from radtui.worker.describing import own_decoder
        from radtui.worker.model import fast_lora, vision_attention, vision_describing

        vision_attention.install(self.model)
        vision_describing.install(self.model)
        fast_lora.install(self.model)
        found: dict[str, Any] = {"batch": self.options.batch}
        found["prepare_s"], inputs = seconds(lambda: self._inputs(self.options.batch))
        decoder = own_decoder.Decoder(self.model, graphs=device() == "cuda")
        with torch.inference_mode():
            for name in ("first", "again"):
                found[f"prefill_{name}_s"], given = seconds(
                    lambda: decoder._prefill(inputs, self.options.tokens)
                )
            scores, buffers = given
            for name, off in (("tuned", False), ("base", True)):
                with self.model.disable_adapter() if off else contextlib.nullcontext():
                    token = scores.argmax(-1)
                    found[f"capture_{name}_s"], _ = seconds(partial(decoder._next, buffers, token))
                    took_s, token = seconds(partial(self._steps, decoder, buffers, token, 20))
                    found[f"step_{name}_ms"] = took_s * 50
            for name, work in (
                ("step", lambda: decoder._next(buffers, token)),
                ("prefill", lambda: decoder._prefill(inputs, self.options.tokens)),
            ):  # fmt: skip
                with torch.profiler.profile(activities=activities()) as profiler:
                    seconds(work)
                found[f"{name}_profile"] = kernels(profiler)
        found = {k: round(v, 4) if isinstance(v, float) else v for k, v in found.items()}
        return found | peak()

    @staticmethod
    def _steps(decoder: Any, buffers: Any, token: Any, count: int) -> Any:
        for _ in range(count):
            token = decoder._next(buffers, token).argmax(-1)
        return token

    def job(self) -> dict[str, Any]:
        """A whole generation job on the loaded model: base and tuned texts of every image."""

        from radtui.store import jobs, texts
        from radtui.store.database import connect
        from radtui.worker.describing import generate
        from radtui.worker.model import adapters, backend, base_weights
        from radtui.worker.model import model as models
        from radtui.worker.process.reporter import Reporter

        settings = GenerateSettings(
            model=self.options.model, adapter=str(self.adapter), dataset=DATASET, instruction=INSTRUCTION,
            message_order="image_first", max_new_tokens=self.options.tokens,
        )  # fmt: skip
        chosen, how = base_weights.choose(settings, backend.plan(settings))
        job = new_job(self.data, settings)
        db = connect(self.data)
        load, adapt = models.load, adapters.load_adapter
        models.load = lambda *_, **__: (self.model, self.processor)
        adapters.load_adapter = lambda model, *_: model
        forget()
        began = time.monotonic()
        try:
            generate.run(job, self.data, db, Reporter(db, job.id))
        finally:
            models.load, adapters.load_adapter = load, adapt
        wall_s = time.monotonic() - began
        written = texts.finished(db, job.id)
        if self.options.texts:
            kept = {f"{each.case_id} {each.arm}": each.text for each in written}
            self.options.texts.write_text(json.dumps(kept))
        tokens = sum(each.tokens for each in written)
        late = [each for each in written if each.case_id in self._later_half(written)]
        pairs: dict[int, set[str]] = {}
        for each in written:
            pairs.setdefault(each.case_id, set()).add(each.text)
        return {
            "weights": how.weights, "descriptions": len(written), "tokens": tokens, "job_s": round(wall_s, 1),
            "texts_per_s": round(len(written) / wall_s, 2), "commits_s": self._commits(db, job.id, wall_s),
            "texts_per_s_later_half": round(len(late) / sum(e.seconds for e in late), 2),
            "tokens_per_s": round(tokens / wall_s, 1),
            "tokens_per_s_later_half": round(sum(e.tokens for e in late) / sum(e.seconds for e in late), 1),
            "pairs_that_differ": sum(len(both) == 2 for both in pairs.values()),
            "result": {k: v for k, v in jobs.must_get(db, job.id).result.items() if k != "substitutions"},
            "reloaded": chosen, **peak(),
        }  # fmt: skip

    @staticmethod
    def _commits(db: Any, job_id: int, wall_s: float) -> list[list[float]]:
        """When texts were committed, in seconds from the job's start, and how many."""
        rows = db.execute(
            "SELECT created_at, COUNT(*) FROM descriptions WHERE job_id = ? GROUP BY created_at ORDER BY created_at",
            (job_id,),
        ).fetchall()
        start = time.time() - wall_s
        return [[round(at - start, 2), count] for at, count in rows]

    def ready(self) -> dict[str, Any]:
        """How long it takes until flash-attn-4's kernels can be called, where the package is there."""
        import torch

        from radtui.worker.model import flash4

        if device() != "cuda":
            return {"is_there": False}
        took_s, kernel = seconds(lambda: flash4.kernel(torch.device("cuda:0"), torch.bfloat16, 80))
        return {"is_there": kernel is not None, "ready_s": round(took_s, 1)}

    def job_cudnn(self) -> dict[str, Any]:
        """The same job with cuDNN's kernels, whatever else is there."""
        from radtui.worker.model import flash4

        with mock.patch.object(flash4, "kernel", lambda *_: None):
            return self.job()

    @staticmethod
    def _later_half(written: list[Any]) -> set[int]:
        order = list(dict.fromkeys(each.case_id for each in written))
        return set(order[len(order) // 2 :])

    def _alone(self, inputs: dict[str, Any], count: int) -> tuple[list[list[int]], float]:
        """Texts of `generate`, one image at a time, and its tokens per second."""
        import torch

        rows = []
        began = time.monotonic()
        with torch.no_grad():  # PEFT's own LoRA
            for row in range(count):
                own = {k: v[row : row + 1] for k, v in inputs.items()}
                output = self.model.generate(
                    **own, max_new_tokens=SAME_TOKENS, min_new_tokens=SAME_TOKENS, do_sample=False
                )
                rows.append(output[0, own["input_ids"].shape[1] :].tolist())
        return rows, count * SAME_TOKENS / (time.monotonic() - began)

    def same(self) -> dict[str, Any]:
        """Greedy texts of the decoder in a batch against `generate` one by one, base and tuned: rows that differ."""

        from radtui.worker.describing import own_decoder

        inputs = self._inputs(SAME_IMAGES)
        found: dict[str, Any] = {"images": SAME_IMAGES, "tokens": SAME_TOKENS}
        for arm in ("base", "tuned"):
            off = arm == "base"
            with self.model.disable_adapter() if off else contextlib.nullcontext():
                expected, speed = self._alone(inputs, SAME_IMAGES)
                decoder = own_decoder.Decoder(self.model, graphs=device() == "cuda")
                together = decoder.write(inputs, SAME_TOKENS, [-1], 0, own_decoder.greedy).tolist()
                alone = [
                    decoder.write(
                        {k: v[r : r + 1] for k, v in inputs.items()}, SAME_TOKENS, [-1], 0, own_decoder.greedy
                    )[0].tolist()
                    for r in range(2)
                ]
                gaps = [
                    gap(self.model, {k: v[r : r + 1] for k, v in inputs.items()}, a, b)
                    for r, (a, b) in enumerate(zip(expected, together, strict=True))
                    if a != b
                ]
            agree = [
                sum(agreed(a, b) for a, b in zip(expected, rows, strict=False)) for rows in (together, alone)
            ]
            found[arm] = {
                "gaps_where_rows_part_in_bf16_steps": gaps,
                "rows_that_differ_in_a_batch": sum(a != b for a, b in zip(expected, together, strict=True)),
                "rows_that_differ_alone": sum(a != b for a, b in zip(expected, alone, strict=False)),
                "tokens_before_the_first_difference_in_a_batch": agree[0] / SAME_IMAGES,
                "tokens_before_the_first_difference_alone": agree[1] / 2,
                "generate_one_by_one_tokens_per_s": round(speed, 1),
            }
            decoder.release()
            forget()
        return found

    def base_alone(self) -> dict[str, Any]:
        """Base through the disabled adapter against the base without any: tokens of `generate`."""
        inputs = self._inputs(2)
        with self.model.disable_adapter():
            through, _ = self._alone(inputs, 2)
        self.model = self.model.unload()
        alone, _ = self._alone(inputs, 2)
        return {"equal": through == alone, "rows": 2, "tokens": SAME_TOKENS}


def torch_dtype(value: Any) -> Any:
    """bf16 for pixels on a GPU; what a tensor has for anything else."""
    import torch

    return torch.bfloat16 if device() == "cuda" and value.is_floating_point() else value.dtype


if __name__ == "__main__":
    main()
    os._exit(0)
