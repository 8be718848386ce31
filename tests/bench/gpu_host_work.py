"""What a describing job does on the CPU before its first texts, and while a GPU would write: no GPU is needed.

    python -m tests.bench.gpu_host_work MODEL --work DIR --out FILE [--images 256] [--films 8]

MODEL is a folder with a Mllama of any width, the true processor and a tokenizer as large as the true one. The model is
never called: where it would be, the time is taken and a fixed text given back. Wall and CPU seconds since the job's
start.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image as Pillow

from radtui.paths import DataDir
from radtui.presets import preset
from radtui.settings import INSTRUCTION, GenerateSettings
from radtui.worker.process import environment
from tests.bench.gpu_parts import DATASET, Results, fill, machine, new_job, parser_of

FILM_PX = (2500, 3056)  # a detector's
ROUNDS = 3


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--films", type=int, default=8)
    options = parser.parse_args()
    data = DataDir(options.work).create()
    environment.prepare(data)
    fill(data, train=2, test=options.images)
    results = Results(options.out)
    results.add("machine", **machine())
    results.run("job", 300, lambda: job(options.model, data))
    results.run("preparing", 300, lambda: preparing(options.model, options.work, options.films))


class Clock:
    """Wall and CPU seconds since it was made, noted by name."""

    def __init__(self) -> None:
        self.began = time.perf_counter(), time.process_time()
        self.noted: dict[str, list[float]] = {}

    def note(self, name: str) -> None:
        now = time.perf_counter(), time.process_time()
        took = [round(after - before, 3) for after, before in zip(now, self.began, strict=True)]
        self.noted.setdefault(name, took)

    def after(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose first end is noted."""

        @wraps(function)
        def noted(*arguments: Any, **named: Any) -> Any:
            value = function(*arguments, **named)
            self.note(name)
            return value

        return noted


def job(model: str, data: DataDir) -> dict[str, Any]:
    """A describing job whose model is asked nothing: when it reached what, [wall, CPU] seconds."""
    from radtui.store.database import connect
    from radtui.worker.describing import describe, generate
    from radtui.worker.memory import shapes
    from radtui.worker.model import adapters, backend, base_files, lora, vision_describing
    from radtui.worker.model import model as models
    from radtui.worker.process.reporter import Reporter

    settings = GenerateSettings(backend="transformers", load_in_4bit=False)
    adapter = data.root / "adapter"
    lora.add_adapter(models.load(model, backend.plan(settings))[0], preset("default")).save_pretrained(
        adapter
    )
    settings = GenerateSettings(
        model=model, adapter=str(adapter), dataset=DATASET, instruction=INSTRUCTION, max_new_tokens=64,
        load_in_4bit=False,
    )  # fmt: skip
    row, db = new_job(data, settings), connect(data)
    clock = Clock()

    def write(model: Any, processor: Any, inputs: Any, decoding: Any, names: Any) -> list[Any]:
        clock.note(f"first {len(names)} ready")
        return [describe.WrittenText("a", 1, 0.01, False) for _ in names]

    stages = (
        (models, "load", "model loaded"), (base_files, "keep", "its files looked at"),
        (adapters, "load_adapter", "adapter loaded"), (generate, "_work", "work listed"),
        (vision_describing, "install", "layers replaced"), (shapes, "refused", "shapes asked about"),
    )  # fmt: skip
    with mock.patch.object(describe, "describe", write):
        patches = [
            mock.patch.object(room, name, clock.after(words, getattr(room, name)))
            for room, name, words in stages
        ]
        for patch in patches:
            patch.start()
        try:
            generate.run(row, data, db, Reporter(db, row.id))
        finally:
            mock.patch.stopall()
    clock.note("all prepared and kept")
    return {"wall_and_cpu_s": clock.noted}


def preparing(model: str, work: Path, films: int) -> dict[str, Any]:
    """Inputs of a chunk of films by one reading thread and by several, alternating: ms an image, wall and CPU."""
    from radtui.store.blobs import Stored
    from radtui.worker.describing import describe
    from radtui.worker.describing.preparing import READERS, Preparing
    from radtui.worker.model import backend
    from radtui.worker.model import model as models
    from radtui.worker.model.examples import Example

    loaded, processor = models.load(
        model, backend.plan(GenerateSettings(backend="transformers", load_in_4bit=False))
    )
    prompt = describe.asked(processor, INSTRUCTION, "image_first")
    took: dict[str, Any] = {}
    for kind in ("8-bit JPEG", "16-bit PNG"):
        file = work / "film"
        file.write_bytes(film(kind))
        cases = [Example(number, str(number), (Stored("", file),), "") for number in range(films)]
        measured: dict[int, list[tuple[float, float]]] = {}
        for threads in (1, READERS) * ROUNDS:
            with (
                mock.patch("radtui.worker.describing.preparing.readers", lambda *_, count=threads: count),
                Preparing(loaded, processor, dict.fromkeys(range(films), prompt), 0) as made,
            ):
                began = time.perf_counter(), time.process_time()
                made.inputs(cases)
                spent = time.perf_counter() - began[0], time.process_time() - began[1]
            measured.setdefault(threads, []).append(spent)
        took[kind] = {
            f"{threads} reading, wall and CPU ms": [
                round(statistics.median(each) * 1000 / films, 1) for each in zip(*spent, strict=True)
            ]
            for threads, spent in measured.items()
        }
    return {"films": films, "px": FILM_PX, **took}


def film(kind: str) -> bytes:
    """A smooth film with grain, as a detector's file."""
    import numpy

    x, y = numpy.meshgrid(numpy.arange(FILM_PX[0]), numpy.arange(FILM_PX[1]))
    grain = numpy.random.default_rng(0).normal(0, 0.01, x.shape)
    level = (numpy.sin(x / 300) * numpy.cos(y / 400) + 1) * 0.4 + grain
    bits = 8 if kind.startswith("8") else 12
    values = numpy.clip(level * (2**bits - 1), 0, 2**bits - 1).astype("uint8" if bits == 8 else "uint16")
    file = io.BytesIO()
    Pillow.fromarray(values).save(file, kind.rpartition(" ")[2])
    return file.getvalue()


if __name__ == "__main__":
    main()
