"""What the GPU benchmarks share: images, a data folder, stages with a time limit, JSON lines."""

from __future__ import annotations

import argparse
import io
import json
import platform
import random
import signal
import time
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from PIL import ImageDraw

from radtui.paths import DataDir
from radtui.records import Job, JobKind, NewCase, NewCaseImage
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import cases, jobs
from radtui.store.database import connect
from tests import blobs

SIZE_PX = (657, 442)  # the mean image of unsloth/Radiology_mini
WORDS = (
    "panoramic", "radiograph", "shows", "osteolytic", "lesion", "right", "posterior", "maxilla", "floor", "sinus",
    "arrow", "chest", "pleural", "effusion", "left", "lung", "CT", "axial",
)  # fmt: skip
DATASET = "bench"


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """What every GPU benchmark is called with: a model, a folder to work in and a file for the results."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--work", type=Path, required=True, help="an empty folder with room for the job")
    parser.add_argument("--out", type=Path, required=True)
    return parser


class Results:
    """One JSON object per stage, printed at once and written to a file, so that a cut run leaves what it has."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True)

    def add(self, stage: str, **facts: Any) -> None:
        line = json.dumps({"stage": stage, **facts})
        print(line, flush=True)
        with self.file.open("a") as out:
            out.write(line + "\n")

    def run(self, stage: str, limit_s: int, work: Callable[[], dict[str, Any]]) -> bool:
        """Do one stage; a failure or a timeout is a line, too, and the next stage goes on."""

        def late(*_: object) -> None:
            raise TimeoutError(f"more than {limit_s} s")

        signal.signal(signal.SIGALRM, late)
        signal.alarm(limit_s)
        began = time.monotonic()
        try:
            facts = work()
        except BaseException as error:
            traceback.print_exc()
            self.add(stage, error=f"{type(error).__name__}: {error}"[:600], wall_s=_since(began))
            return False
        finally:
            signal.alarm(0)
        self.add(stage, **facts, wall_s=_since(began))
        return True


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


def machine() -> dict[str, Any]:
    """What ran: GPU, driver, versions, date."""
    import torch

    names = (
        "torch",
        "transformers",
        "trl",
        "peft",
        "accelerate",
        "unsloth",
        "unsloth_zoo",
        "bitsandbytes",
        "triton",
    )
    found: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "versions": {},
    }
    for name in names:
        try:
            found["versions"][name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        found |= {"gpu": card.name, "gpu_memory_gib": round(card.total_memory / 2**30, 1)}
        found |= {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    return found


def picture(rng: random.Random) -> bytes:
    """A grey film with a few bright shapes, as PNG."""
    image = Pillow.effect_noise(SIZE_PX, 24.0)
    pen = ImageDraw.Draw(image)
    for _ in range(5):
        x, y, r = rng.uniform(0, SIZE_PX[0]), rng.uniform(0, SIZE_PX[1]), rng.uniform(20, 120)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=rng.randrange(60, 240))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def fill(data: DataDir, train: int, test: int, words: tuple[int, int] = (40, 40)) -> None:
    """A data set of drawn films with captions of so many words, at least and at most."""
    rng = random.Random(0)
    db = connect(data, create=True)
    cases.ensure_dataset(db, DATASET, "drawn")
    batch = []
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            content = picture(rng)
            digest = blobs.keep(data, content)
            count_words = words[0] if words[0] == words[1] else rng.randint(*words)
            caption = " ".join(rng.choices(WORDS, k=count_words))
            probe = cases.Probe(digest, "PNG", *SIZE_PX, "L")
            case = NewCase(split, f"{split}-{number}", (NewCaseImage(),), caption)
            batch.append(cases.KeptCase(case, (probe,)))
    cases.add(db, DATASET, batch)
    db.close()


def new_job(data: DataDir, settings: TrainSettings | GenerateSettings) -> Job:
    """A job row, as a submission leaves it, begun by this process."""
    kind = JobKind.TRAIN if isinstance(settings, TrainSettings) else JobKind.GENERATE
    db = connect(data)
    job = jobs.create(db, kind, "bench", DATASET, settings.to_dict())
    data.job(job.id).mkdir(parents=True, exist_ok=True)
    jobs.begin(db, job.id, 1)
    job = jobs.must_get(db, job.id)
    db.close()
    return job


def open_gates(model: Any) -> None:
    """Let a model with random weights see its image: fresh cross-attention gates are closed."""
    import torch

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(("cross_attn_attn_gate", "cross_attn_mlp_gate")):
                parameter.fill_(0.5)


def agreed(a: list[int], b: list[int]) -> int:
    """How many tokens two texts begin with in common."""
    return next((place for place, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), len(a))


def gap(model: Any, inputs: dict[str, Any], a: list[int], b: list[int]) -> float:
    """How far apart a model's scores of two texts' first different tokens are, in steps of bf16 at that size.

    Args:
        model: A Mllama.
        inputs: One row.
        a: A text's tokens.
        b: Another's, not the same.
    """
    import torch

    place = agreed(a, b)
    more = torch.tensor([a[:place]], device=inputs["input_ids"].device, dtype=torch.long)
    crossed = inputs["cross_attention_mask"]
    longer = inputs | {
        "input_ids": torch.cat([inputs["input_ids"], more], 1),
        "attention_mask": torch.cat([inputs["attention_mask"], torch.ones_like(more)], 1),
        "cross_attention_mask": torch.cat([crossed, crossed[:, -1:].expand(-1, place, -1, -1)], 1),
    }
    with torch.no_grad():  # PEFT's own LoRA
        scores = model(**longer, logits_to_keep=1).logits[0, -1].float()
    step = 2.0 ** (torch.floor(torch.log2(scores[a[place]].abs())) - 7)
    return round(float((scores[a[place]] - scores[b[place]]).abs() / step), 2)


def device() -> str:
    """Where the benchmark runs; a CPU is for trying the scripts."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long a piece of work took, with the GPU's part, and what it gave."""
    _wait()
    began = time.monotonic()
    given = work()
    _wait()
    return time.monotonic() - began, given


def _wait() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def activities() -> list[Any]:
    """What a profiler is to look at."""
    from torch.profiler import ProfilerActivity

    return [ProfilerActivity.CUDA if device() == "cuda" else ProfilerActivity.CPU]


def peak() -> dict[str, float]:
    """The most memory of the GPU that was used since the last reset."""
    import torch

    if not torch.cuda.is_available():
        return {}
    return {
        "allocated_peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2),
        "reserved_peak_gib": round(torch.cuda.max_memory_reserved() / 2**30, 2),
    }


def forget() -> None:
    """Free what is cached and let the peak begin anew."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def median(values: list[float]) -> float:
    """The middle value."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


KINDS = (
    ("attention", ("flash", "fmha", "cudnn", "attention", "sdpa")),
    ("matrix products", ("gemm", "nvjet", "cutlass", "xmma", "s16816", "cublas")),
    ("4-bit weights", ("dequant", "quantize")),
    ("compiled (triton)", ("triton",)),
    ("copies", ("copy", "memcpy", "memset", "cat", "index", "gather", "fill")),
    ("optimizer", ("adam", "optimizer", "multi_tensor")),
)


def kernels(profiler: Any) -> dict[str, Any]:
    """GPU time by kind of kernel, s, and the longest kernels."""
    rows = [
        (e.key, (e.self_device_time_total if device() == "cuda" else e.self_cpu_time_total) / 1e6, e.count)
        for e in profiler.key_averages()
    ]
    kinds: dict[str, float] = {}
    for name, seconds, _ in rows:
        lowered = name.lower()
        kind = next((k for k, words in KINDS if any(w in lowered for w in words)), "element-wise and other")
        kinds[kind] = kinds.get(kind, 0) + seconds
    longest = sorted(rows, key=lambda row: -row[1])[:28]
    return {
        "kernel_s": round(sum(row[1] for row in rows), 3), "kernels": sum(row[2] for row in rows),
        "by_kind_s": {k: round(v, 3) for k, v in sorted(kinds.items(), key=lambda kv: -kv[1])},
        "longest": [(name[:90], round(s, 4), n) for name, s, n in longest],
    }  # fmt: skip
